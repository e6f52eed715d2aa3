/**
 * The blocks of one open piece: which are free, asked for (from whom) or received (from whom).
 * Bounds: one number a block; further requesters of a block exist in the endgame only, at most MAX_REQUESTERS_PER_BLOCK - 1.
 * @module
 */
import { broken } from '../../lib/assert.ts';

// Implementation limits

/** Peers that may be asked for the same block at a time. */
export const MAX_REQUESTERS_PER_BLOCK = 3;

/** Owner of a piece that anybody may fill. */
export const NOBODY = -1;

/** True for a peer that is not expected to bring a block soon. */
export type IsLate = (requester: number, block: number) => boolean;

// A block is FREE, 0 … 65535 (asked from that peer), RECEIVED + peer, or PAD.
const FREE = -1;
const RECEIVED = 0x1_0000;
const PAD = 0x2_0000;

/** A piece between its first request and its verdict. */
export class OpenPiece {
  readonly piece: number;
  readonly blockCount: number;
  /** The fast peer that fills this piece alone, or NOBODY. */
  owner: number;
  /** Places in the lists of `OpenPieces`; -1 is nowhere. */
  openAt = -1;
  fillableAt = -1;
  #free: number;
  #received = 0;
  #padCount = 0;
  readonly #blocks: Int32Array;
  /** Blocks from here on were never asked for. */
  #untouchedFrom = 0;
  /** Blocks that became free again; entries may be stale. */
  readonly #returned: number[] = [];
  #extraRequesters: Map<number, number[]> | undefined;

  constructor(
    piece: number,
    blockCount: number,
    owner: number,
    isPadBlock: ((piece: number, block: number) => boolean) | undefined,
  ) {
    this.piece = piece;
    this.blockCount = blockCount;
    this.owner = owner;
    this.#free = blockCount;
    this.#blocks = new Int32Array(blockCount).fill(FREE);
    if (isPadBlock === undefined) return;
    for (let block = 0; block < blockCount; block += 1) {
      if (!isPadBlock(piece, block)) continue;
      this.#blocks[block] = PAD;
      this.#padCount += 1;
      this.#free -= 1;
    }
  }

  /** Blocks nobody was asked for. */
  get freeCount(): number {
    return this.#free;
  }

  /** Blocks that came from peers; pads are not among them. */
  get receivedCount(): number {
    return this.#received;
  }

  /** Blocks asked for and not yet there. */
  get outstandingCount(): number {
    return this.blockCount - this.#padCount - this.#free - this.#received;
  }

  get isComplete(): boolean {
    return this.#received + this.#padCount === this.blockCount;
  }

  /** Marks a free block as asked from `peer` and returns it, or -1 when none is free. O(1) amortised. */
  takeFree(peer: number): number {
    if (this.#free === 0) return -1;
    let block = this.#returned.pop();
    while (block !== undefined && this.#blocks[block] !== FREE) block = this.#returned.pop();
    if (block === undefined) {
      while (this.#untouchedFrom < this.blockCount && this.#blocks[this.#untouchedFrom] !== FREE) {
        this.#untouchedFrom += 1;
      }
      block = this.#untouchedFrom;
      this.#untouchedFrom += 1;
    }
    if (block >= this.blockCount)
      broken(`piece ${this.piece}: a free block was counted but not found`);
    this.#blocks[block] = peer;
    this.#free -= 1;
    return block;
  }

  isReceived(block: number): boolean {
    return this.#blocks[block]! >= RECEIVED;
  }

  isRequestedFrom(peer: number, block: number): boolean {
    return (
      this.#blocks[block] === peer || this.#extraRequesters?.get(block)?.includes(peer) === true
    );
  }

  isAskedOnlyFrom(peer: number, block: number): boolean {
    return this.#blocks[block] === peer && this.#extraRequesters?.has(block) !== true;
  }

  /** Peers that owe `block`, the first asked first. */
  requesters(block: number): number[] {
    const state = this.#blocks[block]!;
    if (state < 0 || state >= RECEIVED) return [];
    return [state, ...(this.#extraRequesters?.get(block) ?? [])];
  }

  /** Records that `peer` gave `block`, which must not have been received before. */
  receive(peer: number, block: number): void {
    const state = this.#blocks[block]!;
    if (state >= RECEIVED) broken(`piece ${this.piece}: block ${block} was received twice`);
    if (state === FREE) this.#free -= 1;
    this.#blocks[block] = RECEIVED + peer;
    this.#received += 1;
    this.#extraRequesters?.delete(block);
  }

  /** Takes back a request; true when the block became free by it. */
  release(peer: number, block: number): boolean {
    const extra = this.#extraRequesters?.get(block);
    if (this.#blocks[block] !== peer) {
      const at = extra?.indexOf(peer) ?? -1;
      if (at >= 0) extra!.splice(at, 1);
      return false;
    }
    const heir = extra?.shift();
    if (heir !== undefined) {
      this.#blocks[block] = heir;
      return false;
    }
    this.#blocks[block] = FREE;
    this.#free += 1;
    this.#returned.push(block);
    return true;
  }

  /**
   * Asks `peer` for a block that exactly `requesterCount` others owe, all of them late, and it does not. The last one first: blocks come
   * in the order they were asked for.
   * @returns the block, or -1.
   */
  takeDuplicate(peer: number, requesterCount: number, isLate: IsLate): number {
    for (let block = this.blockCount - 1; block >= 0; block -= 1) {
      const state = this.#blocks[block]!;
      if (state < 0 || state >= RECEIVED || state === peer) continue;
      const extra = this.#extraRequesters?.get(block);
      if (1 + (extra?.length ?? 0) !== requesterCount || extra?.includes(peer)) continue;
      const isOwnerLate = (owner: number): boolean => isLate(owner, block);
      if (!isOwnerLate(state) || extra?.every(isOwnerLate) === false) continue;
      if (extra !== undefined) extra.push(peer);
      else {
        this.#extraRequesters ??= new Map();
        this.#extraRequesters.set(block, [peer]);
      }
      return block;
    }
    return -1;
  }

  /** Who gave each block; -1 for nobody: a pad, or not there. */
  givers(): Int32Array {
    return this.#blocks.map((state) => (state >= RECEIVED && state < PAD ? state - RECEIVED : -1));
  }
}
