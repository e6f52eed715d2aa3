/**
 * Info-hash → swarm: an open hash table over flat arrays, without a text or an object for a look-up. Swarms are in order of their last announce.
 * Bounds: what the owner lets in. Not here: peers.
 * @module
 */
import type { SipHash } from '../../../lib/siphash.ts';

/** The peers of one swarm and family, as slots of the pool of that family. */
export interface Members {
  /** Who wants pieces: leeches. */
  readonly takers: number[];
  /** Seeds and partial seeds. */
  readonly givers: number[];
}

/** A torrent's peers. */
export interface Swarm {
  /** Its place in the table; the peers know it by this number. */
  readonly index: number;
  /** Made when the first peer of the family comes. */
  v4: Members | undefined;
  v6: Members | undefined;
  seeds: number;
  partialSeeds: number;
  leeches: number;
  /** Peers that told that they completed. */
  downloads: number;
  seenSec: number;
  older: Swarm | undefined;
  newer: Swarm | undefined;
}

const HASH_LENGTH = 20;
const FIRST_CAPACITY = 64;
const NONE = -1;

/** The swarms of a tracker. */
export class SwarmTable {
  size = 0;
  /** The swarm whose announce is oldest. */
  oldest: Swarm | undefined;
  readonly #hasher: SipHash;
  readonly #swarms: (Swarm | undefined)[] = [];
  #newest: Swarm | undefined;
  #free = NONE;
  #heads = new Int32Array(FIRST_CAPACITY).fill(NONE);
  #infoHashes = new Uint8Array(FIRST_CAPACITY * HASH_LENGTH);
  #hashes = new Uint32Array(FIRST_CAPACITY);
  #next = new Int32Array(FIRST_CAPACITY);

  constructor(hasher: SipHash) {
    this.#hasher = hasher;
  }

  /** @param infoHash 20 bytes. */
  get(infoHash: Uint8Array): Swarm | undefined {
    const hash = this.#hasher.hash(infoHash, HASH_LENGTH);
    let index = this.#heads[hash & (this.#heads.length - 1)]!;
    for (; index !== NONE; index = this.#next[index]!) {
      if (this.#hashes[index] === hash && this.#isSame(index, infoHash)) return this.#swarms[index];
    }
    return undefined;
  }

  at(index: number): Swarm {
    return this.#swarms[index]!;
  }

  infoHashOf(swarm: Swarm): Uint8Array {
    return this.#infoHashes.slice(swarm.index * HASH_LENGTH, (swarm.index + 1) * HASH_LENGTH);
  }

  /** Adds a swarm that is not there. */
  add(infoHash: Uint8Array, nowSec: number): Swarm {
    let index = this.#free;
    if (index === NONE) {
      index = this.#swarms.length;
      if (index === this.#hashes.length) this.#grow();
    } else {
      this.#free = this.#next[index]!;
    }
    const swarm: Swarm = {
      index,
      v4: undefined,
      v6: undefined,
      seeds: 0,
      partialSeeds: 0,
      leeches: 0,
      downloads: 0,
      seenSec: nowSec,
      older: undefined,
      newer: undefined,
    };
    this.#swarms[index] = swarm;
    this.#infoHashes.set(infoHash, index * HASH_LENGTH);
    this.#hashes[index] = this.#hasher.hash(infoHash, HASH_LENGTH);
    this.#link(index);
    this.#append(swarm);
    this.size += 1;
    return swarm;
  }

  touch(swarm: Swarm, nowSec: number): void {
    swarm.seenSec = nowSec;
    if (swarm === this.#newest) return;
    this.#detach(swarm);
    this.#append(swarm);
  }

  /** Forgets a swarm without peers. */
  remove(swarm: Swarm): void {
    const { index } = swarm;
    const bucket = this.#hashes[index]! & (this.#heads.length - 1);
    let before = NONE;
    for (let at = this.#heads[bucket]!; at !== index; at = this.#next[at]!) before = at;
    if (before === NONE) this.#heads[bucket] = this.#next[index]!;
    else this.#next[before] = this.#next[index]!;
    this.#detach(swarm);
    this.#swarms[index] = undefined;
    this.#next[index] = this.#free;
    this.#free = index;
    this.size -= 1;
  }

  #isSame(index: number, infoHash: Uint8Array): boolean {
    const from = index * HASH_LENGTH;
    for (let i = 0; i < HASH_LENGTH; i += 1) {
      if (this.#infoHashes[from + i] !== infoHash[i]) return false;
    }
    return true;
  }

  #link(index: number): void {
    const bucket = this.#hashes[index]! & (this.#heads.length - 1);
    this.#next[index] = this.#heads[bucket]!;
    this.#heads[bucket] = index;
  }

  #append(swarm: Swarm): void {
    swarm.older = this.#newest;
    swarm.newer = undefined;
    if (this.#newest === undefined) this.oldest = swarm;
    else this.#newest.newer = swarm;
    this.#newest = swarm;
  }

  #detach(swarm: Swarm): void {
    const { older, newer } = swarm;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }

  #grow(): void {
    const capacity = this.#hashes.length * 2;
    const infoHashes = new Uint8Array(capacity * HASH_LENGTH);
    infoHashes.set(this.#infoHashes);
    this.#infoHashes = infoHashes;
    const hashes = new Uint32Array(capacity);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    this.#next = new Int32Array(capacity);
    this.#heads = new Int32Array(capacity).fill(NONE);
    // Every index is used when the table grows.
    for (let index = 0; index < this.#swarms.length; index += 1) this.#link(index);
  }
}
