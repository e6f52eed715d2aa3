/**
 * Queries that wait for an answer: an answer counts only when it comes from where its query went, with the number of the query, which nobody else can guess.
 *
 * A query becomes slow after a time that follows the answers of the network, and is over after QUERY_TIMEOUT_MS. It may be sent again when it is slow; then it
 * becomes late after as long again.
 * Bounds: MAX_TRANSACTIONS.
 * @module
 */
import { readU32, writeU32 } from '../../lib/bytes.ts';
import { Heap, type HeapItem } from '../../lib/heap.ts';
import { MAX_TRANSACTIONS, QUERY_TIMEOUT_MS, SLOW_MS } from './constants.ts';
import type { Endpoint, Message } from './krpc.ts';
import type { SecretBytes } from './secret-bytes.ts';

// Implementation limits
/** The least time after which an answer is late. */
const MIN_SLOW_MS = 250;
/** Weight of a new round trip in the mean, and of its deviation (RFC 6298). */
const RTT_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;
/**
 * Deviations above the mean round trip after which an answer is late. Of lookups among 1,000 nodes with 2 % loss and 30 % of them replaced an hour, the slowest
 * hundredth took 1,834 ms with 4 (RFC 6298) and 18.6 questions, 1,522 with 2.5 and 19.1, 1,432 with 2 and 20.0, 1,365 with 1.5 and 20.9.
 */
const LATE_DEVIATIONS = 2.5;

const ID_BYTES = 4;

/** What is told of a query under way; `onAnswer` or `onTimeout` comes last. */
export interface Waiting {
  readonly to: Endpoint;
  readonly onAnswer: (nowMs: number, answer: Exclude<Message, { type: 'query' }>) => void;
  /** It is late. @returns true when it was sent again. */
  readonly onSlow: (nowMs: number) => boolean;
  /** It was sent again, and is late again. */
  readonly onLate: (nowMs: number) => void;
  readonly onTimeout: (nowMs: number) => void;
}

interface Pending extends Waiting, HeapItem {
  readonly id: number;
  readonly sentMs: number;
  dueMs: number;
  state: 'fresh' | 'again' | 'given-up';
}

/** The table of queries under way. A heap tells what is due: the number of queries does not matter. */
export class Transactions {
  readonly #pending = new Map<number, Pending>();
  readonly #due = new Heap<Pending>((a, b) => a.dueMs < b.dueMs);
  readonly #secret: SecretBytes;
  #rttMs = 0;
  #deviationMs = 0;

  /** @param secret where the numbers come from. */
  constructor(secret: SecretBytes) {
    this.#secret = secret;
  }

  get size(): number {
    return this.#pending.size;
  }

  get isFull(): boolean {
    return this.#pending.size >= MAX_TRANSACTIONS;
  }

  /** @returns the transaction id, 4 bytes. */
  add(nowMs: number, waiting: Waiting): Uint8Array {
    const bytes = new Uint8Array(ID_BYTES);
    let id: number;
    do id = readU32(this.#secret.take(ID_BYTES), 0);
    while (this.#pending.has(id));
    writeU32(bytes, 0, id);
    const dueMs = nowMs + this.#slowAfterMs;
    const rest = { id, sentMs: nowMs, dueMs, state: 'fresh' as const, heapAt: -1 };
    const pending: Pending = { ...waiting, ...rest };
    this.#pending.set(id, pending);
    this.#due.push(pending);
    return bytes;
  }

  /** Takes the query that an answer belongs to, if it comes from there. */
  take(nowMs: number, from: Endpoint, transaction: Uint8Array): Waiting | undefined {
    if (transaction.length !== ID_BYTES) return undefined;
    const pending = this.#pending.get(readU32(transaction, 0));
    if (pending?.to.host !== from.host || pending.to.port !== from.port) return undefined;
    this.#pending.delete(pending.id);
    this.#due.remove(pending);
    // Karn: nobody knows which of two questions an answer belongs to.
    if (pending.state === 'fresh') this.#learn(nowMs - pending.sentMs);
    return pending;
  }

  /** Tells of what is slow, late or over. */
  expire(nowMs: number): void {
    for (let pending = this.#due.top; pending !== undefined; pending = this.#due.top) {
      if (pending.dueMs > nowMs) return;
      this.#due.remove(pending);
      if (nowMs >= pending.sentMs + QUERY_TIMEOUT_MS) {
        this.#pending.delete(pending.id);
        pending.onTimeout(nowMs);
        continue;
      }
      const before = pending.state;
      pending.state = 'given-up';
      pending.dueMs = pending.sentMs + QUERY_TIMEOUT_MS;
      if (before === 'again') pending.onLate(nowMs);
      else if (before === 'fresh' && pending.onSlow(nowMs)) {
        pending.state = 'again';
        pending.dueMs = Math.min(pending.dueMs, nowMs + this.#slowAfterMs);
      }
      this.#due.push(pending);
    }
  }

  get nextTimeoutMs(): number {
    return this.#due.top?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  get #slowAfterMs(): number {
    if (this.#rttMs === 0) return SLOW_MS;
    return Math.min(
      SLOW_MS,
      Math.max(MIN_SLOW_MS, this.#rttMs + LATE_DEVIATIONS * this.#deviationMs),
    );
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
