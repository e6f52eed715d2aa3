/**
 * Whether a peer has anything we want; told to it exactly when that changes (BEP 3 "interested").
 * @module
 */
import type { Peer } from './peer.ts';
import type { SwarmState } from './state.ts';

/** Says whether we are interested in a peer, when that changed. */
export function updateInterest(state: SwarmState, peer: Peer): void {
  const isInteresting =
    !state.isPaused &&
    (peer.has === 'seed' ? (state.torrent?.picker.wantedLeft ?? 0) > 0 : peer.wantedCount > 0);
  if (isInteresting === peer.amInterested) return;
  peer.amInterested = isInteresting;
  if (isInteresting) peer.out.interested();
  else peer.out.notInterested();
  state.dirty.add(peer);
}

/** Counts anew what a peer has that is wanted. */
export function recountInterest(state: SwarmState, peer: Peer): void {
  if (state.torrent === undefined || peer.has === undefined) return;
  peer.wantedCount = state.torrent.picker.countWanted(peer.has);
  updateInterest(state, peer);
}
