/**
 * How many requests to keep in flight at a peer, and how fast bytes flow.
 *
 * BEP 3 asks to keep several requests queued; how many follows the rate: enough for two seconds of it. Until the rate stops
 * growing, the queue grows by one with every block that arrives (slow start), which doubles it every round trip.
 * Bounds: 2 to 1000 requests, never more than the peer's `reqq`; 1 while the peer is snubbed; a meter holds eight numbers.
 * Not here: timers; the owner tells time and says when a peer is snubbed.
 * @module
 */
import { BLOCK_BYTES } from '../peer-wire/index.ts';

// Implementation limits

/** Data in flight is this much of the measured rate. */
const QUEUE_TIME_SEC = 2;
const MIN_REQUESTS = 2;
/** While somebody may need other pieces at any time, the data in flight is this much of the measured rate, but at least two answers' worth … */
const SHORT_QUEUE_SEC = 0.3;
/** … and these requests, which begin as a queue does. */
const SHORT_REQUESTS = 4;
/** 16 MiB in flight: one peer at 100 ms can still bring 160 MiB/s. */
export const MAX_REQUESTS = 1000;
/** Requests a peer queues when it does not say (BEP 10 names 250 as a common default). */
export const DEFAULT_REQQ = 250;
/** First length of the queue; slow start goes on from here. */
const INITIAL_REQUESTS = 4;
/** Slow start ends when a second brought less than this share more than the one before. */
const GROWTH_SHARE = 0.1;
/** … and not before the rate is worth talking about. */
const GROWTH_CHECK_MS = 1000;

/** How long a response time counts. */
const RECENT_MS = 20_000;

/** Slots of a meter; one of them is being filled. */
const SLOTS = 8;
const SLOT_MS = 1000;

/**
 * Bytes a second over the last seven seconds, in slots of one second; young meters divide by their age.
 * O(1) amortised per call. Time is monotonic milliseconds.
 */
export class RateMeter {
  readonly #slots = new Float64Array(SLOTS);
  readonly #startedAtMs: number;
  #slot: number;
  #sum = 0;
  #totalBytes = 0;

  constructor(nowMs: number) {
    this.#startedAtMs = nowMs;
    this.#slot = Math.floor(nowMs / SLOT_MS);
  }

  /** All bytes ever counted. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  add(nowMs: number, bytes: number): void {
    this.#advance(nowMs);
    this.#slots[this.#slot % SLOTS]! += bytes;
    this.#sum += bytes;
    this.#totalBytes += bytes;
  }

  /** Bytes a second, >= 0. */
  bytesPerSec(nowMs: number): number {
    this.#advance(nowMs);
    const windowMs = (SLOTS - 1) * SLOT_MS + (nowMs - this.#slot * SLOT_MS);
    const spanMs = Math.min(windowMs, nowMs - this.#startedAtMs);
    // In its first half second a meter would report a burst as a rate.
    return (this.#sum * 1000) / Math.max(spanMs, 500);
  }

  #advance(nowMs: number): void {
    const slot = Math.floor(nowMs / SLOT_MS);
    if (slot <= this.#slot) return;
    if (slot - this.#slot >= SLOTS) {
      this.#slots.fill(0);
      this.#sum = 0;
    } else {
      for (let old = this.#slot + 1; old <= slot; old += 1) {
        this.#sum -= this.#slots[old % SLOTS]!;
        this.#slots[old % SLOTS] = 0;
      }
    }
    this.#slot = slot;
  }
}

/** The least number of the last RECENT_MS to twice that. */
class RecentLeast {
  #startedMs = Number.NEGATIVE_INFINITY;
  #current = Number.POSITIVE_INFINITY;
  #previous = Number.POSITIVE_INFINITY;

  add(nowMs: number, value: number): void {
    if (nowMs - this.#startedMs > RECENT_MS) {
      this.#previous = this.#current;
      this.#current = Number.POSITIVE_INFINITY;
      this.#startedMs = nowMs;
    }
    if (value < this.#current) this.#current = value;
  }

  get least(): number {
    return Math.min(this.#current, this.#previous);
  }
}

/** The request queue of one peer. */
export class RequestPipeline {
  readonly #meter: RateMeter;
  readonly #response = new RecentLeast();
  /** Of all answers: the path alone. The least of late grows with the queue. */
  #shortestMs: number = Number.POSITIVE_INFINITY;
  #peerReqq = DEFAULT_REQQ;
  #isSlowStart = true;
  #isSnubbed = false;
  #window = INITIAL_REQUESTS;
  #secondStartedAtMs: number;
  #secondBytes = 0;
  #lastSecondBytes = 0;

  /** @param nowMs monotonic milliseconds; the time of the first unchoke is a good one. */
  constructor(nowMs: number) {
    this.#meter = new RateMeter(nowMs);
    this.#secondStartedAtMs = nowMs;
  }

  get peerReqq(): number {
    return this.#peerReqq;
  }

  /** What the peer said it queues (`reqq`), 1 or more; 250 until it does. */
  setPeerReqq(reqq: number): void {
    this.#peerReqq = Math.max(1, reqq);
  }

  /** True until the rate stopped growing. */
  get isSlowStart(): boolean {
    return this.#isSlowStart;
  }

  get isSnubbed(): boolean {
    return this.#isSnubbed;
  }

  /** The peer sent nothing for too long: one request at a time until a block comes. */
  snub(): void {
    this.#isSnubbed = true;
    this.#isSlowStart = false;
  }

  /** Call at an unchoke: the path may have changed, so the queue grows from its start again. */
  restart(nowMs: number): void {
    this.#isSlowStart = true;
    this.#window = Math.max(INITIAL_REQUESTS, Math.min(this.#window, this.#byRate(nowMs)));
    this.#secondStartedAtMs = nowMs;
    this.#secondBytes = 0;
    this.#lastSecondBytes = 0;
  }

  /** A block of `bytes` arrived. @param askedMs when it was asked for, if it was. */
  onBlock(nowMs: number, bytes: number, askedMs?: number): void {
    this.#meter.add(nowMs, bytes);
    if (askedMs !== undefined) {
      this.#response.add(nowMs, nowMs - askedMs);
      this.#shortestMs = Math.min(this.#shortestMs, nowMs - askedMs);
    }
    if (this.#isSnubbed) {
      this.#isSnubbed = false;
      this.restart(nowMs);
    }
    this.#secondBytes += bytes;
    if (this.#isSlowStart) {
      this.#window = Math.min(this.#window + 1, MAX_REQUESTS);
      this.#checkGrowth(nowMs);
    }
  }

  /** Requests that should be outstanding at the peer now, 1 … min(reqq, 1000). */
  target(nowMs: number): number {
    if (this.#isSnubbed) return 1;
    const wanted = this.#isSlowStart ? this.#window : this.#byRate(nowMs);
    return Math.min(Math.max(wanted, MIN_REQUESTS), this.#peerReqq, MAX_REQUESTS);
  }

  /**
   * As `target`, while somebody may need other pieces at any time: what was asked for before comes before it. With the usual queue a jump to another place of
   * a film took 2.3 s at 2 MB/s (bench/playback.ts).
   */
  shortTarget(nowMs: number): number {
    const seconds = Math.max(
      SHORT_QUEUE_SEC,
      Math.min((2 * this.#shortestMs) / 1000, QUEUE_TIME_SEC),
    );
    const byRate = Math.ceil((this.#meter.bytesPerSec(nowMs) * seconds) / BLOCK_BYTES);
    return Math.min(this.target(nowMs), Math.max(byRate, SHORT_REQUESTS));
  }

  /** Bytes a second from this peer. */
  bytesPerSec(nowMs: number): number {
    return this.#meter.bytesPerSec(nowMs);
  }

  get totalBytes(): number {
    return this.#meter.totalBytes;
  }

  /** The least time from a request to its block lately: what an idle peer would need for one. Infinite when it gave none. */
  get responseMs(): number {
    return this.#response.least;
  }

  #byRate(nowMs: number): number {
    return Math.ceil((this.#meter.bytesPerSec(nowMs) * QUEUE_TIME_SEC) / BLOCK_BYTES);
  }

  #checkGrowth(nowMs: number): void {
    const elapsedMs = nowMs - this.#secondStartedAtMs;
    if (elapsedMs < GROWTH_CHECK_MS) return;
    const bytes = (this.#secondBytes * GROWTH_CHECK_MS) / elapsedMs;
    if (this.#lastSecondBytes > 0 && bytes < this.#lastSecondBytes * (1 + GROWTH_SHARE)) {
      this.#isSlowStart = false;
    }
    this.#lastSecondBytes = bytes;
    this.#secondStartedAtMs = nowMs;
    this.#secondBytes = 0;
  }
}
