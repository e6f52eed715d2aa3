/**
 * Bytes that others must not guess: numbers of transactions, secrets of tokens, random ids.
 * SHA-1 over a secret and a counter, taken piece by piece: whoever saw some of the bytes knows none of the others.
 * Bounds: one digest is kept.
 * Not here: where the secret comes from; a simulation draws it from its seed.
 * @module
 */
import { writeU32 } from '../../lib/bytes.ts';
import type { Crypto } from '../../lib/ports.ts';

// Implementation limits
const COUNTER_BYTES = 8;
const DIGEST_BYTES = 20;

/** A stream of bytes made of one secret. */
export class SecretBytes {
  readonly #crypto: Crypto;
  readonly #input: Uint8Array;
  #count = 0;
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** @param secret 16 bytes or more. @throws RangeError when it is shorter. */
  constructor(crypto: Crypto, secret: Uint8Array) {
    if (secret.length < 16) {
      throw new RangeError(`secret: expected 16 bytes or more, got ${secret.length}`);
    }
    this.#crypto = crypto;
    this.#input = new Uint8Array(secret.length + COUNTER_BYTES);
    this.#input.set(secret);
  }

  /** A view of the next bytes, 1 … 20; it is not written again. */
  take(length: number): Uint8Array {
    if (this.#at + length > this.#block.length) {
      const at = this.#input.length - COUNTER_BYTES;
      writeU32(this.#input, at, Math.floor(this.#count / 0x1_0000_0000));
      writeU32(this.#input, at + 4, this.#count);
      this.#count += 1;
      this.#block = this.#crypto.sha1(this.#input);
      this.#at = 0;
    }
    this.#at += length;
    return this.#block.subarray(this.#at - length, this.#at);
  }

  /** `length` bytes, 1 … 20, of their own; the form of `Rng.bytes`. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from(this.take(Math.min(length, DIGEST_BYTES)));
  }
}
