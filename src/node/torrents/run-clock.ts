/**
 * How long a torrent ran and seeded, in all runs of its node.
 *
 * Time counts while it looks for its metadata, downloads or seeds; not while it is checked, waits for its turn, rests, or has failed.
 * @module
 */
import { monotonicMs } from '../../io/clock.ts';
import type { TorrentState } from '../torrent-types.ts';

const ACTIVE: ReadonlySet<TorrentState | undefined> = new Set([
  'metadata',
  'downloading',
  'seeding',
]);

/** Counts for one torrent. */
export class RunClock {
  readonly #nowMs: () => number;
  #activeMs: number;
  #seedingMs: number;
  #state: TorrentState | undefined;
  #sinceMs: number;

  /** @param before of earlier runs. @param nowMs monotonic milliseconds. */
  constructor(
    before: { readonly activeSeconds: number; readonly seedingSeconds: number },
    nowMs: () => number = monotonicMs,
  ) {
    this.#nowMs = nowMs;
    this.#activeMs = before.activeSeconds * 1000;
    this.#seedingMs = before.seedingSeconds * 1000;
    this.#sinceMs = nowMs();
  }

  /** Counts what passed in the state before. @param state that of now; undefined: it does not run. */
  note(state: TorrentState | undefined): void {
    const now = this.#nowMs();
    const passedMs = now - this.#sinceMs;
    if (ACTIVE.has(this.#state)) this.#activeMs += passedMs;
    if (this.#state === 'seeding') this.#seedingMs += passedMs;
    this.#state = state;
    this.#sinceMs = now;
  }

  get activeSeconds(): number {
    return this.#activeMs / 1000;
  }

  /** Of `activeSeconds`. */
  get seedingSeconds(): number {
    return this.#seedingMs / 1000;
  }
}
