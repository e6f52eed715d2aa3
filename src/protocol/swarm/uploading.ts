/**
 * Serving blocks: requests, cancels, choking, exactly one answer to each request (BEP 6).
 *
 * A request that may be served leaves as a `serve` output at once; the data plane reads ahead, keeps the order and tells what reached the
 * socket, so that a choke or cancel can still take back what did not.
 * Bounds: MAX_QUEUED_UPLOADS per peer.
 * @module
 */
import { VERSION_TRAITS } from '../metainfo/index.ts';
import { BLOCK_BYTES } from '../peer-wire/index.ts';
import type { ChokeCandidate, ChokeRole } from './choke-rules.ts';
import { type ChokeDecision, deservesSlot } from './choker.ts';
import { MAX_QUEUED_UPLOADS } from './constants.ts';
import type { Peer } from './peer.ts';
import type { SwarmState, Torrent } from './state.ts';
import { isRevealed } from './super-seeding.ts';

/** Requests are served from reads of this many bytes of a piece; one across their border is refused. Nobody's aligned blocks do. */
const READ_SPAN_BYTES = 64 * BLOCK_BYTES;

interface Range {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

/**
 * Takes a request.
 * @param ranges a request that may be served is added to them, for `serve`.
 * @returns a reason to close the connection, or undefined.
 */
export function handleRequest(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  piece: number,
  begin: number,
  length: number,
  ranges: number[],
): string | undefined {
  const { torrent } = state;
  if (torrent === undefined) return refuse(state, nowMs, peer, piece, begin, length);
  if (piece >= torrent.info.pieceCount) return `requested piece ${piece}, which does not exist`;
  // libtorrent 2.0 counts the gap behind a file of a v2 torrent as a pad and asks for whole blocks: they end in zeros.
  const endBytes =
    VERSION_TRAITS[torrent.info.version].hasGaps && begin < torrent.layout.wantedBytes(piece)
      ? torrent.info.pieceLengthBytes
      : torrent.layout.pieceBytes(piece);
  const lastSpan = Math.floor((begin + length - 1) / READ_SPAN_BYTES);
  const isServable =
    torrent.have.has(piece) &&
    begin + length <= endBytes &&
    Math.floor(begin / READ_SPAN_BYTES) === lastSpan &&
    (!peer.amChoking || mayHaveAllowedFast(state, torrent, nowMs, peer, piece)) &&
    isRevealed(state, peer, piece) &&
    peer.uploads.length < MAX_QUEUED_UPLOADS * 3;
  if (!isServable) return refuse(state, nowMs, peer, piece, begin, length);
  if (peer.amChoking) peer.allowedFastBytes += length;
  peer.uploads.push(piece, begin, length);
  ranges.push(piece, begin, length);
  return undefined;
}

/** BEP 6: what is not served is answered too. @returns a reason to close the connection, or undefined. */
function refuse(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  piece: number,
  begin: number,
  length: number,
): string | undefined {
  if (peer.capabilities.fast) peer.out.reject(piece, begin, length);
  state.dirty.add(peer);
  return peer.conduct.refused(nowMs);
}

/** BEP 6 lets a choked peer have its allowed-fast pieces; we give each twice at most, and none to a host that takes too much. */
function mayHaveAllowedFast(
  state: SwarmState,
  torrent: Torrent,
  nowMs: number,
  peer: Peer,
  piece: number,
): boolean {
  if (!peer.allowedFastTo.has(piece)) return false;
  const mostBytes = 2 * peer.allowedFastTo.size * torrent.info.pieceLengthBytes;
  return peer.allowedFastBytes < mostBytes && !isOverfed(state, torrent, nowMs, peer);
}

/** Its host was given far more than it shows. */
function isOverfed(state: SwarmState, torrent: Torrent, nowMs: number, peer: Peer): boolean {
  if (!state.remembers || state.isExempt(peer.address.host)) return false;
  torrent.ledger.show(peer.hostKey, shownBytes(torrent, peer));
  return torrent.ledger.isOverfed(nowMs, peer.hostKey);
}

/** Bytes of the pieces that a peer claims to have. */
export function shownBytes(torrent: Torrent, peer: Peer): number {
  const { pieceCount, pieceLengthBytes, totalBytes } = torrent.info;
  return Math.min(totalBytes, peer.shownPieces(pieceCount) * pieceLengthBytes);
}

/** Has blocks sent, triples of piece, begin and length. */
export function serve(state: SwarmState, peer: Peer, ranges: readonly number[]): void {
  if (ranges.length > 0) state.outputs.push({ type: 'serve', id: peer.id, ranges });
}

/** Takes a cancel: without effect when the block is on its way. @returns false then. */
export function handleCancel(state: SwarmState, peer: Peer, range: Range): boolean {
  const at = findUpload(peer, range);
  if (at < 0) return false;
  peer.uploads.splice(at, 3);
  state.outputs.push({ type: 'unserve', id: peer.id, ...range });
  if (peer.capabilities.fast) {
    peer.out.reject(range.piece, range.begin, range.length);
    state.dirty.add(peer);
  }
  return true;
}

/** A block could not be read: its request is answered with a reject. */
export function failUpload(state: SwarmState, peer: Peer, range: Range): void {
  const at = findUpload(peer, range);
  if (at < 0) return;
  peer.uploads.splice(at, 3);
  if (peer.capabilities.fast) peer.out.reject(range.piece, range.begin, range.length);
  state.dirty.add(peer);
}

function findUpload(peer: Peer, range: Range): number {
  for (let at = 0; at < peer.uploads.length; at += 3) {
    if (
      peer.uploads[at] === range.piece &&
      peer.uploads[at + 1] === range.begin &&
      peer.uploads[at + 2] === range.length
    ) {
      return at;
    }
  }
  return -1;
}

/** The oldest `blockCount` requests were handed to the socket. */
export function markServed(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  blockCount: number,
  dataBytes: number,
): void {
  peer.uploads.splice(0, blockCount * 3);
  peer.uploadMeter.add(nowMs, dataBytes);
  state.uploadMeter.add(nowMs, dataBytes);
  state.torrent?.ledger.give(nowMs, peer.hostKey, dataBytes);
  state.totals.uploadedBytes += dataBytes;
  peer.lastSentMs = nowMs;
}

/** Data went out by another way than to a peer. */
export function countOtherUpload(state: SwarmState, nowMs: number, dataBytes: number): void {
  state.uploadMeter.add(nowMs, dataBytes);
  state.totals.uploadedBytes += dataBytes;
  state.otherUploadedBytes += dataBytes;
}

function candidatesOf(state: SwarmState, torrent: Torrent, nowMs: number): ChokeCandidate[] {
  const { totalBytes } = torrent.info;
  return [...state.peers.values()].map((peer) => {
    const isPeerOverfed = isOverfed(state, torrent, nowMs, peer);
    const given = torrent.ledger.givenBytes(nowMs, peer.hostKey);
    return {
      peer: peer.id,
      isInterested: peer.peerInterested,
      isUploadOnly: peer.isUploadOnly || peer.isSeed,
      isSnubbed: peer.pipeline.isSnubbed,
      isOverfed: isPeerOverfed,
      downloadBytesPerSec: peer.pipeline.bytesPerSec(nowMs),
      uploadBytesPerSec: peer.uploadMeter.bytesPerSec(nowMs),
      connectedAtMs: peer.connectedAtMs,
      waitingSinceMs: peer.waitingSinceMs,
      unchokedAtMs: peer.unchokedAtMs,
      progress: Math.min(1, Math.max(shownBytes(torrent, peer), given) / totalBytes),
      standing: standingOf(state, torrent, nowMs, peer),
    };
  });
}

/** Whoever takes and could give, but does not, waits longer; so does whoever disappointed in former runs. */
function standingOf(state: SwarmState, torrent: Torrent, nowMs: number, peer: Peer): number {
  if (!state.remembers) return 0;
  if (peer.amInterested) torrent.ledger.expect(peer.hostKey);
  const former = state.standingOf(peer.address);
  const now = torrent.ledger.standing(nowMs, peer.hostKey, peer.pipeline.totalBytes);
  return Math.max(-1, Math.min(1, former + now));
}

function roleOf(state: SwarmState): ChokeRole {
  return state.isComplete ? 'seed' : 'leech';
}

/** A regular round of the choker, when one is due. */
export function runChoker(state: SwarmState, nowMs: number): void {
  const { torrent, choker } = state;
  if (torrent === undefined || nowMs < choker.nextRoundAtMs) return;
  const candidates = candidatesOf(state, torrent, nowMs);
  tuneSlots(state, nowMs, candidates);
  applyChoke(state, nowMs, choker.run(nowMs, candidates, roleOf(state)));
}

/** Lets the number of slots follow what the line can carry. */
function tuneSlots(state: SwarmState, nowMs: number, candidates: readonly ChokeCandidate[]): void {
  const { tuner, choker } = state;
  if (tuner === undefined) return;
  const takers = candidates.filter((c) => c.isInterested && deservesSlot(c));
  choker.slots = tuner.next(nowMs, {
    // What slots carry: other uploads take no slot.
    uploadedBytes: state.totals.uploadedBytes - state.otherUploadedBytes,
    limitBytesPerSec: state.uploadLimitBytesPerSec,
    waiting: takers.filter((c) => !choker.isUnchoked(c.peer)).length,
  });
}

/** Gives empty slots away between rounds. */
export function fillSlots(state: SwarmState, nowMs: number): void {
  const { torrent, choker } = state;
  if (torrent === undefined) return;
  const candidates = candidatesOf(state, torrent, nowMs);
  applyChoke(state, nowMs, choker.fill(nowMs, candidates, roleOf(state)));
}

function applyChoke(state: SwarmState, nowMs: number, decision: ChokeDecision): void {
  for (const id of decision.choke) {
    const peer = state.peers.get(id);
    if (peer !== undefined) choke(state, nowMs, peer);
  }
  for (const id of decision.unchoke) {
    const peer = state.peers.get(id);
    if (peer === undefined || !peer.amChoking) continue;
    peer.amChoking = false;
    peer.unchokedAtMs = nowMs;
    peer.out.unchoke();
    state.dirty.add(peer);
  }
}

/** BEP 6: the choke goes first, then a reject for every request but those for allowed-fast pieces. */
function choke(state: SwarmState, nowMs: number, peer: Peer): void {
  if (peer.amChoking) return;
  peer.amChoking = true;
  peer.unchokedAtMs = undefined;
  peer.waitingSinceMs = nowMs;
  peer.out.choke();
  state.dirty.add(peer);
  const uploads = peer.uploads;
  peer.uploads = [];
  const ranges: number[] = [];
  for (let at = 0; at < uploads.length; at += 3) {
    const [piece, begin, length] = uploads.slice(at, at + 3) as [number, number, number];
    if (peer.capabilities.fast && peer.allowedFastTo.has(piece)) {
      peer.uploads.push(piece, begin, length);
      ranges.push(piece, begin, length);
    } else if (peer.capabilities.fast) peer.out.reject(piece, begin, length);
  }
  state.outputs.push({ type: 'unserve-all', id: peer.id });
  serve(state, peer, ranges);
}
