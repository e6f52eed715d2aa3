/**
 * Where arriving blocks of one torrent lie until they are on disk.
 *
 * A piece is cut into parts of at most a slab (1 MiB); small pieces share a slab. A part that is filled goes to its disk worker at once,
 * which hashes and writes it, and its memory is free again: only parts that are being filled hold memory. Blocks have one writer at a
 * time, so that two copies of a block (endgame) never mix. A fault ends an opening of a piece; a block that began in it keeps its memory
 * until its writer ends it, and never counts for a later opening.
 * A part of a slab that rests is spilled when slabs run short: its blocks are written as they are, and read back when the others are there.
 * Bounds: the slab pool; `openLimit` pieces.
 * Not here: which block to ask of whom, and whether a digest is the right one.
 * @module
 */
import { assert } from '../lib/assert.ts';
import type { JobResult, JobSegment } from './disk-jobs.ts';
import type { DiskPool } from './disk-pool.ts';
import type { BlockTarget } from './framer.ts';
import { cutSegments, type Geometry } from './geometry.ts';
import { SLAB_BYTES, type SlabPool, type Spiller } from './slab-pool.ts';

// Specification constants
const BLOCK_BYTES = 16_384;

const EMPTY = 0;
const FILLING = 1;
const FILLED = 2;
/** It is on disk, not in memory. */
const SPILLED = 3;

// Implementation limits
/** Pieces that may be open whatever memory there is, where parts can be spilled. */
const OPEN_WITH_SPILLING = 64;

interface OpenPiece {
  /** The disk worker that all its parts go to; -1 before the first one. */
  owner: number;
  readonly opening: number;
  readonly blocks: Uint8Array;
  /** Memory of each part, -1 while it has none. */
  readonly partAt: Int32Array;
  /** Blocks of each part that are not filled, and those of them that somebody is filling. */
  readonly missing: Uint16Array;
  readonly filling: Uint16Array;
  /** When each part got its last block, in ticks of the pool. */
  readonly touched: Float64Array;
  /** 1 for a part that is being spilled: the worker reads its memory. */
  readonly spilling: Uint8Array;
}

/** A place for a block; `opening` names the block's piece as it is open now, for `complete` and `abandon`. */
export interface StoreTarget extends BlockTarget {
  opening: number;
}

/** What a store tells its owner. */
export interface PieceStoreHandlers {
  /** A piece is on disk and these are its digests, or it could not be written (`fault`). */
  onPiece(piece: number, result: JobResult): void;
}

/** Assembles the pieces of one torrent. */
export class PieceStore implements Spiller {
  readonly #geometry: Geometry;
  readonly #pool: SlabPool;
  readonly #disk: DiskPool;
  readonly #storage: number;
  readonly #handlers: PieceStoreHandlers;
  readonly #partBytes: number;
  readonly #slotsPerSlab: number;
  readonly #freeSlots: number[] = [];
  readonly #slabUse = new Map<number, number>();
  readonly #open = new Map<number, OpenPiece>();
  /** Pieces that were given up while blocks of them are being filled, by opening. */
  readonly #ending = new Map<number, OpenPiece>();
  readonly #target: StoreTarget;
  readonly #canSpill: boolean;
  #nextOpening = 1;
  #isClosed = false;

  constructor(options: {
    readonly geometry: Geometry;
    readonly pool: SlabPool;
    readonly disk: DiskPool;
    readonly storage: number;
    readonly handlers: PieceStoreHandlers;
  }) {
    this.#geometry = options.geometry;
    this.#pool = options.pool;
    this.#disk = options.disk;
    this.#storage = options.storage;
    this.#handlers = options.handlers;
    const wholeBlocks = Math.ceil(options.geometry.pieceLengthBytes / BLOCK_BYTES) * BLOCK_BYTES;
    this.#partBytes = Math.min(SLAB_BYTES, wholeBlocks);
    this.#slotsPerSlab = Math.floor(SLAB_BYTES / this.#partBytes);
    this.#target = { buffer: options.pool.bytes, offset: 0, opening: 0 };
    // Parts that share a slab would not free it.
    this.#canSpill = this.#slotsPerSlab === 1;
    if (this.#canSpill) options.pool.addSpiller(this);
  }

  /** How many pieces may be open at once: as many as can have memory for all their parts, or 64 where parts can be spilled. */
  get openLimit(): number {
    const parts = Math.ceil(this.#geometry.pieceLengthBytes / this.#partBytes);
    const guaranteed = Math.floor((this.#pool.slabCount * this.#slotsPerSlab) / parts);
    return Math.max(this.#canSpill ? OPEN_WITH_SPILLING : 1, guaranteed);
  }

  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Begins to receive a block. The returned object is reused by the next call.
   * @returns undefined when the block is there already, is being received, or no memory is free: throw the data away.
   */
  begin(piece: number, block: number): StoreTarget | undefined {
    if (this.#isClosed) return undefined;
    const open = this.#open.get(piece) ?? this.#openPiece(piece);
    if (open.blocks[block] !== EMPTY) return undefined;
    const part = Math.floor((block * BLOCK_BYTES) / this.#partBytes);
    let at = open.partAt[part]!;
    if (at < 0) {
      at = this.#acquireSlot();
      if (at < 0) return undefined;
      open.partAt[part] = at;
      this.#clearPads(piece, part, at);
    }
    open.blocks[block] = FILLING;
    open.filling[part]! += 1;
    this.#target.opening = open.opening;
    this.#target.offset = at + block * BLOCK_BYTES - part * this.#partBytes;
    return this.#target;
  }

  /** True while somebody's data of this block arrives. */
  isFilling(piece: number, block: number): boolean {
    return this.#open.get(piece)?.blocks[block] === FILLING;
  }

  /** False when the piece was given up since: what was begun in that opening does not count. */
  isCurrent(piece: number, opening: number): boolean {
    return this.#open.get(piece)?.opening === opening;
  }

  /** The block begun has all its bytes; it counts when its piece was not given up meanwhile. */
  complete(piece: number, block: number, opening: number): void {
    const open = this.#open.get(piece);
    if (open?.opening !== opening) {
      this.#endWriter(opening, block);
      return;
    }
    assert(open.blocks[block] === FILLING, `block ${block} of piece ${piece} was not begun`);
    open.blocks[block] = FILLED;
    const part = Math.floor((block * BLOCK_BYTES) / this.#partBytes);
    open.filling[part]! -= 1;
    open.missing[part]! -= 1;
    open.touched[part] = this.#pool.tick();
    if (open.missing[part] === 0) this.#submit(piece, open, part);
  }

  /** The block begun will not be completed by its writer. */
  abandon(piece: number, block: number, opening: number): void {
    const open = this.#open.get(piece);
    if (open?.opening !== opening) {
      this.#endWriter(opening, block);
      return;
    }
    assert(open.blocks[block] === FILLING, `block ${block} of piece ${piece} was not begun`);
    open.blocks[block] = EMPTY;
    open.filling[Math.floor((block * BLOCK_BYTES) / this.#partBytes)]! -= 1;
  }

  /** Gives open pieces up whose parts on disk may be gone. @returns which; what is on its way for them counts for nothing. */
  giveUpOpen(isHit: (piece: number) => boolean): number[] {
    const hit = [...this.#open.keys()].filter(isHit);
    for (const piece of hit) {
      const open = this.#open.get(piece)!;
      this.#open.delete(piece);
      this.#giveUp(open);
    }
    return hit;
  }

  /** Gives all memory back that no worker and no writer uses, the rest when they end; nothing begins afterwards. */
  close(): void {
    this.#isClosed = true;
    this.#pool.removeSpiller(this);
    for (const open of this.#open.values()) this.#giveUp(open);
    this.#open.clear();
  }

  /** Frees the parts that nobody is filling; the others follow when their writers end. */
  #giveUp(open: OpenPiece): void {
    for (let part = 0; part < open.partAt.length; part += 1) {
      if (open.filling[part]! > 0) this.#ending.set(open.opening, open);
      else if (open.spilling[part] === 1) continue;
      else if (open.partAt[part]! >= 0 && open.missing[part]! > 0) this.#freePart(open, part);
    }
  }

  #endWriter(opening: number, block: number): void {
    const open = this.#ending.get(opening);
    assert(open?.blocks[block] === FILLING, `block ${block} of opening ${opening} was not begun`);
    open.blocks[block] = EMPTY;
    const part = Math.floor((block * BLOCK_BYTES) / this.#partBytes);
    open.filling[part]! -= 1;
    if (open.filling[part] === 0 && open.spilling[part] === 0) this.#freePart(open, part);
    if (open.filling.every((count) => count === 0)) this.#ending.delete(opening);
  }

  #freePart(open: OpenPiece, part: number): void {
    this.#releaseSlot(open.partAt[part]!);
    open.partAt[part] = -1;
  }

  #openPiece(piece: number): OpenPiece {
    const { wantedBytes, blockCount } = {
      wantedBytes: this.#geometry.wantedBytes(piece),
      blockCount: this.#geometry.blockCount(piece),
    };
    const parts = Math.ceil(wantedBytes / this.#partBytes);
    const open = {
      owner: -1,
      opening: this.#nextOpening,
      blocks: new Uint8Array(blockCount),
      partAt: new Int32Array(parts).fill(-1),
      missing: new Uint16Array(parts),
      filling: new Uint16Array(parts),
      touched: new Float64Array(parts),
      spilling: new Uint8Array(parts),
    };
    this.#nextOpening += 1;
    for (let block = 0; block < blockCount; block += 1) {
      const part = Math.floor((block * BLOCK_BYTES) / this.#partBytes);
      if (this.#geometry.isPadBlock(piece, block)) open.blocks[block] = FILLED;
      else open.missing[part]! += 1;
    }
    this.#open.set(piece, open);
    // A part made of pads alone is full from the start, and needs no memory.
    for (let part = 0; part < parts; part += 1) {
      if (open.missing[part] === 0) this.#submit(piece, open, part);
    }
    return open;
  }

  #clearPads(piece: number, part: number, at: number): void {
    const from = part * this.#partBytes;
    for (const segment of cutSegments(this.#geometry.segments(piece), from, this.#partBytes)) {
      if (segment.isPad)
        this.#pool.bytes.fill(0, at + segment.at, at + segment.at + segment.lengthBytes);
    }
  }

  #submit(piece: number, open: OpenPiece, part: number): void {
    const wantedBytes = this.#geometry.wantedBytes(piece);
    const from = part * this.#partBytes;
    const lengthBytes = Math.min(this.#partBytes, wantedBytes - from);
    const memoryAt = open.partAt[part]!;
    const plan = this.#geometry.hashPlan(piece);
    if (open.owner < 0) open.owner = this.#disk.nextOwner(plan.v1Bytes > 0 && plan.leafWidth > 0);
    this.#disk.submit(
      open.owner,
      {
        kind: 'part',
        storage: this.#storage,
        piece,
        opening: open.opening,
        memoryAt,
        lengthBytes,
        pieceOffsetBytes: from,
        wantedBytes,
        plan,
        segments: cutSegments(this.#geometry.segments(piece), from, lengthBytes),
        spilled: this.#segmentsOf(piece, open, part, SPILLED),
      },
      (result) => this.#settle(piece, open, memoryAt, result),
    );
  }

  // Spilling

  oldestTick(): number | undefined {
    return this.#oldestResting()?.tick;
  }

  spillOldest(): void {
    const resting = this.#oldestResting();
    if (resting === undefined) return;
    const { piece, open, part, tick } = resting;
    const memoryAt = open.partAt[part]!;
    open.spilling[part] = 1;
    const segments = this.#segmentsOf(piece, open, part, FILLED);
    const plan = this.#geometry.hashPlan(piece);
    if (open.owner < 0) open.owner = this.#disk.nextOwner(plan.v1Bytes > 0 && plan.leafWidth > 0);
    this.#disk.submit(
      open.owner,
      { kind: 'spill', storage: this.#storage, memoryAt, segments },
      ({ fault }) => {
        open.spilling[part] = 0;
        const isOpen = this.#open.get(piece) === open;
        if (fault !== undefined && isOpen) {
          this.#open.delete(piece);
          this.#giveUp(open);
          this.#handlers.onPiece(piece, { id: 0, fault });
          return;
        }
        // What came meanwhile is in memory alone, or the part is whole and on its way: then this was in vain.
        if (open.filling[part]! > 0 || open.missing[part] === 0) return;
        if (isOpen && open.touched[part] !== tick) return;
        this.#mark(open, part, FILLED, SPILLED);
        this.#freePart(open, part);
      },
    );
  }

  /** The part of an open piece that nobody adds to, and that got its last block before all others. */
  #oldestResting(): { piece: number; open: OpenPiece; part: number; tick: number } | undefined {
    let oldest: { piece: number; open: OpenPiece; part: number; tick: number } | undefined;
    for (const [piece, open] of this.#open) {
      for (let part = 0; part < open.partAt.length; part += 1) {
        if (open.partAt[part]! < 0 || open.filling[part]! > 0 || open.spilling[part] === 1)
          continue;
        const tick = open.touched[part]!;
        if (open.missing[part] === 0 || tick >= (oldest?.tick ?? Number.POSITIVE_INFINITY))
          continue;
        oldest = { piece, open, part, tick };
      }
    }
    return oldest;
  }

  #mark(open: OpenPiece, part: number, from: number, to: number): void {
    const [first, end] = this.#blocksOf(open, part);
    for (let block = first; block < end; block += 1) {
      if (open.blocks[block] === from) open.blocks[block] = to;
    }
  }

  /** Where the blocks of a part in a given state lie; `at` counts in the part. */
  #segmentsOf(piece: number, open: OpenPiece, part: number, state: number): JobSegment[] {
    const [first, end] = this.#blocksOf(open, part);
    const segments: JobSegment[] = [];
    for (let block = first; block < end; ) {
      let next = block;
      while (next < end && open.blocks[next] === state) next += 1;
      if (next > block) {
        const from = block * BLOCK_BYTES;
        const bytes = Math.min(next * BLOCK_BYTES, this.#geometry.wantedBytes(piece)) - from;
        const at = from - part * this.#partBytes;
        segments.push(...cutSegments(this.#geometry.segments(piece), from, bytes, at));
      }
      block = next + 1;
    }
    return segments;
  }

  /** The first block of a part, and the first behind it. */
  #blocksOf(open: OpenPiece, part: number): [number, number] {
    const perPart = this.#partBytes / BLOCK_BYTES;
    return [part * perPart, Math.min((part + 1) * perPart, open.blocks.length)];
  }

  #settle(piece: number, open: OpenPiece, memoryAt: number, result: JobResult): void {
    if (memoryAt >= 0) this.#releaseSlot(memoryAt);
    if (result.isPieceDone !== true || this.#open.get(piece) !== open) return;
    this.#open.delete(piece);
    if (result.fault !== undefined) this.#giveUp(open);
    this.#handlers.onPiece(piece, result);
  }

  #acquireSlot(): number {
    const free = this.#freeSlots.pop();
    if (free !== undefined) {
      this.#countUse(free, 1);
      return free;
    }
    const slab = this.#pool.acquire();
    if (slab === undefined) return -1;
    const at = slab * SLAB_BYTES;
    for (let slot = this.#slotsPerSlab - 1; slot > 0; slot -= 1) {
      this.#freeSlots.push(at + slot * this.#partBytes);
    }
    this.#slabUse.set(slab, 1);
    return at;
  }

  #releaseSlot(at: number): void {
    const slab = Math.floor(at / SLAB_BYTES);
    if (this.#countUse(at, -1) > 0) {
      this.#freeSlots.push(at);
      return;
    }
    this.#slabUse.delete(slab);
    const others = this.#freeSlots.filter((slot) => Math.floor(slot / SLAB_BYTES) !== slab);
    this.#freeSlots.length = 0;
    this.#freeSlots.push(...others);
    this.#pool.release(slab);
  }

  #countUse(at: number, change: number): number {
    const slab = Math.floor(at / SLAB_BYTES);
    const count = this.#slabUse.get(slab)! + change;
    this.#slabUse.set(slab, count);
    return count;
  }
}
