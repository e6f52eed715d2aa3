/**
 * When the core must be called for what only time brings: often while blocks are owed, seldom while connections rest, never without any.
 *
 * A node seeds a thousand torrents of which nearly all rest, so nothing may run twice a second for each of them. Whatever a tick does must be
 * named here: an input wakes a resting core (`wake`), so only what nobody tells has to be foreseen.
 * Cost: a look at every connection for each tick of a resting core; the first busy one ends it.
 * Not here: dials and held-back HAVEs, which have times of their own.
 * @module
 */
import { KEEP_ALIVE_MS, PEER_TIMEOUT_MS, TICK_MS } from './constants.ts';
import type { Peer } from './peer.ts';
import type { SwarmState } from './state.ts';

/** An input came: what it began, or a place that it made free, is looked after within TICK_MS. */
export function wake(state: SwarmState, nowMs: number): void {
  if (state.nextTickMs > nowMs + TICK_MS) state.nextTickMs = nowMs + TICK_MS;
}

/** As `wake`, for commands: they begin nothing where nobody is connected. */
export function wakeConnected(state: SwarmState): void {
  if (state.peers.size > 0) wake(state, state.lastTickMs);
}

/** When the next tick is due after one at `nowMs`; Infinity: not before an input. */
export function nextTick(state: SwarmState, nowMs: number): number {
  const { torrent } = state;
  const soonMs = nowMs + TICK_MS;
  if (torrent !== undefined && torrent.leafRequests.size > 0) return soonMs;
  if (state.peers.size === 0) return Number.POSITIVE_INFINITY;
  if (torrent === undefined || torrent.missingTrees.length > 0) return soonMs;
  let nextMs = state.exchange.nextDueMs(nowMs);
  for (const peer of state.peers.values()) {
    if (isBusy(state, peer)) return soonMs;
    nextMs = Math.min(
      nextMs,
      peer.lastSentMs + KEEP_ALIVE_MS,
      peer.lastReceivedMs + PEER_TIMEOUT_MS,
    );
    if (peer.peerInterested || !peer.amChoking) {
      nextMs = Math.min(nextMs, state.choker.nextRoundAtMs);
    }
  }
  // A keep-alive and a silent peer are due when more than their time has passed.
  return Math.max(soonMs, nextMs + 1);
}

/** Blocks or answers are owed in either direction, or the connection is about to be closed as useless. */
function isBusy(state: SwarmState, peer: Peer): boolean {
  if (peer.amInterested || peer.requests.length > 0 || peer.uploads.length > 0) return true;
  return state.isComplete && !peer.peerInterested && (peer.isSeed || peer.isUploadOnly);
}
