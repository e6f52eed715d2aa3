/**
 * Virtual time: a heap of events, run one after another as fast as the machine can.
 *
 * Events of the same time run in the order in which they were scheduled, so a run depends on its seed alone.
 * Bounds: `MAX_STEPS` events a run unless told otherwise, so that a loop without progress ends as a failure.
 * @module
 */

// Implementation limits

/** More events than any scenario needs. */
const MAX_STEPS = 20_000_000;

/** An event that can be taken back. */
export interface Timer {
  cancel(): void;
}

interface Event extends Timer {
  readonly atMs: number;
  readonly order: number;
  action: (() => void) | undefined;
}

/** Milliseconds since the start of the run, and what is to happen. */
export class VirtualClock {
  #nowMs = 0;
  #order = 0;
  #steps = 0;
  readonly #heap: Event[] = [];
  readonly #maxSteps: number;

  /** @param maxSteps events after which a run is taken for one without an end. */
  constructor(maxSteps: number = MAX_STEPS) {
    this.#maxSteps = maxSteps;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events run so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Runs `action` at `atMs`, or now when that is past. */
  at(atMs: number, action: () => void): Timer {
    const event: Event = {
      atMs: Math.max(atMs, this.#nowMs),
      order: this.#order,
      action,
      cancel() {
        event.action = undefined;
      },
    };
    this.#order += 1;
    this.#push(event);
    return event;
  }

  /** Runs `action` in `delayMs`. */
  after(delayMs: number, action: () => void): Timer {
    return this.at(this.#nowMs + delayMs, action);
  }

  /** Runs `action` every `intervalMs`, the first time in one of them. */
  every(intervalMs: number, action: () => void): Timer {
    let timer: Timer;
    const again = (): void => {
      timer = this.after(intervalMs, again);
      action();
    };
    timer = this.after(intervalMs, again);
    return { cancel: () => timer.cancel() };
  }

  /**
   * Runs events until `isDone`, or until `limitMs` is reached, which then is the time.
   * @returns whether `isDone` said so.
   */
  run(limitMs: number, isDone: () => boolean = () => false): boolean {
    while (!isDone()) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > limitMs) {
        this.#nowMs = Math.max(limitMs, this.#nowMs);
        return isDone();
      }
      this.#pop();
      if (next.action === undefined) continue;
      this.#steps += 1;
      if (this.#steps > this.#maxSteps) throw new Error(`no end after ${this.#maxSteps} events`);
      this.#nowMs = next.atMs;
      next.action();
    }
    return true;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
