/**
 * What happens to a peer that gave bad data (it is banned once its guilt is certain, and nobody else is) or broke the protocol (it is shunned for a while).
 * @module
 */
import { equalBytes } from '../../lib/bytes.ts';
import { closePeer } from './connecting.ts';
import type { Peer } from './peer.ts';
import { hostKeyOf } from './peer-list.ts';
import type { Giver } from './smart-ban.ts';
import type { SwarmState, Torrent } from './state.ts';

/** A connected peer, or one that left not long ago. */
export function giverOf(state: SwarmState, torrent: Torrent, id: number): Giver | undefined {
  const peer = state.peers.get(id);
  if (peer === undefined) return torrent.smartBan.departed(id);
  // Not the peer itself, which would stay in memory with all it holds.
  return { id, address: peer.address, peerId: peer.peerId };
}

/** Bans a giver, connected or not; once. */
export function banGiver(
  state: SwarmState,
  nowMs: number,
  { id, address, peerId }: Giver,
  reason = 'sent data that failed its hash',
): void {
  if (state.list.isBanned(address, peerId)) return;
  state.list.ban(address, peerId);
  state.emit({ type: 'peer-banned', address, reason });
  const peer = state.peers.get(id);
  if (peer !== undefined && equalBytes(peer.peerId, peerId)) closePeer(state, nowMs, peer, reason);
}

/** Closes a connection whose peer broke the protocol or bothers us, and keeps its host out for a while. */
export function expel(state: SwarmState, nowMs: number, peer: Peer, reason: string): void {
  state.shunned.shun(nowMs, hostKeyOf(peer.address));
  closePeer(state, nowMs, peer, reason);
}

/** The right digests of a piece's blocks are known: bans whoever sent others. */
export function judgeGivers(
  state: SwarmState,
  nowMs: number,
  torrent: Torrent,
  piece: number,
  digests: Uint8Array,
): void {
  for (const giver of torrent.smartBan.judge(piece, digests)) banGiver(state, nowMs, giver);
}
