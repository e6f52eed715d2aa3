/**
 * Pieces that were had and are not any more, at a peer or here.
 *
 * Spec: BEP 54 (`lt_donthave`). With BEP 6 the loser rejects what it was asked for and cannot give; without, the requests end in silence.
 * Bounds: as for HAVEs before the metadata (MAX_EARLY_HAVES); a loss that says nothing new uses up the allowance for idle messages.
 * @module
 */
import { Bitfield } from '../../lib/bitfield.ts';
import { DONT_HAVE_EXTENSION, decodeDontHave, encodeDontHave } from '../peer-wire/index.ts';
import { MAX_EARLY_HAVES } from './constants.ts';
import { updateInterest } from './interest.ts';
import { serveLeaves } from './leaf-hashes.ts';
import type { Peer } from './peer.ts';
import { releaseRequest } from './releasing.ts';
import type { SwarmState, Torrent } from './state.ts';
import { setSuperSeeding } from './super-seeding.ts';

/** A peer says that it lost a piece. @returns why to close the connection, or undefined. */
export function handleDontHave(
  state: SwarmState,
  nowMs: number,
  peer: Peer,
  payload: Uint8Array,
): string | undefined {
  const decoded = decodeDontHave(payload);
  if (!decoded.ok) return decoded.message;
  const { torrent } = state;
  if (torrent !== undefined) return takeLoss(state, nowMs, torrent, peer, decoded.value);
  if (peer.earlyHaves.length >= MAX_EARLY_HAVES) return 'sent too many HAVEs before the metadata';
  peer.allowedFastFrom.delete(decoded.value);
  // Below zero, so that it keeps its place among the HAVEs until they can be read.
  peer.earlyHaves.push(-1 - decoded.value);
  return undefined;
}

/** @returns why to close the connection, or undefined. */
export function takeLoss(
  state: SwarmState,
  nowMs: number,
  torrent: Torrent,
  peer: Peer,
  piece: number,
): string | undefined {
  const { picker, info } = torrent;
  if (piece >= info.pieceCount) {
    return `lt_donthave: expected a piece below ${info.pieceCount}, got ${piece}`;
  }
  peer.allowedFastFrom.delete(piece);
  if (!peer.hasPiece(piece)) return peer.conduct.chatter(nowMs);
  if (peer.has === 'seed') {
    const has = new Bitfield(info.pieceCount);
    has.fill();
    picker.removeSeed();
    picker.addBitfield(has);
    peer.has = has;
    peer.wantedCount = picker.countWanted(has);
  }
  peer.has!.delete(piece);
  picker.removeHave(piece);
  if (picker.wantsPiece(piece)) peer.wantedCount -= 1;
  // With BEP 6 an answer, most likely a reject, still ends each request; without, nothing more comes, of those that timed out neither.
  if (!peer.capabilities.fast) {
    const release = (_: number, block: number): void => releaseRequest(state, peer, piece, block);
    peer.requests.drain(release, (other) => other === piece);
  } else {
    for (const block of peer.requests.liveBlocks(piece)) {
      peer.requests.cancel(piece, block);
      releaseRequest(state, peer, piece, block);
    }
  }
  updateInterest(state, peer);
  state.dirty.add(peer);
  state.feedHungry();
  // Losing and finding a piece in turns is a way to make us work.
  return peer.conduct.chatter(nowMs);
}

/** A piece turned out to be gone or changed on disk. */
export function losePiece(state: SwarmState, torrent: Torrent, piece: number): void {
  if (!torrent.have.has(piece) || torrent.layout.isAllPad(piece)) return;
  // A seed in disguise is a seed no longer: it tells what it has, and then what it has not.
  if (state.superSeeding !== undefined) setSuperSeeding(state, false);
  torrent.have.delete(piece);
  torrent.picker.markUnhave(piece);
  torrent.digesting.delete(piece);
  torrent.smartBan.forget(piece);
  const isWanted = torrent.picker.wantsPiece(piece);
  for (const peer of state.peers.values()) {
    dropUploads(state, peer, piece);
    peer.allowedFastTo.delete(piece);
    if (isWanted && peer.has !== 'seed' && peer.hasPiece(piece)) peer.wantedCount += 1;
    updateInterest(state, peer);
    const id = peer.extensions.idOf(DONT_HAVE_EXTENSION);
    if (id !== undefined) peer.out.extended(id, encodeDontHave(piece));
    state.dirty.add(peer);
  }
  serveLeaves(state, torrent, piece, undefined);
  state.feedHungry();
}

/** Requests for a piece that is gone: rejected with BEP 6, forgotten without. */
function dropUploads(state: SwarmState, peer: Peer, piece: number): void {
  const kept: number[] = [];
  for (let at = 0; at < peer.uploads.length; at += 3) {
    const [of, begin, length] = peer.uploads.slice(at, at + 3) as [number, number, number];
    if (of !== piece) {
      kept.push(of, begin, length);
      continue;
    }
    state.outputs.push({ type: 'unserve', id: peer.id, piece, begin, length });
    if (peer.capabilities.fast) peer.out.reject(piece, begin, length);
  }
  peer.uploads = kept;
}
