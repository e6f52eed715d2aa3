/**
 * The blocks one peer owes us, oldest first. Blocks mostly come in the order they were asked for, so the head is looked at first.
 * A request that lapsed stays until its answer comes or the connection ends, so that late data is known and no block is asked for twice.
 * Bounds: live requests by the pipeline's depth; lapsed ones by what was once live.
 * @module
 */

const BLOCKS_PER_PIECE_LIMIT = 65_536;

/** What became of a request that is still unanswered. */
export type RequestFate = 'live' | 'released' | 'void' | 'cancelled';

const LIVE = 0;
const RELEASED = 1;
const VOID = 2;
const CANCELLED = 3;
const FATES: readonly RequestFate[] = ['live', 'released', 'void', 'cancelled'];

/** A list of requests; entries are (piece, block, time asked, fate). */
export class RequestQueue {
  #keys: number[] = [];
  #askedMs: number[] = [];
  /** RELEASED: it timed out, its block is still welcome; CANCELLED: the peer knows that it is not needed. VOID: its piece was given up. */
  #fates: number[] = [];
  #head = 0;
  #lapsedCount = 0;
  #removedAskedMs = 0;

  get length(): number {
    return this.#keys.length - this.#head;
  }

  /** True when requests timed out, were cancelled or lost their piece, and are unanswered. */
  get hasLapsed(): boolean {
    return this.#lapsedCount > 0;
  }

  /** Requests that count: neither released, cancelled nor void. */
  get liveCount(): number {
    return this.length - this.#lapsedCount;
  }

  /** When the request that was removed last had been made. */
  get removedAskedMs(): number {
    return this.#removedAskedMs;
  }

  /** When the oldest live request was made; undefined when there is none. */
  get oldestMs(): number | undefined {
    let at = this.#head;
    while (at < this.#fates.length && this.#fates[at] !== LIVE) at += 1;
    return this.#askedMs[at];
  }

  /** Adds a request. @returns false when the peer owes this block already: it counts again, and must not be asked for twice. */
  push(piece: number, block: number, nowMs: number): boolean {
    const isOwed = this.#lapsedCount > 0 && this.remove(piece, block) !== undefined;
    this.#keys.push(piece * BLOCKS_PER_PIECE_LIMIT + block);
    this.#askedMs.push(nowMs);
    this.#fates.push(LIVE);
    return !isOwed;
  }

  /** Live requests that were made before this one. */
  ahead(piece: number, block: number): number {
    const at = this.#find(piece, block);
    let count = 0;
    for (let i = this.#head; i < at; i += 1) if (this.#fates[i] === LIVE) count += 1;
    return count;
  }

  /** What became of a request; undefined when there is none. */
  fate(piece: number, block: number): RequestFate | undefined {
    const at = this.#find(piece, block);
    return at < 0 ? undefined : FATES[this.#fates[at]!];
  }

  /** Removes a request. @returns what had become of it; undefined when there is none. */
  remove(piece: number, block: number): RequestFate | undefined {
    const at = this.#find(piece, block);
    if (at < 0) return undefined;
    const fate = this.#fates[at]!;
    this.#removedAskedMs = this.#askedMs[at]!;
    if (fate !== LIVE) this.#lapsedCount -= 1;
    // What comes out of order comes a little early: the few before it move up by one.
    for (let i = at; i > this.#head; i -= 1) {
      this.#keys[i] = this.#keys[i - 1]!;
      this.#askedMs[i] = this.#askedMs[i - 1]!;
      this.#fates[i] = this.#fates[i - 1]!;
    }
    this.#head += 1;
    if (this.#head > 1024) this.#compact();
    return FATES[fate];
  }

  /** Marks a request that was live or released as cancelled: an answer still comes. */
  cancel(piece: number, block: number): void {
    const at = this.#find(piece, block);
    if (at < 0) return;
    if (this.#fates[at] === LIVE) this.#lapsedCount += 1;
    this.#fates[at] = CANCELLED;
  }

  /** Blocks of a piece that are asked for and count. */
  liveBlocks(piece: number): number[] {
    const blocks: number[] = [];
    for (let at = this.#head; at < this.#keys.length; at += 1) {
      const key = this.#keys[at]!;
      if (this.#fates[at] !== LIVE || Math.floor(key / BLOCKS_PER_PIECE_LIMIT) !== piece) continue;
      blocks.push(key % BLOCKS_PER_PIECE_LIMIT);
    }
    return blocks;
  }

  /** Marks every request for a piece as void: the piece was given up with all that arrived of it. */
  voidPiece(piece: number): void {
    for (let at = this.#head; at < this.#keys.length; at += 1) {
      if (Math.floor(this.#keys[at]! / BLOCKS_PER_PIECE_LIMIT) !== piece) continue;
      if (this.#fates[at] === LIVE) this.#lapsedCount += 1;
      this.#fates[at] = VOID;
    }
  }

  /** Marks every live request asked before `beforeMs` as released and reports it. */
  release(beforeMs: number, report: (piece: number, block: number) => void): void {
    for (let at = this.#head; at < this.#keys.length; at += 1) {
      if (this.#fates[at] !== LIVE || this.#askedMs[at]! >= beforeMs) continue;
      this.#fates[at] = RELEASED;
      this.#lapsedCount += 1;
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
    const fates = this.#fates;
    const head = this.#head;
    this.#keys = [];
    this.#askedMs = [];
    this.#fates = [];
    this.#head = 0;
    this.#lapsedCount = 0;
    for (let at = head; at < keys.length; at += 1) {
      const piece = Math.floor(keys[at]! / BLOCKS_PER_PIECE_LIMIT);
      if (!matches(piece)) {
        this.#keys.push(keys[at]!);
        this.#askedMs.push(askedMs[at]!);
        this.#fates.push(fates[at]!);
        if (fates[at] !== LIVE) this.#lapsedCount += 1;
      } else if (fates[at] === LIVE) {
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
    this.#fates.splice(0, this.#head);
    this.#head = 0;
  }
}
