/**
 * The 68 bytes that open a connection, and the capabilities in their reserved bits.
 * Specs: BEP 3 "peer protocol"; bits of BEP 5 (DHT), BEP 6 (fast), BEP 10 (extension protocol), BEP 52 "Upgrade Path" (v2).
 * @module
 */
import { fromLatin1, toHex } from '../../lib/bytes.ts';
import { ok, type Result } from '../../lib/errors.ts';
import { HANDSHAKE_BYTES, PROTOCOL_NAME } from './constants.ts';
import { fault, type PeerWireErrorCode, peerWireError } from './errors.ts';

/** The fields of a handshake. */
export interface Handshake {
  /** 8 bytes, see `parseReserved`. */
  readonly reserved: Uint8Array;
  /** 20 bytes; of a v2 torrent the first 20 of its 32. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
}

/** What the reserved bits announce. */
export interface Capabilities {
  /** BEP 6: reserved[7] 0x04. */
  readonly fast: boolean;
  /** BEP 10: reserved[5] 0x10. */
  readonly extension: boolean;
  /** BEP 5: reserved[7] 0x01. */
  readonly dht: boolean;
  /** BEP 52: reserved[7] 0x10, "this hybrid torrent can be upgraded to v2". */
  readonly v2: boolean;
}

const RESERVED_AT = 20;
const INFO_HASH_AT = 28;
const PEER_ID_AT = 48;
const OPENING: Uint8Array = fromLatin1(String.fromCharCode(PROTOCOL_NAME.length) + PROTOCOL_NAME);

/** The 8 reserved bytes that announce `capabilities`; what is left out is off. */
export function makeReserved(capabilities: Partial<Capabilities>): Uint8Array {
  const reserved = new Uint8Array(8);
  if (capabilities.extension) reserved[5]! |= 0x10;
  if (capabilities.dht) reserved[7]! |= 0x01;
  if (capabilities.fast) reserved[7]! |= 0x04;
  if (capabilities.v2) reserved[7]! |= 0x10;
  return reserved;
}

/** Reads the known bits of 8 reserved bytes; unknown bits are ignored. */
export function parseReserved(reserved: Uint8Array): Capabilities {
  return {
    extension: (reserved[5]! & 0x10) !== 0,
    dht: (reserved[7]! & 0x01) !== 0,
    fast: (reserved[7]! & 0x04) !== 0,
    v2: (reserved[7]! & 0x10) !== 0,
  };
}

/**
 * The 68 bytes of a handshake.
 * @throws {AppError} ERR_PEER_WIRE_ARGUMENT when a field has not its length.
 */
export function encodeHandshake(handshake: Handshake): Uint8Array {
  requireLength('reserved', handshake.reserved, 8);
  requireLength('infoHash', handshake.infoHash, 20);
  requireLength('peerId', handshake.peerId, 20);
  const bytes = new Uint8Array(HANDSHAKE_BYTES);
  bytes.set(OPENING);
  bytes.set(handshake.reserved, RESERVED_AT);
  bytes.set(handshake.infoHash, INFO_HASH_AT);
  bytes.set(handshake.peerId, PEER_ID_AT);
  return bytes;
}

/**
 * True while `bytes` (any number of first bytes of a connection) can still become a BitTorrent handshake;
 * this is what tells it from other protocols on the same port.
 */
export function opensHandshake(bytes: Uint8Array): boolean {
  const shared = Math.min(bytes.length, OPENING.length);
  for (let i = 0; i < shared; i += 1) if (bytes[i] !== OPENING[i]) return false;
  return true;
}

/**
 * Decodes a handshake; the fields are copies.
 * @param bytes exactly 68 bytes.
 * @returns ERR_HANDSHAKE_LENGTH or ERR_HANDSHAKE_PROTOCOL otherwise.
 */
export function decodeHandshake(bytes: Uint8Array): Result<Handshake, PeerWireErrorCode> {
  if (!opensHandshake(bytes)) {
    return fault('ERR_HANDSHAKE_PROTOCOL', { got: toHex(bytes.subarray(0, OPENING.length)) });
  }
  if (bytes.length !== HANDSHAKE_BYTES) {
    return fault('ERR_HANDSHAKE_LENGTH', {
      what: 'handshake',
      expected: `${HANDSHAKE_BYTES}`,
      actual: bytes.length,
    });
  }
  return ok({
    reserved: bytes.slice(RESERVED_AT, INFO_HASH_AT),
    infoHash: bytes.slice(INFO_HASH_AT, PEER_ID_AT),
    peerId: bytes.slice(PEER_ID_AT),
  });
}

function requireLength(what: string, bytes: Uint8Array, lengthBytes: number): void {
  if (bytes.length === lengthBytes) return;
  throw peerWireError('ERR_PEER_WIRE_ARGUMENT', {
    what: `handshake ${what}`,
    expected: `${lengthBytes} bytes`,
    actual: `${bytes.length}`,
  });
}
