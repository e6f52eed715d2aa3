/**
 * When a web seed is asked again after it failed.
 *
 * Spec: BEP 19 ("A client does not need to discard a HTTP or FTP server URL if it gets a 'busy' reply"; one whose data fails its hash is discarded).
 * Bounds: waits from FIRST_WAIT_MS to MAX_WAIT_MS, doubling; Retry-After to MAX_BUSY_WAIT_MS.
 * @module
 */
import {
  BUSY_WAIT_MS,
  FIRST_WAIT_MS,
  LASTING_WAIT_MS,
  MAX_BUSY_WAIT_MS,
  MAX_WAIT_MS,
} from './constants.ts';

/** Why a connection with a web seed ended. */
export type WebSeedFailure =
  /** The line, the server, silence. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'busy'; readonly retryAfterMs?: number }
  /** What it has is of no use to us. */
  | { readonly kind: 'useless' };

/** Counts failures in a row. Time is monotonic milliseconds. */
export class BackOff {
  #failures = 0;
  #nextTryMs = Number.NEGATIVE_INFINITY;
  #isDiscarded = false;

  /** True when it may be asked now. */
  isDue(nowMs: number): boolean {
    return !this.#isDiscarded && nowMs >= this.#nextTryMs;
  }

  /** Its data failed the hash: it is never asked again. */
  get isDiscarded(): boolean {
    return this.#isDiscarded;
  }

  discard(): void {
    this.#isDiscarded = true;
  }

  /** It gave data. */
  succeeded(): void {
    this.#failures = 0;
  }

  failed(nowMs: number, failure: WebSeedFailure): void {
    this.#nextTryMs = nowMs + this.#waitMs(failure);
    this.#failures += 1;
  }

  #waitMs(failure: WebSeedFailure): number {
    if (failure.kind === 'useless') return LASTING_WAIT_MS;
    const factor = 2 ** Math.min(this.#failures, 20);
    if (failure.kind === 'broken') return Math.min(FIRST_WAIT_MS * factor, MAX_WAIT_MS);
    const { retryAfterMs } = failure;
    if (retryAfterMs === undefined) return Math.min(BUSY_WAIT_MS * factor, MAX_WAIT_MS);
    return Math.min(Math.max(retryAfterMs, FIRST_WAIT_MS), MAX_BUSY_WAIT_MS);
  }
}
