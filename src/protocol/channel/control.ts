/**
 * One control connection of a pair of peers: requests and answers, messages, signs of life.
 *
 * States: `greeting` (either end's first frame is its hello) → `open` → `closed`. Two queues wait to be sent: urgent (hello, signs of life, answers) before
 * ordinary; the shell takes from them while its socket takes bytes, so nothing large stands before what is urgent. What does not fit in a queue is refused to its sender.
 * The other end's requests are bounded: more than MAX_PENDING_ANSWERS at a time are refused as busy. A fault of the other end closes the connection.
 * Time is an argument. Not here: who the other end is, sockets, which services exist.
 * @module
 */
import { equalBytes, readU32 } from '../../lib/bytes.ts';
import type { Rng } from '../../lib/rng.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import { decodeFrame, encodeFrame } from './codec.ts';
import {
  HELLO_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_FRAME_BYTES,
  MAX_PENDING_ANSWERS,
  MAX_PENDING_REQUESTS,
  MAX_PINGS_PER_SEC,
  MAX_QUEUED_BYTES,
  MAX_REQUEST_MS,
  MAX_URGENT_BYTES,
  REQUEST_TIMEOUT_MS,
  SILENCE_MS,
} from './constants.ts';
import { REFUSALS, type RefusalCode } from './errors.ts';
import { FrameQueue } from './frame-queue.ts';
import type { ControlOutput, Envelope, Frame, Hello } from './types.ts';

/** A control connection's core. */
export class ControlSession {
  readonly #rng: Rng;
  readonly #outputs: ControlOutput[] = [];
  readonly #urgent = new FrameQueue(MAX_URGENT_BYTES);
  readonly #ordinary = new FrameQueue(MAX_QUEUED_BYTES);
  /** Number of a request of ours → when its answer is not waited for any more. */
  readonly #requests = new Map<number, number>();
  /** Numbers of the other end's requests that wait for an answer. */
  readonly #answers = new Set<number>();
  readonly #pings: TokenBucket;
  #state: 'greeting' | 'open' | 'closed' = 'greeting';
  /** The beginning of a frame whose end did not come yet: the first `#partialBytes` of a buffer that grows by doubling. */
  #partial: Uint8Array = new Uint8Array();
  #partialBytes = 0;
  #nextId = 1;
  readonly #startedMs: number;
  #heardMs: number;
  #askedMs: number = Number.NEGATIVE_INFINITY;
  /** Of the sign of life that was asked for last, until it came. */
  #nonce: Uint8Array | undefined;
  #roundTripMs: number | undefined;

  constructor(nowMs: number, options: { readonly hello: Hello; readonly rng: Rng }) {
    this.#rng = options.rng;
    this.#startedMs = nowMs;
    this.#heardMs = nowMs;
    this.#pings = new TokenBucket(MAX_PINGS_PER_SEC, nowMs, MAX_PINGS_PER_SEC);
    this.#urgent.push(encodeFrame({ kind: 'hello', hello: options.hello }));
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Of the last sign of life that was asked for. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Requests of either end that wait for an answer. */
  get pendingCount(): number {
    return this.#requests.size + this.#answers.size;
  }

  /** Bytes that wait for `nextBytes`. */
  get queuedBytes(): number {
    return this.#urgent.bytes + this.#ordinary.bytes;
  }

  /** When `handleTimeout` is due. */
  get nextTimeoutMs(): number {
    if (this.#state === 'closed') return Number.POSITIVE_INFINITY;
    let dueMs = Math.min(...this.#requests.values(), this.#heardMs + SILENCE_MS);
    const asksMs = Math.max(this.#heardMs, this.#askedMs) + KEEP_ALIVE_MS;
    if (this.#state === 'open') dueMs = Math.min(dueMs, asksMs);
    else dueMs = Math.min(dueMs, this.#startedMs + HELLO_TIMEOUT_MS);
    return dueMs;
  }

  /** The next output, until there is none. */
  poll(): ControlOutput | undefined {
    return this.#outputs.shift();
  }

  /** The next frame to send; call it while the socket takes bytes. */
  nextBytes(): Uint8Array | undefined {
    return this.#urgent.shift() ?? this.#ordinary.shift();
  }

  /** Bytes of the other end. */
  handleBytes(nowMs: number, bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#heardMs = nowMs;
    const joined = this.#join(bytes);
    let rest = joined;
    while (rest.length >= 4) {
      const lengthBytes = readU32(rest, 0);
      if (lengthBytes === 0 || lengthBytes > MAX_FRAME_BYTES) {
        this.#fault(`expected a frame of 1 to ${MAX_FRAME_BYTES} bytes, got ${lengthBytes}`);
        return;
      }
      if (rest.length < 4 + lengthBytes) break;
      const frame = decodeFrame(rest.subarray(4, 4 + lengthBytes));
      rest = rest.subarray(4 + lengthBytes);
      if (!frame.ok) this.#fault(frame.message);
      else this.#handleFrame(nowMs, frame.value);
      // It may have been closed by what came.
      if ((this.#state as string) === 'closed') return;
    }
    const isKept = joined !== bytes && rest.length === joined.length;
    if (!isKept) this.#partial = rest.slice();
    this.#partialBytes = rest.length;
  }

  /** What waits for its end, and these bytes. A frame of 64 KiB that came a byte at a time took 575 ms when each byte copied all before it. */
  #join(bytes: Uint8Array): Uint8Array {
    if (this.#partialBytes === 0) return bytes;
    const length = this.#partialBytes + bytes.length;
    if (length > this.#partial.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#partial.length));
      larger.set(this.#partial.subarray(0, this.#partialBytes));
      this.#partial = larger;
    }
    this.#partial.set(bytes, this.#partialBytes);
    return this.#partial.subarray(0, length);
  }

  /** Sends a message that nobody answers. @returns false when too much waits already: try again after the queue went down. @throws RangeError when it does not fit in a frame. */
  send(envelope: Envelope, payload: Uint8Array): boolean {
    if (this.#state === 'closed') return false;
    return this.#ordinary.push(encodeFrame({ kind: 'message', envelope, payload }));
  }

  /**
   * Asks something. @param timeoutMs how long the answer is waited for, 1 … MAX_REQUEST_MS; default REQUEST_TIMEOUT_MS.
   * @returns its number, or undefined when too much waits already. @throws RangeError when it does not fit in a frame.
   */
  request(
    nowMs: number,
    envelope: Envelope,
    payload: Uint8Array,
    timeoutMs: number = REQUEST_TIMEOUT_MS,
  ): number | undefined {
    if (this.#state === 'closed' || this.#requests.size >= MAX_PENDING_REQUESTS) return undefined;
    const id = this.#nextId;
    const waitMs = Math.min(Math.max(1, Math.ceil(timeoutMs)), MAX_REQUEST_MS);
    const bytes = encodeFrame({ kind: 'request', id, timeoutMs: waitMs, envelope, payload });
    if (!this.#ordinary.push(bytes)) return undefined;
    this.#nextId = (id % 0xffff_ffff) + 1;
    this.#requests.set(id, nowMs + waitMs);
    return id;
  }

  /** The caller does not wait for this answer any more. */
  cancel(id: number): void {
    this.#requests.delete(id);
  }

  /** Answers a request; one that was answered is left alone. @throws RangeError when it does not fit in a frame. */
  respond(id: number, payload: Uint8Array): void {
    const bytes = encodeFrame({ kind: 'response', id, payload });
    if (this.#answers.delete(id)) this.#sendUrgent(bytes);
  }

  /** Refuses a request. */
  refuse(id: number, code: RefusalCode, message: string): void {
    if (this.#answers.delete(id)) this.#refuse(id, code, message);
  }

  /** Says goodbye; `close` follows. */
  close(message: string): void {
    if (this.#state === 'closed') return;
    this.#sendUrgent(encodeFrame({ kind: 'bye', message }));
    this.#end(message, false);
  }

  /** Time has come as far as `nextTimeoutMs`. */
  handleTimeout(nowMs: number): void {
    if (this.#state === 'closed') return;
    for (const [id, dueMs] of this.#requests) {
      if (dueMs > nowMs) continue;
      this.#requests.delete(id);
      this.#outputs.push({ type: 'timeout', id });
    }
    if (this.#state === 'greeting' && nowMs >= this.#startedMs + HELLO_TIMEOUT_MS) {
      this.#fault(`no greeting came in ${HELLO_TIMEOUT_MS} ms`);
    } else if (nowMs >= this.#heardMs + SILENCE_MS) {
      this.#end(`nothing came in ${SILENCE_MS} ms`, true);
    } else if (
      this.#state === 'open' &&
      nowMs >= Math.max(this.#heardMs, this.#askedMs) + KEEP_ALIVE_MS
    ) {
      this.ping(nowMs);
    }
  }

  /** Asks for a sign of life; `roundTripMs` is known when it came. */
  ping(nowMs: number): void {
    this.#askedMs = nowMs;
    this.#nonce = this.#rng.bytes(8);
    this.#sendUrgent(encodeFrame({ kind: 'ping', nonce: this.#nonce }));
  }

  #handleFrame(nowMs: number, frame: Frame): void {
    if ((frame.kind === 'hello') !== (this.#state === 'greeting') && frame.kind !== 'bye') {
      this.#fault(
        frame.kind === 'hello'
          ? 'a second greeting came'
          : `a ${frame.kind} came before a greeting`,
      );
      return;
    }
    switch (frame.kind) {
      case 'hello':
        this.#state = 'open';
        this.#outputs.push({ type: 'hello', hello: frame.hello });
        return;
      case 'message':
        this.#outputs.push({ type: 'message', envelope: frame.envelope, payload: frame.payload });
        return;
      case 'request':
        this.#takeRequest(nowMs, frame);
        return;
      case 'response':
        if (!this.#requests.delete(frame.id)) return;
        this.#outputs.push({ type: 'response', id: frame.id, payload: frame.payload });
        return;
      case 'refusal':
        if (!this.#requests.delete(frame.id)) return;
        this.#outputs.push({ ...frame, type: 'refused' });
        return;
      case 'ping':
        if (this.#pings.available(nowMs) >= 1) {
          this.#pings.spend(nowMs, 1);
          this.#sendUrgent(encodeFrame({ kind: 'pong', nonce: frame.nonce }));
        } else this.#fault(`more than ${MAX_PINGS_PER_SEC} pings came in a second`);
        return;
      case 'pong':
        // One that nobody asked for, or that comes twice, measures nothing.
        if (this.#nonce === undefined || !equalBytes(frame.nonce, this.#nonce)) return;
        this.#nonce = undefined;
        this.#roundTripMs = nowMs - this.#askedMs;
        return;
      case 'bye':
        this.#end(frame.message === '' ? 'closed by the peer' : frame.message, false);
    }
  }

  #takeRequest(nowMs: number, frame: Frame & { kind: 'request' }): void {
    const { id, envelope, payload } = frame;
    if (this.#answers.has(id)) {
      this.#fault(`request ${id} came twice`);
      return;
    }
    if (this.#answers.size >= MAX_PENDING_ANSWERS) {
      this.#refuse(id, REFUSALS.busy, `${MAX_PENDING_ANSWERS} requests wait already`);
      return;
    }
    this.#answers.add(id);
    const deadlineMs = nowMs + Math.min(frame.timeoutMs, MAX_REQUEST_MS);
    this.#outputs.push({ type: 'request', id, envelope, payload, deadlineMs });
  }

  #refuse(id: number, code: RefusalCode, message: string): void {
    this.#sendUrgent(encodeFrame({ kind: 'refusal', id, code, message }));
  }

  /** Answers wait no longer than their reader lets them: one that reads nothing is closed. */
  #sendUrgent(bytes: Uint8Array): void {
    if (this.#state === 'closed' || this.#urgent.push(bytes)) return;
    this.#end('it does not read what is sent to it', true);
  }

  #fault(reason: string): void {
    this.#end(reason, true);
  }

  #end(reason: string, isFault: boolean): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#partial = new Uint8Array();
    this.#partialBytes = 0;
    for (const id of this.#requests.keys()) this.#outputs.push({ type: 'timeout', id });
    this.#requests.clear();
    this.#answers.clear();
    this.#outputs.push({ type: 'close', reason, isFault });
  }
}
