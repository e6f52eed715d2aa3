/**
 * The memory for blocks on their way to disk: equal slabs of one shared buffer, so that workers hash and write them where they lie.
 *
 * Bounds: `slabCount` slabs, fixed for life; memory is touched (and counts as resident) only as far as it was ever needed, because
 * the slab given back last is handed out first.
 * @module
 */
import { assert } from '../lib/assert.ts';

// Implementation limits
/** Bytes of a slab. */
export const SLAB_BYTES: number = 1024 * 1024;

/** Hands out slabs by number. */
export class SlabPool {
  /** All slabs; slab `i` begins at `i × SLAB_BYTES`. */
  readonly shared: SharedArrayBuffer;
  /** A view of `shared` for copying. */
  readonly bytes: Buffer;
  readonly slabCount: number;
  readonly #free: number[] = [];

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

  /** Takes a slab; its content is whatever was there. @returns undefined when none is free. */
  acquire(): number | undefined {
    return this.#free.pop();
  }

  /** Gives a slab back. */
  release(slab: number): void {
    assert(this.#free.length < this.slabCount, 'a slab was released twice');
    this.#free.push(slab);
  }
}
