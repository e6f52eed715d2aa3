/**
 * How many upload slots a torrent has: as many as its line needs, and no more, since reciprocation wants few.
 *
 * BEP 3 names four, of the lines of its time. With a limit, a slot is added while peers wait and the rate lacks of it. Without one it is tried:
 * a slot more is kept when the total rate grew by a fair part of what a slot carries, and a slot less when it did not shrink by as much. Trials
 * in both directions take turns, or else noise alone would add slots.
 * Bounds: `least` … `most` slots, one step a round.
 * Not here: who gets them.
 * @module
 */

// Implementation limits

/** Most slots that the tuner opens. */
export const MAX_SLOTS = 50;
/** Of a limit, the rate that counts as using it up. */
const FULL_SHARE = 0.9;
/** A slot is worth having when it brings this part of what the others carry each. */
const WORTH_SHARE = 0.5;
/** Rounds of rest after a trial that changed nothing. */
const REST_ROUNDS = 3;

/** What a round saw. */
export interface SlotSample {
  /** Of the whole torrent, over the last round or so. */
  readonly uploadBytesPerSec: number;
  /** 0: unlimited. */
  readonly limitBytesPerSec: number;
  /** Interested peers that have no slot. */
  readonly waiting: number;
}

/** Adapts one number. */
export class SlotTuner {
  readonly #least: number;
  readonly #most: number;
  #slots: number;
  /** The rate before the trial under way; undefined without one. */
  #before: number | undefined;
  /** What the trial under way, or the last one, changed: 1 or -1. */
  #direction = -1;
  #rest = 0;

  constructor(least: number, most: number = Math.max(least, MAX_SLOTS)) {
    this.#least = least;
    this.#most = most;
    this.#slots = least;
  }

  /** The slots for the next round. */
  next(sample: SlotSample): number {
    const { uploadBytesPerSec: rate, limitBytesPerSec: limit, waiting } = sample;
    if (limit > 0) {
      this.#before = undefined;
      if (rate >= FULL_SHARE * limit) this.#step(-1);
      else if (waiting > 0) this.#step(1);
      return this.#slots;
    }
    if (this.#before !== undefined) this.#judge(rate);
    else if (this.#rest > 0) this.#rest -= 1;
    else this.#try(rate, waiting);
    return this.#slots;
  }

  #try(rate: number, waiting: number): void {
    // Whoever could take the slot is there, and everybody who had one still had it: only then does the rate say anything.
    if (waiting === 0) return;
    const canShrink = this.#slots > this.#least;
    this.#direction = this.#direction < 0 || !canShrink ? 1 : -1;
    if (this.#direction > 0 && this.#slots >= this.#most) return;
    this.#before = rate;
    this.#step(this.#direction);
  }

  /** The line ran for a round with a slot more or less: which is better? */
  #judge(rate: number): void {
    const before = this.#before!;
    this.#before = undefined;
    const fewer = this.#direction > 0 ? this.#slots - 1 : this.#slots;
    const gain = (rate - before) * this.#direction;
    const isWorthIt =
      rate > 0 && gain >= (WORTH_SHARE * Math.min(rate, before)) / Math.max(1, fewer);
    if (isWorthIt === this.#direction > 0) {
      // The same direction again, as long as it helps.
      this.#direction = -this.#direction;
      return;
    }
    this.#step(-this.#direction);
    this.#rest = REST_ROUNDS;
  }

  #step(change: number): void {
    this.#slots = Math.min(this.#most, Math.max(this.#least, this.#slots + change));
  }
}
