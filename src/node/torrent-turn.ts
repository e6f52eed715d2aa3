/**
 * What the node's queue is told of a torrent, and when its trackers are asked for that.
 * @module
 */
import type { Swarm } from '../protocol/swarm/index.ts';
import type { TrackerStatus } from '../protocol/tracker/index.ts';
import { PaceWatch, type QueueFacts } from './queue-plan.ts';

// Implementation limits
/** A seed that waits for its turn asks its trackers for their counts this often. */
const COUNTS_INTERVAL_MS = 30 * 60_000;

/** What is told of the trackers. */
interface Counts {
  readonly scrapedMs: number;
  readonly status: readonly TrackerStatus[];
}

/** The turn of one torrent in the queue. */
export class TorrentTurn {
  readonly #pace = new PaceWatch();
  #runningSinceMs: number;

  constructor(nowMs: number) {
    this.#runningSinceMs = nowMs;
  }

  /** It runs from now on. */
  begin(nowMs: number): void {
    this.#runningSinceMs = nowMs;
    this.#pace.reset();
  }

  facts(nowMs: number, isRunning: boolean, swarm: Swarm, { status }: Counts): QueueFacts {
    const { isComplete, totals } = swarm;
    const isSlow = isRunning && !isComplete && this.#pace.observe(nowMs, totals.downloadedBytes);
    return {
      kind: isComplete ? 'seed' : 'download',
      isRunning,
      runningMs: isRunning ? nowMs - this.#runningSinceMs : 0,
      isSlow,
      seeds: Math.max(0, ...status.map(({ seeds = 0 }) => seeds - Number(isComplete && isRunning))),
      leeches: Math.max(0, ...status.map(({ leeches = 0 }) => leeches)),
    };
  }
}

/** A seed that waits is ranked by its swarm's counts, which only its trackers can tell: it is time to ask them. */
export function areCountsDue(nowMs: number, { scrapedMs, status }: Counts): boolean {
  return status.length > 0 && nowMs - scrapedMs >= COUNTS_INTERVAL_MS;
}
