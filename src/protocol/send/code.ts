/**
 * What is made of a code: the keys by which two people who share three words, and nobody else, find each other and prove it.
 *
 * Ours: docs/protocol/send-code.md. The code is stretched by argon2id (RFC 9106) with a salt that depends on the hour, and HKDF-SHA-256 (RFC 5869) makes of it keys that
 * tell nothing of each other. A code has 33 bits, which a fast machine tries through in minutes; so each try costs a second and 256 MiB, and what was computed for one hour is
 * of no use in another.
 *
 * Hours: a sender serves the hour of its clock and, for an hour more, the one before (`servedHours`), and makes new keys when the hour turns. A receiver tries the hour of
 * its clock, then the neighbour that is nearer in time, then the other (`hoursToTry`): clocks may be an hour apart.
 * Not here: where and when keys are used, who may guess.
 * @module
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, writeU32 } from '../../lib/bytes.ts';
import type { Argon2id } from '../../lib/ports.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import { lengthValues } from '../pake/index.ts';

// Specification constants

/** Names this protocol and its version in all hashes. */
const DOMAIN = 'starling-send/1';
/** Of argon2id: took 1.1 to 1.2 s where this was written, as it must take a second at least. Both ends must agree, so it is the same everywhere. */
export const STRETCH: {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
} = {
  memoryKib: 262_144,
  passes: 6,
  lanes: 1,
};
const STRETCHED_BYTES = 32;
const HOUR_MS = 3_600_000;
/** Of the LAN hash, which whoever looks in the local network says anyway: 16 bits tell a few codes apart, and leave 17 of a code's 33 open to whoever tries them all. */
export const PAIR_HINT_BYTES = 2;

/** The keys of a code in one hour. */
export interface SendKeys {
  /** Hours since the beginning of 1970, UTC. */
  readonly hour: number;
  /** Ed25519 seed, 32 bytes: whose mutable item (BEP 44) the sender's record is. */
  readonly rendezvousSeed: Uint8Array;
  /** 20 bytes: what the sender announces in the local network (BEP 14), in the place of an info-hash. */
  readonly lanHash: Uint8Array;
  /** 32 bytes: seals the sender's record. */
  readonly recordKey: Uint8Array;
  /** 32 bytes: the password of the key exchange. */
  readonly pakePassword: Uint8Array;
}

/** The hour of a time. @param unixMs milliseconds since the beginning of 1970, UTC. */
export function hourOf(unixMs: number): number {
  return Math.floor(unixMs / HOUR_MS);
}

/** When the next hour begins: a sender makes new keys then. */
export function nextHourMs(unixMs: number): number {
  return (hourOf(unixMs) + 1) * HOUR_MS;
}

/** The hours in which a receiver looks for a sender, in this order. */
export function hoursToTry(unixMs: number): readonly [number, number, number] {
  const hour = hourOf(unixMs);
  const isEarly = unixMs - hour * HOUR_MS < HOUR_MS / 2;
  return isEarly ? [hour, hour - 1, hour + 1] : [hour, hour + 1, hour - 1];
}

/** The hours whose keys a sender takes: its own, and the one before, whose record may just have been found. */
export function servedHours(unixMs: number): readonly [number, number] {
  return [hourOf(unixMs), hourOf(unixMs) - 1];
}

/** What argon2id gets as salt, 32 bytes: SHA-256 of the domain, a zero byte and the hour in four bytes. */
export function saltOf(hour: number): Uint8Array {
  if (!Number.isInteger(hour) || hour < 0 || hour >= 2 ** 32) {
    throw new RangeError(`hour: expected a whole number of 32 bits, got ${hour}`);
  }
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, hour);
  return sha256(concatBytes(encodeUtf8(`${DOMAIN} hour\0`), bytes));
}

/** Stretches a code for an hour, 32 bytes. @param code as `parseCode` gives it. @throws what the port throws. */
export function stretchCode(argon2id: Argon2id, code: string, hour: number): Promise<Uint8Array> {
  const [password, salt] = [encodeUtf8(code), saltOf(hour)];
  return argon2id({ password, salt, ...STRETCH, bytes: STRETCHED_BYTES });
}

/** The keys that a stretched code gives. */
export function keysOf(stretched: Uint8Array, hour: number): SendKeys {
  const key = (purpose: string, bytes: number): Uint8Array =>
    hkdf(sha256, stretched, undefined, encodeUtf8(`${DOMAIN} ${purpose}`), bytes);
  return {
    hour,
    rendezvousSeed: key('rendezvous-seed', 32),
    lanHash: key('lan-hash', 20),
    recordKey: key('record-key', 32),
    pakePassword: key('pake-password', 32),
  };
}

/** Which of a sender's codes a key exchange is about, 2 bytes: the first ones of the LAN hash. */
export function pairHint({ lanHash }: SendKeys): Uint8Array {
  return lanHash.slice(0, PAIR_HINT_BYTES);
}

/** The keys of a code in an hour; takes a second. @param code as `parseCode` gives it. */
export async function deriveKeys(
  argon2id: Argon2id,
  code: string,
  hour: number,
): Promise<SendKeys> {
  return keysOf(await stretchCode(argon2id, code, hour), hour);
}

/**
 * CI of the key exchange: this protocol, then the receiver, which is the initiator, then the sender.
 * @param receiver peer id, as the channel proved it. @param sender likewise.
 */
export function pakeChannel(receiver: Uint8Array, sender: Uint8Array): Uint8Array {
  return lengthValues(encodeUtf8(`${DOMAIN} pake`), receiver, sender);
}
