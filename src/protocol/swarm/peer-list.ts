/**
 * The addresses a torrent knows, and which of them to dial next.
 *
 * Of the addresses that are due, those a person gave go first, then those that failed least, then those that were good to us before, then those of the
 * highest canonical priority (BEP 40).
 * An address waits longer after each failure (5 s, or 0.1 s when a person gave it, doubling to 10 minutes).
 * A banned peer is never dialled or let in again: neither its host, since an incoming connection's port says nothing, nor its peer id.
 * On loopback, where everybody shares a host, the port counts too. An address of our own is remembered and never taken again; one whose peer is
 * connected through another door is *covered* and rests until that connection ends.
 * Costs: everything is O(log n) in the number of addresses, but for `clear`, `forgetOpen` and `rank`.
 * Bounds: MAX_CANDIDATES addresses and as many bans, MAX_OWN_ADDRESSES of our own; when full, the one that failed most is forgotten for a new one.
 * What peers named has bounds of its own: `rumours.ts`; so has what local discovery found: `src/protocol/lsd`.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import { Heap } from '../../lib/heap.ts';
import { addressScope, parseIp } from '../../lib/ip-address.ts';
import type { Rng } from '../../lib/rng.ts';
import { type Candidate, FailureIndex, isIdle } from './candidate.ts';
import {
  GIVEN_REDIAL_MS,
  MAX_CANDIDATES,
  MAX_FAILURES,
  MAX_OWN_ADDRESSES,
  MAX_REDIAL_MS,
  REDIAL_MS,
} from './constants.ts';
import { MAX_HEARD_FAILURES, Rumours } from './rumours.ts';
import type { PeerAddress, PeerSource, ProvenPeer } from './types.ts';

/** What stands for an address, its port included. */
export function addressKeyOf(address: PeerAddress): string {
  return `${address.host} ${address.port}`;
}

/** What stands for a host: on loopback, where everybody shares one, the port counts too. */
export function hostKeyOf(address: PeerAddress): string {
  return isLoopback(address.host) ? addressKeyOf(address) : address.host;
}

function isLoopback(host: string): boolean {
  const ip = parseIp(host);
  return ip !== undefined && addressScope(ip) === 'loopback';
}

/** A person named it. */
function isGiven(candidate: Candidate): boolean {
  return candidate.source === 'given' || candidate.source === 'magnet';
}

/** How well founded a source is: a word of peers goes with its speaker, what is open to everybody (DHT, local network) is not for private torrents. */
function standingOf(source: PeerSource): number {
  if (source === 'pex') return 0;
  return source === 'dht' || source === 'lan' ? 1 : 2;
}

/** Found by means that are open to everybody: not for private torrents (BEP 27), and who is there is named again. */
function isOpenSource({ source }: Candidate): boolean {
  return standingOf(source) < 2;
}

/** Not for private torrents: an earlier run that ended before the metadata came may have found it by such means. */
function isOpenOrKept(candidate: Candidate): boolean {
  return isOpenSource(candidate) || candidate.source === 'kept';
}

function isSooner(a: Candidate, b: Candidate): boolean {
  return a.nextTryMs < b.nextTryMs;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  if (isGiven(a) !== isGiven(b)) return isGiven(a);
  if (a.failures !== b.failures) return a.failures < b.failures;
  if (a.standing !== b.standing) return a.standing > b.standing;
  return a.rank > b.rank;
}

/** Known addresses of one torrent. */
export class PeerList {
  readonly #candidates = new Map<string, Candidate>();
  /** Most hosts have one address, which stands there alone: a set for each would double the memory. */
  readonly #byHost = new Map<string, Candidate | readonly Candidate[]>();
  readonly #dials = new Map<number, Candidate>();
  /** Addresses whose peers are connected through another door → by how many connections. */
  readonly #covered = new Map<string, number>();
  readonly #own = new Set<string>();
  /** Hosts (on loopback with ports), and peer ids in hex. */
  readonly #banned = new Set<string>();
  readonly #waiting = new Heap<Candidate>(isSooner);
  readonly #ready = new Heap<Candidate>(isBetter);
  /** Seeds, while we are complete too. */
  readonly #resting = new Set<Candidate>();
  readonly #failed = new FailureIndex();
  readonly #rumours = new Rumours();
  readonly #rng: Rng;
  readonly #rankOf: (address: PeerAddress) => number | undefined;
  readonly #standingOf: (address: PeerAddress) => number;
  #nextDial = 1;
  #diallingCount = 0;

  /**
   * @param rankOf the canonical priority of a connection with an address; undefined: unknown, so chance decides.
   * @param standingOf what former meetings say of whoever is there: -1 (bad) … 1 (good).
   */
  constructor(
    rng: Rng,
    rankOf: (address: PeerAddress) => number | undefined = () => undefined,
    standingOf: (address: PeerAddress) => number = () => 0,
  ) {
    this.#rng = rng;
    this.#standingOf = standingOf;
    this.#rankOf = rankOf;
  }

  get size(): number {
    return this.#candidates.size;
  }

  /** Dials under way. */
  get diallingCount(): number {
    return this.#diallingCount;
  }

  /** Addresses that are known from peers alone. */
  get heardCount(): number {
    return this.#rumours.size;
  }

  /** Adds an address; a known one is left as it is, but counts as known from the better source. */
  add(nowMs: number, address: PeerAddress, source: PeerSource): void {
    const known = this.#candidates.get(addressKeyOf(address));
    if (known !== undefined) {
      if (standingOf(source) > standingOf(known.source)) this.#settle(known, source);
      return;
    }
    if (!this.#isWelcome(address)) return;
    if (this.#candidates.size >= MAX_CANDIDATES && !this.#makeRoom()) return;
    this.#insert(nowMs, address, source);
  }

  /**
   * Adds an address that a peer named.
   * @param speaker what stands for the host of that peer.
   * @param isSeed the peer says that it is one.
   * @returns false when it was not taken: known, not welcome, or too much from this peer or from all.
   */
  addHeard(nowMs: number, speaker: string, address: PeerAddress, isSeed: boolean): boolean {
    if (this.#candidates.has(addressKeyOf(address)) || !this.#isWelcome(address)) return false;
    const ports = this.#atHost(hostKeyOf(address)).length;
    if (!this.#rumours.isCredible(nowMs, speaker, ports)) return false;
    const worst = this.#rumours.inTheWay(speaker);
    if (worst === 'none') return false;
    if (worst !== undefined) this.#forget(worst);
    if (this.#candidates.size >= MAX_CANDIDATES && !this.#makeRoom()) return false;
    const candidate = this.#insert(nowMs, address, 'pex');
    candidate.isSeed = isSeed;
    this.#rumours.add(candidate, speaker);
    return true;
  }

  /** The peer that named an address left its peer: it is forgotten when it has failed us too. */
  dropHeard(speaker: string, address: PeerAddress): void {
    const candidate = this.#candidates.get(addressKeyOf(address));
    if (candidate?.source !== 'pex' || candidate.failures === 0 || !isIdle(candidate)) return;
    if (this.#rumours.speakerOf(candidate) === speaker) this.#forget(candidate);
  }

  /** Forgets every address that a private torrent may not use (BEP 27). @returns the dials whose connections are open. */
  forgetOpen(): number[] {
    const open: number[] = [];
    for (const [dial, candidate] of this.#dials) {
      if (!isOpenOrKept(candidate)) continue;
      if (candidate.state === 'connected') open.push(dial);
      else this.#endDial(dial, candidate);
    }
    for (const candidate of [...this.#candidates.values()]) {
      if (isOpenOrKept(candidate)) this.#forget(candidate);
    }
    return open;
  }

  /** Forgets every address; dials under way come to nothing. */
  clear(): void {
    for (const [dial, candidate] of this.#dials) this.#endDial(dial, candidate);
    for (const candidate of [...this.#candidates.values()]) this.#forget(candidate);
  }

  /** This address is our own: it is never dialled again. */
  markOwn(address: PeerAddress): void {
    this.#own.add(addressKeyOf(address));
    for (const oldest of this.#own) {
      if (this.#own.size <= MAX_OWN_ADDRESSES) break;
      this.#own.delete(oldest);
    }
    const candidate = this.#candidates.get(addressKeyOf(address));
    if (candidate !== undefined) this.#forget(candidate);
  }

  /** A peer with this listening address is connected, through whatever door; call `uncover` as often. */
  cover(address: PeerAddress): void {
    const key = addressKeyOf(address);
    this.#covered.set(key, (this.#covered.get(key) ?? 0) + 1);
    const candidate = this.#candidates.get(key);
    if (candidate === undefined || !isIdle(candidate)) return;
    this.#leave(candidate);
    candidate.state = 'covered';
  }

  /** A connection that covered an address ended. */
  uncover(nowMs: number, address: PeerAddress): void {
    const key = addressKeyOf(address);
    const count = (this.#covered.get(key) ?? 0) - 1;
    if (count > 0) {
      this.#covered.set(key, count);
      return;
    }
    this.#covered.delete(key);
    const candidate = this.#candidates.get(key);
    if (candidate?.state !== 'covered') return;
    // Whoever left comes back by itself, if at all, or is dialled after a while.
    candidate.nextTryMs = nowMs + this.#waitOf(candidate);
    this.#enter(candidate);
  }

  /** @param peerId when it is known. */
  isBanned(address: PeerAddress, peerId?: Uint8Array): boolean {
    if (this.#banned.has(hostKeyOf(address))) return true;
    return peerId !== undefined && this.#banned.has(toHex(peerId));
  }

  ban(address: PeerAddress, peerId: Uint8Array): void {
    const key = hostKeyOf(address);
    for (const candidate of this.#atHost(key)) this.#forget(candidate);
    this.#banned.add(key).add(toHex(peerId));
    // Sets keep their order: the oldest ban goes first.
    for (const oldest of this.#banned) {
      if (this.#banned.size <= MAX_CANDIDATES) break;
      this.#banned.delete(oldest);
    }
  }

  /** Our own address became known or changed: every address gets its priority anew. O(n log n). */
  rank(): void {
    const ready = this.#ready.drain();
    for (const candidate of this.#candidates.values()) {
      candidate.rank = this.#rankOf(candidate.address) ?? candidate.rank;
    }
    for (const candidate of ready) this.#ready.push(candidate);
  }

  /** Chooses an address to dial. @returns undefined when none is due. */
  take(nowMs: number, weAreSeed: boolean): { dial: number; address: PeerAddress } | undefined {
    this.#wakeResting(weAreSeed);
    for (let next = this.#waiting.top; next !== undefined; next = this.#waiting.top) {
      if (next.nextTryMs > nowMs) break;
      this.#waiting.pop();
      this.#ready.push(next);
      next.state = 'ready';
    }
    const chosen = this.#first(this.#ready, weAreSeed);
    if (chosen === undefined) return undefined;
    this.#leave(chosen);
    chosen.state = 'dialling';
    this.#diallingCount += 1;
    const dial = this.#nextDial;
    this.#nextDial += 1;
    this.#dials.set(dial, chosen);
    return { dial, address: chosen.address };
  }

  /** The earliest time at which `take` finds an address; infinite when none waits. */
  nextDueMs(weAreSeed: boolean): number {
    this.#wakeResting(weAreSeed);
    const ready = this.#first(this.#ready, weAreSeed);
    const waiting = this.#first(this.#waiting, weAreSeed);
    return Math.min(
      ready?.nextTryMs ?? Number.POSITIVE_INFINITY,
      waiting?.nextTryMs ?? Number.POSITIVE_INFINITY,
    );
  }

  /** True while an address that was taken may still be used. */
  isDialling(dial: number): boolean {
    return this.#dials.has(dial);
  }

  /** True when a person named the address of this dial. */
  isGiven(dial: number): boolean {
    const candidate = this.#dials.get(dial);
    return candidate !== undefined && isGiven(candidate);
  }

  /** An address that was taken is not dialled now after all: try it again at `nextTryMs`. */
  postpone(dial: number, nextTryMs: number): void {
    const candidate = this.#dials.get(dial);
    if (candidate === undefined) return;
    this.#endDial(dial, candidate);
    if (!this.#isKnown(candidate)) return;
    candidate.nextTryMs = nextTryMs;
    this.#enter(candidate);
  }

  /** A dial became a connection; its failures are forgotten once it was useful (`closed`). */
  connected(dial: number): void {
    const candidate = this.#dials.get(dial);
    if (candidate?.state !== 'dialling') return;
    candidate.state = 'connected';
    candidate.movedBytes ??= 0;
    this.#diallingCount -= 1;
    this.#rumours.judge(candidate, true);
  }

  /** A dial failed, or its connection ended. @param movedBytes of data that went either way. */
  closed(nowMs: number, dial: number, movedBytes: number, isSeed: boolean): void {
    const candidate = this.#dials.get(dial);
    if (candidate === undefined) return;
    const wasUseful = movedBytes > 0;
    if (candidate.movedBytes !== undefined) candidate.movedBytes += movedBytes;
    if (candidate.state === 'dialling') {
      for (const other of this.#rumours.judge(candidate, false)) this.#forget(other);
    }
    this.#endDial(dial, candidate);
    if (!this.#isKnown(candidate)) return;
    candidate.isSeed = isSeed;
    candidate.failures = wasUseful ? 0 : Math.min(candidate.failures + 1, MAX_FAILURES);
    if (isOpenSource(candidate) && candidate.failures >= MAX_HEARD_FAILURES) {
      this.#forget(candidate);
      return;
    }
    candidate.nextTryMs = nowMs + this.#waitOf(candidate);
    this.#enter(candidate);
  }

  /** What is dialled, and how it became known; undefined when it was forgotten meanwhile. */
  dialled(dial: number): Pick<Candidate, 'address' | 'source'> | undefined {
    const candidate = this.#dials.get(dial);
    return candidate && { address: candidate.address, source: candidate.source };
  }

  /** Addresses whose last connection was of use, or lasts; the data of one that lasts is not in it. */
  proven(): ProvenPeer[] {
    return [...this.#candidates.values()].flatMap(({ movedBytes, failures, address }) =>
      movedBytes === undefined || failures > 0 ? [] : [{ ...address, movedBytes }],
    );
  }

  #isKnown(candidate: Candidate): boolean {
    return this.#candidates.get(candidate.key) === candidate;
  }

  #isWelcome(address: PeerAddress): boolean {
    if (address.port < 1 || address.port > 65_535) return false;
    return !this.#banned.has(hostKeyOf(address)) && !this.#own.has(addressKeyOf(address));
  }

  #insert(nowMs: number, address: PeerAddress, source: PeerSource): Candidate {
    const candidate: Candidate = {
      key: addressKeyOf(address),
      address,
      source,
      state: 'waiting',
      failures: 0,
      nextTryMs: nowMs,
      movedBytes: undefined,
      isSeed: false,
      standing: Math.round(4 * this.#standingOf(address)),
      rank: this.#rankOf(address) ?? this.#rng.u32(),
      heapAt: -1,
    };
    this.#candidates.set(candidate.key, candidate);
    const host = hostKeyOf(address);
    const others = this.#atHost(host);
    this.#byHost.set(host, others.length === 0 ? candidate : [...others, candidate]);
    if (this.#covered.has(candidate.key)) candidate.state = 'covered';
    else this.#enter(candidate);
    return candidate;
  }

  #forget(candidate: Candidate): void {
    if (isIdle(candidate)) this.#leave(candidate);
    this.#rumours.forget(candidate);
    this.#candidates.delete(candidate.key);
    const host = hostKeyOf(candidate.address);
    const others = this.#atHost(host).filter((other) => other !== candidate);
    if (others.length === 0) this.#byHost.delete(host);
    else this.#byHost.set(host, others);
  }

  #atHost(host: string): readonly Candidate[] {
    const found = this.#byHost.get(host);
    if (found === undefined) return [];
    return 'key' in found ? [found] : found;
  }

  /** An address is known from a better source too. */
  #settle(candidate: Candidate, source: PeerSource): void {
    const wasIdle = isIdle(candidate);
    if (wasIdle) this.#leave(candidate);
    this.#rumours.forget(candidate);
    candidate.source = source;
    if (wasIdle) this.#enter(candidate);
  }

  /** Puts a candidate that is in no list where it belongs. */
  #enter(candidate: Candidate): void {
    if (this.#covered.has(candidate.key)) {
      candidate.state = 'covered';
      return;
    }
    candidate.state = 'waiting';
    this.#waiting.push(candidate);
    if (!isGiven(candidate)) this.#failed.add(candidate);
  }

  /** Takes an idle candidate out of its list. */
  #leave(candidate: Candidate): void {
    if (candidate.state === 'waiting') this.#waiting.remove(candidate);
    else if (candidate.state === 'ready') this.#ready.remove(candidate);
    else this.#resting.delete(candidate);
    this.#failed.delete(candidate);
  }

  #endDial(dial: number, candidate: Candidate): void {
    this.#dials.delete(dial);
    if (candidate.state === 'dialling') this.#diallingCount -= 1;
    candidate.state = 'ended';
  }

  /** The first of a heap that is of use; seeds that are in its way rest while we are complete. */
  #first(heap: Heap<Candidate>, weAreSeed: boolean): Candidate | undefined {
    for (let top = heap.top; top !== undefined; top = heap.top) {
      if (!weAreSeed || !top.isSeed) return top;
      heap.pop();
      top.state = 'resting';
      this.#resting.add(top);
    }
    return undefined;
  }

  #wakeResting(weAreSeed: boolean): void {
    if (weAreSeed) return;
    for (const candidate of this.#resting) {
      candidate.state = 'waiting';
      this.#waiting.push(candidate);
    }
    this.#resting.clear();
  }

  #waitOf(candidate: Candidate): number {
    // A person who names a peer starts both ends at about the same time: look again soon.
    const firstMs = isGiven(candidate) ? GIVEN_REDIAL_MS : REDIAL_MS;
    const wait = Math.min(firstMs * 2 ** Math.max(0, candidate.failures - 1), MAX_REDIAL_MS);
    return wait * (0.75 + this.#rng.float() / 2);
  }

  #makeRoom(): boolean {
    const worst = this.#failed.worst();
    if (worst === undefined) return false;
    this.#forget(worst);
    return true;
  }
}
