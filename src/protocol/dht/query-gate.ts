/**
 * How many queries are answered: of one host, and of all together, so that a flood costs a bounded part of a core and of the line.
 * Bounds: MAX_COUNTED_HOSTS hosts of the second; when there are more, only the bound for all holds.
 * @module
 */
import { ALL_QUERIES_PER_SEC, HOST_QUERIES_PER_SEC, MAX_COUNTED_HOSTS } from './constants.ts';

// Implementation limits
const SECOND_MS = 1_000;
/** Unused answers of the last seconds may be made up for. */
const BURST_SECONDS = 2;

/** Counts queries. */
export class QueryGate {
  readonly #hosts = new Map<string, number>();
  #secondMs = Number.NEGATIVE_INFINITY;
  #left = ALL_QUERIES_PER_SEC * BURST_SECONDS;
  #refused = 0;

  /** Queries that were not answered. */
  get refused(): number {
    return this.#refused;
  }

  /** @param isExempt only the bound for all holds for this host. @returns false when this query is not to be answered. */
  admit(nowMs: number, host: string, isExempt = false): boolean {
    const elapsedMs = nowMs - this.#secondMs;
    if (elapsedMs >= SECOND_MS) {
      const grown = Math.min(BURST_SECONDS, elapsedMs / SECOND_MS) * ALL_QUERIES_PER_SEC;
      this.#left = Math.min(this.#left + grown, ALL_QUERIES_PER_SEC * BURST_SECONDS);
      this.#hosts.clear();
      this.#secondMs = nowMs;
    }
    const count = isExempt ? 0 : (this.#hosts.get(host) ?? 0) + 1;
    if (count > HOST_QUERIES_PER_SEC || this.#left < 1) {
      this.#refused += 1;
      return false;
    }
    const isCounted = !isExempt && (count > 1 || this.#hosts.size < MAX_COUNTED_HOSTS);
    if (isCounted) this.#hosts.set(host, count);
    this.#left -= 1;
    return true;
  }
}
