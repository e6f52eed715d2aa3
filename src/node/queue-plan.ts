/**
 * Which torrents of a node may run when it may not run all: a pure decision, made anew from the facts each time.
 *
 * Downloads run in the order of the queue. One that moves next to nothing does not count against the limit, so that the next one starts beside
 * it, but never more than twice the limit run. A torrent that failed for good neither runs nor counts.
 * Seeds run by need, as libtorrent ranks them: first those whose swarm has leeches and no other seed, then by leeches for each seed; among equals
 * the one that runs stays, and a seed that was started keeps its place for MIN_SEED_MS, so that they do not take turns with every count.
 * Not here: facts, and what starting and stopping means.
 * @module
 */
import type { TorrentState } from './torrent-types.ts';

// Implementation limits
/** A download below this rate is slow … */
const SLOW_BYTES_PER_SEC = 2_048;
/** … when it has been so for this long, from its start on. */
const SLOW_AFTER_MS = 60_000;
/** A seed keeps its place for this long. */
const MIN_SEED_MS = 30 * 60_000;
/** A waiting seed takes the place of a running one when its need is so many times as large. */
const NEED_LEAD = 1.25;

/** States that show `queued` or `paused` instead while the torrent is held. */
export const HOLDABLE: ReadonlySet<TorrentState> = new Set(['metadata', 'downloading', 'seeding']);

/** Most torrents that run at a time; Infinity: no limit. */
export interface QueueLimits {
  readonly maxActiveDownloads: number;
  readonly maxActiveSeeds: number;
}

/** What is to be known of a torrent. */
export interface QueueFacts {
  readonly kind: 'download' | 'seed';
  readonly isRunning: boolean;
  /** How long it has been running, 0 when it is not. */
  readonly runningMs: number;
  /** It moves next to nothing. */
  readonly isSlow: boolean;
  /** Seeds and leeches of its swarm as far as known, itself not counted. */
  readonly seeds: number;
  readonly leeches: number;
}

/** Decides who runs. @param facts in the order of the queue. @returns the same order: true for those that run. */
export function planQueue(facts: readonly QueueFacts[], limits: QueueLimits): boolean[] {
  const runs = facts.map(() => false);
  planDownloads(facts, limits.maxActiveDownloads, runs);
  planSeeds(facts, limits.maxActiveSeeds, runs);
  return runs;
}

function planDownloads(facts: readonly QueueFacts[], most: number, runs: boolean[]): void {
  let counted = 0;
  let running = 0;
  for (const [index, torrent] of facts.entries()) {
    if (torrent.kind !== 'download') continue;
    if (counted >= most || running >= 2 * most) return;
    runs[index] = true;
    running += 1;
    if (!(torrent.isRunning && torrent.isSlow)) counted += 1;
  }
}

function planSeeds(facts: readonly QueueFacts[], most: number, runs: boolean[]): void {
  const ranked = facts
    .map((torrent, index) => ({ index, rank: rankOf(torrent) }))
    .filter(({ index }) => facts[index]!.kind === 'seed')
    .sort((a, b) => b.rank - a.rank || a.index - b.index);
  for (const { index } of ranked.slice(0, most)) runs[index] = true;
}

function rankOf(torrent: QueueFacts): number {
  if (torrent.isRunning && torrent.runningMs < MIN_SEED_MS) return Number.POSITIVE_INFINITY;
  const need = needOf(torrent);
  // A little above nothing, so that of those that nobody needs the running one stays.
  return torrent.isRunning ? Math.max(need * NEED_LEAD, Number.MIN_VALUE) : need;
}

/** How much a swarm needs another seed. */
export function needOf(torrent: { readonly seeds: number; readonly leeches: number }): number {
  const { seeds, leeches } = torrent;
  return seeds === 0 ? leeches * 1_000 : leeches / seeds;
}

/** Watches whether a download moves. */
export class PaceWatch {
  #bytes = 0;
  #atMs: number | undefined;
  #slowSinceMs: number | undefined;

  /** @param bytes moved so far. @returns true when it has moved next to nothing for long. */
  observe(nowMs: number, bytes: number): boolean {
    if (this.#atMs === undefined || nowMs <= this.#atMs) {
      this.#atMs ??= nowMs;
      this.#slowSinceMs ??= nowMs;
      this.#bytes = bytes;
      return this.#isSlow(nowMs);
    }
    const rate = ((bytes - this.#bytes) * 1000) / (nowMs - this.#atMs);
    this.#bytes = bytes;
    this.#atMs = nowMs;
    if (rate >= SLOW_BYTES_PER_SEC) this.#slowSinceMs = undefined;
    else this.#slowSinceMs ??= nowMs;
    return this.#isSlow(nowMs);
  }

  /** It starts anew: it gets its time again. */
  reset(): void {
    this.#atMs = undefined;
    this.#slowSinceMs = undefined;
  }

  #isSlow(nowMs: number): boolean {
    return this.#slowSinceMs !== undefined && nowMs - this.#slowSinceMs >= SLOW_AFTER_MS;
  }
}
