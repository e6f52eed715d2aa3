/**
 * How often one address may ask: a bucket for each IPv4 address or IPv6 /64, in a table of fixed size.
 * Bounds: COUNTED_ADDRESSES_MAX; four places for each hash, of which the one that asked longest ago is given to a newcomer. A host that is forgotten
 * starts with a full bucket. Not here: whom the rule does not hold for.
 * @module
 */
import type { SipHash } from '../../../lib/siphash.ts';
import {
  COUNTED_ADDRESSES_MAX,
  REQUESTS_PER_ADDRESS_BURST,
  REQUESTS_PER_ADDRESS_PER_SEC,
} from './constants.ts';

const WAYS = 4;
const HOST_LENGTH_V6 = 8;

/** Bounds of the gate; the defaults are those of constants.ts. */
export interface GateLimits {
  readonly requestsPerAddressBurst?: number;
  readonly requestsPerAddressPerSec?: number;
  /** A multiple of 4. */
  readonly countedAddressesMax?: number;
}

/** Lets requests through, or does not. */
export class RequestGate {
  readonly #hasher: SipHash;
  readonly #burst: number;
  readonly #perSec: number;
  readonly #names: Float64Array;
  readonly #tokens: Float32Array;
  /** In seconds, as a single-precision number would be too coarse in milliseconds; 0: a place that was never used. */
  readonly #seenSec: Float64Array;

  constructor(hasher: SipHash, limits: GateLimits = {}) {
    this.#hasher = hasher;
    this.#burst = limits.requestsPerAddressBurst ?? REQUESTS_PER_ADDRESS_BURST;
    this.#perSec = limits.requestsPerAddressPerSec ?? REQUESTS_PER_ADDRESS_PER_SEC;
    const count = limits.countedAddressesMax ?? COUNTED_ADDRESSES_MAX;
    this.#names = new Float64Array(count);
    this.#tokens = new Float32Array(count);
    this.#seenSec = new Float64Array(count);
  }

  /** Takes one request off the address's bucket. @returns false when it is empty. */
  allows(nowMs: number, address: Uint8Array): boolean {
    const low = this.#hasher.hash(address, address.length === 4 ? 4 : HOST_LENGTH_V6);
    // 53 bits of the hash stand for the address: that two share a name is less likely than a fault of memory.
    const name = (this.#hasher.high & 0x1f_ffff) * 0x1_0000_0000 + low;
    const nowSec = nowMs / 1000 + 1;
    let place = ((this.#hasher.high >>> 11) % (this.#names.length / WAYS)) * WAYS;
    const end = place + WAYS;
    let stalest = place;
    for (; place < end; place += 1) {
      if (this.#names[place] === name && this.#seenSec[place] !== 0) break;
      if (this.#seenSec[place]! < this.#seenSec[stalest]!) stalest = place;
    }
    if (place === end) {
      place = stalest;
      this.#names[place] = name;
      this.#tokens[place] = this.#burst;
    } else {
      const gained = Math.max(0, nowSec - this.#seenSec[place]!) * this.#perSec;
      this.#tokens[place] = Math.min(this.#burst, this.#tokens[place]! + gained);
    }
    this.#seenSec[place] = nowSec;
    if (this.#tokens[place]! < 1) return false;
    this.#tokens[place] = this.#tokens[place]! - 1;
    return true;
  }
}
