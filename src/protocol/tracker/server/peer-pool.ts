/**
 * The peers of one address family in flat arrays: found by swarm and address, in order of their last announce.
 *
 * A peer is a slot, a number. Slots hang in chains of a hash table; all ports of one address (IPv6: /64) in one swarm share a chain, so that they can be
 * counted and the oldest of them found without a table of its own. Addresses that the rule does not hold for are spread by port.
 * Bounds: what the owner lets in; memory grows by half. Not here: who gives way, which the swarm store decides.
 * @module
 */
import { assert } from '../../../lib/assert.ts';
import type { SipHash } from '../../../lib/siphash.ts';

/** What a peer is to its swarm. */
export const IS_SEED = 1;
/** BEP 21: incomplete, and wants nothing more. */
export const IS_PARTIAL_SEED = 2;
/** It told that it completed. */
export const HAS_COMPLETED = 4;
/** The bound of ports of one address does not hold for it. */
export const IS_EXEMPT = 8;

const NONE = -1;
const FIRST_CAPACITY = 64;
const PEER_ID_LENGTH = 20;

/** What `find` found. */
export interface Found {
  /** The peer with this very address and port; -1: none. */
  slot: number;
  /** Peers of the same address (/64) in the swarm, the found one included. */
  count: number;
  /** That of them with the oldest announce; -1: none. */
  oldest: number;
}

/** The peers of one family. */
export class PeerPool {
  readonly addressLength: 4 | 16;
  /** Peers in it. */
  size = 0;
  /** The peer whose announce is oldest; -1: there is none. */
  oldest: number = NONE;
  readonly found: Found = { slot: NONE, count: 0, oldest: NONE };
  readonly #hasher: SipHash;
  readonly #keyBytes = new Uint8Array(22);
  /** What of an address counts as one host. */
  readonly #hostLength: number;
  #newest = NONE;
  #free = NONE;
  #used = 0;
  #heads = new Int32Array(FIRST_CAPACITY).fill(NONE);
  #addresses: Uint8Array;
  #peerIds = new Uint8Array(FIRST_CAPACITY * PEER_ID_LENGTH);
  #ports = new Uint16Array(FIRST_CAPACITY);
  #flags = new Uint8Array(FIRST_CAPACITY);
  #seenSec = new Uint32Array(FIRST_CAPACITY);
  #hashes = new Uint32Array(FIRST_CAPACITY);
  #swarms = new Int32Array(FIRST_CAPACITY);
  #places = new Int32Array(FIRST_CAPACITY);
  /** Next in the chain; of a free slot: the next free one. */
  #next = new Int32Array(FIRST_CAPACITY);
  #older = new Int32Array(FIRST_CAPACITY);
  #newer = new Int32Array(FIRST_CAPACITY);

  constructor(addressLength: 4 | 16, hasher: SipHash) {
    this.addressLength = addressLength;
    this.#hasher = hasher;
    this.#hostLength = addressLength === 4 ? 4 : 8;
    this.#addresses = new Uint8Array(FIRST_CAPACITY * addressLength);
  }

  /** Looks a peer up. The answer is valid until the next call. */
  find(swarm: number, address: Uint8Array, port: number, isExempt: boolean): Found {
    const { found } = this;
    found.slot = NONE;
    found.count = 0;
    found.oldest = NONE;
    const hash = this.#hash(swarm, address, port, isExempt);
    let slot = this.#heads[hash & (this.#heads.length - 1)]!;
    for (; slot !== NONE; slot = this.#next[slot]!) {
      if (this.#hashes[slot] !== hash || this.#swarms[slot] !== swarm) continue;
      if (!this.#isSameHost(slot, address)) continue;
      found.count += 1;
      if (this.#ports[slot] === port && this.#isSameAddress(slot, address)) found.slot = slot;
      const isOlder = found.oldest === NONE || this.#seenSec[slot]! <= this.#seenSec[found.oldest]!;
      if (isOlder) found.oldest = slot;
    }
    return found;
  }

  /** Adds a peer that `find` did not find. @returns its slot; `place` is the swarm's to set. */
  add(swarm: number, address: Uint8Array, port: number, isExempt: boolean, nowSec: number): number {
    if (this.#free === NONE && this.#used === this.#ports.length) this.#grow();
    let slot = this.#free;
    if (slot === NONE) slot = this.#used++;
    else this.#free = this.#next[slot]!;
    this.#addresses.set(address, slot * this.addressLength);
    this.#ports[slot] = port;
    this.#flags[slot] = isExempt ? IS_EXEMPT : 0;
    this.#seenSec[slot] = nowSec;
    this.#swarms[slot] = swarm;
    const hash = this.#hash(swarm, address, port, isExempt);
    this.#hashes[slot] = hash;
    this.#link(slot);
    this.#append(slot);
    this.size += 1;
    return slot;
  }

  /** A new announce of a peer. */
  touch(slot: number, nowSec: number): void {
    this.#seenSec[slot] = nowSec;
    if (slot === this.#newest) return;
    this.#detach(slot);
    this.#append(slot);
  }

  remove(slot: number): void {
    const bucket = this.#hashes[slot]! & (this.#heads.length - 1);
    let before = NONE;
    let at = this.#heads[bucket]!;
    while (at !== slot) {
      assert(at !== NONE, 'a peer hangs in the chain of its hash');
      before = at;
      at = this.#next[at]!;
    }
    if (before === NONE) this.#heads[bucket] = this.#next[slot]!;
    else this.#next[before] = this.#next[slot]!;
    this.#detach(slot);
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.size -= 1;
  }

  swarmOf(slot: number): number {
    return this.#swarms[slot]!;
  }

  flagsOf(slot: number): number {
    return this.#flags[slot]!;
  }

  setFlags(slot: number, flags: number): void {
    this.#flags[slot] = flags;
  }

  seenSecOf(slot: number): number {
    return this.#seenSec[slot]!;
  }

  /** Where the peer stands in the list of its swarm. */
  placeOf(slot: number): number {
    return this.#places[slot]!;
  }

  setPlace(slot: number, place: number): void {
    this.#places[slot] = place;
  }

  portOf(slot: number): number {
    return this.#ports[slot]!;
  }

  addressOf(slot: number): Uint8Array {
    const at = slot * this.addressLength;
    return this.#addresses.slice(at, at + this.addressLength);
  }

  peerIdOf(slot: number): Uint8Array {
    const at = slot * PEER_ID_LENGTH;
    return this.#peerIds.slice(at, at + PEER_ID_LENGTH);
  }

  setPeerId(slot: number, peerId: Uint8Array): void {
    this.#peerIds.set(peerId, slot * PEER_ID_LENGTH);
  }

  /** Writes address and port (BEP 23, BEP 7). @returns where it ends. */
  writeCompact(slot: number, out: Uint8Array, at: number): number {
    const { addressLength } = this;
    const from = slot * addressLength;
    for (let i = 0; i < addressLength; i += 1) out[at + i] = this.#addresses[from + i]!;
    const port = this.#ports[slot]!;
    out[at + addressLength] = port >> 8;
    out[at + addressLength + 1] = port;
    return at + addressLength + 2;
  }

  #hash(swarm: number, address: Uint8Array, port: number, isExempt: boolean): number {
    const key = this.#keyBytes;
    key[0] = swarm;
    key[1] = swarm >> 8;
    key[2] = swarm >> 16;
    key[3] = swarm >> 24;
    const length = isExempt ? this.addressLength : this.#hostLength;
    for (let i = 0; i < length; i += 1) key[4 + i] = address[i]!;
    if (!isExempt) return this.#hasher.hash(key, 4 + length);
    key[4 + length] = port;
    key[5 + length] = port >> 8;
    return this.#hasher.hash(key, 6 + length);
  }

  #isSameHost(slot: number, address: Uint8Array): boolean {
    const from = slot * this.addressLength;
    for (let i = 0; i < this.#hostLength; i += 1) {
      if (this.#addresses[from + i] !== address[i]) return false;
    }
    return true;
  }

  #isSameAddress(slot: number, address: Uint8Array): boolean {
    const from = slot * this.addressLength;
    for (let i = this.#hostLength; i < this.addressLength; i += 1) {
      if (this.#addresses[from + i] !== address[i]) return false;
    }
    return true;
  }

  #link(slot: number): void {
    const bucket = this.#hashes[slot]! & (this.#heads.length - 1);
    this.#next[slot] = this.#heads[bucket]!;
    this.#heads[bucket] = slot;
  }

  #append(slot: number): void {
    this.#older[slot] = this.#newest;
    this.#newer[slot] = NONE;
    if (this.#newest === NONE) this.oldest = slot;
    else this.#newer[this.#newest] = slot;
    this.#newest = slot;
  }

  #detach(slot: number): void {
    const older = this.#older[slot]!;
    const newer = this.#newer[slot]!;
    if (older === NONE) this.oldest = newer;
    else this.#newer[older] = newer;
    if (newer === NONE) this.#newest = older;
    else this.#older[newer] = older;
  }

  /** By half: doubling would leave up to half of the memory unused. */
  #grow(): void {
    const capacity = Math.ceil(this.#ports.length * 1.5);
    this.#addresses = grown(this.#addresses, new Uint8Array(capacity * this.addressLength));
    this.#peerIds = grown(this.#peerIds, new Uint8Array(capacity * PEER_ID_LENGTH));
    this.#ports = grown(this.#ports, new Uint16Array(capacity));
    this.#flags = grown(this.#flags, new Uint8Array(capacity));
    this.#seenSec = grown(this.#seenSec, new Uint32Array(capacity));
    this.#hashes = grown(this.#hashes, new Uint32Array(capacity));
    this.#swarms = grown(this.#swarms, new Int32Array(capacity));
    this.#places = grown(this.#places, new Int32Array(capacity));
    this.#next = grown(this.#next, new Int32Array(capacity));
    this.#older = grown(this.#older, new Int32Array(capacity));
    this.#newer = grown(this.#newer, new Int32Array(capacity));
    if (capacity <= this.#heads.length * 1.5) return;
    this.#heads = new Int32Array(this.#heads.length * 2).fill(NONE);
    // Every slot is used when the pool grows. The oldest is linked last of its chain in `add`; here order is that of slots.
    for (let slot = 0; slot < this.#used; slot += 1) this.#link(slot);
  }
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
