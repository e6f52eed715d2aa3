/**
 * A rate limit shared by all connections of a node, one for each direction; whoever is held back is woken when bytes are allowed again.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import { TokenBucket } from '../lib/token-bucket.ts';

/** Spends bytes and holds callers back while in debt. */
export class RateGate {
  readonly #bucket: TokenBucket;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** @param bytesPerSec 0: unlimited. */
  constructor(bytesPerSec: number) {
    this.#bucket = new TokenBucket(bytesPerSec, monotonicMs());
  }

  get isUnlimited(): boolean {
    return this.#bucket.isUnlimited;
  }

  setRate(bytesPerSec: number): void {
    this.#bucket.setRate(bytesPerSec, monotonicMs());
    this.#wakeAll();
  }

  /** Bytes that may go now; Infinity when unlimited. */
  available(): number {
    return this.#bucket.available(monotonicMs());
  }

  spend(bytes: number): void {
    if (!this.#bucket.isUnlimited) this.#bucket.spend(monotonicMs(), bytes);
  }

  /** Calls `wake` once, when bytes are allowed again; the same function waits once, however often it is given. */
  wait(wake: () => void): void {
    this.#waiting.add(wake);
    this.#timer ??= setTimeout(
      () => this.#wakeAll(),
      Math.max(1, this.#bucket.waitMs(monotonicMs(), 16_384)),
    );
  }

  /** Takes back a `wait`: `wake` is not called any more. */
  forget(wake: () => void): void {
    this.#waiting.delete(wake);
    if (this.#waiting.size === 0) this.#stopTimer();
  }

  close(): void {
    this.#stopTimer();
    this.#waiting.clear();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wakeAll(): void {
    this.#stopTimer();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
