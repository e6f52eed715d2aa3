/**
 * The memory for blocks on their way to disk: equal slabs of one shared buffer, so that workers hash and write them where they lie.
 *
 * When slabs run short, the part that nobody added to for longest, of whichever torrent, is written to disk as it is (`Spiller`).
 * Bounds: `slabCount` slabs, fixed for life; memory is touched (and counts as resident) only as far as it was ever needed, because
 * the slab given back last is handed out first.
 * @module
 */
import { assert } from '../lib/assert.ts';

// Implementation limits
/** Bytes of a slab. */
export const SLAB_BYTES: number = 1024 * 1024;

/** Below this share of free slabs, parts are spilled. */
const LOW_SHARE = 1 / 4;

/** Somebody who holds slabs that are partly filled. */
export interface Spiller {
  /** The `tick` at which its part that rests longest was added to; undefined when it has none to spill. */
  oldestTick(): number | undefined;
  /** Begins to write that part to disk; its slab is given back later. */
  spillOldest(): void;
}

/** Hands out slabs by number. */
export class SlabPool {
  /** All slabs; slab `i` begins at `i × SLAB_BYTES`. */
  readonly shared: SharedArrayBuffer;
  /** A view of `shared` for copying. */
  readonly bytes: Buffer;
  readonly slabCount: number;
  readonly #free: number[] = [];
  readonly #spillers = new Set<Spiller>();
  #tick = 0;

  /** @param slabCount slabs of 1 MiB, at least 1. */
  constructor(slabCount: number) {
    assert(slabCount >= 1, `slabCount: expected at least 1, got ${slabCount}`);
    this.slabCount = slabCount;
    this.shared = new SharedArrayBuffer(slabCount * SLAB_BYTES);
    this.bytes = Buffer.from(this.shared);
    for (let slab = slabCount - 1; slab >= 0; slab -= 1) this.#free.push(slab);
  }

  get freeCount(): number {
    return this.#free.length;
  }

  /** Time, as far as it matters here: grows with every call. */
  tick(): number {
    this.#tick += 1;
    return this.#tick;
  }

  addSpiller(spiller: Spiller): void {
    this.#spillers.add(spiller);
  }

  removeSpiller(spiller: Spiller): void {
    this.#spillers.delete(spiller);
  }

  /** Takes a slab; its content is whatever was there. @returns undefined when none is free. */
  acquire(): number | undefined {
    const slab = this.#free.pop();
    if (this.#free.length < this.slabCount * LOW_SHARE) this.#spill();
    return slab;
  }

  #spill(): void {
    let oldest: Spiller | undefined;
    let oldestTick = Number.POSITIVE_INFINITY;
    for (const spiller of this.#spillers) {
      const tick = spiller.oldestTick();
      if (tick === undefined || tick >= oldestTick) continue;
      oldest = spiller;
      oldestTick = tick;
    }
    oldest?.spillOldest();
  }

  /** Gives a slab back. */
  release(slab: number): void {
    assert(this.#free.length < this.slabCount, 'a slab was released twice');
    this.#free.push(slab);
  }
}
