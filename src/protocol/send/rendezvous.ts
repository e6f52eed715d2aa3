/**
 * The sender's record: where it is and who it is, sealed so that only who knows the code can read it.
 *
 * Ours: docs/protocol/send-code.md. The value of a mutable item of the DHT (BEP 44): nonce and XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) of a record of
 * fixed length, so that the length tells nothing. Strict: one record has one form, padding is zeros, addresses are ones that somebody can be reached at.
 * Bounds: MAX_RECORD_ADDRESSES, MAX_RELAYS, MAX_RELAY_ADDRESSES. Not here: the item's key and number, the DHT, dialling.
 * @module
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { concatBytes, readU16, readU32, writeU16, writeU32 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { addressScope, formatIp, parseIp } from '../../lib/ip-address.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import { decode, encode } from '../bencode/index.ts';
import { KEY_BYTES, peerIdOf, publicKeyIn } from '../identity/index.ts';
import type { SendCodeErrorCode } from './code-errors.ts';

// Specification constants

const RECORD_VERSION = 1;
/** Bytes of a record before it is sealed: the longest has 783. */
export const RECORD_BYTES = 800;
export const RECORD_NONCE_BYTES = 24;
const TAG_BYTES = 16;
const SEALED_BYTES: number = RECORD_NONCE_BYTES + RECORD_BYTES + TAG_BYTES;
/** What is authenticated beside the record. */
const ASSOCIATED = encodeUtf8('starling-send/1 record');
/** Addresses of the sender in a record. */
export const MAX_RECORD_ADDRESSES = 16;
/** Relays in a record. */
export const MAX_RELAYS = 4;
/** Addresses of a relay, at least one. */
export const MAX_RELAY_ADDRESSES = 4;
/** A receiver takes a record for so much longer: the sender's clock may be an hour behind. */
export const CLOCK_TOLERANCE_MS = 3_600_000;

/** Where somebody can be reached. */
export interface RecordEndpoint {
  /** IP literal; neither unspecified nor multicast. */
  readonly host: string;
  /** 1 … 65,535. */
  readonly port: number;
}

/** A peer that passes bytes on to the sender. */
export interface RelayHint {
  /** 38 bytes. */
  readonly peerId: Uint8Array;
  /** 1 … 4. */
  readonly addresses: readonly RecordEndpoint[];
}

/** What a sender tells. */
export interface SenderRecord {
  /** 38 bytes. */
  readonly peerId: Uint8Array;
  /** By the sender's clock, whole seconds. */
  readonly expiresAtMs: number;
  /** 0 … 16. */
  readonly addresses: readonly RecordEndpoint[];
  /** 0 … 4. */
  readonly relays: readonly RelayHint[];
}

/**
 * Seals a record. @param key `recordKey` of the hour. @param nonce 24 bytes, random, for this record alone.
 * @returns the bencoded value of the item, 844 bytes. @throws RangeError for a record beyond the bounds.
 */
export function sealRecord(key: Uint8Array, record: SenderRecord, nonce: Uint8Array): Uint8Array {
  const sealed = xchacha20poly1305(key, nonce, ASSOCIATED).encrypt(encodeRecord(record));
  return encode(concatBytes(nonce, sealed));
}

/** Opens a value that somebody stored; any bytes may come. @param nowMs by our clock, since 1970. */
export function openRecord(
  key: Uint8Array,
  value: Uint8Array,
  nowMs: number,
): Result<SenderRecord, SendCodeErrorCode> {
  const plain = unseal(key, value);
  if (plain === undefined) {
    return fail(
      'ERR_SEND_RECORD_SEALED',
      `record: expected ${SEALED_BYTES} bytes sealed with the key of this code and hour, got others`,
    );
  }
  const record = decodeRecord(plain);
  if (!record.ok || record.value.expiresAtMs + CLOCK_TOLERANCE_MS >= nowMs) return record;
  return fail(
    'ERR_SEND_RECORD_EXPIRED',
    `record: expected one that holds, got one that ended ${Math.round((nowMs - record.value.expiresAtMs) / 1000)} s ago`,
  );
}

function unseal(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
  const bytes = decode(value);
  if (!bytes.ok || !(bytes.value instanceof Uint8Array) || bytes.value.length !== SEALED_BYTES) {
    return undefined;
  }
  const nonce = bytes.value.subarray(0, RECORD_NONCE_BYTES);
  try {
    const cipher = xchacha20poly1305(key, nonce, ASSOCIATED);
    return cipher.decrypt(bytes.value.subarray(RECORD_NONCE_BYTES));
  } catch {
    return undefined;
  }
}

/** The bytes of a record, RECORD_BYTES. @throws RangeError beyond the bounds. */
export function encodeRecord({ peerId, expiresAtMs, addresses, relays }: SenderRecord): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const seconds = Math.floor(expiresAtMs / 1000);
  check(Number.isSafeInteger(seconds) && seconds >= 0, 'a time of expiry', expiresAtMs);
  check(relays.length <= MAX_RELAYS, `at most ${MAX_RELAYS} relays`, relays.length);
  bytes[0] = RECORD_VERSION;
  writeU32(bytes, 1, Math.floor(seconds / 2 ** 32));
  writeU32(bytes, 5, seconds);
  bytes.set(keyIn(peerId), 9);
  let at = 9 + KEY_BYTES;
  at = writeEndpoints(bytes, at, addresses, 0, MAX_RECORD_ADDRESSES);
  bytes[at] = relays.length;
  at += 1;
  for (const relay of relays) {
    bytes.set(keyIn(relay.peerId), at);
    at = writeEndpoints(bytes, at + KEY_BYTES, relay.addresses, 1, MAX_RELAY_ADDRESSES);
  }
  return bytes;
}

function keyIn(peerId: Uint8Array): Uint8Array {
  const key = publicKeyIn(peerId);
  if (!key.ok) throw new RangeError(`record: ${key.message}`);
  return key.value;
}

function writeEndpoints(
  bytes: Uint8Array,
  start: number,
  endpoints: readonly RecordEndpoint[],
  least: number,
  most: number,
): number {
  const count = endpoints.length;
  check(count >= least && count <= most, `${least} to ${most} addresses`, count);
  bytes[start] = count;
  let at = start + 1;
  for (const { host, port } of endpoints) {
    const ip = parseIp(host);
    const isRight = ip !== undefined && isReachable(ip) && Number.isInteger(port);
    check(isRight && port >= 1 && port <= 65_535, 'an address and a port', `${host} ${port}`);
    bytes[at] = ip!.length === 4 ? 4 : 6;
    bytes.set(ip!, at + 1);
    writeU16(bytes, at + 1 + ip!.length, port);
    at += 3 + ip!.length;
  }
  return at;
}

function check(condition: boolean, expected: string, got: unknown): void {
  if (!condition) throw new RangeError(`record: expected ${expected}, got ${String(got)}`);
}

function isReachable(ip: Uint8Array): boolean {
  const scope = addressScope(ip);
  return scope !== 'unspecified' && scope !== 'multicast';
}

/** Thrown and caught in this file alone: what a record says wrong. */
class Malformed extends Error {}

/** Reads a record that was opened; any bytes may come. */
export function decodeRecord(bytes: Uint8Array): Result<SenderRecord, SendCodeErrorCode> {
  try {
    return ok(new Reader(bytes).record());
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return fail('ERR_SEND_RECORD_MALFORMED', `record: expected ${error.message}`);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    if (bytes.length !== RECORD_BYTES) {
      throw new Malformed(`${RECORD_BYTES} bytes, got ${bytes.length}`);
    }
    this.#bytes = bytes;
  }

  record(): SenderRecord {
    const version = this.#byte();
    if (version !== RECORD_VERSION) {
      throw new Malformed(`version ${RECORD_VERSION}, got ${version}: one of the ends is newer`);
    }
    const seconds = readU32(this.#take(4), 0) * 2 ** 32 + readU32(this.#take(4), 0);
    if (!Number.isSafeInteger(seconds * 1000)) throw new Malformed('a time, got one out of range');
    const peerId = this.#peerId();
    const addresses = this.#endpoints(0, MAX_RECORD_ADDRESSES);
    const count = this.#byte();
    if (count > MAX_RELAYS) throw new Malformed(`at most ${MAX_RELAYS} relays, got ${count}`);
    const relays = Array.from({ length: count }, () => ({
      peerId: this.#peerId(),
      addresses: this.#endpoints(1, MAX_RELAY_ADDRESSES),
    }));
    if (this.#bytes.subarray(this.#at).some((byte) => byte !== 0)) {
      throw new Malformed('zeros after the end, got others');
    }
    return { peerId, expiresAtMs: seconds * 1000, addresses, relays };
  }

  #take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    if (taken.length < count) throw new Malformed('an entry, got the end');
    this.#at += count;
    return taken;
  }

  #byte(): number {
    return this.#take(1)[0]!;
  }

  #peerId(): Uint8Array {
    const peerId = peerIdOf(this.#take(KEY_BYTES));
    const key = publicKeyIn(peerId);
    if (!key.ok) throw new Malformed('a peer, got a key that anybody could sign for');
    return peerId;
  }

  #endpoints(least: number, most: number): RecordEndpoint[] {
    const count = this.#byte();
    if (count < least || count > most) {
      throw new Malformed(`${least} to ${most} addresses, got ${count}`);
    }
    return Array.from({ length: count }, () => this.#endpoint());
  }

  #endpoint(): RecordEndpoint {
    const family = this.#byte();
    if (family !== 4 && family !== 6) throw new Malformed(`family 4 or 6, got ${family}`);
    const ip = this.#take(family === 4 ? 4 : 16);
    const host = formatIp(ip);
    // An IPv4-mapped address of 16 bytes would be a second form of one of 4.
    if (!isReachable(ip) || parseIp(host)?.length !== ip.length) {
      throw new Malformed(`an address of somebody, got ${host}`);
    }
    const port = readU16(this.#take(2), 0);
    if (port === 0) throw new Malformed('a port, got 0');
    return { host, port };
  }
}
