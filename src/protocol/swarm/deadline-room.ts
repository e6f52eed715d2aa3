/**
 * Makes room for pieces that are due when a player jumps: requests for what can wait are taken back, or two seconds of them would come first.
 *
 * Only pieces that had no deadline before count, so that reading on takes nothing back. A request gives way when its piece is not due until twice the time that the peer takes for all that it owes. What is on its way already is
 * left (KEEP_MS), and nothing is taken back of peers that hear no answer to a cancel (without BEP 6) or take a range as a whole (web seeds).
 * Bounds: once in ROOM_EVERY_MS, however often deadlines are set: what is cancelled too late comes in vain, or may be of use later.
 * @module
 */
import { BLOCK_BYTES } from '../peer-wire/index.ts';
import { paceOf } from './deadline-requests.ts';
import type { Peer } from './peer.ts';
import { peerHas } from './peer-pieces.ts';
import type { SwarmState, Torrent } from './state.ts';

// Implementation limits

/** Requests are taken back no more often. */
const ROOM_EVERY_MS = 250;
/** What a peer will have sent within this time is left to come. */
const KEEP_MS = 100;
/** Whoever is slower than another peer by this is not asked for what is due. */
const RIVAL_LEAD = 4;
/** Who owes no more than this gives way soon by itself. */
const SOON_MS = 250;

/** New deadlines were set: makes room for the first of them. */
export function makeRoom(state: SwarmState, nowMs: number, torrent: Torrent): void {
  const { deadlines } = torrent;
  if (deadlines.fresh.size === 0 || nowMs < deadlines.roomMadeMs + ROOM_EVERY_MS) return;
  const dueMs = new Map(deadlines.list.map((each) => [each.piece, each.dueMs]));
  let count = 0;
  for (const peer of state.peers.values()) {
    if (!isInTheWay(state, nowMs, torrent, peer)) continue;
    count += makeRoomAt(nowMs, torrent, peer, dueMs);
  }
  if (count > 0) deadlines.roomMadeMs = nowMs;
}

/** True when a new piece would come late behind what this peer owes, and nobody much faster has it. */
function isInTheWay(
  state: SwarmState,
  nowMs: number,
  { deadlines, picker }: Torrent,
  peer: Peer,
): boolean {
  const { has, requests } = peer;
  if (has === undefined || peer.isWebSeed || !peer.capabilities.fast || peer.peerChoking) {
    return false;
  }
  const { nextMs, blockMs, isKnown } = paceOf(nowMs, peer);
  if (!isKnown || requests.liveCount * blockMs <= SOON_MS || !Number.isFinite(nextMs)) return false;
  const first = deadlines.list.find(({ piece }) => {
    return deadlines.fresh.has(piece) && peerHas(has, piece) && picker.hasFree(piece);
  });
  if (first === undefined || nowMs + nextMs <= first.dueMs) return false;
  for (const other of state.peers.values()) {
    const isFaster = RIVAL_LEAD * paceOf(nowMs, other).blockMs < blockMs;
    if (isFaster && !other.peerChoking && other.hasPiece(first.piece)) return false;
  }
  return true;
}

/** @returns how many requests were taken back. */
function makeRoomAt(
  nowMs: number,
  torrent: Torrent,
  peer: Peer,
  dueMs: ReadonlyMap<number, number>,
): number {
  const { nextMs, blockMs } = paceOf(nowMs, peer);
  let count = 0;
  for (const { piece, block } of peer.requests.liveAfter(Math.ceil(KEEP_MS / blockMs))) {
    if ((dueMs.get(piece) ?? Number.POSITIVE_INFINITY) <= nowMs + 2 * nextMs) continue;
    peer.out.cancel(piece, block * BLOCK_BYTES, torrent.layout.blockBytes(piece, block));
    peer.requests.yield(piece, block);
    count += 1;
  }
  return count;
}
