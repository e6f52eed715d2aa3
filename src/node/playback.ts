/**
 * When a player needs what: pieces, or a range of a file that is read at some rate, become times of pieces.
 *
 * Bounds: of a range no more pieces than the core takes deadlines for; the first ones count.
 * Not here: what the times do (`deadlines.ts` of the swarm core).
 * @module
 */
import { assert } from '../lib/assert.ts';
import type { Info } from '../protocol/metainfo/index.ts';
import { MAX_DEADLINES } from '../protocol/swarm/index.ts';

/** A piece and when it is needed. */
export interface NeededPiece {
  readonly piece: number;
  /** Milliseconds from now; below 0: it is late already. */
  readonly inMs: number;
}

/** A part of a file and when its first byte is needed. */
export interface NeededRange {
  /** Index in the torrent's `info.files`. */
  readonly file: number;
  /** First byte, counted from the start of the file. */
  readonly begin: number;
  /** Default: to the end of the file; what goes beyond it is left out. */
  readonly length?: number;
  readonly inMs: number;
  /** How fast it is read, so that later bytes are needed later. Default: all of it is needed at once. */
  readonly bytesPerSec?: number;
}

/** @returns pieces and milliseconds from now; a piece may come several times. @throws when a range begins outside of its file. */
export function needsByPiece(
  info: Info,
  needs: readonly (NeededPiece | NeededRange)[],
): NeededPiece[] {
  return needs.flatMap((need) => ('piece' in need ? [need] : piecesOf(info, need)));
}

function piecesOf(info: Info, range: NeededRange): NeededPiece[] {
  const { begin, inMs, bytesPerSec = Number.POSITIVE_INFINITY } = range;
  const file = info.files[range.file];
  assert(file !== undefined, `file: expected below ${info.files.length}, got ${range.file}`);
  assert(
    begin >= 0 && begin < file.lengthBytes && bytesPerSec > 0,
    `range: expected to begin in ${file.lengthBytes} bytes and a rate above 0, got ${begin} at ${bytesPerSec}`,
  );
  const from = file.offsetBytes + begin;
  const { pieceLengthBytes } = info;
  const lengthBytes = Math.min(range.length ?? file.lengthBytes, file.lengthBytes - begin);
  const first = Math.floor(from / pieceLengthBytes);
  const end = Math.ceil((from + lengthBytes) / pieceLengthBytes);
  return Array.from({ length: Math.min(end - first, MAX_DEADLINES) }, (_, i) => {
    const piece = first + i;
    const ahead = Math.max(0, piece * pieceLengthBytes - from);
    return { piece, inMs: inMs + (ahead * 1000) / bytesPerSec };
  });
}
