/**
 * The blocks one peer owes us, oldest first. Blocks mostly come in the order they were asked for, so the head is looked at first.
 * Bounds: the pipeline's depth.
 * @module
 */

const BLOCKS_PER_PIECE_LIMIT = 65_536;

/** A list of requests; entries are (piece, block, time asked, released). */
export class RequestQueue {
  #keys: number[] = [];
  #askedMs: number[] = [];
  /** 1: the request timed out and was given to others; the block is still welcome. */
  #released: number[] = [];
  #head = 0;
  #releasedCount = 0;

  get length(): number {
    return this.#keys.length - this.#head;
  }

  /** Requests that nobody else was given meanwhile. */
  get liveCount(): number {
    return this.length - this.#releasedCount;
  }

  /** When the oldest request was made; undefined when none is open. */
  get oldestMs(): number | undefined {
    return this.#askedMs[this.#head];
  }

  push(piece: number, block: number, nowMs: number): void {
    this.#keys.push(piece * BLOCKS_PER_PIECE_LIMIT + block);
    this.#askedMs.push(nowMs);
    this.#released.push(0);
  }

  has(piece: number, block: number): boolean {
    return this.#find(piece, block) >= 0;
  }

  /** Removes a request. @returns 'live', 'released' (it had timed out) or undefined when there is none. */
  remove(piece: number, block: number): 'live' | 'released' | undefined {
    const at = this.#find(piece, block);
    if (at < 0) return undefined;
    const wasReleased = this.#released[at] === 1;
    if (wasReleased) this.#releasedCount -= 1;
    if (at === this.#head) {
      this.#head += 1;
      if (this.#head > 1024) this.#compact();
    } else {
      this.#keys.splice(at, 1);
      this.#askedMs.splice(at, 1);
      this.#released.splice(at, 1);
    }
    return wasReleased ? 'released' : 'live';
  }

  /** Marks every request asked before `beforeMs` as released and reports it. */
  release(beforeMs: number, report: (piece: number, block: number) => void): void {
    for (let at = this.#head; at < this.#keys.length; at += 1) {
      if (this.#released[at] === 1 || this.#askedMs[at]! >= beforeMs) continue;
      this.#released[at] = 1;
      this.#releasedCount += 1;
      const key = this.#keys[at]!;
      report(Math.floor(key / BLOCKS_PER_PIECE_LIMIT), key % BLOCKS_PER_PIECE_LIMIT);
    }
  }

  /** Removes the requests that `matches` accepts (all by default) and reports those that were live. */
  drain(
    report: (piece: number, block: number) => void,
    matches: (piece: number) => boolean = () => true,
  ): void {
    const keys = this.#keys;
    const askedMs = this.#askedMs;
    const released = this.#released;
    const head = this.#head;
    this.#keys = [];
    this.#askedMs = [];
    this.#released = [];
    this.#head = 0;
    this.#releasedCount = 0;
    for (let at = head; at < keys.length; at += 1) {
      const piece = Math.floor(keys[at]! / BLOCKS_PER_PIECE_LIMIT);
      if (!matches(piece)) {
        this.#keys.push(keys[at]!);
        this.#askedMs.push(askedMs[at]!);
        this.#released.push(released[at]!);
        this.#releasedCount += released[at]!;
      } else if (released[at] === 0) {
        report(piece, keys[at]! % BLOCKS_PER_PIECE_LIMIT);
      }
    }
  }

  #find(piece: number, block: number): number {
    const key = piece * BLOCKS_PER_PIECE_LIMIT + block;
    if (this.#keys[this.#head] === key) return this.#head;
    return this.#keys.indexOf(key, this.#head);
  }

  #compact(): void {
    this.#keys.splice(0, this.#head);
    this.#askedMs.splice(0, this.#head);
    this.#released.splice(0, this.#head);
    this.#head = 0;
  }
}
