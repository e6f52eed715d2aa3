/**
 * Connection ids of UDP that need no memory: a keyed hash of the sender's address and the minute, as SYN cookies are.
 * Spec: BEP 15 (UDP connections / spoofing). An id is accepted for two to three minutes. Bounds: none needed, nothing is kept.
 * @module
 */
import { readU32, writeU32 } from '../../../lib/bytes.ts';
import type { SipHash } from '../../../lib/siphash.ts';
import { CONNECTION_ID_ACCEPTED_MS } from './constants.ts';

const EPOCH_MS = CONNECTION_ID_ACCEPTED_MS / 2;
/** The last two bits of an id name its epoch, so that one hash is enough to check it. */
const EPOCH_MASK = 3;

/** Makes and checks connection ids. */
export class ConnectionIds {
  readonly #hasher: SipHash;
  readonly #input = new Uint8Array(20);

  /** @param hasher with a secret key. */
  constructor(hasher: SipHash) {
    this.#hasher = hasher;
  }

  /** Writes the 8 bytes for this address. @param address 4 or 16 bytes. */
  write(nowMs: number, address: Uint8Array, out: Uint8Array, at: number): void {
    const epoch = Math.floor(nowMs / EPOCH_MS);
    const low = this.#hash(epoch, address);
    writeU32(out, at, this.#hasher.high);
    writeU32(out, at + 4, ((low & ~EPOCH_MASK) | (epoch & EPOCH_MASK)) >>> 0);
  }

  /** True when the 8 bytes at `at` were made for this address in this epoch or the two before it. */
  isValid(nowMs: number, address: Uint8Array, bytes: Uint8Array, at: number): boolean {
    const low = readU32(bytes, at + 4);
    const now = Math.floor(nowMs / EPOCH_MS);
    const age = (now - (low & EPOCH_MASK)) & EPOCH_MASK;
    if (age > 2 || now - age < 0) return false;
    const expected = this.#hash(now - age, address);
    return ((expected ^ low) & ~EPOCH_MASK) === 0 && readU32(bytes, at) === this.#hasher.high;
  }

  #hash(epoch: number, address: Uint8Array): number {
    writeU32(this.#input, 0, epoch);
    this.#input.set(address, 4);
    return this.#hasher.hash(this.#input, 4 + address.length);
  }
}
