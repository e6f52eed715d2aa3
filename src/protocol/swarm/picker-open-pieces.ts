/**
 * The open pieces of a torrent, and among them those that still have a block to ask for.
 * Bounds: as many as the picker opens; a search looks at pieces with a free block only, which are about as many as there are peers.
 * @module
 */
import { MAX_REQUESTERS_PER_BLOCK, NOBODY, type OpenPiece } from './picker-open-piece.ts';

/** Receives pairs: piece at 2·i, block at 2·i + 1. */
export type PickList = Uint32Array | number[];

/** Says whether the first of two open pieces should be completed before the second. */
export type Precedence = (a: OpenPiece, b: OpenPiece) => boolean;

/** Whose pieces: what the peer fills alone, also what anybody may fill, or what others fill alone. */
export type Ownership = 'own' | 'own or shared' | 'foreign';

/** Which blocks to ask a further peer for. */
export interface DuplicateSearch {
  readonly peer: number;
  /** Where in the list of open pieces the search begins, 0 … size - 1: different peers should help different pieces. */
  readonly start: number;
  readonly count: number;
  readonly accepts: (piece: number) => boolean;
  /** True for peers that are not expected to bring their blocks soon. */
  readonly isLate: (requester: number) => boolean;
}

/** The set of open pieces. */
export class OpenPieces {
  readonly #byPiece = new Map<number, OpenPiece>();
  readonly #all: OpenPiece[] = [];
  readonly #fillable: OpenPiece[] = [];
  /** The open piece that was looked up last. */
  #latest: OpenPiece | undefined;

  get size(): number {
    return this.#all.length;
  }

  /** True when some open piece has a block that nobody was asked for. */
  get hasFillable(): boolean {
    return this.#fillable.length > 0;
  }

  get(piece: number): OpenPiece | undefined {
    // Blocks come in runs of one piece.
    if (this.#latest?.piece === piece) return this.#latest;
    const open = this.#byPiece.get(piece);
    if (open !== undefined) this.#latest = open;
    return open;
  }

  indices(): number[] {
    return this.#all.map((open) => open.piece);
  }

  add(open: OpenPiece, isWanted: boolean): void {
    this.#byPiece.set(open.piece, open);
    open.openAt = this.#all.push(open) - 1;
    this.refile(open, isWanted);
  }

  /** Forgets an open piece; nothing happens when it is not open. */
  remove(piece: number): void {
    const open = this.#byPiece.get(piece);
    if (open === undefined) return;
    this.refile(open, false);
    this.#byPiece.delete(piece);
    this.#latest = undefined;
    const last = this.#all.pop()!;
    if (last !== open) {
      this.#all[open.openAt] = last;
      last.openAt = open.openAt;
    }
    open.openAt = -1;
  }

  /** Puts a piece into the list of fillable ones, or takes it out, after its blocks or its priority changed. */
  refile(open: OpenPiece, isWanted: boolean): void {
    const belongs = open.freeCount > 0 && isWanted;
    if (belongs === open.fillableAt >= 0) return;
    if (belongs) {
      open.fillableAt = this.#fillable.push(open) - 1;
      return;
    }
    const last = this.#fillable.pop()!;
    if (last !== open) {
      this.#fillable[open.fillableAt] = last;
      last.fillableAt = open.fillableAt;
    }
    open.fillableAt = -1;
  }

  /** Every piece that `peer` filled alone may be filled by anybody. */
  disown(peer: number): void {
    for (const open of this.#all) if (open.owner === peer) open.owner = NOBODY;
  }

  /** The fillable piece to go on with, among those of the given owners. */
  best(
    peer: number,
    whose: Ownership,
    accepts: (piece: number) => boolean,
    isBefore: Precedence,
  ): OpenPiece | undefined {
    let best: OpenPiece | undefined;
    for (const open of this.#fillable) {
      const { owner } = open;
      const isOwn = owner === peer || (owner === NOBODY && whose !== 'own');
      if (isOwn === (whose === 'foreign') || !accepts(open.piece)) continue;
      if (best === undefined || isBefore(open, best)) best = open;
    }
    return best;
  }

  /** Asks `peer` too for blocks that others owe, those with the fewest requesters first. @returns the number of pairs written to `out`. */
  takeDuplicates({ peer, start, count, accepts, isLate }: DuplicateSearch, out: PickList): number {
    let picked = 0;
    for (let asked = 1; asked < MAX_REQUESTERS_PER_BLOCK && picked < count; asked += 1) {
      for (let i = 0; i < this.#all.length && picked < count; i += 1) {
        const open = this.#all[(start + i) % this.#all.length]!;
        if (open.outstandingCount === 0 || !accepts(open.piece)) continue;
        while (picked < count) {
          const block = open.takeDuplicate(peer, asked, isLate);
          if (block < 0) break;
          out[2 * picked] = open.piece;
          out[2 * picked + 1] = block;
          picked += 1;
        }
      }
    }
    return picked;
  }
}
