/**
 * How many bytes a socket may be given before it has sent them: what it sends in half a second.
 *
 * What a socket holds can no longer be taken back: a peer that is choked or cancels gets it all the same, later, and for a line of 16 kB/s shared
 * by five peers a megabyte each is five minutes. In a simulated crowd on such lines a tenth of all bytes came twice because of that, and with two
 * blocks instead of one at a time the last of a hundred peers was complete an eighth later: what a choked peer is still sent is not there for
 * those who give. A fast socket, on the other hand, runs dry with less than a megabyte.
 * Bounds: MIN_AHEAD_BYTES … MAX_AHEAD_BYTES; at most doubled or halved at a time.
 * @module
 */

// Implementation limits

/** A socket is given more when it holds less than this at least: whatever is slow has one block under way, no more. */
export const MIN_AHEAD_BYTES: number = 2 * 1024;
/** Most. */
export const MAX_AHEAD_BYTES: number = 1024 * 1024;
/** To begin with, before the socket has shown what it can. */
const FIRST_AHEAD_BYTES = 32 * 1024;
/** What a socket holds lasts so long. */
const AHEAD_MS = 500;
/** Rates are taken over this long, or until the socket is empty. */
const WINDOW_MS = 50;

/** Follows one socket. */
export class SendAhead {
  #limitBytes = FIRST_AHEAD_BYTES;
  #sinceMs = 0;
  #bytes = 0;

  /** Give it more while it holds less than this. */
  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** The socket was empty and gets something now. */
  begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#bytes = 0;
  }

  /** The socket sent some of what it had. @param isEmpty it has nothing left. */
  sent(nowMs: number, bytes: number, isEmpty: boolean): void {
    this.#bytes += bytes;
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < WINDOW_MS && !isEmpty) return;
    const wanted = (this.#bytes * AHEAD_MS) / Math.max(elapsedMs, 0.01);
    const limit = Math.min(this.#limitBytes * 2, Math.max(this.#limitBytes / 2, wanted));
    this.#limitBytes = Math.min(MAX_AHEAD_BYTES, Math.max(MIN_AHEAD_BYTES, limit));
    this.begin(nowMs);
  }
}
