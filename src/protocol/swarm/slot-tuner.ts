/**
 * How many upload slots a torrent has: as many as its line deserves, and more while that leaves the line empty.
 *
 * BEP 3 names four, of the lines of its time. A slow line with as many pays back late and in crumbs: in a simulated crowd of a hundred on lines of
 * 16 to 625 kB/s, slots by the root of the rate (2 to 11) let the last one complete after 1.36 times the least possible time, five slots for all
 * after 1.77 times. The rate is what the line was seen to carry, or the limit.
 * Peers that take slowly leave a line with so few slots empty: slots are added while the rate lacks of what was seen, and now and then tried,
 * since nobody knows what was never seen; such a trial is kept when the rate grew by half of what the new slots should bring.
 * Bounds: LEAST_SLOTS + 1 … MAX_SLOTS + 1; a few numbers.
 * Not here: who gets them.
 * @module
 */

// Implementation limits

/** Slots of the slowest lines, the optimistic one not counted. */
export const LEAST_SLOTS = 2;
/** Most slots, the optimistic one not counted. */
export const MAX_SLOTS = 50;
/** A line has as many slots as the root of its rate over this, in bytes a second: 2 at 20 kB/s, 10 at 500 kB/s, 45 at 10 MB/s. */
const SLOT_BYTES_PER_SEC = 5_000;
/** Of what the line carries, a rate below this leaves it empty … */
const EMPTY_SHARE = 0.85;
/** … and one above this fills it. */
const FULL_SHARE = 0.95;
/** Rounds whose middle one is the rate: bytes that sockets take at once look like a fast line for a round. */
const ROUNDS = 3;
/** What is left after a round of what the line was seen to carry. */
const MEMORY_SHARE = 0.98;
/** Slots that are added at a time, as a share of those there are. */
const STEP_SHARE = 0.25;
/** Rounds between trials; a trial takes ROUNDS. */
const REST_ROUNDS = 6;

/** What a round saw. */
export interface SlotSample {
  /** Bytes of the whole torrent since it was started. */
  readonly uploadedBytes: number;
  /** 0: unlimited. */
  readonly limitBytesPerSec: number;
  /** Interested peers that have no slot. */
  readonly waiting: number;
}

/** Adapts one number. */
export class SlotTuner {
  readonly #first: number;
  readonly #rates: number[] = [];
  #lastMs = 0;
  #lastBytes = 0;
  #capacity = 0;
  /** Slots beyond those that the line deserves. */
  #extra = 0;
  /** The rate before the trial under way, and the slots that it added; undefined without one. */
  #trial: { readonly before: number; readonly slots: number; readonly added: number } | undefined;
  #rest = REST_ROUNDS;

  /** @param first slots before anything is known, the optimistic one among them. */
  constructor(first: number) {
    this.#first = first;
  }

  /** The slots for the next round, the optimistic one among them. */
  next(nowMs: number, { uploadedBytes, limitBytesPerSec, waiting }: SlotSample): number {
    this.#rates.push(
      ((uploadedBytes - this.#lastBytes) * 1000) / Math.max(1, nowMs - this.#lastMs),
    );
    this.#lastMs = nowMs;
    this.#lastBytes = uploadedBytes;
    if (this.#rates.length > ROUNDS) this.#rates.shift();
    const rate = this.#rates.toSorted((a, b) => a - b)[this.#rates.length >> 1]!;
    const isKnown = this.#rates.length === ROUNDS && waiting > 0;
    if (isKnown) this.#capacity = Math.max(this.#capacity * MEMORY_SHARE, rate);
    const isLimited = limitBytesPerSec > 0;
    const capacity = isLimited ? limitBytesPerSec : this.#capacity;
    if (capacity === 0) return this.#first;
    const deserved = deservedSlots(capacity);
    if (isKnown) this.#adapt(rate, capacity, deserved, isLimited);
    this.#extra = Math.min(this.#extra, MAX_SLOTS - deserved);
    return deserved + this.#extra + 1;
  }

  #adapt(rate: number, capacity: number, deserved: number, isLimited: boolean): void {
    const slots = deserved + this.#extra;
    const step = Math.max(1, Math.round(slots * STEP_SHARE));
    if (rate < EMPTY_SHARE * capacity) {
      this.#trial = undefined;
      this.#extra += step;
    } else if (isLimited) {
      if (rate > FULL_SHARE * capacity && this.#extra > 0) this.#extra -= 1;
    } else if (this.#rest > 0) this.#rest -= 1;
    else this.#experiment(rate, slots, step);
  }

  /** Begins a trial, or ends the one that had its rounds. */
  #experiment(rate: number, slots: number, step: number): void {
    const trial = this.#trial;
    if (trial === undefined) {
      this.#trial = { before: rate, slots, added: step };
      this.#extra += step;
      this.#rest = ROUNDS;
      return;
    }
    this.#trial = undefined;
    this.#rest = REST_ROUNDS;
    const isWorthIt = rate >= trial.before * (1 + trial.added / trial.slots / 2);
    if (isWorthIt) this.#rest = 0;
    else this.#extra = Math.max(0, this.#extra - trial.added - Math.ceil(trial.added / 2));
  }
}

function deservedSlots(bytesPerSec: number): number {
  const slots = Math.round(Math.sqrt(bytesPerSec / SLOT_BYTES_PER_SEC));
  return Math.min(MAX_SLOTS, Math.max(LEAST_SLOTS, slots));
}
