/**
 * Where arriving blocks of one torrent lie until they are on disk.
 *
 * A piece is cut into parts of at most a slab (1 MiB); small pieces share a slab. A part that is filled goes to its disk worker at once,
 * which hashes and writes it, and its memory is free again: only parts that are being filled hold memory. Blocks have one writer at a
 * time, so that two copies of a block (endgame) never mix.
 * Bounds: the slab pool; `openLimit` pieces can be open with memory for every part guaranteed.
 * Not here: which block to ask of whom, and whether a digest is the right one.
 * @module
 */
import type { JobResult } from './disk-jobs.ts';
import type { DiskPool } from './disk-pool.ts';
import type { BlockTarget } from './framer.ts';
import { cutSegments, type Geometry } from './geometry.ts';
import { SLAB_BYTES, type SlabPool } from './slab-pool.ts';

// Specification constants
const BLOCK_BYTES = 16_384;

const EMPTY = 0;
const FILLING = 1;
const FILLED = 2;

interface OpenPiece {
  readonly blocks: Uint8Array;
  /** Memory of each part, -1 while it has none. */
  readonly partAt: Int32Array;
  readonly missing: Uint16Array;
}

/** What a store tells its owner. */
export interface PieceStoreHandlers {
  /** A piece is on disk and these are its digests, or it could not be written (`fault`). */
  onPiece(piece: number, result: JobResult): void;
}

/** Assembles the pieces of one torrent. */
export class PieceStore {
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
  readonly #target: BlockTarget;
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
    this.#target = { buffer: options.pool.bytes, offset: 0 };
  }

  /** How many pieces may be open at once so that each can have memory for all its parts; at least 1. */
  get openLimit(): number {
    const parts = Math.ceil(this.#geometry.pieceLengthBytes / this.#partBytes);
    return Math.max(1, Math.floor((this.#pool.slabCount * this.#slotsPerSlab) / parts));
  }

  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Begins to receive a block. The returned object is reused by the next call.
   * @returns undefined when the block is there already, is being received, or no memory is free: throw the data away.
   */
  begin(piece: number, block: number): BlockTarget | undefined {
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
    this.#target.offset = at + block * BLOCK_BYTES - part * this.#partBytes;
    return this.#target;
  }

  /** The block begun has all its bytes. */
  complete(piece: number, block: number): void {
    const open = this.#open.get(piece);
    if (open === undefined || open.blocks[block] !== FILLING) return;
    open.blocks[block] = FILLED;
    const part = Math.floor((block * BLOCK_BYTES) / this.#partBytes);
    open.missing[part]! -= 1;
    if (open.missing[part] === 0) this.#submit(piece, open, part);
  }

  /** The block begun will not be completed by its writer. */
  abandon(piece: number, block: number): void {
    const open = this.#open.get(piece);
    if (open !== undefined && open.blocks[block] === FILLING) open.blocks[block] = EMPTY;
  }

  /** Gives all memory back that no worker uses; later calls do nothing. */
  close(): void {
    this.#isClosed = true;
    for (const open of this.#open.values()) {
      for (const [part, at] of open.partAt.entries()) {
        if (at >= 0 && open.missing[part]! > 0) this.#releaseSlot(at);
      }
    }
    this.#open.clear();
  }

  #openPiece(piece: number): OpenPiece {
    const { wantedBytes, blockCount } = {
      wantedBytes: this.#geometry.wantedBytes(piece),
      blockCount: this.#geometry.blockCount(piece),
    };
    const parts = Math.ceil(wantedBytes / this.#partBytes);
    const open = {
      blocks: new Uint8Array(blockCount),
      partAt: new Int32Array(parts).fill(-1),
      missing: new Uint16Array(parts),
    };
    for (let block = 0; block < blockCount; block += 1) {
      const part = Math.floor((block * BLOCK_BYTES) / this.#partBytes);
      if (this.#geometry.isPadBlock(piece, block)) open.blocks[block] = FILLED;
      else open.missing[part]! += 1;
    }
    this.#open.set(piece, open);
    this.#submitPadParts(piece, open);
    return open;
  }

  /** A part made of pads alone is full from the start. */
  #submitPadParts(piece: number, open: OpenPiece): void {
    for (let part = 0; part < open.partAt.length; part += 1) {
      if (open.missing[part] !== 0) continue;
      const at = this.#acquireSlot();
      if (at < 0) continue;
      open.partAt[part] = at;
      this.#clearPads(piece, part, at);
      this.#submit(piece, open, part);
    }
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
    this.#disk.submit(
      this.#disk.ownerOf(piece),
      {
        kind: 'part',
        storage: this.#storage,
        piece,
        memoryAt,
        lengthBytes,
        pieceOffsetBytes: from,
        wantedBytes,
        plan: this.#geometry.hashPlan(piece),
        segments: cutSegments(this.#geometry.segments(piece), from, lengthBytes),
      },
      (result) => this.#settle(piece, memoryAt, result),
    );
  }

  #settle(piece: number, memoryAt: number, result: JobResult): void {
    this.#releaseSlot(memoryAt);
    if (result.isPieceDone !== true || this.#isClosed) return;
    const open = this.#open.get(piece);
    if (open === undefined) return;
    this.#open.delete(piece);
    if (result.fault !== undefined) {
      for (const [part, at] of open.partAt.entries()) {
        if (at >= 0 && open.missing[part]! > 0) this.#releaseSlot(at);
      }
    }
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
