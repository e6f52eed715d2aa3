/**
 * What each message of a peer does. A returned text is the reason to close the connection: the peer broke the protocol.
 * Specs: BEP 3, 6, 10, 52; see the modules that the cases call.
 * @module
 */
import { Bitfield } from '../../../lib/bitfield.ts';
import { readU32 } from '../../../lib/bytes.ts';
import {
  BLOCK_BYTES,
  decodeMessage,
  EXTENDED_HANDSHAKE_ID,
  type Message,
  REQUEST_FRAME_BYTES,
  requestLengthFault,
} from '../../peer-wire/index.ts';
import { offerAllowedFast } from '../connecting.ts';
import { MAX_EARLY_HAVES, MAX_REFUSALS } from '../constants.ts';
import { handleHashes, handleHashReject, serveHashes } from '../hash-exchange.ts';
import { recountInterest, updateInterest } from '../interest.ts';
import { takeLoss } from '../lost-pieces.ts';
import type { Peer } from '../peer.ts';
import { RefusedPieces } from '../refused-pieces.ts';
import { releaseRequest, releaseRequests } from '../releasing.ts';
import type { SwarmState, Torrent } from '../state.ts';
import { noticePieces } from '../super-seeding.ts';
import { fillSlots, handleCancel, handleRequest, serve } from '../uploading.ts';
import { handleExtended, handleExtendedHandshake } from './extended.ts';

/** Handles one message without its length prefix. @returns why the connection must be closed, or undefined. */
export function handleMessage(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  bytes: Uint8Array,
): string | undefined {
  peer.lastReceivedMs = nowMs;
  const decoded = decodeMessage(bytes);
  if (!decoded.ok) return decoded.message;
  const message = decoded.value;
  if (message.type === 'extended') {
    if (!peer.capabilities.extension) return 'sent an extended message without offering BEP 10';
    return message.id === EXTENDED_HANDSHAKE_ID
      ? handleExtendedHandshake(state, nowMs, peer, message.payload)
      : handleExtended(state, nowMs, peer, message.id, message.payload);
  }
  const fault = fastFault(peer, message);
  if (fault !== undefined) return fault;
  const isFirst = peer.isBitfieldDue;
  if (message.type !== 'keep-alive' && message.type !== 'port') peer.isBitfieldDue = false;
  switch (message.type) {
    case 'bitfield':
      return isFirst
        ? takePieces(state, peer, message.bytes.slice())
        : takeLateBitfield(state, nowMs, peer, message.bytes);
    case 'have-all':
      return isFirst ? takePieces(state, peer, 'all') : takeLateHaveAll(state, nowMs, peer);
    case 'have-none':
      return isFirst ? takePieces(state, peer, 'none') : 'sent a late have-none';
    default:
      // BEP 3: the bitfield is optional; whoever speaks of something else first has nothing.
      if (isFirst && !peer.isBitfieldDue && peer.has === undefined && peer.early === undefined) {
        takePieces(state, peer, 'none');
      }
      return handleLater(state, nowMs, peer, message);
  }
}

/** Handles `request` messages that came together, 17 bytes each. @returns why the connection must be closed, or undefined. */
export function handleRequests(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  bytes: Uint8Array,
): string | undefined {
  // The first one as any message: it may be the first of the connection, and settles what that means.
  let fault = handleMessage(state, nowMs, peer, bytes.subarray(4, REQUEST_FRAME_BYTES));
  const ranges: number[] = [];
  for (
    let at = REQUEST_FRAME_BYTES;
    at < bytes.length && fault === undefined;
    at += REQUEST_FRAME_BYTES
  ) {
    const length = readU32(bytes, at + 13);
    fault =
      requestLengthFault(length) ??
      handleRequest(
        state,
        nowMs,
        peer,
        readU32(bytes, at + 5),
        readU32(bytes, at + 9),
        length,
        ranges,
      );
  }
  serve(state, peer, ranges);
  return fault;
}

function fastFault(peer: Peer, message: Message): string | undefined {
  const { type } = message;
  const isFast =
    type === 'have-all' ||
    type === 'have-none' ||
    type === 'suggest' ||
    type === 'allowed-fast' ||
    type === 'reject';
  if (!isFast || peer.capabilities.fast) return undefined;
  return type === 'reject' && peer.isV2 ? undefined : `sent ${type} without offering BEP 6`;
}

function handleLater(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  message: Message,
): string | undefined {
  switch (message.type) {
    case 'choke':
      peer.peerChoking = true;
      // BEP 6: each request still gets its reject; without it the choke ends them all (BEP 3).
      if (!peer.capabilities.fast) releaseRequests(state, peer, false);
      return peer.conduct.chatter(nowMs);
    case 'unchoke':
      if (peer.peerChoking) peer.pipeline.restart(nowMs);
      peer.peerChoking = false;
      state.dirty.add(peer);
      return peer.conduct.chatter(nowMs);
    case 'interested':
      if (!peer.peerInterested) {
        peer.peerInterested = true;
        fillSlots(state, nowMs);
      }
      return peer.conduct.chatter(nowMs);
    case 'not-interested':
      if (peer.peerInterested) {
        peer.peerInterested = false;
        if (!peer.amChoking) fillSlots(state, nowMs);
      }
      return peer.conduct.chatter(nowMs);
    case 'have':
      return handleHave(state, nowMs, peer, message.piece);
    case 'request': {
      const ranges: number[] = [];
      const { piece, begin, length } = message;
      const fault = handleRequest(state, nowMs, peer, piece, begin, length, ranges);
      serve(state, peer, ranges);
      return fault;
    }
    case 'cancel':
      return handleCancel(state, peer, rangeOf(message)) ? undefined : peer.conduct.refused(nowMs);
    case 'reject':
      return handleReject(state, nowMs, peer, message.piece, message.begin);
    case 'allowed-fast':
      return handleAllowedFast(state, peer, message.piece) ?? peer.conduct.chatter(nowMs);
    case 'hash-request':
      serveHashes(state, nowMs, peer, message);
      return peer.conduct.chatter(nowMs);
    case 'hashes':
      handleHashes(state, nowMs, peer, message);
      return undefined;
    case 'hash-reject':
      handleHashReject(state, nowMs, peer, message);
      return undefined;
    case 'port':
      takeDhtPort(state, peer, message.port);
      return peer.conduct.chatter(nowMs);
    default:
      return peer.conduct.chatter(nowMs);
  }
}

/** BEP 5: the peer has a DHT node at this port; told once for each connection. */
function takeDhtPort(state: SwarmState, peer: Peer, port: number): void {
  if (port === 0 || peer.hasToldDhtPort || state.options.dhtPort === undefined) return;
  peer.hasToldDhtPort = true;
  if (!state.isPrivate) {
    state.emit({ type: 'dht-node', address: { host: peer.address.host, port } });
  }
}

function rangeOf(message: { piece: number; begin: number; length: number }): {
  piece: number;
  begin: number;
  length: number;
} {
  return { piece: message.piece, begin: message.begin, length: message.length };
}

/** Takes a bitfield, have-all or have-none; kept for later while the metadata is unknown. */
function takePieces(
  state: SwarmState,
  peer: Peer,
  pieces: Uint8Array | 'all' | 'none',
): string | undefined {
  if (state.torrent === undefined) {
    peer.early = pieces;
    forgetLosses(peer, pieces);
    return undefined;
  }
  return applyPieces(state, state.torrent, peer, pieces);
}

/** aria2 tells many new pieces at once by another bitfield, although BEP 3 allows it first only: its bits count as HAVEs. @returns why to close. */
function takeLateBitfield(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  bytes: Uint8Array,
): string | undefined {
  const { torrent } = state;
  if (torrent === undefined) return takeEarlyBitfield(peer, bytes) ?? peer.conduct.chatter(nowMs);
  const count = torrent.info.pieceCount;
  const has = Bitfield.fromWire(bytes, count);
  if (has === undefined) {
    return `bitfield: expected ${count} bits with zero spare ones, got ${bytes.length} bytes`;
  }
  for (const piece of has) addPiece(state, torrent, peer, piece);
  return peer.conduct.chatter(nowMs);
}

/** Before the metadata the bits only add to those that came before. @returns why to close. */
function takeEarlyBitfield(peer: Peer, bytes: Uint8Array): string | undefined {
  const { early } = peer;
  forgetLosses(peer, bytes);
  if (early === 'all') return undefined;
  const both = bytes.slice();
  peer.early = both;
  if (!(early instanceof Uint8Array)) return undefined;
  if (early.length !== both.length) {
    return `bitfield: expected ${early.length} bytes as before, got ${both.length}`;
  }
  for (let at = 0; at < both.length; at += 1) both[at]! |= early[at]!;
  return undefined;
}

/** Losses before the metadata (BEP 54), which are kept below zero, end when the piece is told of again. */
function forgetLosses(peer: Peer, pieces: Uint8Array | 'all' | 'none'): void {
  if (pieces === 'none' || peer.earlyHaves.length === 0) return;
  const isBack = (piece: number): boolean =>
    pieces === 'all' || ((pieces[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0;
  peer.earlyHaves = peer.earlyHaves.filter((entry) => entry >= 0 || !isBack(-1 - entry));
}

/** A peer that completes may say so this way: it counts as the HAVEs that are missing. */
function takeLateHaveAll(state: SwarmState, nowMs: number, peer: Peer): string | undefined {
  const { torrent } = state;
  if (torrent === undefined) {
    peer.early = 'all';
    forgetLosses(peer, 'all');
  }
  const count = torrent?.info.pieceCount ?? 0;
  for (let piece = 0; piece < count; piece += 1) addPiece(state, torrent!, peer, piece);
  return peer.conduct.chatter(nowMs);
}

/** Interprets what a peer has, now that the number of pieces is known. @returns why to close, or undefined. */
export function applyPieces(
  state: SwarmState,
  torrent: Torrent,
  peer: Peer,
  pieces: Uint8Array | 'all' | 'none',
): string | undefined {
  const count = torrent.info.pieceCount;
  const has = pieces instanceof Uint8Array ? Bitfield.fromWire(pieces, count) : new Bitfield(count);
  if (has === undefined) {
    return `bitfield: expected ${count} bits with zero spare ones, got ${(pieces as Uint8Array).length} bytes`;
  }
  if (pieces === 'all' || has.isFull) {
    peer.has = 'seed';
    torrent.picker.addSeed();
  } else {
    peer.has = has;
    torrent.picker.addBitfield(has);
  }
  peer.firstShown = peer.shownPieces(count);
  recountInterest(state, peer);
  offerAllowedFast(state, torrent, peer);
  noticePieces(state, torrent, peer);
  return undefined;
}

/** Replays what came before the metadata. @returns why to close, or undefined. */
export function applyEarly(
  state: SwarmState,
  nowMs: number,
  torrent: Torrent,
  peer: Peer,
): string | undefined {
  if (peer.early === undefined) return undefined;
  const fault = applyPieces(state, torrent, peer, peer.early);
  peer.early = undefined;
  const haves = peer.earlyHaves;
  peer.earlyHaves = [];
  if (fault !== undefined) return fault;
  for (const piece of haves) {
    const wrong =
      piece >= 0
        ? handleHave(state, nowMs, peer, piece)
        : takeLoss(state, nowMs, torrent, peer, -1 - piece);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function handleHave(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  piece: number,
): string | undefined {
  const { torrent } = state;
  if (torrent === undefined) {
    if (peer.earlyHaves.length >= MAX_EARLY_HAVES) return 'sent too many HAVEs before the metadata';
    peer.earlyHaves.push(piece);
    return undefined;
  }
  if (piece >= torrent.info.pieceCount) {
    return `have: expected a piece below ${torrent.info.pieceCount}, got ${piece}`;
  }
  return addPiece(state, torrent, peer, piece) ? undefined : peer.conduct.chatter(nowMs);
}

/** A peer got a piece. @returns false when that was known. */
function addPiece(state: SwarmState, torrent: Torrent, peer: Peer, piece: number): boolean {
  if (peer.refused?.forget(piece) === true) {
    torrent.picker.forgetSearches();
    state.dirty.add(peer);
  }
  if (peer.has === 'seed' || peer.has === undefined || !peer.has.add(piece)) return false;
  torrent.picker.addHave(piece, peer.id);
  noticePieces(state, torrent, peer);
  // Whoever checked a piece knows its hashes: those it had not may be there now.
  if (peer.hashRejects.size > 0) peer.hashRejects.clear();
  if (torrent.picker.wantsPiece(piece)) {
    peer.wantedCount += 1;
    updateInterest(state, peer);
    state.dirty.add(peer);
  }
  return true;
}

function handleReject(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  piece: number,
  begin: number,
): string | undefined {
  const block = begin / BLOCK_BYTES;
  const request = peer.requests.remove(piece, block);
  if (request === undefined) return peer.conduct.refused(nowMs);
  state.dirty.add(peer);
  // Of a request that was cancelled it is the answer that was hoped for.
  if (request !== 'live' && request !== 'released') return undefined;
  if (peer.peerChoking) peer.allowedFastFrom.delete(piece);
  else {
    peer.refusals += 1;
    if (peer.refusals > MAX_REFUSALS) return 'rejected too many requests while unchoked';
    peer.refused ??= new RefusedPieces();
    peer.refused.add(nowMs, piece);
  }
  if (request === 'released') return undefined;
  releaseRequest(state, peer, piece, block);
  state.feedHungry();
  return undefined;
}

function handleAllowedFast(state: SwarmState, peer: Peer, piece: number): string | undefined {
  const { torrent } = state;
  if (torrent !== undefined && piece >= torrent.info.pieceCount) {
    return `allowed-fast: expected a piece below ${torrent.info.pieceCount}, got ${piece}`;
  }
  // BEP 6 leaves the size open; ours has 10, and nobody needs many.
  if (peer.allowedFastFrom.size < 100) peer.allowedFastFrom.add(piece);
  state.dirty.add(peer);
  return undefined;
}
