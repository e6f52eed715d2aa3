/**
 * Which pieces a choked peer may have: the same for everybody that serves it, so that many connections gain nothing.
 * Spec: BEP 6 "Allowed Fast Set Generation". IPv6 peers have no set.
 * @module
 */
import { concatBytes, readU32 } from '../../lib/bytes.ts';
import type { Crypto } from '../../lib/ports.ts';
import { ALLOWED_FAST_COUNT } from './constants.ts';
import { peerWireError } from './errors.ts';

/**
 * The canonical allowed-fast set of a peer.
 * @param ipv4 the peer's address as seen from here, 4 bytes; its last byte does not count.
 * @param infoHash 20 bytes.
 * @param pieceCount pieces of the torrent, >= 1.
 * @param count size of the set, default 10; all pieces when the torrent has no more.
 * @returns distinct piece indices in the canonical order.
 * @throws {AppError} ERR_PEER_WIRE_ARGUMENT for other lengths.
 */
export function allowedFastSet(
  crypto: Crypto,
  ipv4: Uint8Array,
  infoHash: Uint8Array,
  pieceCount: number,
  count: number = ALLOWED_FAST_COUNT,
): number[] {
  if (ipv4.length !== 4 || infoHash.length !== 20) {
    throw peerWireError('ERR_PEER_WIRE_ARGUMENT', {
      what: 'allowed-fast set',
      expected: 'an IPv4 address of 4 bytes and an infoHash of 20',
      actual: `${ipv4.length} and ${infoHash.length}`,
    });
  }
  // The chain would take long, or for ever, to hit the last of few pieces.
  if (pieceCount <= count) return Array.from({ length: pieceCount }, (_, piece) => piece);
  const allowed = new Set<number>();
  let digest = concatBytes(ipv4.slice(0, 3), Uint8Array.of(0), infoHash);
  while (allowed.size < count) {
    digest = crypto.sha1(digest);
    for (let at = 0; at < 20 && allowed.size < count; at += 4) {
      allowed.add(readU32(digest, at) % pieceCount);
    }
  }
  return [...allowed];
}
