/**
 * Reads a file of a torrent while it downloads: verified bytes only, in order, and what is missing is waited for while it comes before all else.
 *
 * A file that was not wanted becomes wanted: who plays it wants it. Reading does not count as upload and is held back by no limit.
 * How fast pieces are needed is what the reader takes once it is full (a player reads ahead, then as it plays); until that is known it is guessed by
 * the file's length.
 * Bounds: STEP_BYTES of memory; those of playheads.ts.
 * Not here: HTTP (respond.ts says which bytes).
 * @module
 */
import { monotonicMs } from '../../io/clock.ts';
import { assert } from '../../lib/assert.ts';
import type { AppError } from '../../lib/errors.ts';
import { nodeError } from '../errors.ts';
import { type FileSpan, firstMissing, readSpan } from '../file-span.ts';
import { DEFAULT_PRIORITY } from '../selection.ts';
import type { Torrent } from '../torrent.ts';
import { type Playhead, Playheads } from './playheads.ts';

// Implementation limits
/** Bytes that are read and given at a time. */
const STEP_BYTES = 256 * 1024;
/** A file whose rate is not known is taken for one that lasts this long, but for no slower one than … */
const GUESSED_SECONDS = 3_600;
const LEAST_BYTES_PER_SEC = 128 * 1024;
/** How long the reader must have been the slower one before its rate is believed. */
const MEASURE_MS = 2_000;

/** What is read. */
export interface ReadOptions {
  /** Index in the torrent's `info.files`. */
  readonly file: number;
  /** First byte, from the start of the file. Default 0. */
  readonly begin?: number;
  /** Behind the last byte. Default: the end of the file. */
  readonly end?: number;
  /** How fast it is played, when that is known. */
  readonly bytesPerSec?: number;
  /** Ends the reading, also while it waits. */
  readonly signal?: AbortSignal;
}

/**
 * Reads bytes of a file, as they come; each part is the receiver's to keep. It waits as long as the torrent runs.
 * @throws {AppError} ERR_READ when what is missing cannot come: the torrent is paused, waits for its turn, stopped or broken;
 * ERR_FILE when the file is gone or cannot be read; the signal's reason.
 */
export async function* readTorrentFile(
  torrent: Torrent,
  options: ReadOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { info } = torrent;
  if (info === undefined)
    throw cannot(torrent, 'its files are not known yet: wait for the metadata');
  const file = info.files[options.file];
  assert(file !== undefined, `file: expected below ${info.files.length}, got ${options.file}`);
  const { begin = 0, end = file.lengthBytes, signal } = options;
  assert(
    begin >= 0 && begin <= end && end <= file.lengthBytes,
    `range: expected in ${file.lengthBytes} bytes, got ${begin} to ${end}`,
  );
  if (begin === end) return;
  want(torrent, options.file);
  const pace = new ReadPace(options.bytesPerSec ?? guessRate(file.lengthBytes));
  const head = Playheads.of(torrent).open(options.file, end);
  try {
    for (let at = begin; at < end; ) {
      const lengthBytes = Math.min(STEP_BYTES - (at % STEP_BYTES), end - at);
      const wished = { info, fileIndex: options.file, offsetBytes: at, lengthBytes };
      const span = await whenThere(torrent, head, wished, pace, signal);
      const bytes = Buffer.from(new ArrayBuffer(span.lengthBytes));
      if (!(await fill(torrent, span, bytes))) continue;
      signal?.throwIfAborted();
      const givenMs = monotonicMs();
      yield bytes;
      at += bytes.length;
      pace.took(bytes.length, monotonicMs() - givenMs);
    }
  } finally {
    head.close();
  }
}

function want(torrent: Torrent, file: number): void {
  if (torrent.filePriorities[file] !== 0) return;
  const changes: number[] = [];
  changes[file] = DEFAULT_PRIORITY;
  torrent.setFilePriorities(changes);
}

/** Waits for the beginning of a span. @returns as much of it as is there. */
async function whenThere(
  torrent: Torrent,
  head: Playhead,
  span: FileSpan,
  pace: ReadPace,
  signal: AbortSignal | undefined,
): Promise<FileSpan> {
  for (;;) {
    const missing = firstMissing(torrent.service.swarm.have, span);
    const { info, fileIndex, offsetBytes } = span;
    const from = info.files[fileIndex]!.offsetBytes + offsetBytes;
    const there = missing === undefined ? span.lengthBytes : missing * info.pieceLengthBytes - from;
    head.move(offsetBytes, pace.bytesPerSec, there <= 0);
    if (there > 0) return { ...span, lengthBytes: Math.min(there, span.lengthBytes) };
    const obstacle = obstacleOf(torrent);
    if (obstacle !== undefined) throw obstacle;
    await head.changed(signal);
  }
}

/** Why what is missing will not come. */
function obstacleOf(torrent: Torrent): AppError | undefined {
  switch (torrent.state) {
    case 'paused':
      return cannot(torrent, 'it is paused and this part is not there: resume it');
    case 'queued':
      return cannot(torrent, 'it waits for its turn and this part is not there: move it up');
    case 'stopped':
      return cannot(torrent, 'it was stopped');
    case 'error':
      return torrent.finalError;
    default:
      return undefined;
  }
}

/** @returns false when a piece was lost meanwhile. @throws {AppError} */
async function fill(torrent: Torrent, span: FileSpan, bytes: Buffer): Promise<boolean> {
  const { service } = torrent;
  const { source } = service;
  if (source === undefined) throw cannot(torrent, 'it was stopped');
  const fault = await readSpan(source.files, span, bytes);
  if (fault?.code === 'ECLOSED') throw cannot(torrent, 'it was stopped');
  if (fault !== undefined) {
    service.reportFault(fault);
    throw nodeError('ERR_FILE', fault);
  }
  return firstMissing(service.swarm.have, span) === undefined;
}

function cannot(torrent: Torrent, reason: string): AppError {
  return nodeError('ERR_READ', { name: torrent.name, reason });
}

function guessRate(lengthBytes: number): number {
  return Math.max(LEAST_BYTES_PER_SEC, lengthBytes / GUESSED_SECONDS);
}

/** How fast a reader takes what it gets, as far as it is the slower one. */
class ReadPace {
  bytesPerSec: number;
  #bytes = 0;
  #ms = 0;

  constructor(bytesPerSec: number) {
    this.bytesPerSec = bytesPerSec;
  }

  /** It took this long until it asked for more. */
  took(bytes: number, ms: number): void {
    this.#bytes += bytes;
    this.#ms += ms;
    if (this.#ms < MEASURE_MS) return;
    this.bytesPerSec = Math.max(LEAST_BYTES_PER_SEC, (this.#bytes * 1000) / this.#ms);
    this.#bytes = 0;
    this.#ms = 0;
  }
}
