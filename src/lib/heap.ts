/**
 * A binary heap whose items know their place, so that any of them leaves in O(log n) without a search.
 *
 * An item is in one heap at a time. Its order may change only while it is out: take it out, change it, put it in again.
 * @module
 */
import { assert } from './assert.ts';

/** What an item needs. */
export interface HeapItem {
  /** Its place in the heap, or -1; set by the heap alone. */
  heapAt: number;
}

/** Items, the first of them by `isBefore` on top. */
export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item; undefined when empty. */
  get top(): T | undefined {
    return this.#items[0];
  }

  /** Adds an item that is in no heap. */
  push(item: T): void {
    assert(item.heapAt === -1, 'the item is in a heap already');
    this.#items.push(item);
    this.#put(item, this.#items.length - 1);
    this.#rise(item);
  }

  /** Takes the first item out; undefined when empty. */
  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes an item out that is in this heap. */
  remove(item: T): void {
    const at = item.heapAt;
    assert(this.#items[at] === item, 'the item is not in this heap');
    const last = this.#items.pop()!;
    item.heapAt = -1;
    if (last === item) return;
    this.#put(last, at);
    this.#rise(last);
    this.#sink(last);
  }

  /** Takes every item out, in no order. */
  drain(): T[] {
    const items = this.#items.splice(0);
    for (const item of items) item.heapAt = -1;
    return items;
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    item.heapAt = at;
  }

  #rise(item: T): void {
    let at = item.heapAt;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = this.#items[above]!;
      if (!this.#isBefore(item, other)) break;
      this.#put(other, at);
      at = above;
    }
    this.#put(item, at);
  }

  #sink(item: T): void {
    let at = item.heapAt;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= this.#items.length) break;
      const right = this.#items[below + 1];
      if (right !== undefined && this.#isBefore(right, this.#items[below]!)) below += 1;
      const other = this.#items[below]!;
      if (!this.#isBefore(other, item)) break;
      this.#put(other, at);
      at = below;
    }
    this.#put(item, at);
  }
}
