/**
 * The addresses a torrent knows, and which of them to dial next.
 *
 * An address waits longer after each failure (5 s, or 0.1 s when a person gave it, doubling to 10 minutes).
 * A banned peer is never dialled or let in again: neither its host, since an incoming connection's port says nothing, nor its peer id.
 * On loopback, where everybody shares a host, the port counts too.
 * Bounds: MAX_CANDIDATES addresses and as many bans; when full, the one that failed most is forgotten for a new one.
 * Not here: limits per subnet and preferences between addresses.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import type { Rng } from '../../lib/rng.ts';
import { GIVEN_REDIAL_MS, MAX_CANDIDATES, MAX_REDIAL_MS, REDIAL_MS } from './constants.ts';
import type { PeerAddress, PeerSource } from './types.ts';

interface Candidate {
  readonly address: PeerAddress;
  readonly source: PeerSource;
  state: 'idle' | 'dialling' | 'connected' | 'banned';
  failures: number;
  nextTryMs: number;
  /** Nothing to gain from it while we are complete too. */
  isSeed: boolean;
}

function keyOf(address: PeerAddress): string {
  return `${address.host} ${address.port}`;
}

function isOpen(candidate: Candidate, weAreSeed: boolean): boolean {
  return candidate.state === 'idle' && !(weAreSeed && candidate.isSeed);
}

/** What stands for a host: on loopback, where everybody shares one, the port counts too. */
export function hostKeyOf(address: PeerAddress): string {
  const isLoopback = address.host.startsWith('127.') || address.host === '::1';
  return isLoopback ? keyOf(address) : address.host;
}

/** Known addresses of one torrent. */
export class PeerList {
  readonly #candidates = new Map<string, Candidate>();
  readonly #dials = new Map<number, Candidate>();
  /** Hosts (on loopback with ports), and peer ids in hex. */
  readonly #banned = new Set<string>();
  readonly #rng: Rng;
  #nextDial = 1;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  get size(): number {
    return this.#candidates.size;
  }

  get diallingCount(): number {
    return this.#dials.size;
  }

  /** Adds an address; a known one is left as it is. */
  add(nowMs: number, address: PeerAddress, source: PeerSource): void {
    const key = keyOf(address);
    if (address.port < 1 || address.port > 65_535 || this.#candidates.has(key)) return;
    if (this.#banned.has(hostKeyOf(address))) return;
    if (this.#candidates.size >= MAX_CANDIDATES && !this.#makeRoom()) return;
    this.#candidates.set(key, {
      address,
      source,
      state: 'idle',
      failures: 0,
      nextTryMs: nowMs,
      isSeed: false,
    });
  }

  /** Forgets every address that is not banned; dials under way come to nothing. */
  clear(): void {
    for (const [key, candidate] of this.#candidates) {
      if (candidate.state !== 'banned') this.#candidates.delete(key);
    }
    this.#dials.clear();
  }

  /** @param peerId when it is known. */
  isBanned(address: PeerAddress, peerId?: Uint8Array): boolean {
    if (this.#banned.has(hostKeyOf(address))) return true;
    return peerId !== undefined && this.#banned.has(toHex(peerId));
  }

  ban(address: PeerAddress, peerId: Uint8Array): void {
    const key = hostKeyOf(address);
    for (const candidate of this.#candidates.values()) {
      if (hostKeyOf(candidate.address) === key) candidate.state = 'banned';
    }
    this.#banned.add(key).add(toHex(peerId));
    // Sets keep their order: the oldest ban goes first.
    for (const oldest of this.#banned) {
      if (this.#banned.size <= MAX_CANDIDATES) break;
      this.#banned.delete(oldest);
    }
  }

  /** Chooses an address to dial. @returns undefined when none is due. */
  take(nowMs: number, weAreSeed: boolean): { dial: number; address: PeerAddress } | undefined {
    const due: Candidate[] = [];
    for (const candidate of this.#candidates.values()) {
      if (candidate.nextTryMs <= nowMs && isOpen(candidate, weAreSeed)) due.push(candidate);
    }
    if (due.length === 0) return undefined;
    const chosen = due[this.#rng.below(due.length)]!;
    chosen.state = 'dialling';
    const dial = this.#nextDial;
    this.#nextDial += 1;
    this.#dials.set(dial, chosen);
    return { dial, address: chosen.address };
  }

  /** The earliest time at which `take` finds an address; infinite when none waits. */
  nextDueMs(weAreSeed: boolean): number {
    let due = Number.POSITIVE_INFINITY;
    for (const candidate of this.#candidates.values()) {
      if (candidate.nextTryMs < due && isOpen(candidate, weAreSeed)) due = candidate.nextTryMs;
    }
    return due;
  }

  /** True while an address that was taken may still be used. */
  isDialling(dial: number): boolean {
    return this.#dials.has(dial);
  }

  /** A dial became a connection; its failures are forgotten once it was useful (`closed`). */
  connected(dial: number): void {
    const candidate = this.#dials.get(dial);
    if (candidate?.state === 'dialling') candidate.state = 'connected';
  }

  /** A dial failed, or its connection ended. @param wasUseful data went either way. */
  closed(nowMs: number, dial: number, wasUseful: boolean, isSeed: boolean): void {
    const candidate = this.#dials.get(dial);
    this.#dials.delete(dial);
    if (candidate === undefined || candidate.state === 'banned') return;
    candidate.state = 'idle';
    candidate.isSeed = isSeed;
    candidate.failures = wasUseful ? 0 : Math.min(candidate.failures + 1, 20);
    // A person who names a peer starts both ends at about the same time: look again soon.
    const firstMs =
      candidate.source === 'given' || candidate.source === 'magnet' ? GIVEN_REDIAL_MS : REDIAL_MS;
    const wait = Math.min(firstMs * 2 ** Math.max(0, candidate.failures - 1), MAX_REDIAL_MS);
    candidate.nextTryMs = nowMs + wait * (0.75 + this.#rng.float() / 2);
  }

  #makeRoom(): boolean {
    let worst: string | undefined;
    let failures = 0;
    for (const [key, candidate] of this.#candidates) {
      if (candidate.state !== 'idle' || candidate.source === 'given') continue;
      if (candidate.failures <= failures) continue;
      worst = key;
      failures = candidate.failures;
    }
    if (worst === undefined) return false;
    this.#candidates.delete(worst);
    return true;
  }
}
