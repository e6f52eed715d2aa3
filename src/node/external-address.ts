/**
 * The address that others see this node at, as trackers tell it: the one that most of them name.
 * Spec: BEP 24. Bounds: MAX_VOTERS trackers, each with one vote, its latest; the oldest is forgotten first.
 * @module
 */

// Implementation limits
/** Trackers whose word is remembered. */
const MAX_VOTERS = 64;

/** Counts votes. */
export class ExternalAddress {
  readonly #votes = new Map<string, string>();

  /** @param voter who says so; its earlier vote is taken back. */
  vote(voter: string, address: string): void {
    this.#votes.delete(voter);
    this.#votes.set(voter, address);
    if (this.#votes.size > MAX_VOTERS) this.#votes.delete(this.#votes.keys().next().value!);
  }

  /** The address with most votes, of equals the one named first; undefined without votes. */
  get address(): string | undefined {
    const counts = new Map<string, number>();
    let best: string | undefined;
    for (const address of this.#votes.values()) {
      const count = (counts.get(address) ?? 0) + 1;
      counts.set(address, count);
      if (best === undefined || count > counts.get(best)!) best = address;
    }
    return best;
  }
}
