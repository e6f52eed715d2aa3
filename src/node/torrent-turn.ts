/**
 * Whether a torrent runs: it waits for its turn in the node's queue, was told to pause, or neither; and what the queue ranks it by.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import type { Swarm } from '../protocol/swarm/index.ts';
import type { TrackerStatus } from '../protocol/tracker/index.ts';
import { HOLDABLE, PaceWatch, type QueueFacts } from './queue-plan.ts';
import type { TorrentTrackers } from './torrent-trackers.ts';
import type { TorrentState } from './torrent-types.ts';

// Implementation limits
/** A seed that waits for its turn asks its trackers for their counts this often. */
const COUNTS_INTERVAL_MS = 30 * 60_000;

/** What a torrent does when its turn ends or comes. */
export interface TurnHandlers {
  /** Leaves connections and trackers. */
  onHeld(): void;
  onReleased(): void;
  /** The state that is shown may have changed. @param before what it was. */
  onChanged(before: TorrentState): void;
  /** Its own state, whether it is held or not. */
  readonly state: () => TorrentState;
}

/** The turn of one torrent. */
export class TorrentTurn {
  readonly #handlers: TurnHandlers;
  readonly #pace = new PaceWatch();
  /** Kept from connections and trackers: it waits for its turn, or was told to. */
  #hold: 'queued' | 'paused' | undefined;
  #runningSinceMs: number = monotonicMs();

  constructor(handlers: TurnHandlers) {
    this.#handlers = handlers;
  }

  get hold(): 'queued' | 'paused' | undefined {
    return this.#hold;
  }

  /** What is shown: that it is held, as far as there is something to hold. */
  get shown(): TorrentState {
    const state = this.#handlers.state();
    return this.#hold !== undefined && HOLDABLE.has(state) ? this.#hold : state;
  }

  /** Ends its connections; no-op when it is held like this already. */
  holdBack(hold: 'queued' | 'paused'): void {
    if (this.#hold === hold) return;
    const before = this.shown;
    const wasRunning = this.#hold === undefined;
    this.#hold = hold;
    if (wasRunning) this.#handlers.onHeld();
    this.#handlers.onChanged(before);
  }

  release(): void {
    const before = this.shown;
    this.#hold = undefined;
    this.#runningSinceMs = monotonicMs();
    this.#pace.reset();
    this.#handlers.onChanged(before);
    this.#handlers.onReleased();
  }

  /** True when a seed that waits should ask its trackers for the counts that it is ranked by. */
  wantsCounts(nowMs: number, trackers: TorrentTrackers): boolean {
    if (this.#hold !== 'queued' || trackers.status.length === 0) return false;
    return nowMs - trackers.scrapedMs >= COUNTS_INTERVAL_MS;
  }

  /** What the queue ranks it by; undefined when it is none of its business. */
  facts(
    nowMs: number,
    swarm: Swarm,
    trackers: () => readonly TrackerStatus[],
  ): QueueFacts | undefined {
    if (this.#hold === 'paused' || !HOLDABLE.has(this.#handlers.state())) return undefined;
    const { isComplete, totals } = swarm;
    const isRunning = this.#hold === undefined;
    const isSlow = isRunning && !isComplete && this.#pace.observe(nowMs, totals.downloadedBytes);
    const counts = trackers();
    return {
      kind: isComplete ? 'seed' : 'download',
      isRunning,
      runningMs: isRunning ? nowMs - this.#runningSinceMs : 0,
      isSlow,
      seeds: Math.max(0, ...counts.map(({ seeds = 0 }) => seeds - Number(isComplete && isRunning))),
      leeches: Math.max(0, ...counts.map(({ leeches = 0 }) => leeches)),
    };
  }
}
