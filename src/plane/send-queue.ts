/**
 * The blocks one peer waits for, in the order it asked, and their way to its socket.
 *
 * Requests that follow each other in a span leave as one slice of the framed span; the socket is kept topped up to what it sends in half a second
 * (`send-ahead.ts`), never by a timer.
 * Bounds: whoever calls `push` limits the number of requests; bytes handed to the socket stay under MAX_AHEAD_BYTES plus one span.
 * @module
 */

import { monotonicMs } from '../io/clock.ts';
import { broken } from '../lib/assert.ts';
import type { DiskFault } from './file-table.ts';
import { SendAhead } from './send-ahead.ts';
import {
  FRAME_BYTES,
  type SendCache,
  type SendSource,
  SPAN_BLOCKS,
  type Span,
} from './send-cache.ts';

// Specification constants
const BLOCK_BYTES = 16_384;
const FRAME_HEADER_BYTES = 13;
const PIECE_MESSAGE_ID = 7;

/** A connection that blocks are written to. */
export interface SendTarget {
  readonly queuedBytes: number;
  write(bytes: Uint8Array, done?: () => void): void;
}

/** What a queue asks and tells its owner. */
export interface SendQueueHandlers {
  /** How many bytes may go out now (rate limit); when 0 the owner calls `pump` later. */
  allowance(): number;
  /** Data bytes of blocks were handed to the socket. */
  onSent(dataBytes: number, blockCount: number): void;
  /** A block could not be read; its request is dropped from the queue. */
  onFault(piece: number, begin: number, length: number, fault: DiskFault): void;
}

/** Serves one peer's requests of one torrent. */
export class SendQueue {
  readonly #cache: SendCache;
  readonly #source: SendSource;
  readonly #target: SendTarget;
  readonly #handlers: SendQueueHandlers;
  readonly #ahead = new SendAhead();
  /** Triples of piece, begin, length. */
  #requests: number[] = [];
  #head = 0;
  #span: Span | undefined;
  #spanPiece = -1;
  #spanFirstBlock = 0;
  #isWaiting = false;
  #isClosed = false;

  constructor(
    cache: SendCache,
    source: SendSource,
    target: SendTarget,
    handlers: SendQueueHandlers,
  ) {
    this.#cache = cache;
    this.#source = source;
    this.#target = target;
    this.#handlers = handlers;
  }

  /** Requests that have not reached the socket. */
  get length(): number {
    return (this.#requests.length - this.#head) / 3;
  }

  /**
   * Adds requests that were checked to lie inside their piece, and not to cross from one span of SPAN_BLOCKS blocks into the next;
   * call `pump` after the last one. @param ranges triples of piece, begin, length.
   */
  push(ranges: readonly number[]): void {
    for (const number of ranges) this.#requests.push(number);
  }

  /** Removes a request that has not reached the socket. @returns false when there is none. */
  cancel(piece: number, begin: number, length: number): boolean {
    for (let at = this.#head; at < this.#requests.length; at += 3) {
      if (
        this.#requests[at] === piece &&
        this.#requests[at + 1] === begin &&
        this.#requests[at + 2] === length
      ) {
        this.#requests.splice(at, 3);
        return true;
      }
    }
    return false;
  }

  /** Drops every request that has not reached the socket. */
  clear(): void {
    this.#requests = [];
    this.#head = 0;
    this.#leaveSpan();
  }

  close(): void {
    this.#isClosed = true;
    this.clear();
  }

  /** Writes as much as the socket, the disk and the rate allow. */
  pump(): void {
    while (!this.#isClosed && this.#head < this.#requests.length && !this.#isWaiting) {
      if (this.#target.queuedBytes >= this.#ahead.limitBytes) return;
      const allowance = this.#handlers.allowance();
      if (allowance <= 0) return;
      const span = this.#currentSpan();
      if (span === undefined) return;
      if (span.state === 'failed') this.#failHead(span.fault!);
      else this.#sendRun(span, allowance);
    }
    if (this.#head >= this.#requests.length) {
      this.#requests.length = 0;
      this.#head = 0;
      this.#leaveSpan();
    } else if (this.#head > 3072) {
      this.#requests.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #currentSpan(): Span | undefined {
    const piece = this.#requests[this.#head]!;
    const block = Math.floor(this.#requests[this.#head + 1]! / BLOCK_BYTES);
    const firstBlock = Math.floor(block / SPAN_BLOCKS) * SPAN_BLOCKS;
    if (this.#spanPiece !== piece || this.#spanFirstBlock !== firstBlock) this.#leaveSpan();
    if (this.#span === undefined) {
      this.#span = this.#cache.use(this.#source, piece, block, () => this.#wake());
      this.#isWaiting = this.#span === undefined;
      this.#spanPiece = piece;
      this.#spanFirstBlock = firstBlock;
    }
    const span = this.#span;
    if (span?.state === 'reading') {
      this.#isWaiting = true;
      span.waiting.push(() => this.#wake());
      return undefined;
    }
    return span;
  }

  #wake(): void {
    this.#isWaiting = false;
    this.pump();
  }

  #leaveSpan(): void {
    const span = this.#span;
    this.#span = undefined;
    this.#spanPiece = -1;
    if (span !== undefined) this.#cache.release(span);
  }

  #failHead(fault: DiskFault): void {
    const [piece, begin, length] = this.#requests.slice(this.#head, this.#head + 3);
    this.#head += 3;
    this.#leaveSpan();
    this.#handlers.onFault(piece!, begin!, length!, fault);
  }

  /** Sends the longest run of requests that stands in one piece of the span. */
  #sendRun(span: Span, allowance: number): void {
    const requests = this.#requests;
    const piece = requests[this.#head]!;
    const begin = requests[this.#head + 1]!;
    const block = begin / BLOCK_BYTES;
    if (!this.#isFramed(span, piece, begin, requests[this.#head + 2]!)) {
      this.#sendOdd(span);
      return;
    }
    let count = 0;
    let dataBytes = 0;
    const most = Math.min(allowance, this.#ahead.limitBytes);
    while (this.#head < requests.length && dataBytes < most) {
      const nextBegin = requests[this.#head + 1]!;
      const length = requests[this.#head + 2]!;
      if (requests[this.#head] !== piece || nextBegin !== begin + count * BLOCK_BYTES) break;
      if (!this.#isFramed(span, piece, nextBegin, length)) break;
      count += 1;
      dataBytes += length;
      this.#head += 3;
    }
    const at = (block - this.#spanFirstBlock) * FRAME_BYTES;
    const slice = span.bytes.subarray(at, at + dataBytes + count * FRAME_HEADER_BYTES);
    this.#handlers.onSent(dataBytes, count);
    span.users += 1;
    this.#write(slice, () => this.#cache.release(span));
  }

  #isFramed(span: Span, piece: number, begin: number, length: number): boolean {
    if (begin % BLOCK_BYTES !== 0) return false;
    const block = begin / BLOCK_BYTES;
    const index = block - this.#spanFirstBlock;
    if (index < 0 || index >= span.blockCount) return false;
    return length === this.#source.geometry.blockBytes(piece, block);
  }

  /** A request that is not one whole block: copied out, from this span and, past its end, zeros of a pad. */
  #sendOdd(span: Span): void {
    const [piece, begin, length] = this.#requests.slice(this.#head, this.#head + 3) as [
      number,
      number,
      number,
    ];
    this.#head += 3;
    const message = Buffer.alloc(FRAME_HEADER_BYTES + length);
    message.writeUInt32BE(length + FRAME_HEADER_BYTES - 4, 0);
    message[4] = PIECE_MESSAGE_ID;
    message.writeUInt32BE(piece, 5);
    message.writeUInt32BE(begin, 9);
    const dataEnd = Math.min(begin + length, this.#source.geometry.wantedBytes(piece));
    // Zeros in the place of real data would be blamed on us as a bad piece.
    if (dataEnd > (this.#spanFirstBlock + SPAN_BLOCKS) * BLOCK_BYTES) {
      broken(`request of ${length} bytes at ${begin}: expected one inside a span`);
    }
    for (let at = begin; at < dataEnd; ) {
      const block = Math.floor(at / BLOCK_BYTES);
      const index = block - this.#spanFirstBlock;
      const end = Math.min((block + 1) * BLOCK_BYTES, dataEnd);
      const from = index * FRAME_BYTES + FRAME_HEADER_BYTES + (at - block * BLOCK_BYTES);
      span.bytes.copy(message, FRAME_HEADER_BYTES + at - begin, from, from + end - at);
      at = end;
    }
    this.#handlers.onSent(length, 1);
    this.#write(message, () => {});
  }

  /** @param done the bytes may change again. */
  #write(bytes: Uint8Array, done: () => void): void {
    if (this.#target.queuedBytes === 0) this.#ahead.begin(monotonicMs());
    this.#target.write(bytes, () => {
      this.#ahead.sent(monotonicMs(), bytes.length, this.#target.queuedBytes === 0);
      done();
      this.pump();
    });
  }
}
