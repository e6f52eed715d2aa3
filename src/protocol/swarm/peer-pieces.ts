/**
 * What a peer has, and how much of it is of use.
 * @module
 */
import type { Bitfield } from '../../lib/bitfield.ts';

/** The pieces of a peer; a seed's are not stored. */
export type PeerPieces = Bitfield | 'seed';

export function peerHas(has: PeerPieces, piece: number): boolean {
  return has === 'seed' || has.has(piece);
}

/** How many pieces of `wanted` a peer has. O(size / 8 + result). */
export function countCommon(has: PeerPieces, wanted: Bitfield): number {
  if (has === 'seed') return wanted.count;
  let count = 0;
  for (let at = 0; at < has.bytes.length; at += 1) {
    let both = has.bytes[at]! & wanted.bytes[at]!;
    for (; both !== 0; both &= both - 1) count += 1;
  }
  return count;
}

/** True when a peer has a piece of `wanted`; stops at the first. */
export function hasCommon(has: PeerPieces, wanted: Bitfield): boolean {
  if (has === 'seed') return wanted.count > 0;
  if (has.count === 0) return false;
  for (let at = 0; at < has.bytes.length; at += 1) {
    if ((has.bytes[at]! & wanted.bytes[at]!) !== 0) return true;
  }
  return false;
}
