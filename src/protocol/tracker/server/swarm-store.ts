/**
 * Who is in which swarm, and whom a peer is told of.
 *
 * A leech hears of seeds and leeches in the share that the swarm has of them, a seed or partial seed (BEP 21) of leeches only; chosen by lot, one of each
 * equal part of the list, so that none comes twice. A peer is an address and a port: who announces from there again is the same one.
 * Bounds: peers and torrents in all, ports of one address in one swarm; the oldest gives way. Peers that stay silent expire.
 * @module
 */
import type { Rng } from '../../../lib/rng.ts';
import type { SipHash } from '../../../lib/siphash.ts';
import { EMPTY_SWARM_SEC, PEERS_MAX, PEERS_PER_ADDRESS_MAX, TORRENTS_MAX } from './constants.ts';
import { HAS_COMPLETED, IS_EXEMPT, IS_PARTIAL_SEED, IS_SEED, PeerPool } from './peer-pool.ts';
import { type Members, type Swarm, SwarmTable } from './swarm-table.ts';

/** Bounds of a store; the defaults are those of constants.ts. */
export interface SwarmLimits {
  readonly peersMax?: number;
  readonly torrentsMax?: number;
  readonly peersPerAddressMax?: number;
}

/** What a peer tells of itself. */
export interface PeerAnnounce {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** 1 … 65535. */
  readonly port: number;
  readonly isSeed: boolean;
  /** BEP 21. */
  readonly isPartialSeed: boolean;
  readonly event: 'none' | 'started' | 'completed' | 'stopped';
  /** The bound of ports of one address does not hold. */
  readonly isExempt: boolean;
}

/** Counts of one swarm. */
export interface SwarmTally {
  readonly seeds: number;
  /** Everybody else, partial seeds included. */
  readonly incomplete: number;
  /** BEP 21: those who download. */
  readonly leeches: number;
  readonly downloads: number;
}

/** What happened to peers that did not say goodbye. */
export interface StoreCounters {
  expired: number;
  /** Gave way to a newer one at a bound. */
  displaced: number;
}

/** The swarms of a tracker and their peers. */
export class SwarmStore {
  readonly counters: StoreCounters = { expired: 0, displaced: 0 };
  readonly v4: PeerPool;
  readonly v6: PeerPool;
  seeds = 0;
  readonly #swarms: SwarmTable;
  readonly #rng: Rng;
  readonly #peersMax: number;
  readonly #torrentsMax: number;
  readonly #peersPerAddressMax: number;
  /** The peer of the last announce, which is not told of itself; -1: it is not in the swarm. */
  #self = -1;
  #selfPool: PeerPool;

  /** @param hasher with a secret key, so that nobody can choose what collides. */
  constructor(hasher: SipHash, rng: Rng, limits: SwarmLimits = {}) {
    this.v4 = new PeerPool(4, hasher);
    this.v6 = new PeerPool(16, hasher);
    this.#selfPool = this.v4;
    this.#swarms = new SwarmTable(hasher);
    this.#rng = rng;
    this.#peersMax = limits.peersMax ?? PEERS_MAX;
    this.#torrentsMax = limits.torrentsMax ?? TORRENTS_MAX;
    this.#peersPerAddressMax = limits.peersPerAddressMax ?? PEERS_PER_ADDRESS_MAX;
  }

  get torrentCount(): number {
    return this.#swarms.size;
  }

  get peerCount(): number {
    return this.v4.size + this.v6.size;
  }

  /** Enters a peer, renews it, or removes it when it stopped. @returns its swarm; undefined: one that nobody is in. */
  announce(nowSec: number, announce: PeerAnnounce): Swarm | undefined {
    const isStopped = announce.event === 'stopped';
    let swarm = this.#swarms.get(announce.infoHash);
    this.#self = -1;
    if (swarm === undefined) {
      if (isStopped) return undefined;
      if (this.#swarms.size >= this.#torrentsMax) this.#displaceSwarm();
      swarm = this.#swarms.add(announce.infoHash, nowSec);
    } else {
      this.#swarms.touch(swarm, nowSec);
    }
    const { address, port, isExempt } = announce;
    const pool = address.length === 4 ? this.v4 : this.v6;
    const { slot, count, oldest } = pool.find(swarm.index, address, port, isExempt);
    if (isStopped) {
      if (slot >= 0) this.#drop(pool, slot);
      return swarm;
    }
    this.#selfPool = pool;
    this.#self = slot >= 0 ? slot : this.#enter(nowSec, swarm, pool, announce, count, oldest);
    if (slot >= 0) pool.touch(slot, nowSec);
    pool.setPeerId(this.#self, announce.peerId);
    this.#setRole(swarm, pool, this.#self, announce, slot < 0);
    return swarm;
  }

  tally(infoHash: Uint8Array): SwarmTally | undefined {
    const swarm = this.#swarms.get(infoHash);
    return swarm === undefined ? undefined : tallyOf(swarm);
  }

  /**
   * Hands slots of peers that the last announcer shall hear of to `take`, at most `want`.
   * @param forGiver it is a seed or partial seed, and has no use for others of them.
   */
  select(
    swarm: Swarm,
    family: 4 | 6,
    want: number,
    forGiver: boolean,
    take: (pool: PeerPool, slot: number) => void,
  ): number {
    const members = family === 4 ? swarm.v4 : swarm.v6;
    if (members === undefined || want <= 0) return 0;
    const pool = family === 4 ? this.v4 : this.v6;
    const { takers, givers } = members;
    if (forGiver) return this.#pick(pool, takers, want, take);
    const leeches = takers.length - (this.#selfPlace(pool, takers) < 0 ? 0 : 1);
    const seeds = givers.length - (this.#selfPlace(pool, givers) < 0 ? 0 : 1);
    if (seeds + leeches === 0) return 0;
    const fromGivers = Math.max(want - leeches, Math.round((want * seeds) / (seeds + leeches)));
    const picked = this.#pick(pool, givers, Math.min(want, fromGivers), take);
    return picked + this.#pick(pool, takers, want - picked, take);
  }

  /** Removes peers whose last announce is older than `untilSec`, and swarms that were empty for long. @returns true when more may be left than `atMost`. */
  expire(nowSec: number, untilSec: number, atMost: number): boolean {
    let left = atMost;
    for (const pool of [this.v4, this.v6]) {
      while (pool.oldest >= 0 && pool.seenSecOf(pool.oldest) < untilSec) {
        if (left <= 0) return true;
        left -= 1;
        this.counters.expired += 1;
        this.#drop(pool, pool.oldest);
      }
    }
    let swarm = this.#swarms.oldest;
    while (swarm !== undefined && swarm.seenSec < nowSec - EMPTY_SWARM_SEC) {
      if (left <= 0) return true;
      left -= 1;
      const { newer } = swarm;
      if (swarm.seeds + swarm.partialSeeds + swarm.leeches === 0) this.#swarms.remove(swarm);
      swarm = newer;
    }
    return false;
  }

  #enter(
    nowSec: number,
    swarm: Swarm,
    pool: PeerPool,
    { address, port, isExempt }: PeerAnnounce,
    count: number,
    oldest: number,
  ): number {
    if (!isExempt && count >= this.#peersPerAddressMax) this.#displace(pool, oldest);
    else if (this.peerCount >= this.#peersMax) this.#displaceOldest();
    const slot = pool.add(swarm.index, address, port, isExempt, nowSec);
    const members = membersOf(swarm, pool);
    pool.setPlace(slot, members.takers.length);
    members.takers.push(slot);
    swarm.leeches += 1;
    return slot;
  }

  /** Moves a peer to where its state belongs. */
  #setRole(
    swarm: Swarm,
    pool: PeerPool,
    slot: number,
    { isSeed, isPartialSeed, event }: PeerAnnounce,
    isNew: boolean,
  ): void {
    const before = pool.flagsOf(slot);
    let flags = before & (IS_EXEMPT | HAS_COMPLETED);
    if (isSeed) flags |= IS_SEED;
    else if (isPartialSeed) flags |= IS_PARTIAL_SEED;
    // Told again, it is not counted again.
    if (event === 'completed' && isSeed && (before & HAS_COMPLETED) === 0) {
      flags |= HAS_COMPLETED;
      swarm.downloads += 1;
    }
    if (flags === before && !isNew) return;
    if (((flags ^ before) & (IS_SEED | IS_PARTIAL_SEED)) !== 0) {
      this.#leave(swarm, pool, slot);
      pool.setFlags(slot, flags);
      const list = listOf(membersOf(swarm, pool), flags);
      pool.setPlace(slot, list.length);
      list.push(slot);
      this.#count(swarm, flags, 1);
    } else {
      pool.setFlags(slot, flags);
    }
  }

  #displaceOldest(): void {
    const { v4, v6 } = this;
    const isV4 =
      v6.oldest < 0 || (v4.oldest >= 0 && v4.seenSecOf(v4.oldest) <= v6.seenSecOf(v6.oldest));
    const pool = isV4 ? v4 : v6;
    if (pool.oldest >= 0) this.#displace(pool, pool.oldest);
  }

  #displace(pool: PeerPool, slot: number): void {
    this.counters.displaced += 1;
    this.#drop(pool, slot);
  }

  #displaceSwarm(): void {
    const swarm = this.#swarms.oldest;
    if (swarm === undefined) return;
    for (const pool of [this.v4, this.v6]) {
      const members = pool === this.v4 ? swarm.v4 : swarm.v6;
      for (const slot of [...(members?.givers ?? []), ...(members?.takers ?? [])]) {
        this.#displace(pool, slot);
      }
    }
    this.#swarms.remove(swarm);
  }

  #drop(pool: PeerPool, slot: number): void {
    this.#leave(this.#swarms.at(pool.swarmOf(slot)), pool, slot);
    pool.remove(slot);
  }

  /** Takes a peer off the list that it stands on: the last one takes its place. */
  #leave(swarm: Swarm, pool: PeerPool, slot: number): void {
    const flags = pool.flagsOf(slot);
    const list = listOf(membersOf(swarm, pool), flags);
    const place = pool.placeOf(slot);
    const last = list.pop()!;
    if (last !== slot) {
      list[place] = last;
      pool.setPlace(last, place);
    }
    this.#count(swarm, flags, -1);
  }

  #count(swarm: Swarm, flags: number, by: number): void {
    if ((flags & IS_SEED) !== 0) {
      swarm.seeds += by;
      this.seeds += by;
    } else if ((flags & IS_PARTIAL_SEED) !== 0) {
      swarm.partialSeeds += by;
    } else {
      swarm.leeches += by;
    }
  }

  /** By lot, at most `want` of a list. */
  #pick(
    pool: PeerPool,
    list: readonly number[],
    want: number,
    take: (pool: PeerPool, slot: number) => void,
  ): number {
    // The list without the asker: from its place on, everything is one further.
    const selfPlace = this.#selfPlace(pool, list);
    const length = selfPlace < 0 ? list.length : list.length - 1;
    const count = Math.min(want, length);
    // All of them begin anywhere, so that a client that takes only the first few takes others each time.
    const start = count === length ? this.#rng.below(Math.max(1, length)) : 0;
    for (let i = 0; i < count; i += 1) {
      const first = Math.floor((i * length) / count);
      const end = Math.floor(((i + 1) * length) / count);
      let place = (start + first + this.#rng.below(end - first)) % length;
      if (selfPlace >= 0 && place >= selfPlace) place += 1;
      take(pool, list[place]!);
    }
    return Math.max(0, count);
  }

  /** Where the last announcer stands in a list; -1: not in this one. */
  #selfPlace(pool: PeerPool, list: readonly number[]): number {
    if (pool !== this.#selfPool || this.#self < 0) return -1;
    const place = pool.placeOf(this.#self);
    return list[place] === this.#self ? place : -1;
  }
}

/** Counts of a swarm. */
export function tallyOf(swarm: Swarm): SwarmTally {
  const { seeds, leeches, partialSeeds, downloads } = swarm;
  return { seeds, leeches, incomplete: leeches + partialSeeds, downloads };
}

function membersOf(swarm: Swarm, pool: PeerPool): Members {
  if (pool.addressLength === 4) {
    swarm.v4 ??= { takers: [], givers: [] };
    return swarm.v4;
  }
  swarm.v6 ??= { takers: [], givers: [] };
  return swarm.v6;
}

function listOf(members: Members, flags: number): number[] {
  return (flags & (IS_SEED | IS_PARTIAL_SEED)) === 0 ? members.takers : members.givers;
}
