/**
 * Asking for blocks and taking them in: requests, timeouts.
 *
 * A peer that is choked is only asked for pieces it allowed (BEP 6). Requests are topped up once per input, not per block: one pick for
 * all blocks of a socket read.
 * @module
 */
import { broken } from '../../lib/assert.ts';
import { BLOCK_BYTES } from '../peer-wire/index.ts';
import { expel } from './blame.ts';
import { sendExtendedHandshake } from './connecting.ts';
import {
  ENDGAME_BLOCKS,
  ENDGAME_LEAD,
  ENDGAME_MIN_MS,
  LEAST_REQUESTS,
  LEAST_TOTAL_REQUESTS,
  MAX_UNREQUESTED_BLOCKS,
  REQUEST_BATCH,
  REQUEST_TIME_SEC,
  REQUEST_TIMEOUT_MS,
  SNUB_TIMEOUT_MS,
  UNKNOWN_RESPONSE_MS,
  WHOLE_PIECE_MS,
} from './constants.ts';
import { askUrgent } from './deadline-requests.ts';
import { requestHashes } from './hash-exchange.ts';
import type { Peer } from './peer.ts';
import type { PeerPieces } from './peer-pieces.ts';
import { releaseRequest } from './releasing.ts';
import type { SwarmState, Torrent } from './state.ts';

const picked: number[] = [];
const NOBODY_ELSE: readonly number[] = [];

/** Tops up a peer's requests. */
export function fillRequests(state: SwarmState, nowMs: number, peer: Peer): void {
  const { torrent } = state;
  if (torrent === undefined || state.isPaused || !peer.amInterested || peer.has === undefined) {
    return;
  }
  const allowedOnly = peer.peerChoking ? peer.allowedFastFrom : undefined;
  // Allowed-fast pieces lie anywhere: who wants pieces in order waits for the unchoke.
  if (allowedOnly !== undefined && (allowedOnly.size === 0 || torrent.picker.isSequential)) return;
  const { pipeline } = peer;
  const target = torrent.deadlines.isFollowed
    ? pipeline.shortTarget(nowMs)
    : pipeline.target(nowMs);
  const { length, liveCount: live } = peer.requests;
  const wanted = Math.min(target - live, Math.max(state.requestRoom, LEAST_REQUESTS - live));
  // Requests leave in batches while plenty are under way: one write here and one wake-up there for all of them.
  if (wanted < Math.min(target >> 2, REQUEST_BATCH)) return;
  // What lapsed here still waits there and counts for `reqq`; where nothing else is left, one more is tried.
  const spare = peer.pipeline.peerReqq - length;
  const room = Math.min(wanted, live === 0 ? Math.max(spare, 1) : spare);
  if (room <= 0) return;
  const rate = peer.pipeline.bytesPerSec(nowMs);
  const isFast = rate * WHOLE_PIECE_MS > torrent.info.pieceLengthBytes * 1000;
  const share = peer.isOnParole ? 'alone' : peer.isWebSeed ? 'run' : isFast ? 'whole' : 'shared';
  const given = peer.refused?.without(nowMs, peer.has, torrent.info.pieceCount) ?? peer.has;
  let has: PeerPieces = given;
  let urgent = 0;
  if (torrent.deadlines.isOn) {
    urgent = askUrgent({
      state,
      torrent,
      nowMs,
      peer,
      has,
      room,
      allowedOnly,
      ask: (piece, block) => askOne(torrent, nowMs, peer, piece, block),
    });
    has = torrent.deadlines.without(has);
  }
  let count = torrent.picker.pick(peer.id, has, room - urgent, share, picked, allowedOnly);
  ask(torrent, nowMs, peer, count);
  count += urgent;
  if (count === 0 && peer.requests.length === 0 && allowedOnly === undefined) {
    count = takeOver(state, torrent, nowMs, peer, given, Math.min(room, ENDGAME_BLOCKS));
  }
  state.requestRoom -= peer.requests.liveCount - live;
  if (count > 0 && peer.requests.length === count) peer.lastBlockMs = nowMs;
  if (count < room) state.hungry.add(peer);
}

/**
 * Counts anew how many blocks may be asked for before the next count, of all peers together: what the torrent's own rate brings in
 * REQUEST_TIME_SEC. Many sources on a slow line would else owe more than it can take, every one of them looking as if it had stalled: a third of
 * what slow peers of a simulated crowd received came twice.
 */
export function countRequestRoom(state: SwarmState, nowMs: number): void {
  const blocksPerByteRate = REQUEST_TIME_SEC / BLOCK_BYTES;
  let live = 0;
  for (const { requests, pipeline } of state.peers.values()) {
    const { liveCount } = requests;
    if (liveCount === 0) continue;
    // Whoever owes more than it brings takes no room from others: a few that trickle would hold up everybody.
    const likely = LEAST_REQUESTS + pipeline.bytesPerSec(nowMs) * blocksPerByteRate;
    live += Math.min(liveCount, Math.ceil(likely));
  }
  const byRate = state.downloadMeter.bytesPerSec(nowMs) * blocksPerByteRate;
  state.requestRoom = Math.max(LEAST_TOTAL_REQUESTS, Math.ceil(byRate)) - live;
}

/** Asks for the first `count` blocks of `picked`. */
function ask(torrent: Torrent, nowMs: number, peer: Peer, count: number): void {
  for (let i = 0; i < count; i += 1) {
    askOne(torrent, nowMs, peer, picked[2 * i]!, picked[2 * i + 1]!);
  }
}

function askOne(torrent: Torrent, nowMs: number, peer: Peer, piece: number, block: number): void {
  if (!peer.requests.push(piece, block, nowMs)) return;
  peer.out.request(piece, block * BLOCK_BYTES, torrent.layout.blockBytes(piece, block));
}

/** Endgame: asks an idle peer for blocks that it would bring well before those that owe them. @returns how many. */
function takeOver(
  state: SwarmState,
  torrent: Torrent,
  nowMs: number,
  peer: Peer,
  has: PeerPieces,
  most: number,
): number {
  const responseMs = Math.min(peer.pipeline.responseMs, UNKNOWN_RESPONSE_MS);
  const blockMs = (BLOCK_BYTES * 1000) / Math.max(1, peer.pipeline.bytesPerSec(nowMs));
  let count = 0;
  while (count < most) {
    // One at a time doubled the time of a download with 20 trickling peers beside a good one; further blocks come later and are taken with more care.
    const ownMs = (responseMs + count * blockMs) * (count === 0 ? 1 : ENDGAME_LEAD);
    const isLate = (owner: number): boolean => isLateFor(state, nowMs, ownMs, owner);
    if (torrent.picker.pickEndgame(peer.id, has, 1, picked, isLate) === 0) break;
    ask(torrent, nowMs, peer, 1);
    count += 1;
  }
  return count;
}

/** True when a peer that needs `ownMs` for a block would bring it well before `ownerId`, which owes it. */
function isLateFor(state: SwarmState, nowMs: number, ownMs: number, ownerId: number): boolean {
  const owner = state.peers.get(ownerId);
  if (owner?.isHeldBack === true) return false;
  if (owner === undefined || owner.pipeline.isSnubbed) return true;
  // Whoever was silent for a while is expected to stay so for as long.
  const silentMs = nowMs - owner.lastBlockMs;
  const rate = owner.pipeline.bytesPerSec(nowMs);
  const drainMs = rate === 0 ? 0 : (owner.requests.liveCount * BLOCK_BYTES * 1000) / rate;
  return Math.max(silentMs, drainMs) > ENDGAME_LEAD * ownMs + ENDGAME_MIN_MS;
}

/** The block a peer would send is one that it owes, whole, and that is not there yet. */
export function isExpected(
  state: SwarmState,
  peer: Peer,
  piece: number,
  begin: number,
  length: number,
): boolean {
  const { torrent } = state;
  if (torrent === undefined || piece >= torrent.info.pieceCount || begin % BLOCK_BYTES !== 0) {
    return false;
  }
  const block = begin / BLOCK_BYTES;
  const fate = peer.requests.fate(piece, block);
  if (fate === undefined || fate === 'void') return false;
  // The answer to a request that was cancelled or timed out may come after the block of another peer.
  if (torrent.picker.isReceived(piece, block)) return false;
  return length === torrent.layout.blockBytes(piece, block);
}

/** A block came whole. @param isStored its bytes were kept; false: thrown away, since unexpected or already there. */
export function takeBlock(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  block: { piece: number; begin: number; length: number },
  isStored: boolean,
): void {
  const { torrent, totals } = state;
  const { piece, begin, length } = block;
  totals.downloadedBytes += length;
  state.downloadMeter.add(nowMs, length);
  const index = begin / BLOCK_BYTES;
  const request =
    begin % BLOCK_BYTES === 0 && torrent !== undefined
      ? peer.requests.remove(piece, index)
      : undefined;
  const askedMs = request === undefined ? undefined : peer.requests.removedAskedMs;
  if (torrent?.deadlines.isOn === true && request !== undefined) {
    torrent.deadlines.count(piece, index, length);
  }
  peer.pipeline.onBlock(nowMs, length, askedMs);
  peer.lastBlockMs = nowMs;
  state.dirty.add(peer);
  if (request === 'void') {
    totals.wastedBytes += length;
    return;
  }
  if (request === undefined || torrent === undefined) {
    totals.wastedBytes += length;
    peer.unrequestedBlocks += 1;
    if (peer.unrequestedBlocks > MAX_UNREQUESTED_BLOCKS) {
      expel(state, nowMs, peer, 'sent blocks nobody asked for');
    }
    return;
  }
  const { picker } = torrent;
  if (!isStored) {
    totals.wastedBytes += length;
    if (request === 'live') {
      picker.release(peer.id, piece, index);
      state.feedHungry();
    }
    return;
  }
  const owing = picker.isAskedOnlyFrom(peer.id, piece, index)
    ? NOBODY_ELSE
    : picker.requesters(piece, index).filter((other) => other !== peer.id);
  // The queue proves that it was asked for, whatever became of the request in the picker meanwhile.
  const outcome = picker.markReceived(peer.id, piece, index, true);
  if (outcome !== 'first') broken(`stored block ${index} of piece ${piece} was ${outcome}`);
  for (const other of owing) cancelAt(state, torrent, state.peers.get(other), piece, index);
  if (state.lapsed.size > 0) cancelLapsed(state, torrent, piece, index);
}

/**
 * Others were given up on for this block, and may still send it: on slow lines that was a sixth of all bytes in a simulated crowd.
 */
function cancelLapsed(state: SwarmState, torrent: Torrent, piece: number, block: number): void {
  for (const peer of state.lapsed) {
    if (!peer.requests.hasLapsed || !state.peers.has(peer.id)) state.lapsed.delete(peer);
    else if (peer.requests.fate(piece, block) === 'released') {
      cancelAt(state, torrent, peer, piece, block);
    }
  }
}

function cancelAt(
  state: SwarmState,
  torrent: Torrent,
  peer: Peer | undefined,
  piece: number,
  block: number,
): void {
  const fate = peer?.requests.fate(piece, block);
  if (peer === undefined || (fate !== 'live' && fate !== 'released')) return;
  peer.out.cancel(piece, block * BLOCK_BYTES, torrent.layout.blockBytes(piece, block));
  // With BEP 6 an answer, reject or block, still comes and ends the request; without, nothing may come.
  if (peer.capabilities.fast) peer.requests.cancel(piece, block);
  else peer.requests.remove(piece, block);
  state.dirty.add(peer);
}

/** Snubs peers that owe blocks and send none, and gives their old requests to others. */
export function checkTimeouts(state: SwarmState, nowMs: number, peer: Peer): void {
  if (peer.refused?.hasEnded(nowMs) === true) {
    state.torrent?.picker.forgetSearches();
    state.dirty.add(peer);
  }
  const { oldestMs } = peer.requests;
  if (oldestMs === undefined) return;
  const silentMs = nowMs - peer.lastBlockMs;
  if (silentMs > SNUB_TIMEOUT_MS && !peer.pipeline.isSnubbed) {
    peer.pipeline.snub();
    peer.snubs += 1;
  }
  const limitMs = peer.pipeline.isSnubbed ? SNUB_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
  if (nowMs - oldestMs <= limitMs) return;
  peer.requests.release(nowMs - limitMs, (piece, block) =>
    releaseRequest(state, peer, piece, block),
  );
  state.lapsed.add(peer);
  state.feedHungry();
  state.dirty.add(peer);
}

/** Runs after every input: completeness is told once, missing v2 hashes are asked for. */
export function settleProgress(state: SwarmState, nowMs: number): void {
  if (state.torrent === undefined) return;
  requestHashes(state, nowMs);
  const { isComplete } = state;
  if (isComplete === state.wasComplete) return;
  state.wasComplete = isComplete;
  if (isComplete) state.emit({ type: 'complete' });
  // BEP 21: `upload_only` is told again when it changes.
  for (const peer of state.peers.values()) {
    if (peer.capabilities.extension) sendExtendedHandshake(state, peer);
  }
}
