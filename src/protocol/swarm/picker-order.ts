/**
 * The order in which new pieces are tried: higher priority first, then rarer, random among equals.
 *
 * One bucket for each pair of priority and availability, filled in random order, and one bit each for those that are not empty.
 * A HAVE moves one entry to the next bucket, an opened piece leaves its bucket: both O(1), nothing is ever sorted.
 * Bounds: `pieceCount` entries in all; availabilities from 511 up share a bucket; a bucket shrinks when three quarters are unused.
 * @module
 */
import { broken } from '../../lib/assert.ts';
import type { Bitfield } from '../../lib/bitfield.ts';
import type { Rng } from '../../lib/rng.ts';

// Implementation limits

/** Availabilities told apart; a piece that 511 peers have is not rare, whoever has it besides. */
const AVAILABILITY_LEVELS = 512;
const PRIORITY_LEVELS = 7;
const BUCKET_COUNT = AVAILABILITY_LEVELS * PRIORITY_LEVELS;
const SMALLEST_BUCKET = 16;
const NOWHERE = 0xffff_ffff;

interface Bucket {
  items: Uint32Array;
  size: number;
}

/** Pieces in the order of picking. */
export class PickOrder {
  readonly #rng: Rng;
  readonly #buckets: (Bucket | undefined)[] = new Array(BUCKET_COUNT);
  /** One bit for each bucket that is not empty. */
  readonly #occupied = new Uint32Array(BUCKET_COUNT / 32);
  /** Where in its bucket a piece is, or NOWHERE. */
  readonly #position: Uint32Array;
  readonly #bucketOf: Uint16Array;
  #size = 0;
  /** No piece below this one is in the order. */
  #lowest = 0;

  constructor(pieceCount: number, rng: Rng) {
    this.#rng = rng;
    this.#position = new Uint32Array(pieceCount).fill(NOWHERE);
    this.#bucketOf = new Uint16Array(pieceCount);
  }

  /** Pieces in the order. */
  get size(): number {
    return this.#size;
  }

  has(piece: number): boolean {
    return this.#position[piece] !== NOWHERE;
  }

  /** Adds a piece at a random place of its bucket. @param priority 1 … 7, 7 first. */
  insert(piece: number, priority: number, availability: number): void {
    if (this.has(piece)) broken(`pick order: piece ${piece} is already in it`);
    this.#place(piece, bucketIndex(priority, availability));
    if (piece < this.#lowest) this.#lowest = piece;
    this.#size += 1;
  }

  remove(piece: number): void {
    if (!this.has(piece)) broken(`pick order: piece ${piece} is not in it`);
    this.#take(piece);
    this.#position[piece] = NOWHERE;
    this.#size -= 1;
  }

  /** Moves a piece whose priority or availability changed. */
  move(piece: number, priority: number, availability: number): void {
    const to = bucketIndex(priority, availability);
    if (this.#bucketOf[piece] === to) return;
    this.#take(piece);
    this.#place(piece, to);
  }

  clear(): void {
    for (const bucket of this.#buckets) if (bucket !== undefined) bucket.size = 0;
    this.#occupied.fill(0);
    this.#position.fill(NOWHERE);
    this.#size = 0;
    this.#lowest = 0;
  }

  /** The first piece in order that `accepts`, or -1. Walks over refused pieces: O(1 / share of accepted ones) on average. */
  find(accepts: (piece: number) => boolean): number {
    for (let word = 0; word < this.#occupied.length; word += 1) {
      let bits = this.#occupied[word]!;
      while (bits !== 0) {
        const low = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        const { items, size } = this.#buckets[word * 32 + low]!;
        for (let i = 0; i < size; i += 1) if (accepts(items[i]!)) return items[i]!;
      }
    }
    return -1;
  }

  /** A uniformly random piece of the highest priority present, or -1 when empty. */
  sample(): number {
    for (let priority = 7; priority > 0; priority -= 1) {
      const first = bucketIndex(priority, 0);
      let total = 0;
      for (let i = 0; i < AVAILABILITY_LEVELS; i += 1) total += this.#buckets[first + i]?.size ?? 0;
      if (total === 0) continue;
      let at = this.#rng.below(total);
      for (let i = 0; i < AVAILABILITY_LEVELS; i += 1) {
        const bucket = this.#buckets[first + i];
        if (bucket === undefined) continue;
        if (at < bucket.size) return bucket.items[at]!;
        at -= bucket.size;
      }
    }
    return -1;
  }

  /** The first in order among few pieces; equals are drawn by lot. -1 when none is in the order. O(size of the bitfield / 8). */
  findAmong(pieces: Bitfield): number {
    let best = -1;
    let ties = 0;
    for (let at = 0; at < pieces.bytes.length; at += 1) {
      for (let bits = pieces.bytes[at]!; bits !== 0; bits &= bits - 1) {
        const piece = at * 8 + Math.clz32(bits & -bits) - 24;
        if (!this.has(piece)) continue;
        const lead = best < 0 ? 1 : this.#bucketOf[best]! - this.#bucketOf[piece]!;
        if (lead > 0) ties = 0;
        if (lead < 0) continue;
        ties += 1;
        if (ties === 1 || this.#rng.below(ties) === 0) best = piece;
      }
    }
    return best;
  }

  /** The lowest index of the highest priority that `accepts`, or -1. Walks from the lowest index present. */
  findLowest(accepts: (piece: number) => boolean): number {
    if (this.#size === 0) return -1;
    while (this.#lowest < this.#position.length && !this.has(this.#lowest)) this.#lowest += 1;
    const top = this.#topLevel();
    let best = -1;
    let bestLevel = PRIORITY_LEVELS;
    for (let piece = this.#lowest; piece < this.#position.length; piece += 1) {
      if (!this.has(piece)) continue;
      const level = Math.floor(this.#bucketOf[piece]! / AVAILABILITY_LEVELS);
      if (level >= bestLevel || !accepts(piece)) continue;
      if (level === top) return piece;
      best = piece;
      bestLevel = level;
    }
    return best;
  }

  /** The level (7 - priority) of the first piece in order; the order must not be empty. */
  #topLevel(): number {
    const word = this.#occupied.findIndex((bits) => bits !== 0);
    return Math.floor((word * 32) / AVAILABILITY_LEVELS);
  }

  #place(piece: number, index: number): void {
    let bucket = this.#buckets[index];
    if (bucket === undefined) {
      bucket = { items: new Uint32Array(SMALLEST_BUCKET), size: 0 };
      this.#buckets[index] = bucket;
    }
    if (bucket.size === bucket.items.length) resize(bucket, bucket.size * 2);
    const at = this.#rng.below(bucket.size + 1);
    const displaced = bucket.items[at]!;
    bucket.items[bucket.size] = displaced;
    if (at !== bucket.size) this.#position[displaced] = bucket.size;
    bucket.items[at] = piece;
    bucket.size += 1;
    this.#position[piece] = at;
    this.#bucketOf[piece] = index;
    this.#occupied[index >>> 5]! |= 1 << (index & 31);
  }

  #take(piece: number): void {
    const index = this.#bucketOf[piece]!;
    const bucket = this.#buckets[index]!;
    const at = this.#position[piece]!;
    bucket.size -= 1;
    const last = bucket.items[bucket.size]!;
    bucket.items[at] = last;
    this.#position[last] = at;
    if (bucket.size === 0) this.#occupied[index >>> 5]! &= ~(1 << (index & 31));
    if (bucket.items.length > SMALLEST_BUCKET && bucket.size * 4 < bucket.items.length) {
      resize(bucket, bucket.items.length >>> 1);
    }
  }
}

function bucketIndex(priority: number, availability: number): number {
  return (7 - priority) * AVAILABILITY_LEVELS + Math.min(availability, AVAILABILITY_LEVELS - 1);
}

function resize(bucket: Bucket, capacity: number): void {
  const items = new Uint32Array(capacity);
  items.set(bucket.items.subarray(0, bucket.size));
  bucket.items = items;
}
