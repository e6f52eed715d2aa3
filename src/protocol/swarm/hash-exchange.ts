/**
 * Piece layers of v2 torrents: asked of peers when the torrent file had none, served to those who ask.
 *
 * Spec: BEP 52 messages 21–23; they ignore the choke state, and each request gets hashes or a reject.
 * Bounds: HASH_REQUESTS_PER_PEER requests a peer; a range that nobody answers is asked again after HASH_TIMEOUT_MS.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import { type HashTree, pieceLayerOf } from '../metainfo/index.ts';
import { type HashRange, isServableHashRange } from '../peer-wire/index.ts';
import { banGiver, expel } from './blame.ts';
import { HASH_REQUESTS_PER_PEER, HASH_TIMEOUT_MS } from './constants.ts';
import { recountInterest } from './interest.ts';
import { queueLeafServe, takeLeafReject, takeLeaves } from './leaf-hashes.ts';
import type { Peer } from './peer.ts';
import type { SwarmState, Torrent } from './state.ts';

/** Asks v2 peers for hashes that are missing. */
export function requestHashes(state: SwarmState, nowMs: number): void {
  const { torrent } = state;
  if (torrent === undefined || torrent.missingTrees.length === 0) return;
  expireRequests(torrent, nowMs);
  for (const peer of state.peers.values()) {
    if (!peer.isV2) continue;
    for (const tree of torrent.missingTrees) {
      if (peer.hashRequests >= HASH_REQUESTS_PER_PEER) break;
      if (!peer.hashRejects.has(toHex(tree.root))) askTree(state, torrent, nowMs, peer, tree);
    }
  }
}

function askTree(
  state: SwarmState,
  torrent: Torrent,
  nowMs: number,
  peer: Peer,
  tree: HashTree,
): void {
  for (const range of tree.missingRanges()) {
    if (peer.hashRequests >= HASH_REQUESTS_PER_PEER) return;
    const key = `${toHex(tree.root)}:${range.index}`;
    if (torrent.hashRequests.has(key) || peer.lateHashes.has(key)) continue;
    torrent.hashRequests.set(key, { peer, askedMs: nowMs });
    peer.hashRequests += 1;
    peer.out.hashRequest({ root: tree.root, ...range });
    state.dirty.add(peer);
  }
}

function expireRequests(torrent: Torrent, nowMs: number): void {
  for (const [key, { peer, askedMs }] of torrent.hashRequests) {
    if (nowMs - askedMs <= HASH_TIMEOUT_MS) continue;
    torrent.hashRequests.delete(key);
    peer.hashRequests -= 1;
    peer.lateHashes.add(key);
    peer.hashRejects.add(key.slice(0, 64));
  }
}

/** Takes a `hashes` message. */
export function handleHashes(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  message: HashRange & { readonly hashes: Uint8Array },
): void {
  const { torrent } = state;
  if (torrent === undefined || takeLeaves(state, nowMs, peer, message)) return;
  const key = `${toHex(message.root)}:${message.index}`;
  const tree = torrent.trees.get(toHex(message.root));
  const isAsked = torrent.hashRequests.get(key)?.peer === peer;
  // A slow peer's answer to a request that was given up is no fault, and as good as any other; until it comes nothing is asked again.
  const isLate = !isAsked && peer.lateHashes.delete(key);
  if (tree === undefined || !(isAsked || isLate)) {
    expel(state, nowMs, peer, 'sent hashes nobody asked for');
    return;
  }
  if (isAsked) {
    torrent.hashRequests.delete(key);
    peer.hashRequests -= 1;
  }
  const range = tree.rangeFor(message.index);
  if (range.length !== message.length || range.baseLayer !== message.baseLayer) {
    expel(state, nowMs, peer, 'sent other hashes than were asked for');
    return;
  }
  const accepted = tree.accept(range, message.hashes);
  if (!accepted.ok) {
    banGiver(state, nowMs, peer, accepted.message);
    return;
  }
  torrent.unlock(tree, accepted.value.first, accepted.value.count);
  for (const other of state.peers.values()) recountInterest(state, other);
  state.feedHungry();
  if (torrent.missingTrees.length === 0 && !state.areLayersTold) {
    state.areLayersTold = true;
    state.emit({ type: 'layers', layers: torrent.layers() });
  }
}

/** Takes a `hash-reject`: this peer is not asked for that tree again. */
export function handleHashReject(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  range: HashRange,
): void {
  if (takeLeafReject(state, nowMs, peer, range)) return;
  const key = `${toHex(range.root)}:${range.index}`;
  peer.lateHashes.delete(key);
  const requests = state.torrent?.hashRequests;
  if (requests?.get(key)?.peer !== peer) return;
  requests.delete(key);
  peer.hashRequests -= 1;
  if (peer.hashRejects.size < 4096) peer.hashRejects.add(toHex(range.root));
}

/** Answers a `hash-request`. */
export function serveHashes(state: SwarmState, nowMs: number, peer: Peer, range: HashRange): void {
  if (!peer.isV2) {
    expel(state, nowMs, peer, 'sent a v2 message on a v1 connection');
    return;
  }
  const tree = state.torrent?.trees.get(toHex(range.root));
  const { torrent } = state;
  const isBelowPieces =
    torrent !== undefined && range.baseLayer < pieceLayerOf(torrent.info.pieceLengthBytes);
  if (isBelowPieces && queueLeafServe(state, torrent, peer, range)) return;
  const hashes = isServableHashRange(range) ? tree?.serve(range) : undefined;
  if (hashes === undefined) peer.out.hashReject(range);
  else peer.out.hashes({ ...range, hashes });
  state.dirty.add(peer);
}
