/**
 * Blocks on their way out: spans of up to 64 blocks (1 MiB of a piece) read ahead in one call, already framed.
 *
 * Reading several spans in one call, or the next ones beside the one that is waited for, was slower by 8 to 12 %: the socket ran dry meanwhile.
 *
 * In the buffer each block stands behind the 13 bytes of its own `piece` message: consecutive requests of any number of peers then go out
 * as one slice of one buffer, without copying or joining.
 * Bounds: `spanLimit` buffers; a span in use by a socket is never evicted or changed.
 * @module
 */
import { assert } from '../lib/assert.ts';
import { readInto } from './file-read.ts';
import type { DiskFault, FileTable } from './file-table.ts';
import { cutSegments, type Geometry } from './geometry.ts';

// Specification constants
const BLOCK_BYTES = 16_384;
const FRAME_HEADER_BYTES = 13;
const PIECE_MESSAGE_ID = 7;

// Implementation limits
/**
 * Spans that nobody uses and that are kept; beyond them the oldest one's buffer is used again. The page cache is behind us anyway, and 32
 * buffers in turn leave the CPU's cache and count as garbage to come: V8 collected for 77 ms a GiB instead of 23.
 */
const IDLE_SPANS = 6;
/** Files of a span that are read at a time: Node has four threads for it. */
const READS_AT_ONCE = 16;
/** Blocks of a span. */
export const SPAN_BLOCKS: number = 64;
/** Bytes from one framed block to the next. */
export const FRAME_BYTES: number = FRAME_HEADER_BYTES + BLOCK_BYTES;
/** Where a span's bytes are read to: behind the room that all headers take. */
const READ_AT = SPAN_BLOCKS * FRAME_HEADER_BYTES;

/** A torrent to read from. */
export interface SendSource {
  readonly files: FileTable;
  readonly geometry: Geometry;
}

/** A framed run of blocks; frame `i` begins at `i × FRAME_BYTES`. */
export interface Span {
  state: 'reading' | 'ready' | 'failed';
  readonly bytes: Buffer;
  readonly blockCount: number;
  fault: DiskFault | undefined;
  /** Its torrent was closed: its buffer is free when nobody uses it. */
  isForgotten: boolean;
  /** Sockets and queues that use it now. */
  users: number;
  waiting: (() => void)[];
}

/** Keeps the spans used last, for all torrents of a node. */
export class SendCache {
  readonly #spanLimit: number;
  readonly #spans = new Map<SendSource, Map<number, Span>>();
  readonly #order = new Set<{ source: SendSource; key: number; span: Span }>();
  readonly #entries = new WeakMap<Span, { source: SendSource; key: number; span: Span }>();
  readonly #buffers: Buffer[] = [];
  #bufferCount = 0;
  readonly #starved: (() => void)[] = [];

  /** @param spanLimit buffers of 1 MiB, at least 2. */
  constructor(spanLimit: number) {
    this.#spanLimit = spanLimit;
  }

  /**
   * The span that holds a block, being read if it was not there; `use` counts the caller in.
   * @returns undefined when every buffer is in use: `onFree` is called when one may be free again.
   */
  use(source: SendSource, piece: number, block: number, onFree: () => void): Span | undefined {
    const spanIndex = Math.floor(block / SPAN_BLOCKS);
    const spansPerPiece = Math.ceil(source.geometry.pieceLengthBytes / BLOCK_BYTES / SPAN_BLOCKS);
    const key = piece * spansPerPiece + spanIndex;
    let span = this.#spans.get(source)?.get(key);
    if (span === undefined) {
      const bytes = this.#acquireBuffer();
      if (bytes === undefined) {
        this.#starved.push(onFree);
        return undefined;
      }
      const blockCount = Math.min(
        SPAN_BLOCKS,
        source.geometry.blockCount(piece) - spanIndex * SPAN_BLOCKS,
      );
      span = {
        state: 'reading',
        bytes,
        blockCount,
        fault: undefined,
        users: 0,
        waiting: [],
        isForgotten: false,
      };
      // Only now: to make room, the last span of this source may have gone, and its map with it.
      const spans = this.#spans.get(source) ?? new Map<number, Span>();
      this.#spans.set(source, spans.set(key, span));
      this.#entries.set(span, { source, key, span });
      this.#read(source, piece, spanIndex * SPAN_BLOCKS, span);
    }
    this.#touch(span);
    span.users += 1;
    return span;
  }

  /** The end of a `use`. */
  release(span: Span): void {
    span.users -= 1;
    assert(span.users >= 0, 'a span was released twice');
    if (span.users === 0) {
      this.#settleUnused(span);
    }
  }

  /** Forgets what was read of a torrent; what is in use or being read goes when that ends. */
  forget(source: SendSource): void {
    const spans = [...(this.#spans.get(source)?.values() ?? [])];
    this.#spans.delete(source);
    for (const span of spans) {
      span.isForgotten = true;
      if (span.users === 0) this.#settleUnused(span);
    }
  }

  /** A span lost its last user, or its read ended without any: its buffer may be taken, so those who starve may go on. */
  #settleUnused(span: Span): void {
    if (span.state === 'reading') return;
    if (span.state === 'failed' || span.isForgotten) this.#drop(span);
    // A closed queue does not use its turn: on to the next, as long as a buffer can be had.
    while (this.#starved.length > 0 && this.#hasBuffer()) this.#starved.shift()!();
  }

  #hasBuffer(): boolean {
    if (this.#buffers.length > 0 || this.#bufferCount < this.#spanLimit) return true;
    return [...this.#order].some(isIdle);
  }

  #touch(span: Span): void {
    const entry = this.#entries.get(span)!;
    this.#order.delete(entry);
    this.#order.add(entry);
  }

  #acquireBuffer(): Buffer | undefined {
    const free = this.#buffers.pop();
    if (free !== undefined) return free;
    const isFull = this.#bufferCount === this.#spanLimit;
    const idle = [...this.#order].filter(isIdle);
    if (idle.length > (isFull ? 0 : IDLE_SPANS)) {
      this.#drop(idle[0]!.span);
      return this.#buffers.pop();
    }
    if (isFull) return undefined;
    this.#bufferCount += 1;
    return Buffer.allocUnsafeSlow(SPAN_BLOCKS * FRAME_BYTES);
  }

  #drop(span: Span): void {
    const entry = this.#entries.get(span)!;
    this.#order.delete(entry);
    const spans = this.#spans.get(entry.source);
    // After `forget` another span may stand there.
    if (spans?.get(entry.key) === span) spans.delete(entry.key);
    if (spans?.size === 0) this.#spans.delete(entry.source);
    this.#buffers.push(span.bytes);
  }

  /**
   * Reads a span's bytes to the end of its buffer, then spreads the blocks forward, each behind its header: a block's place is never
   * behind where it was read to, so the move needs no second buffer. Measured: 45 µs a span; a `readv` of 64 views cost 200 µs in the caller.
   */
  #read(source: SendSource, piece: number, firstBlock: number, span: Span): void {
    const { geometry } = source;
    const from = firstBlock * BLOCK_BYTES;
    const length = Math.min(SPAN_BLOCKS * BLOCK_BYTES, geometry.wantedBytes(piece) - from);
    const segments = cutSegments(geometry.segments(piece), from, length);
    let next = 0;
    let underWay = 0;
    // A span of tiny files has thousands of them: each is open only while it is read.
    const readMore = (): void => {
      while (next < segments.length && underWay < READS_AT_ONCE && span.fault === undefined) {
        const segment = segments[next]!;
        next += 1;
        const at = READ_AT + segment.at;
        const target = span.bytes.subarray(at, at + segment.lengthBytes);
        if (segment.isPad) {
          target.fill(0);
          continue;
        }
        underWay += 1;
        readInto(source.files, segment.fileIndex, segment.fileOffsetBytes, target, settle);
      }
    };
    const finish = (): void => {
      span.state = span.fault === undefined ? 'ready' : 'failed';
      if (span.state === 'ready') frame(span, piece, from, length);
      const waiting = span.waiting;
      span.waiting = [];
      for (const wake of waiting) wake();
      if (span.users === 0 && this.#order.has(this.#entries.get(span)!)) this.#settleUnused(span);
    };
    const settle = (fault?: DiskFault): void => {
      span.fault ??= fault;
      underWay -= 1;
      readMore();
      if (underWay === 0) finish();
    };
    readMore();
    if (underWay === 0) finish();
  }
}

function isIdle({ span }: { readonly span: Span }): boolean {
  return span.users === 0 && span.state !== 'reading';
}

/** Spreads `length` bytes that begin at READ_AT over their frames. @param from their offset in the piece. */
function frame(span: Span, piece: number, from: number, length: number): void {
  const { bytes } = span;
  for (let i = 0; i < span.blockCount; i += 1) {
    const at = i * FRAME_BYTES;
    const blockBytes = Math.min(BLOCK_BYTES, length - i * BLOCK_BYTES);
    const readAt = READ_AT + i * BLOCK_BYTES;
    bytes.copy(bytes, at + FRAME_HEADER_BYTES, readAt, readAt + blockBytes);
    bytes.writeUInt32BE(blockBytes + FRAME_HEADER_BYTES - 4, at);
    bytes[at + 4] = PIECE_MESSAGE_ID;
    bytes.writeUInt32BE(piece, at + 5);
    bytes.writeUInt32BE(from + i * BLOCK_BYTES, at + 9);
  }
}
