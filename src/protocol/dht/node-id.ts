/**
 * Ids of nodes: distances between them, and how they are bound to addresses.
 *
 * Specs: BEP 5 (XOR metric), BEP 42 (the first 21 bits are a checksum of the masked address). Addresses of local networks are exempt.
 * Not here: who uses which id.
 * @module
 */
import { crc32c } from '../../lib/crc32c.ts';
import { addressScope, parseIp } from '../../lib/ip-address.ts';
import type { Rng } from '../../lib/rng.ts';
import { ID_BYTES } from './constants.ts';

// Specification constants
const MASK_V4 = [0x03, 0x0f, 0x3f, 0xff];
const MASK_V6 = [0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff];
/** Of the third byte, the bits that belong to the checksum. */
const THIRD_BYTE_MASK = 0xf8;

/** Negative when `a` is nearer to `target` than `b`, 0 when they are the same. */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < ID_BYTES; i += 1) {
    const difference = (a[i]! ^ target[i]!) - (b[i]! ^ target[i]!);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Leading bits that two ids share, 0 … 160. */
export function commonBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < ID_BYTES; i += 1) {
    const difference = a[i]! ^ b[i]!;
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return ID_BYTES * 8;
}

/** The distance of two ids as a share of the whole space, 0 … 1: its first 52 bits. */
export function distanceShare(a: Uint8Array, b: Uint8Array): number {
  let share = 0;
  let unit = 1;
  for (let i = 0; i < 7; i += 1) {
    unit /= 256;
    share += (a[i]! ^ b[i]!) * unit;
  }
  return share;
}

/** A random id that shares exactly `bits` leading bits with `id` (0 … 159): a target for the refresh of that bucket. */
export function idInBucket(id: Uint8Array, bits: number, rng: Rng): Uint8Array {
  const target = rng.bytes(ID_BYTES);
  const byte = bits >> 3;
  target.set(id.subarray(0, byte));
  const shift = 7 - (bits & 7);
  const low = (1 << shift) - 1;
  target[byte] = ((id[byte]! ^ (1 << shift)) & ~low) | (target[byte]! & low);
  return target;
}

/** A node id that BEP 42 allows at an address; a random one where it asks for nothing. @param ip literal; undefined: not known yet. */
export function makeNodeId(ip: string | undefined, rng: Pick<Rng, 'bytes'>): Uint8Array {
  const id = rng.bytes(ID_BYTES);
  const bytes = ip === undefined ? undefined : parseIp(ip);
  if (bytes === undefined) return id;
  const crc = checksum(bytes, id[19]!);
  id[0] = crc >>> 24;
  id[1] = crc >>> 16;
  id[2] = ((crc >>> 8) & THIRD_BYTE_MASK) | (id[2]! & ~THIRD_BYTE_MASK);
  return id;
}

/** True when BEP 42 allows this id at this address; always for local networks. */
export function isAllowedId(id: Uint8Array, ip: string): boolean {
  const bytes = parseIp(ip);
  if (bytes === undefined) return false;
  if (addressScope(bytes) !== 'global') return true;
  return hasRightPrefix(id, bytes);
}

/** As `isAllowedId`, without the exemption. */
export function hasRightPrefix(id: Uint8Array, address: Uint8Array): boolean {
  const crc = checksum(address, id[19]!);
  return (
    id[0] === crc >>> 24 &&
    id[1] === ((crc >>> 16) & 0xff) &&
    (id[2]! & THIRD_BYTE_MASK) === ((crc >>> 8) & THIRD_BYTE_MASK)
  );
}

function checksum(address: Uint8Array, random: number): number {
  const mask = address.length === 4 ? MASK_V4 : MASK_V6;
  // A loop: `Uint8Array.from` with a function takes several times as long.
  const masked = new Uint8Array(mask.length);
  for (let i = 0; i < mask.length; i += 1) masked[i] = address[i]! & mask[i]!;
  masked[0]! |= (random & 7) << 5;
  return crc32c(masked);
}
