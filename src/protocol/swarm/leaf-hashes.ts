/**
 * The leaf hashes of single pieces in v2 torrents: asked for when a piece failed, so that the exact bad block is known at once, and served to others.
 *
 * Spec: BEP 52, message 21 with base layer 0. Leaves are not stored: to serve them the data plane reads the piece again.
 * Bounds: LEAF_TRIES peers are asked for a piece, one after another; MAX_LEAF_SERVES answers a connection, HASH_REQUESTS_PER_PEER at a time.
 * Pieces of more than 512 blocks (8 MiB) are not asked for: a good copy of them tells as much (`smart-ban.ts`).
 * @module
 */
import { equalBytes, toHex } from '../../lib/bytes.ts';
import { HASH_RANGE_LENGTH, merkleRoot, pieceLayerOf, serveBelowPiece } from '../metainfo/index.ts';
import { type HashRange, isServableHashRange } from '../peer-wire/index.ts';
import { banGiver, judgeGivers } from './blame.ts';
import { HASH_REQUESTS_PER_PEER, HASH_TIMEOUT_MS } from './constants.ts';
import type { Peer } from './peer.ts';
import type { SwarmState, Torrent } from './state.ts';

// Implementation limits

/** Peers asked for the leaves of a piece before waiting for a good copy instead. */
const LEAF_TRIES = 3;
/** Answers with leaves that a connection gets: each costs the reading of a piece. */
const MAX_LEAF_SERVES = 256;

/** A request for the leaves of a piece, under way. */
export interface LeafRequest {
  readonly range: HashRange;
  readonly asked: Set<Peer>;
  peer: Peer;
  askedMs: number;
}

/** Has the blocks of a piece on disk digested; the answer is `takeDigests`. */
export function askDigests(state: SwarmState, torrent: Torrent, piece: number): void {
  if (torrent.digesting.has(piece)) return;
  torrent.digesting.add(piece);
  state.outputs.push({ type: 'digest', piece });
}

/** Asks for the leaf hashes of a piece that failed. */
export function requestLeaves(
  state: SwarmState,
  torrent: Torrent,
  nowMs: number,
  piece: number,
): void {
  const root = torrent.rootV2(piece);
  if (root === undefined || torrent.expectedV2(piece) === undefined) return;
  const length = torrent.layout.v2LeafWidth(piece);
  if (length < 2 || length > HASH_RANGE_LENGTH || torrent.leafRequests.has(piece)) return;
  const index = torrent.layout.pieceInFileV2(piece) * length;
  const range = { root, baseLayer: 0, index, length, proofLayers: 0 };
  askNext(state, torrent, nowMs, piece, range, new Set());
}

function askNext(
  state: SwarmState,
  torrent: Torrent,
  nowMs: number,
  piece: number,
  range: HashRange,
  asked: Set<Peer>,
): void {
  torrent.leafRequests.delete(piece);
  if (asked.size >= LEAF_TRIES || !torrent.smartBan.has(piece)) return;
  for (const peer of state.peers.values()) {
    if (!peer.isV2 || peer.isOnParole || asked.has(peer) || !peer.hasPiece(piece)) continue;
    asked.add(peer);
    torrent.leafRequests.set(piece, { range, asked, peer, askedMs: nowMs });
    peer.leafRequests += 1;
    peer.out.hashRequest(range);
    state.dirty.add(peer);
    return;
  }
}

/** The piece whose leaves this peer was asked for by a request that still counts. */
function requestOf(torrent: Torrent, peer: Peer, range: HashRange): number | undefined {
  for (const [piece, request] of torrent.leafRequests) {
    if (request.peer !== peer || request.range.index !== range.index) continue;
    if (equalBytes(request.range.root, range.root)) return piece;
  }
  return undefined;
}

/** Takes a `hashes` message with the leaves of a piece. @returns false when it is no answer to a request for leaves. */
export function takeLeaves(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  message: HashRange & { readonly hashes: Uint8Array },
): boolean {
  const { torrent } = state;
  if (torrent === undefined || message.baseLayer !== 0 || peer.leafRequests === 0) return false;
  peer.leafRequests -= 1;
  const piece = requestOf(torrent, peer, message);
  // An answer that comes too late is not asked for any more, but no fault.
  if (piece === undefined) return true;
  const { range, asked } = torrent.leafRequests.get(piece)!;
  const expected = torrent.expectedV2(piece);
  const isRight =
    message.hashes.length === range.length * 32 &&
    expected !== undefined &&
    equalBytes(merkleRoot(state.crypto, message.hashes, range.length), expected);
  if (!isRight) {
    banGiver(state, nowMs, peer, 'sent leaf hashes that do not fit their root');
    askNext(state, torrent, nowMs, piece, range, asked);
    return true;
  }
  torrent.leafRequests.delete(piece);
  judgeGivers(state, nowMs, torrent, piece, message.hashes);
  return true;
}

/** Takes a `hash-reject`. @returns false when it is no answer to a request for leaves. */
export function takeLeafReject(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  range: HashRange,
): boolean {
  const { torrent } = state;
  if (torrent === undefined || range.baseLayer !== 0 || peer.leafRequests === 0) return false;
  peer.leafRequests -= 1;
  const piece = requestOf(torrent, peer, range);
  if (piece === undefined) return true;
  const request = torrent.leafRequests.get(piece)!;
  askNext(state, torrent, nowMs, piece, request.range, request.asked);
  return true;
}

/** Asks others for what was not answered in time, or whose peer left. */
export function expireLeaves(state: SwarmState, nowMs: number): void {
  const { torrent } = state;
  for (const [piece, { peer, askedMs, range, asked }] of torrent?.leafRequests ?? []) {
    if (nowMs - askedMs <= HASH_TIMEOUT_MS && state.peers.get(peer.id) === peer) continue;
    askNext(state, torrent!, nowMs, piece, range, asked);
  }
}

/** A `hash-request` below the piece layer: answered once the piece was read. @returns false when it must be rejected. */
export function queueLeafServe(
  state: SwarmState,
  torrent: Torrent,
  peer: Peer,
  range: HashRange,
): boolean {
  const { info } = torrent;
  if (!isServableHashRange(range) || peer.leafServes >= MAX_LEAF_SERVES) return false;
  const waiting = torrent.leafServes.filter((serve) => serve.peer === peer).length;
  if (waiting >= HASH_REQUESTS_PER_PEER) return false;
  const leavesPerPiece = 2 ** pieceLayerOf(info.pieceLengthBytes);
  const piece = torrent.pieceOfRoot(
    range.root,
    Math.floor((range.index * 2 ** range.baseLayer) / leavesPerPiece),
  );
  if (piece === undefined || !torrent.have.has(piece)) return false;
  peer.leafServes += 1;
  torrent.leafServes.push({ peer, piece, range });
  askDigests(state, torrent, piece);
  return true;
}

/** The leaves of a piece that is had were read: answers whoever waits for them. @param leaves undefined: the disk failed. */
export function serveLeaves(
  state: SwarmState,
  torrent: Torrent,
  piece: number,
  leaves: Uint8Array | undefined,
): void {
  const due = torrent.leafServes.filter((serve) => serve.piece === piece);
  if (due.length === 0) return;
  torrent.leafServes = torrent.leafServes.filter((serve) => serve.piece !== piece);
  const tree = torrent.trees.get(toHex(due[0]!.range.root));
  const first = torrent.layout.pieceInFileV2(piece);
  const width = torrent.layout.v2LeafWidth(piece);
  for (const { peer, range } of due) {
    if (state.peers.get(peer.id) !== peer) continue;
    const hashes =
      leaves === undefined
        ? undefined
        : serveBelowPiece(state.crypto, { leaves, width, first, tree }, range);
    if (hashes === undefined) peer.out.hashReject(range);
    else peer.out.hashes({ ...range, hashes });
    state.dirty.add(peer);
  }
}
