/**
 * The connection ids that UDP trackers gave us, and how long a request or an announce waits.
 * Spec: BEP 15 (UDP connections, time outs). Bounds: one id a tracker, at most TRACKERS_MAX; ids are dropped after a minute.
 * @module
 */
import {
  INTERVAL_MAX_MS,
  INTERVAL_MIN_MS,
  RETRY_BASE_MS,
  RETRY_EXPONENT_MAX,
  TRACKERS_MAX,
  UDP_CONNECTION_ID_LIFETIME_MS,
} from './constants.ts';
import type { TrackerState } from './tracker-state.ts';

/** 15 · 2^n seconds, n capped at 8. */
export function retryDelayMs(n: number): number {
  return RETRY_BASE_MS * 2 ** Math.min(n, RETRY_EXPONENT_MAX);
}

/** What a connection id belongs to. */
export function connectionName(tracker: TrackerState): string {
  return `${tracker.target!.host} ${tracker.target!.port}`;
}

/** An interval as we keep it, whatever a tracker says. */
export function clampInterval(ms: number): number {
  return Math.min(Math.max(ms, INTERVAL_MIN_MS), INTERVAL_MAX_MS);
}

/** Connection ids by tracker ("host:port"), shared by all info-hashes of a torrent. */
export class UdpConnections {
  readonly #ids = new Map<string, { id: Uint8Array; expiresMs: number }>();

  /** The id to use now, or undefined when a new one must be requested. */
  get(nowMs: number, tracker: string): Uint8Array | undefined {
    const entry = this.#ids.get(tracker);
    if (entry === undefined) return undefined;
    if (entry.expiresMs > nowMs) return entry.id;
    this.#ids.delete(tracker);
    return undefined;
  }

  set(nowMs: number, tracker: string, id: Uint8Array): void {
    if (this.#ids.size >= TRACKERS_MAX && !this.#ids.has(tracker)) return;
    this.#ids.set(tracker, { id, expiresMs: nowMs + UDP_CONNECTION_ID_LIFETIME_MS });
  }

  delete(tracker: string): void {
    this.#ids.delete(tracker);
  }
}
