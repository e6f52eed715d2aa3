/**
 * Rate limits: a gate for one direction of a node or of a torrent, and the gates that a connection passes in turn.
 *
 * Whoever is held back waits at the gate and is woken when its turn comes; FairBucket says whose that is. A gate holds data back, never the
 * taking of requests: those are answered as soon as they come, and their blocks wait in the send queue.
 * Bounds: one place in line for each connection and direction; one timer a gate, only while somebody waits.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import { FairBucket } from '../lib/fair-bucket.ts';

// Implementation limits
/** One turn at a gate: a block. */
const TURN_BYTES = 16_384;

/** Called when bytes are allowed; it stands for its connection at the gates, so it must stay the same function. */
export type Wake = () => void;

/** Time and one timer, as far as a gate needs them; tests put their own in. */
export interface GateClock {
  readonly nowMs: number;
  after(ms: number, action: () => void): { cancel(): void };
}

const REAL_CLOCK: GateClock = {
  get nowMs(): number {
    return monotonicMs();
  },
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Spends bytes and holds callers back while too many went. */
export class RateGate {
  readonly #bucket: FairBucket<Wake>;
  readonly #clock: GateClock;
  #timer: { cancel(): void } | undefined;
  #isWaking = false;

  /** @param bytesPerSec 0: unlimited. */
  constructor(bytesPerSec: number, clock: GateClock = REAL_CLOCK) {
    this.#clock = clock;
    this.#bucket = new FairBucket<Wake>(bytesPerSec, clock.nowMs, TURN_BYTES);
  }

  get isUnlimited(): boolean {
    return this.#bucket.isUnlimited;
  }

  /** @param bytesPerSec 0: unlimited. */
  setRate(bytesPerSec: number): void {
    this.#bucket.setRate(bytesPerSec, this.#clock.nowMs);
    this.#wakeDue();
  }

  /** Bytes that the caller may move now; Infinity when unlimited; 0: `wait`. */
  available(wake: Wake): number {
    return this.#bucket.allowance(this.#clock.nowMs, wake);
  }

  /** @param wake who is charged; undefined: what no connection can be charged for. */
  spend(wake: Wake | undefined, bytes: number): void {
    if (this.#bucket.isUnlimited) return;
    this.#bucket.spend(this.#clock.nowMs, wake, bytes);
    if (this.#bucket.waitingCount > 0 && !this.#isWaking) this.#arm();
  }

  /** Calls `wake` once, when it is its turn; the same function waits once, however often it is given. */
  wait(wake: Wake): void {
    this.#bucket.wait(wake);
    if (!this.#isWaking) this.#arm();
  }

  /** Takes back a `wait`: `wake` is not called any more. */
  forget(wake: Wake): void {
    this.#bucket.forget(wake);
    if (this.#bucket.waitingCount === 0) this.#stopTimer();
  }

  close(): void {
    this.#stopTimer();
    this.#isWaking = true;
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#stopTimer();
    const waitMs = this.#bucket.waitMs(this.#clock.nowMs);
    if (waitMs === Number.POSITIVE_INFINITY) return;
    // A turn of the event loop at least: whoever was woken comes back first.
    this.#timer = this.#clock.after(Math.max(1, waitMs), () => this.#wakeDue());
  }

  #wakeDue(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    // Without a limit everybody is woken once, not again and again while it waits anew.
    let turns = this.isUnlimited ? this.#bucket.waitingCount : Number.POSITIVE_INFINITY;
    for (; turns > 0; turns -= 1) {
      const wake = this.#bucket.take(this.#clock.nowMs);
      if (wake === undefined) break;
      wake();
    }
    this.#isWaking = false;
    this.#arm();
  }
}

/** The gates that all data of a connection passes: its torrent's and the node's. */
export class GateChain {
  readonly #gates: RateGate[];

  constructor(gates: readonly RateGate[]) {
    this.#gates = [...gates];
  }

  /** Puts a gate before the others. */
  add(gate: RateGate): void {
    this.#gates.unshift(gate);
  }

  get isUnlimited(): boolean {
    for (const gate of this.#gates) if (!gate.isUnlimited) return false;
    return true;
  }

  /** Bytes that may move now; with 0 the caller stands in the line of the gate that refused. */
  available(wake: Wake): number {
    let bytes = Number.POSITIVE_INFINITY;
    for (const gate of this.#gates) {
      const allowed = gate.available(wake);
      if (allowed <= 0) {
        gate.wait(wake);
        return 0;
      }
      bytes = Math.min(bytes, allowed);
    }
    return bytes;
  }

  spend(wake: Wake | undefined, bytes: number): void {
    for (const gate of this.#gates) gate.spend(wake, bytes);
  }

  forget(wake: Wake): void {
    for (const gate of this.#gates) gate.forget(wake);
  }
}
