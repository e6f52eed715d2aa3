/**
 * How many upload slots a torrent has: as many as its line needs, and no more, since reciprocation wants few.
 *
 * BEP 3 leaves the number open ("use a well tested TCP configuration … four" is what its author measured on lines of 2003). Once a round a
 * slot is added while peers wait and the line has room; with a limit, room is what the rate lacks of it; without one, room is tried: the
 * slot stays when the total rate grew by a fair part of what one slot carries, and goes again when it did not, until the next trial.
 * Bounds: `least` … `most` slots, one step a round.
 * Not here: who gets them.
 * @module
 */

// Implementation limits

/** Most slots that the tuner opens. */
export const MAX_SLOTS = 50;
/** Of a limit, the rate that counts as using it up. */
const FULL_SHARE = 0.9;
/** A slot stays when it brought this part of what the others carry each. */
const WORTH_SHARE = 0.4;
/** Rounds between a trial that failed and the next. */
const REST_ROUNDS = 6;

/** What a round saw. */
export interface SlotSample {
  /** Of the whole torrent, over the last round or so. */
  readonly uploadBytesPerSec: number;
  /** 0: unlimited. */
  readonly limitBytesPerSec: number;
  /** Interested peers that have a slot, and that have none. */
  readonly served: number;
  readonly waiting: number;
}

/** Adapts one number. */
export class SlotTuner {
  readonly #least: number;
  readonly #most: number;
  #slots: number;
  /** The rate before the slot on trial was opened; undefined without a trial. */
  #before: number | undefined;
  #rest = 0;

  constructor(least: number, most: number = Math.max(least, MAX_SLOTS)) {
    this.#least = least;
    this.#most = most;
    this.#slots = least;
  }

  /** The slots for the next round. */
  next(sample: SlotSample): number {
    const { uploadBytesPerSec: rate, limitBytesPerSec: limit, waiting, served } = sample;
    if (limit > 0) {
      this.#before = undefined;
      if (rate >= FULL_SHARE * limit) this.#step(-1);
      else if (waiting > 0) this.#step(1);
      return this.#slots;
    }
    if (this.#before !== undefined) this.#judge(rate, served);
    else if (this.#rest > 0) this.#rest -= 1;
    else if (waiting > 0 && this.#slots < this.#most) {
      this.#before = rate;
      this.#step(1);
    }
    return this.#slots;
  }

  /** A slot was open for a round: did it bring anything? */
  #judge(rate: number, served: number): void {
    const before = this.#before!;
    this.#before = undefined;
    const others = Math.max(1, Math.min(served, this.#slots) - 1);
    if (rate - before >= (WORTH_SHARE * before) / others && rate > 0) return;
    this.#step(-1);
    this.#rest = REST_ROUNDS;
  }

  #step(change: number): void {
    this.#slots = Math.min(this.#most, Math.max(this.#least, this.#slots + change));
  }
}
