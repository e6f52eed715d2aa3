/**
 * SipHash-2-4: a short keyed hash. Who does not know the key cannot choose inputs that collide, nor guess a hash.
 * Spec: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), appendix A has the test vector. Not here: the 128-bit variant.
 * @module
 */

/** A hash under one key. Not re-entrant: `high` and `low` belong to the last call. */
export class SipHash {
  /** The upper 32 bits of the last hash, unsigned. */
  high = 0;
  /** The lower 32 bits of the last hash, unsigned. */
  low = 0;
  readonly #key = new Int32Array(4);
  /** v0 … v3 as pairs of low and high words. */
  readonly #state = new Int32Array(8);

  /** @param key 16 secret bytes. @throws {RangeError} on any other length. */
  constructor(key: Uint8Array) {
    if (key.length !== 16)
      throw new RangeError(`SipHash key: expected 16 bytes, got ${key.length}`);
    for (let i = 0; i < 4; i += 1) this.#key[i] = littleWord(key, i * 4);
  }

  /** Hashes `bytes` up to `end` (default: all). @returns the lower 32 bits, unsigned. */
  hash(bytes: Uint8Array, end: number = bytes.length): number {
    const v = this.#state;
    const key = this.#key;
    v[0] = key[0]! ^ 0x70736575;
    v[1] = key[1]! ^ 0x736f6d65;
    v[2] = key[2]! ^ 0x6e646f6d;
    v[3] = key[3]! ^ 0x646f7261;
    v[4] = key[0]! ^ 0x6e657261;
    v[5] = key[1]! ^ 0x6c796765;
    v[6] = key[2]! ^ 0x79746573;
    v[7] = key[3]! ^ 0x74656462;
    let at = 0;
    for (; at + 8 <= end; at += 8) {
      this.#block(littleWord(bytes, at), littleWord(bytes, at + 4));
    }
    let low = 0;
    let high = end << 24;
    for (let i = 0; at + i < end; i += 1) {
      if (i < 4) low |= bytes[at + i]! << (8 * i);
      else high |= bytes[at + i]! << (8 * (i - 4));
    }
    this.#block(low, high);
    v[4] = v[4]! ^ 0xff;
    for (let i = 0; i < 4; i += 1) round(v);
    this.low = (v[0]! ^ v[2]! ^ v[4]! ^ v[6]!) >>> 0;
    this.high = (v[1]! ^ v[3]! ^ v[5]! ^ v[7]!) >>> 0;
    return this.low;
  }

  #block(low: number, high: number): void {
    const v = this.#state;
    v[6] = v[6]! ^ low;
    v[7] = v[7]! ^ high;
    round(v);
    round(v);
    v[0] = v[0]! ^ low;
    v[1] = v[1]! ^ high;
  }
}

function littleWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** One SipRound; 64-bit sums are made of two 32-bit ones, since BigInt is ten times slower. */
function round(v: Int32Array): void {
  add(v, 0, 2);
  rotateXor(v, 2, 13, 0);
  swap(v, 0);
  add(v, 4, 6);
  rotateXor(v, 6, 16, 4);
  add(v, 0, 6);
  rotateXor(v, 6, 21, 0);
  add(v, 4, 2);
  rotateXor(v, 2, 17, 4);
  swap(v, 4);
}

function add(v: Int32Array, to: number, from: number): void {
  const low = (v[to]! >>> 0) + (v[from]! >>> 0);
  v[to] = low | 0;
  v[to + 1] = v[to + 1]! + v[from + 1]! + (low > 0xffff_ffff ? 1 : 0);
}

/** v[at] is rotated left by `bits` (1 … 31) and combined with v[other]. */
function rotateXor(v: Int32Array, at: number, bits: number, other: number): void {
  const low = v[at]!;
  const high = v[at + 1]!;
  v[at] = ((low << bits) | (high >>> (32 - bits))) ^ v[other]!;
  v[at + 1] = ((high << bits) | (low >>> (32 - bits))) ^ v[other + 1]!;
}

/** Rotates by 32 bits. */
function swap(v: Int32Array, at: number): void {
  const low = v[at]!;
  v[at] = v[at + 1]!;
  v[at + 1] = low;
}
