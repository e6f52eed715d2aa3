/**
 * How much a peer may bother us: messages that say nothing, requests that are refused, connections that come and go.
 *
 * A connection has allowances that fill up with time; whoever uses one up is expelled: closed, and shunned for a while. Honest peers stay far
 * below: what counts here is only what changes nothing, or what was refused.
 * Bounds: two allowances a connection; MAX_SHUNNED hosts, the oldest are forgotten first.
 * Not here: bans, which are for bad data alone (`blame.ts`).
 * @module
 */

// Implementation limits

/** Idle messages (known HAVEs, repeated choke or interest, unknown extensions, …) at once … */
const CHATTER_BURST = 2_000;
/** … and per second. */
const CHATTER_PER_SEC = 20;
/** Refused requests at once: a choke crosses with what a peer has under way, and it may ask for as much again before it reads of it … */
const REFUSED_BURST = 8_192;
/** … and per second. */
const REFUSED_PER_SEC = 100;
/** Time for which an expelled host is not let in or dialled. */
export const SHUN_MS = 60_000;
/** Connections of one host within SHUN_MS before it is shunned: more is no use to anybody. */
const MAX_ARRIVALS = 20;
/** Hosts remembered. */
const MAX_SHUNNED = 1_000;

/** A number that is used up by what happens and grows back with time. */
export class Allowance {
  readonly #burst: number;
  readonly #perMs: number;
  #left: number;
  #atMs: number;

  /** @param burst most that can be used at once; @param perSec how fast it grows back. */
  constructor(nowMs: number, burst: number, perSec: number) {
    this.#burst = burst;
    this.#perMs = perSec / 1000;
    this.#left = burst;
    this.#atMs = nowMs;
  }

  /** Uses some. @returns false when there was not enough. */
  use(nowMs: number, amount = 1): boolean {
    this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#atMs) * this.#perMs) - amount;
    this.#atMs = nowMs;
    return this.#left >= 0;
  }

  /** As `use`, but what is refused costs nothing. */
  tryUse(nowMs: number): boolean {
    if (this.use(nowMs)) return true;
    this.#left += 1;
    return false;
  }
}

/** What one connection may do in vain. */
export class Conduct {
  readonly #chatter: Allowance;
  readonly #refused: Allowance;

  constructor(nowMs: number) {
    this.#chatter = new Allowance(nowMs, CHATTER_BURST, CHATTER_PER_SEC);
    this.#refused = new Allowance(nowMs, REFUSED_BURST, REFUSED_PER_SEC);
  }

  /** A message changed nothing. @returns why to expel the peer, or undefined. */
  chatter(nowMs: number): string | undefined {
    return this.#chatter.use(nowMs) ? undefined : 'sent too many messages that say nothing';
  }

  /** A request was refused. @returns why to expel the peer, or undefined. */
  refused(nowMs: number): string | undefined {
    return this.#refused.use(nowMs) ? undefined : 'made too many requests that were refused';
  }
}

interface Visits {
  count: number;
  sinceMs: number;
  shunnedUntilMs: number;
}

/** Hosts that are kept out for a while. Keys are hosts, on loopback with ports. */
export class ShunList {
  readonly #visits = new Map<string, Visits>();

  isShunned(nowMs: number, key: string): boolean {
    return (this.#visits.get(key)?.shunnedUntilMs ?? 0) > nowMs;
  }

  /** A host connected. @returns false when it did too often lately: it is shunned then. */
  arrive(nowMs: number, key: string): boolean {
    const visits = this.#of(nowMs, key);
    if (nowMs - visits.sinceMs > SHUN_MS) {
      visits.count = 0;
      visits.sinceMs = nowMs;
    }
    visits.count += 1;
    if (visits.count > MAX_ARRIVALS) visits.shunnedUntilMs = nowMs + SHUN_MS;
    return visits.shunnedUntilMs <= nowMs;
  }

  shun(nowMs: number, key: string): void {
    this.#of(nowMs, key).shunnedUntilMs = nowMs + SHUN_MS;
  }

  #of(nowMs: number, key: string): Visits {
    const known = this.#visits.get(key);
    // Whoever came last stays longest.
    if (known !== undefined) this.#visits.delete(key);
    const visits = known ?? { count: 0, sinceMs: nowMs, shunnedUntilMs: 0 };
    this.#visits.set(key, visits);
    for (const oldest of this.#visits.keys()) {
      if (this.#visits.size <= MAX_SHUNNED) break;
      this.#visits.delete(oldest);
    }
    return visits;
  }
}
