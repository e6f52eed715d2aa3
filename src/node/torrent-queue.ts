/**
 * The queue of a node: keeps the order of its torrents, and starts and holds them as queue-plan.ts decides.
 *
 * By default nothing is limited: a one-shot command runs what it was given. It is asked when a torrent is ready and with every pulse of the node.
 * @module
 */
import { planQueue, type QueueFacts, type QueueLimits } from './queue-plan.ts';

// Implementation limits
/** Up to so many torrents each that becomes ready has all looked at. */
const SMALL_QUEUE = 100;
/** In a larger queue it waits for the next pulse when all were looked at less than this ago: else a start with 5,000 torrents spends 3.7 of 5.8 s on looking. */
const LOOK_INTERVAL_MS = 50;

/** A torrent as the queue sees it. */
export interface Queueable {
  /** Undefined: it takes no part (it is being checked, paused, stopped, or failed for good). */
  queueFacts(nowMs: number): QueueFacts | undefined;
  /** Runs it or holds it; no-op when that is so. */
  setQueued(isQueued: boolean): void;
}

/** Where a torrent goes in the order. */
export type QueueMove = 'up' | 'down' | 'top' | 'bottom';

/** The queue. */
export class TorrentQueue<T extends Queueable = Queueable> {
  #order: T[] = [];
  #limits: QueueLimits;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(limits: Partial<QueueLimits> = {}) {
    this.#limits = {
      maxActiveDownloads: limits.maxActiveDownloads ?? Number.POSITIVE_INFINITY,
      maxActiveSeeds: limits.maxActiveSeeds ?? Number.POSITIVE_INFINITY,
    };
  }

  /** First to run first. */
  get order(): readonly T[] {
    return this.#order;
  }

  get limits(): QueueLimits {
    return this.#limits;
  }

  /** Torrents begin by waiting for their turn. */
  get isLimited(): boolean {
    const { maxActiveDownloads, maxActiveSeeds } = this.#limits;
    return Math.min(maxActiveDownloads, maxActiveSeeds) < Number.POSITIVE_INFINITY;
  }

  /** Infinity lifts a limit, undefined leaves it. */
  setLimits(nowMs: number, limits: Partial<QueueLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
    this.#run(nowMs);
  }

  add(torrent: T): void {
    this.#order.push(torrent);
  }

  remove(nowMs: number, torrent: T): void {
    this.#order = this.#order.filter((other) => other !== torrent);
    this.pulse(nowMs);
  }

  /** Changes the order. @returns false when the torrent is not in the queue. */
  move(nowMs: number, torrent: T, to: QueueMove): boolean {
    const from = this.#order.indexOf(torrent);
    if (from < 0) return false;
    const last = this.#order.length - 1;
    const at = { up: Math.max(0, from - 1), down: Math.min(last, from + 1), top: 0, bottom: last };
    this.#order.splice(from, 1);
    this.#order.splice(at[to], 0, torrent);
    this.pulse(nowMs);
    return true;
  }

  /** Puts it right before another one, or last. */
  place(nowMs: number, torrent: T, next: T | undefined): void {
    const from = this.#order.indexOf(torrent);
    if (from < 0) return;
    this.#order.splice(from, 1);
    const at = next === undefined ? -1 : this.#order.indexOf(next);
    this.#order.splice(at < 0 ? this.#order.length : at, 0, torrent);
    this.pulse(nowMs);
  }

  /** A torrent became ready: it runs at once, in a long queue with the next pulse at the latest. */
  ready(nowMs: number): void {
    const isCrowded = this.#order.length > SMALL_QUEUE;
    if (!isCrowded || nowMs - this.#lookedMs >= LOOK_INTERVAL_MS) this.pulse(nowMs);
  }

  /** Looks at all torrents, whether there is a limit or not. */
  consider(nowMs: number): void {
    this.#run(nowMs);
  }

  /** Looks at all torrents, when there is a limit. */
  pulse(nowMs: number): void {
    if (this.isLimited) this.#run(nowMs);
  }

  #run(nowMs: number): void {
    this.#lookedMs = nowMs;
    const torrents: T[] = [];
    const facts: QueueFacts[] = [];
    for (const torrent of this.#order) {
      const known = torrent.queueFacts(nowMs);
      if (known === undefined) continue;
      torrents.push(torrent);
      facts.push(known);
    }
    const plan = planQueue(facts, this.#limits);
    // Who has to wait goes first: places are free before others take them.
    for (const [index, torrent] of torrents.entries()) if (!plan[index]) torrent.setQueued(true);
    for (const [index, torrent] of torrents.entries()) if (plan[index]) torrent.setQueued(false);
  }
}
