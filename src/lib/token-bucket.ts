/**
 * Limits a rate: tokens trickle in up to a burst, takers spend them. Time is an argument.
 * A taker may overdraw by one spend (a block is never split); it then waits until the debt is paid.
 * @module
 */

/** A token bucket; a rate of 0 or Infinity means no limit. */
export class TokenBucket {
  #ratePerSec: number;
  #burst: number;
  #tokens: number;
  #atMs: number;

  /**
   * @param ratePerSec tokens (usually bytes) a second; 0 or Infinity: unlimited.
   * @param nowMs monotonic milliseconds.
   * @param burst most tokens kept, default a quarter of a second's worth, at least 16 KiB.
   */
  constructor(ratePerSec: number, nowMs: number, burst?: number) {
    this.#ratePerSec = ratePerSec;
    this.#burst = burst ?? Math.max(ratePerSec / 4, 16_384);
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  get isUnlimited(): boolean {
    return this.#ratePerSec === 0 || this.#ratePerSec === Number.POSITIVE_INFINITY;
  }

  setRate(ratePerSec: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#ratePerSec = ratePerSec;
    this.#burst = Math.max(ratePerSec / 4, 16_384);
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** Spends `amount` unconditionally; the balance may go below zero. */
  spend(nowMs: number, amount: number): void {
    if (this.isUnlimited) return;
    this.#refill(nowMs);
    this.#tokens -= amount;
  }

  /** How many whole tokens may be spent now; 0 while in debt. */
  available(nowMs: number): number {
    if (this.isUnlimited) return Number.POSITIVE_INFINITY;
    this.#refill(nowMs);
    return Math.max(0, Math.floor(this.#tokens));
  }

  /** Milliseconds until at least `amount` (capped to the burst) may be spent; 0 when now. */
  waitMs(nowMs: number, amount: number): number {
    if (this.isUnlimited) return 0;
    this.#refill(nowMs);
    const missing = Math.min(amount, this.#burst) - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil((missing * 1000) / this.#ratePerSec);
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return;
    this.#tokens = Math.min(
      this.#burst,
      this.#tokens + ((nowMs - this.#atMs) * this.#ratePerSec) / 1000,
    );
    this.#atMs = nowMs;
  }
}
