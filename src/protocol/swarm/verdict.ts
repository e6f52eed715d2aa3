/**
 * The verdict on pieces that are on disk: what is had is told, what is wrong is blamed on whoever sent it.
 *
 * A bad piece of one giver bans that peer. With several, all are on parole until a piece is good, and the blocks' digests
 * are asked of the data plane before the piece is free again; a good copy, or v2's leaf hashes, then tells the guilty (`smart-ban.ts`).
 * @module
 */
import { equalBytes } from '../../lib/bytes.ts';
import { VERSION_TRAITS } from '../metainfo/index.ts';
import { banGiver, giverOf, judgeGivers } from './blame.ts';
import { HAVE_WAIT_MS } from './constants.ts';
import { updateInterest } from './interest.ts';
import { askDigests, requestLeaves, serveLeaves } from './leaf-hashes.ts';
import type { Peer } from './peer.ts';
import type { SwarmState, Torrent } from './state.ts';
import type { PieceOutcome } from './types.ts';

/** The verdict on a piece that is on disk. */
export function judgePiece(
  state: SwarmState,
  nowMs: number,
  piece: number,
  outcome: PieceOutcome,
): void {
  const { torrent } = state;
  if (torrent === undefined || torrent.have.has(piece)) return;
  if (outcome.isFault === true) {
    giveUpPiece(state, torrent, piece);
    return;
  }
  const isRightV1 = matches(torrent.layout.expectedV1(piece), outcome.v1);
  const isRightV2 = matches(torrent.expectedV2(piece), outcome.v2);
  if (isRightV1 !== undefined && isRightV2 !== undefined && isRightV1 !== isRightV2) {
    state.isPaused = true;
    for (const peer of state.peers.values()) updateInterest(state, peer);
    giveUpPiece(state, torrent, piece);
    state.emit({ type: 'inconsistent', piece });
    return;
  }
  if (isRightV1 === false || isRightV2 === false) failPiece(state, nowMs, torrent, piece);
  else if (VERSION_TRAITS[torrent.info.version].isUnhashed) {
    // Its connection is authenticated and encrypted, and digests of whole files are compared at the end.
    acceptPiece(state, nowMs, torrent, piece);
  } else if (isRightV1 === undefined && isRightV2 === undefined) {
    // v2 without its layer: pieces of such a file are not asked for, so the layer must have been dropped meanwhile.
    torrent.picker.resetPiece(piece);
  } else acceptPiece(state, nowMs, torrent, piece);
}

/** Forgets a piece that may be in parts on disk: what is on its way for it has lost its place. */
function giveUpPiece(state: SwarmState, torrent: Torrent, piece: number): void {
  torrent.picker.resetPiece(piece);
  for (const peer of state.peers.values()) peer.requests.voidPiece(piece);
  state.feedHungry();
}

/** Undefined when there is nothing to compare. */
function matches(
  expected: Uint8Array | undefined,
  actual: Uint8Array | undefined,
): boolean | undefined {
  if (expected === undefined || actual === undefined) return undefined;
  return equalBytes(expected, actual);
}

function acceptPiece(state: SwarmState, nowMs: number, torrent: Torrent, piece: number): void {
  creditGivers(state, torrent, piece);
  const wasWanted = torrent.picker.wantsPiece(piece);
  torrent.picker.markHave(piece);
  torrent.have.add(piece);
  for (const peer of state.peers.values()) {
    if (peer.hasPiece(piece)) {
      if (wasWanted) peer.wantedCount -= 1;
      updateInterest(state, peer);
    }
    // Seeds are told too: whoever shows nothing for what it was given looks like one that hides it.
    peer.out.have(piece);
    holdHave(state, nowMs, peer);
  }
  if (torrent.smartBan.has(piece)) askDigests(state, torrent, piece);
  state.emit({ type: 'piece', piece });
  state.feedHungry();
}

/**
 * A HAVE goes at once when the peer heard nothing for HAVE_WAIT_MS, else with what is sent next or after that time: four leeches that traded
 * at 150 MiB/s spent a write and a wake-up at the other end on each piece for each of them.
 */
function holdHave(state: SwarmState, nowMs: number, peer: Peer): void {
  const dueMs = peer.lastSentMs + HAVE_WAIT_MS;
  if (dueMs <= nowMs) {
    state.dirty.add(peer);
    return;
  }
  state.held.add(peer);
  if (dueMs < state.nextHaveMs) state.nextHaveMs = dueMs;
}

/** Sends the HAVEs that waited. */
export function sendHeld(state: SwarmState): void {
  for (const peer of state.held) state.dirty.add(peer);
  state.held.clear();
  state.nextHaveMs = Number.POSITIVE_INFINITY;
}

/** A piece is good: so are the blocks of whoever gave some. Neighbouring blocks mostly came from one peer. */
function creditGivers(state: SwarmState, torrent: Torrent, piece: number): void {
  const givers = torrent.picker.givers(piece);
  let peer: Peer | undefined;
  for (let block = 0; block < givers.length; block += 1) {
    const id = givers[block]!;
    if (peer?.id !== id) peer = state.peers.get(id);
    if (peer === undefined) continue;
    peer.isOnParole = false;
    peer.verifiedBytes += torrent.layout.blockBytes(piece, block);
  }
}

function failPiece(state: SwarmState, nowMs: number, torrent: Torrent, piece: number): void {
  const ids = new Set(torrent.picker.givers(piece));
  ids.delete(-1);
  state.totals.failedPieces += 1;
  state.totals.wastedBytes += torrent.layout.wantedBytes(piece);
  const givers = [...ids].map((id) => giverOf(state, torrent, id)).filter((g) => g !== undefined);
  state.emit({ type: 'piece-failed', piece, peers: givers.map(({ address }) => address) });
  if (ids.size === 1 || givers.length === 0) {
    for (const giver of givers) banGiver(state, nowMs, giver);
    torrent.picker.resetPiece(piece);
    state.feedHungry();
    return;
  }
  for (const { id } of givers) {
    const peer = state.peers.get(id);
    if (peer !== undefined) peer.isOnParole = true;
  }
  // The piece stays as it is until its blocks were read: nobody may write over the evidence.
  askDigests(state, torrent, piece);
}

/**
 * The digests of a piece's blocks are there.
 * @param digests SHA-256 of each block, 32 bytes each; undefined: the disk failed, so nobody can be blamed or served.
 */
export function takeDigests(
  state: SwarmState,
  nowMs: number,
  piece: number,
  digests: Uint8Array | undefined,
): void {
  const { torrent } = state;
  if (torrent?.digesting.delete(piece) !== true) return;
  if (torrent.have.has(piece)) {
    serveLeaves(state, torrent, piece, digests);
    if (digests === undefined) torrent.smartBan.forget(piece);
    else judgeGivers(state, nowMs, torrent, piece, digests);
    return;
  }
  if (digests !== undefined) {
    const givers = [...torrent.picker.givers(piece)].map((id) => giverOf(state, torrent, id));
    torrent.smartBan.record(piece, givers, digests);
    requestLeaves(state, torrent, nowMs, piece);
  }
  torrent.picker.resetPiece(piece);
  state.feedHungry();
}
