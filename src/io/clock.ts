/**
 * The machine's clocks.
 * @module
 */

/** Monotonic milliseconds since the process began; never goes back. */
export function monotonicMs(): number {
  return performance.now();
}
