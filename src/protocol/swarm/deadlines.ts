/**
 * Pieces that are needed at a known time, as by a player, and what their duplicates cost.
 *
 * While there are deadlines, ordinary picks do not touch these pieces (`without`): who may take a block of them is decided in
 * deadline-requests.ts. Some of the pieces that may be open are kept free for them; the limit itself is never exceeded, since it is memory.
 * Bounds: MAX_DEADLINES pieces; a block asked for twice is counted until it came, and at most DUPLICATE_SHARE of what came may be at stake
 * or have come twice, but DUPLICATE_START in any case.
 * Not here: which peer is asked, time.
 * @module
 */
import { assert } from '../../lib/assert.ts';
import { Bitfield } from '../../lib/bitfield.ts';
import { BLOCK_BYTES } from '../peer-wire/index.ts';
import type { PeerPieces } from './peer-pieces.ts';
import type { PiecePicker } from './picker.ts';

// Implementation limits

/** Pieces with a deadline; of more, those that are due last are left out. */
export const MAX_DEADLINES = 256;
/** Pieces that may be open for deadlines alone, but no more than a quarter of all that may be open. */
const DEADLINE_OPEN_PIECES = 8;
/** Of the bytes that came while there were deadlines, this share may come twice because of them … */
const DUPLICATE_SHARE = 0.05;
/** … and at the start these bytes. */
const DUPLICATE_START_BYTES = 16 * BLOCK_BYTES;
/** Blocks remembered whose second copy may still come. */
const MAX_SETTLED = 1_024;

/** When a piece is needed. */
export interface Deadline {
  readonly piece: number;
  /** Monotonic milliseconds. */
  readonly dueMs: number;
}

/** What deadlines cost. */
export interface DeadlineTotals {
  /** Blocks that came while there were deadlines. */
  readonly receivedBytes: number;
  /** Of them, second copies of blocks that a further peer was asked for because of a deadline. */
  readonly duplicateBytes: number;
  /** Blocks that a further peer was asked for. */
  readonly doubledBlocks: number;
}

/** The deadlines of one torrent. */
export class Deadlines {
  readonly #picker: PiecePicker;
  /** Those to look at, the first due first. */
  list: readonly Deadline[] = [];
  /** False costs nothing. */
  isOn = false;
  /** Somebody says when pieces are needed, also while all of them are there: he may need others at once. */
  isFollowed = false;
  #isSequential = false;
  #openLimit: number = Number.POSITIVE_INFINITY;
  #scratch: Bitfield | undefined;
  /** Asked for twice, and not there. */
  readonly #pending = new Set<number>();
  /** There, while a second copy may come. */
  readonly #settled = new Set<number>();
  #receivedBytes = 0;
  #duplicateBytes = 0;
  #doubledBlocks = 0;

  constructor(picker: PiecePicker) {
    this.#picker = picker;
  }

  /** Replaces the list. Pieces that are had or not wanted are left out. */
  set(deadlines: readonly Deadline[], isNeeded: (piece: number) => boolean): void {
    const { pieceCount } = this.#picker;
    const firstDue = new Map<number, number>();
    for (const { piece, dueMs } of deadlines) {
      assert(
        Number.isInteger(piece) && piece >= 0 && piece < pieceCount && !Number.isNaN(dueMs),
        `deadline: expected a piece below ${pieceCount} and a time, got ${piece} at ${dueMs}`,
      );
      if (isNeeded(piece)) firstDue.set(piece, Math.min(dueMs, firstDue.get(piece) ?? dueMs));
    }
    this.list = [...firstDue]
      .map(([piece, dueMs]) => ({ piece, dueMs }))
      .sort((a, b) => a.dueMs - b.dueMs || a.piece - b.piece)
      .slice(0, MAX_DEADLINES);
    this.isOn = this.list.length > 0;
    this.isFollowed = deadlines.length > 0;
    for (const key of this.#pending) if (!this.#isDoubled(key)) this.#pending.delete(key);
    this.#picker.forgetSearches();
    this.setSequential(this.#isSequential);
    this.closeReserve();
  }

  /** Pieces without a deadline come in order, but not while others have one: slow peers would hold what will have a deadline next. */
  setSequential(isSequential: boolean): void {
    this.#isSequential = isSequential;
    const isInOrder = isSequential && !this.isOn;
    if (this.#picker.isSequential !== isInOrder) this.#picker.setSequential(isInOrder);
  }

  setOpenLimit(limit: number): void {
    this.#openLimit = limit;
    this.closeReserve();
  }

  /** A piece with a deadline may be opened as long as any may be. Call `closeReserve` afterwards. */
  openReserve(): void {
    this.#picker.openLimit = this.#openLimit;
  }

  closeReserve(): void {
    const reserve = this.isOn ? Math.min(DEADLINE_OPEN_PIECES, this.#openLimit >> 2) : 0;
    this.#picker.openLimit = this.#openLimit - reserve;
  }

  /** What a peer has but for the pieces with a deadline. Valid until the next call. */
  without(has: PeerPieces): Bitfield {
    this.#scratch ??= new Bitfield(this.#picker.pieceCount);
    if (has === 'seed') this.#scratch.fill();
    else this.#scratch.assign(has);
    for (const { piece } of this.list) this.#scratch.delete(piece);
    return this.#scratch;
  }

  /** True while a further block may be asked for twice. */
  get mayDouble(): boolean {
    const most = Math.max(DUPLICATE_START_BYTES, DUPLICATE_SHARE * this.#receivedBytes);
    return (this.#pending.size + 1) * BLOCK_BYTES + this.#duplicateBytes <= most;
  }

  /** A block that is owed was asked of a further peer. */
  double(piece: number, block: number): void {
    this.#pending.add(keyOf(piece, block));
    this.#doubledBlocks += 1;
  }

  /** A block came that its sender had been asked for. */
  count(piece: number, block: number, bytes: number): void {
    this.#receivedBytes += bytes;
    const key = keyOf(piece, block);
    if (this.#pending.delete(key)) {
      this.#settled.add(key);
      if (this.#settled.size <= MAX_SETTLED) return;
      for (const oldest of this.#settled) {
        this.#settled.delete(oldest);
        return;
      }
    } else if (this.#settled.delete(key)) this.#duplicateBytes += bytes;
  }

  get totals(): DeadlineTotals {
    return {
      receivedBytes: this.#receivedBytes,
      duplicateBytes: this.#duplicateBytes,
      doubledBlocks: this.#doubledBlocks,
    };
  }

  /** One of its two requesters may have left, or its piece may have been given up. */
  #isDoubled(key: number): boolean {
    const piece = Math.floor(key / BLOCKS_PER_PIECE_LIMIT);
    return this.#picker.requesters(piece, key % BLOCKS_PER_PIECE_LIMIT).length > 1;
  }
}

const BLOCKS_PER_PIECE_LIMIT = 65_536;

function keyOf(piece: number, block: number): number {
  return piece * BLOCKS_PER_PIECE_LIMIT + block;
}
