/**
 * Work by key, one piece after the other: changes of one thing never cross, those of different things do not wait for each other.
 * @module
 */

/** The turns of all keys; a key without work takes no place. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs work after all that was given for its key before, whether that failed or not. @returns its outcome. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work, work);
    const settled = turn.catch(() => {});
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return turn;
  }

  /** Resolves when all that was given so far is over. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
