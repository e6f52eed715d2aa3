/**
 * Shares a limited rate fairly between those who want more than there is: start-time fair queueing over a token bucket. Time is an argument.
 *
 * Each client has a place in virtual time, which moves by what it spends. Whoever is held back waits with the place it has come to, and the one
 * that is furthest behind goes next, so that a client with a deep queue or large steps gets no more than one that asks for little at a time, and
 * whoever comes back after a pause starts with the others, without credit for the time it was away.
 * A turn is a grant of `quantum` tokens (more when there is plenty, so that a high rate needs few turns). A grant that is not used gives way
 * after GRANT_MS; its client may still spend, and is charged for it.
 * Bound: in any window at most rate × time + burst + what one spend takes beyond its grant.
 * Spec: Goyal, Vin and Cheng, "Start-time Fair Queueing" (SIGCOMM 1996), section 2. Not here: timers, and who wakes whom.
 * @module
 */
import { TokenBucket } from './token-bucket.ts';

// Implementation limits
/** How long a turn that nobody uses keeps tokens from the others. */
const GRANT_MS = 100;
/** A turn is at most so many times the quantum, however much there is. */
const MAX_QUANTA = 16;

interface Grant {
  left: number;
  readonly expiresMs: number;
}

/** A token bucket with a line of clients; a rate of 0 or Infinity means no limit. */
export class FairBucket<Client> {
  readonly #bucket: TokenBucket;
  readonly #quantum: number;
  /** Where in virtual time each client's service ends. */
  readonly #finish = new Map<Client, number>();
  /** Who waits, and from which place on. */
  readonly #waiting = new Map<Client, number>();
  readonly #grants = new Map<Client, Grant>();
  #virtual = 0;

  /** @param ratePerSec 0 or Infinity: unlimited. @param quantum tokens of one turn, > 0. @param burst see TokenBucket. */
  constructor(ratePerSec: number, nowMs: number, quantum: number, burst?: number) {
    this.#bucket = new TokenBucket(ratePerSec, nowMs, burst);
    this.#quantum = quantum;
  }

  get isUnlimited(): boolean {
    return this.#bucket.isUnlimited;
  }

  /** Clients that wait. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  setRate(ratePerSec: number, nowMs: number): void {
    this.#bucket.setRate(ratePerSec, nowMs);
  }

  /** Tokens a client may spend now; 0: it has to `wait`. */
  allowance(nowMs: number, client: Client): number {
    if (this.isUnlimited) return Number.POSITIVE_INFINITY;
    const available = this.#bucket.available(nowMs);
    const grant = this.#grants.get(client);
    if (grant !== undefined) return Math.min(available, grant.left);
    return this.#waiting.size > 0 ? 0 : available;
  }

  /** Spends unconditionally; the balance may go below zero. @param client who is charged for it; undefined: everybody. */
  spend(nowMs: number, client: Client | undefined, amount: number): void {
    if (this.isUnlimited) return;
    this.#bucket.spend(nowMs, amount);
    if (client === undefined) return;
    const start = Math.max(this.#finish.get(client) ?? 0, this.#virtual);
    this.#finish.set(client, start + amount);
    const grant = this.#grants.get(client);
    if (grant === undefined) {
      // What goes out of turn beside those who wait (a message) must not cost them the places they have.
      if (this.#waiting.size === 0) this.#virtual = start;
      return;
    }
    grant.left -= amount;
    if (grant.left <= 0) this.#grants.delete(client);
  }

  /** Gets in line; a client stands there once, however often it comes. */
  wait(client: Client): void {
    this.#grants.delete(client);
    if (this.#waiting.has(client)) return;
    this.#waiting.set(client, Math.max(this.#finish.get(client) ?? 0, this.#virtual));
  }

  /** Leaves the line and is forgotten. */
  forget(client: Client): void {
    this.#waiting.delete(client);
    this.#grants.delete(client);
    this.#finish.delete(client);
  }

  /** Whose turn it is now: it leaves the line with a grant. @returns undefined when nobody may go. */
  take(nowMs: number): Client | undefined {
    if (this.waitMs(nowMs) > 0) return undefined;
    let next: Client | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [client, place] of this.#waiting) {
      if (place >= least) continue;
      next = client;
      least = place;
    }
    if (next === undefined) return undefined;
    if (!this.isUnlimited) {
      const left = this.#turn(this.#bucket.available(nowMs));
      this.#grants.set(next, { left, expiresMs: nowMs + GRANT_MS });
      this.#virtual = Math.max(this.#virtual, least);
    }
    this.#waiting.delete(next);
    return next;
  }

  /** Milliseconds until `take` has somebody; Infinity when nobody waits. */
  waitMs(nowMs: number): number {
    if (this.#waiting.size === 0) return Number.POSITIVE_INFINITY;
    if (this.isUnlimited) return 0;
    const forOne = this.#bucket.waitMs(nowMs, this.#quantum);
    const [granted, expiresMs] = this.#granted(nowMs);
    if (granted === 0 || forOne > 0) return forOne;
    if (this.#bucket.available(nowMs) >= granted + this.#quantum) return 0;
    return Math.max(1, Math.min(expiresMs - nowMs, this.#growMs(nowMs, granted)));
  }

  /** Equal shares of half of what there is, in whole quanta: the other half is for whoever comes meanwhile. */
  #turn(available: number): number {
    const share = Math.floor(available / (2 * this.#waiting.size * this.#quantum));
    return this.#quantum * Math.max(1, Math.min(MAX_QUANTA, share));
  }

  /** Time until the bucket holds a quantum more than what is granted, if it can ever hold so much. */
  #growMs(nowMs: number, granted: number): number {
    const waitMs = this.#bucket.waitMs(nowMs, granted + this.#quantum);
    return waitMs > 0 ? waitMs : Number.POSITIVE_INFINITY;
  }

  /** Tokens that are promised and not spent, and when the oldest promise lapses. */
  #granted(nowMs: number): readonly [tokens: number, expiresMs: number] {
    let tokens = 0;
    let expiresMs = Number.POSITIVE_INFINITY;
    for (const [client, grant] of this.#grants) {
      if (grant.expiresMs <= nowMs) {
        this.#grants.delete(client);
        continue;
      }
      tokens += grant.left;
      expiresMs = Math.min(expiresMs, grant.expiresMs);
    }
    return [tokens, expiresMs];
  }
}
