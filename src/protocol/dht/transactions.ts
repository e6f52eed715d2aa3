/**
 * Queries that wait for an answer: an answer counts only when it comes from where its query went.
 * Bounds: MAX_TRANSACTIONS; a query is slow after a time that follows the answers of the network, and over after QUERY_TIMEOUT_MS.
 * @module
 */
import { readU16, writeU16 } from '../../lib/bytes.ts';
import type { Rng } from '../../lib/rng.ts';
import { MAX_TRANSACTIONS, QUERY_TIMEOUT_MS, SLOW_MS } from './constants.ts';
import type { Endpoint, Message } from './krpc.ts';

// Implementation limits
/** The least time after which an answer is late. */
const MIN_SLOW_MS = 250;
/** Weight of a new round trip in the mean, and of its deviation (RFC 6298). */
const RTT_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;

/** A query under way. */
export interface Pending {
  readonly to: Endpoint;
  readonly sentMs: number;
  readonly slowMs: number;
  isSlow: boolean;
  readonly onAnswer: (nowMs: number, answer: Exclude<Message, { type: 'query' }>) => void;
  /** It is late. */
  readonly onSlow: (nowMs: number) => void;
  readonly onTimeout: (nowMs: number) => void;
}

/** The table of queries under way. */
export class Transactions {
  readonly #pending = new Map<number, Pending>();
  #nextId: number;
  #rttMs = 0;
  #deviationMs = 0;

  constructor(rng: Rng) {
    this.#nextId = rng.below(65_536);
  }

  get size(): number {
    return this.#pending.size;
  }

  get isFull(): boolean {
    return this.#pending.size >= MAX_TRANSACTIONS;
  }

  /** @returns the transaction id, 2 bytes. */
  add(nowMs: number, query: Pick<Pending, 'to' | 'onAnswer' | 'onSlow' | 'onTimeout'>): Uint8Array {
    while (this.#pending.has(this.#nextId)) this.#nextId = (this.#nextId + 1) & 0xffff;
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) & 0xffff;
    this.#pending.set(id, {
      ...query,
      sentMs: nowMs,
      slowMs: nowMs + this.#slowAfterMs,
      isSlow: false,
    });
    const bytes = new Uint8Array(2);
    writeU16(bytes, 0, id);
    return bytes;
  }

  /** Takes the query that an answer belongs to, if it comes from there. */
  take(nowMs: number, from: Endpoint, transaction: Uint8Array): Pending | undefined {
    if (transaction.length !== 2) return undefined;
    const id = readU16(transaction, 0);
    const pending = this.#pending.get(id);
    if (pending?.to.host !== from.host || pending.to.port !== from.port) return undefined;
    this.#pending.delete(id);
    this.#learn(nowMs - pending.sentMs);
    return pending;
  }

  /** Tells of what is late or over. */
  expire(nowMs: number): void {
    for (const [id, pending] of this.#pending) {
      if (nowMs >= pending.sentMs + QUERY_TIMEOUT_MS) {
        this.#pending.delete(id);
        pending.onTimeout(nowMs);
      } else if (!pending.isSlow && nowMs >= pending.slowMs) {
        pending.isSlow = true;
        pending.onSlow(nowMs);
      }
    }
  }

  get nextTimeoutMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { isSlow, slowMs, sentMs } of this.#pending.values()) {
      next = Math.min(next, isSlow ? sentMs + QUERY_TIMEOUT_MS : slowMs);
    }
    return next;
  }

  get #slowAfterMs(): number {
    if (this.#rttMs === 0) return SLOW_MS;
    return Math.min(SLOW_MS, Math.max(MIN_SLOW_MS, this.#rttMs + 4 * this.#deviationMs));
  }

  #learn(rttMs: number): void {
    if (this.#rttMs === 0) {
      this.#rttMs = Math.max(1, rttMs);
      this.#deviationMs = rttMs / 2;
      return;
    }
    this.#deviationMs += DEVIATION_WEIGHT * (Math.abs(rttMs - this.#rttMs) - this.#deviationMs);
    this.#rttMs += RTT_WEIGHT * (rttMs - this.#rttMs);
  }
}
