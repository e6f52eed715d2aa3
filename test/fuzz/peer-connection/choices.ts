/**
 * Decisions read off an input: each takes a byte or two, so that any bytes are a run, a part of them is a shorter one, and a mutation is a near one.
 * @module
 */

/** Reads decisions until the bytes end. */
export class Choices {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** No byte is left: every further decision is 0. */
  get isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** An integer in 0 … limit-1, limit up to 65,536. */
  below(limit: number): number {
    if (limit <= 1) return 0;
    const low = this.#next();
    return limit <= 256 ? low % limit : (low * 256 + this.#next()) % limit;
  }

  /** True once in `times` on average; false when no byte is left. */
  oneIn(times: number): boolean {
    return this.below(times) === times - 1;
  }

  of<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  #next(): number {
    const byte = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }
}
