/**
 * How many incoming connections may be on their way to being somebody: in all, of one address, of one network.
 *
 * Each address may also come only so often, since a handshake costs more here than there. When all places are taken, the one that waits longest gives way: whoever is quick gets in, however many half-open ones there are. Limits of addresses and
 * networks don't hold for those that the user named and for loopback. Refusals are told at most once a minute, with their number.
 * Time is an argument. Not here: sockets, deadlines.
 * @module
 */
import { formatIp, parseIp } from '../../lib/ip-address.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';

// Implementation limits
/** Incoming connections that have not shown who they are. */
export const MAX_PENDING_INCOMING = 200;
/** Of one address. */
export const MAX_PENDING_PER_HOST = 16;
/** Of one network: /24, IPv6 /48. */
export const MAX_PENDING_PER_NETWORK = 48;
/** Connections of one address in a second, and how many at once after a rest: a handshake takes about a millisecond of a core. */
export const CONNECTIONS_PER_SEC = 10;
export const CONNECTIONS_BURST = 40;
/** Addresses whose rate is remembered; who came longest ago is forgotten. */
const MAX_RATED_HOSTS = 4_096;
/** Between two reports of refusals. */
const REPORT_INTERVAL_MS = 60_000;

/** One that waits. */
interface Pending {
  readonly host: string;
  readonly network: string;
  readonly giveWay: () => void;
}

/** Options of a HandshakeBudget. */
export interface HandshakeBudgetOptions {
  readonly isExempt: (host: string) => boolean;
  /** Hears how many were refused or gave way since it heard last. */
  readonly onRefused: (count: number) => void;
}

/** Counts incoming connections. */
export class HandshakeBudget {
  readonly #options: HandshakeBudgetOptions;
  /** Longest waiting first. */
  readonly #pending = new Set<Pending>();
  readonly #counts = new Map<string, number>();
  readonly #rates = new Map<string, TokenBucket>();
  #refused = 0;
  #reportedMs: number = Number.NEGATIVE_INFINITY;

  constructor(options: HandshakeBudgetOptions) {
    this.#options = options;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /**
   * Takes a place. @param giveWay called when another needs it more; the place is free then.
   * @returns what gives the place back, callable more than once; undefined: there is none.
   */
  take(nowMs: number, host: string, giveWay: () => void): (() => void) | undefined {
    const network = networkOf(host);
    const isExempt = this.#options.isExempt(host);
    const isCrowded =
      (this.#counts.get(host) ?? 0) >= MAX_PENDING_PER_HOST ||
      (this.#counts.get(network) ?? 0) >= MAX_PENDING_PER_NETWORK;
    if (!isExempt && (isCrowded || !this.#spend(nowMs, host))) {
      this.#noteRefusal(nowMs);
      return undefined;
    }
    if (this.#pending.size >= MAX_PENDING_INCOMING) {
      const [oldest] = this.#pending;
      this.#release(oldest!);
      oldest!.giveWay();
      this.#noteRefusal(nowMs);
    }
    const pending = { host, network, giveWay };
    this.#pending.add(pending);
    this.#count(host, 1);
    this.#count(network, 1);
    return () => this.#release(pending);
  }

  #spend(nowMs: number, host: string): boolean {
    const rate =
      this.#rates.get(host) ?? new TokenBucket(CONNECTIONS_PER_SEC, nowMs, CONNECTIONS_BURST);
    this.#rates.delete(host);
    this.#rates.set(host, rate);
    if (this.#rates.size > MAX_RATED_HOSTS) this.#rates.delete(this.#rates.keys().next().value!);
    if (rate.available(nowMs) < 1) return false;
    rate.spend(nowMs, 1);
    return true;
  }

  #release(pending: Pending): void {
    if (!this.#pending.delete(pending)) return;
    this.#count(pending.host, -1);
    this.#count(pending.network, -1);
  }

  #count(key: string, by: number): void {
    const count = (this.#counts.get(key) ?? 0) + by;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }

  #noteRefusal(nowMs: number): void {
    this.#refused += 1;
    if (nowMs - this.#reportedMs < REPORT_INTERVAL_MS) return;
    this.#reportedMs = nowMs;
    this.#options.onRefused(this.#refused);
    this.#refused = 0;
  }
}

/** Differs from every host. */
function networkOf(host: string): string {
  const ip = parseIp(host);
  if (ip === undefined) return `${host}/`;
  const kept = ip.length === 4 ? 3 : 6;
  return `${formatIp(ip.fill(0, kept))}/${kept * 8}`;
}
