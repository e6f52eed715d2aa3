/**
 * A fixed-size set of small integers in the BitTorrent wire order: index 0 is the high bit of byte 0 (BEP 3).
 * @module
 */
import { assert, broken } from './assert.ts';

/** A set over 0 … size-1; `count` is kept, so it costs nothing to ask. */
export class Bitfield {
  readonly size: number;
  readonly bytes: Uint8Array;
  #count = 0;

  constructor(size: number) {
    assert(Number.isSafeInteger(size) && size >= 0, `bitfield size: expected >= 0, got ${size}`);
    this.size = size;
    this.bytes = new Uint8Array((size + 7) >> 3);
  }

  /**
   * Copies a bitfield that came from outside.
   * @returns undefined when the length is not exactly ceil(size / 8) or a spare bit is set (BEP 3).
   */
  static fromWire(bytes: Uint8Array, size: number): Bitfield | undefined {
    const field = new Bitfield(size);
    if (bytes.length !== field.bytes.length) return undefined;
    if (size % 8 !== 0 && (bytes[bytes.length - 1]! & (0xff >> (size % 8))) !== 0) return undefined;
    field.bytes.set(bytes);
    field.#count = countBits(bytes);
    return field;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.size;
  }

  has(index: number): boolean {
    return (this.bytes[index >> 3]! & (0x80 >> (index & 7))) !== 0;
  }

  /** Adds `index`; true when it was not there before. */
  add(index: number): boolean {
    if (!(index >= 0 && index < this.size)) broken(`bitfield index ${index} of ${this.size}`);
    const mask = 0x80 >> (index & 7);
    if ((this.bytes[index >> 3]! & mask) !== 0) return false;
    this.bytes[index >> 3]! |= mask;
    this.#count += 1;
    return true;
  }

  /** Removes `index`; true when it was there before. */
  delete(index: number): boolean {
    if (!(index >= 0 && index < this.size)) broken(`bitfield index ${index} of ${this.size}`);
    const mask = 0x80 >> (index & 7);
    if ((this.bytes[index >> 3]! & mask) === 0) return false;
    this.bytes[index >> 3]! &= ~mask;
    this.#count -= 1;
    return true;
  }

  /** Adds every index. */
  fill(): void {
    this.bytes.fill(0xff);
    if (this.size % 8 !== 0) this.bytes[this.bytes.length - 1] = (0xff00 >> (this.size % 8)) & 0xff;
    this.#count = this.size;
  }

  /** Becomes what another one of the same size is. */
  assign(other: Bitfield): void {
    assert(other.size === this.size, `bitfield size: expected ${this.size}, got ${other.size}`);
    this.bytes.set(other.bytes);
    this.#count = other.#count;
  }

  clear(): void {
    this.bytes.fill(0);
    this.#count = 0;
  }

  /** The indices in ascending order. */
  *[Symbol.iterator](): Generator<number> {
    for (let byte = 0; byte < this.bytes.length; byte += 1) {
      if (this.bytes[byte] === 0) continue;
      for (let bit = 0; bit < 8; bit += 1) {
        if ((this.bytes[byte]! & (0x80 >> bit)) !== 0) yield byte * 8 + bit;
      }
    }
  }
}

function countBits(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) {
    let rest = byte;
    while (rest !== 0) {
      rest &= rest - 1;
      count += 1;
    }
  }
  return count;
}
