/**
 * Super seeding: a first seed with little upload gives each piece away once, and lets the others spread it.
 *
 * Spec: BEP 16. It masquerades as a peer without data and tells each peer of one piece at a time; the next one follows when the piece was
 * seen at another peer. Where no other peer could show it (there is none, or all others have it), its own HAVE is enough.
 * Peers that were told everything before keep that; ending it tells the rest.
 * Bounds: a set of told pieces for each connection; choosing a piece walks over all pieces once.
 * @module
 */
import type { Peer } from './peer.ts';
import type { SwarmState, Torrent } from './state.ts';

interface Guest {
  readonly told: Set<number>;
  /** The piece that has to spread before the next one is told. */
  pending: number | undefined;
}

/** Who was told what. */
export class SuperSeeding {
  readonly guests: Map<Peer, Guest> = new Map<Peer, Guest>();
  /** How often each piece was told. */
  readonly tellings: Uint16Array;

  constructor(pieceCount: number) {
    this.tellings = new Uint16Array(pieceCount);
  }
}

/** Begins or ends it; only a seed can. @returns false when this is none. */
export function setSuperSeeding(state: SwarmState, isOn: boolean): boolean {
  const { torrent } = state;
  if (torrent === undefined || !state.isSeed) return false;
  if (isOn) state.superSeeding ??= new SuperSeeding(torrent.info.pieceCount);
  else if (state.superSeeding !== undefined) {
    const { guests } = state.superSeeding;
    state.superSeeding = undefined;
    for (const [peer, { told }] of guests) {
      for (let piece = 0; piece < torrent.info.pieceCount; piece += 1) {
        if (!told.has(piece)) peer.out.have(piece);
      }
      peer.isToldAll = true;
      state.dirty.add(peer);
    }
  }
  return true;
}

/** May this peer have this piece? */
export function isRevealed(state: SwarmState, peer: Peer, piece: number): boolean {
  if (peer.isToldAll || state.superSeeding === undefined) return true;
  return state.superSeeding.guests.get(peer)?.told.has(piece) === true;
}

/** A connection began that is told nothing. */
export function hideFrom(state: SwarmState, peer: Peer): void {
  peer.isToldAll = false;
  state.superSeeding!.guests.set(peer, { told: new Set(), pending: undefined });
}

export function forgetGuest(state: SwarmState, peer: Peer): void {
  const { superSeeding, torrent } = state;
  if (superSeeding?.guests.delete(peer) !== true || torrent === undefined) return;
  // Whoever was to show a piece may have been the last one.
  for (const [other, { pending }] of superSeeding.guests) {
    if (pending !== undefined && other.hasPiece(pending)) settle(state, torrent, other, pending);
  }
}

/** What a peer has is known, or grew by a piece: pieces it was given may have spread, and it may be told the next one. */
export function noticePieces(state: SwarmState, torrent: Torrent, peer: Peer): void {
  const { superSeeding } = state;
  if (superSeeding === undefined) return;
  for (const [guest, { pending }] of superSeeding.guests) {
    if (pending === undefined) {
      if (guest === peer) tellNext(state, torrent, guest);
    } else if (guest === peer ? guest.hasPiece(pending) : peer.hasPiece(pending)) {
      settle(state, torrent, guest, pending);
    }
  }
}

/** Tells a guest the next piece if its pending one spread, or cannot. */
function settle(state: SwarmState, torrent: Torrent, guest: Peer, pending: number): void {
  let canSpread = false;
  for (const other of state.peers.values()) {
    if (other === guest || other.has === undefined) continue;
    if (!other.hasPiece(pending)) canSpread = true;
    // A seed shows it too, but nobody had to bring it there.
    else if (!other.isSeed) {
      tellNext(state, torrent, guest);
      return;
    }
  }
  if (!canSpread && guest.hasPiece(pending)) tellNext(state, torrent, guest);
}

/** The rarest piece that the guest lacks, of those the one that was told least often; one that another guest is fetching comes later. */
function tellNext(state: SwarmState, torrent: Torrent, guest: Peer): void {
  const { guests, tellings } = state.superSeeding!;
  const entry = guests.get(guest)!;
  entry.pending = undefined;
  if (guest.has === undefined || guest.isSeed) return;
  const { pieceCount } = torrent.info;
  const fetched = new Set<number>();
  for (const [other, { pending }] of guests) {
    if (pending !== undefined && !other.amChoking && !other.hasPiece(pending)) fetched.add(pending);
  }
  const start = state.rng.below(pieceCount);
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < pieceCount && least > 0; i += 1) {
    const piece = (start + i) % pieceCount;
    if (entry.told.has(piece) || guest.hasPiece(piece)) continue;
    const weight =
      torrent.picker.availability(piece) + tellings[piece]! + Number(fetched.has(piece));
    if (weight >= least) continue;
    best = piece;
    least = weight;
  }
  if (best < 0) return;
  entry.pending = best;
  entry.told.add(best);
  tellings[best]! += 1;
  guest.out.have(best);
  state.dirty.add(guest);
}
