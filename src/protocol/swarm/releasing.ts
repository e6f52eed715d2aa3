/**
 * Requests that will not be answered: their blocks are free for others.
 * @module
 */
import type { Peer } from './peer.ts';
import type { SwarmState } from './state.ts';

/** A request will not be answered: choke without BEP 6, reject, or disconnect. */
export function releaseRequest(state: SwarmState, peer: Peer, piece: number, block: number): void {
  state.torrent?.picker.release(peer.id, piece, block);
}

/** All requests of a peer are void. @param keepAllowed those for allowed-fast pieces stay. */
export function releaseRequests(state: SwarmState, peer: Peer, keepAllowed: boolean): void {
  peer.requests.drain(
    (piece, block) => releaseRequest(state, peer, piece, block),
    (piece) => !(keepAllowed && peer.allowedFastFrom.has(piece)),
  );
  state.feedHungry();
}

/** A peer left: its requests are open again. */
export function forgetHashRequests(state: SwarmState, peer: Peer): void {
  const requests = state.torrent?.hashRequests;
  for (const [key, request] of requests ?? []) if (request.peer === peer) requests!.delete(key);
}
