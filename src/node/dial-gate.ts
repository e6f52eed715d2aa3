/**
 * How many dials of a node may be under way, all torrents together: a thousand torrents that start would else open thousands of sockets at once.
 *
 * Who finds the gate full waits in line. Bounds: MAX_NODE_DIALS under way; the line is as long as the torrents' own limits of dials add up to.
 * @module
 */

// Implementation limits
/** Dials of a node under way, handshakes included. */
export const MAX_NODE_DIALS = 100;

/** Lets dials through, a limited number at a time. */
export class DialGate {
  readonly #limit: number;
  /** Those that wait, the first first; a Set, so that one may give up cheaply. */
  readonly #waiting = new Set<() => void>();
  #active = 0;

  constructor(limit: number = MAX_NODE_DIALS) {
    this.#limit = limit;
  }

  /** Dials under way. */
  get active(): number {
    return this.#active;
  }

  /** Dials that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Runs `dial` now or when its turn comes.
   * @returns what to call exactly once when the dial is over, or to give up a place in the line.
   */
  enter(dial: () => void): () => void {
    let hasBegun = false;
    let isOver = false;
    const begin = (): void => {
      hasBegun = true;
      this.#active += 1;
      dial();
    };
    if (this.#active < this.#limit) begin();
    else this.#waiting.add(begin);
    return () => {
      if (isOver) return;
      isOver = true;
      if (!hasBegun) this.#waiting.delete(begin);
      else this.#leave();
    };
  }

  #leave(): void {
    this.#active -= 1;
    for (const begin of this.#waiting) {
      if (this.#active >= this.#limit) return;
      this.#waiting.delete(begin);
      begin();
    }
  }
}
