/**
 * Ranges of a torrent's file: whether they are on disk and right, and reading them.
 * @module
 */
import type { Bitfield } from '../lib/bitfield.ts';
import { readInto } from '../plane/file-read.ts';
import type { DiskFault, FileTable } from '../plane/file-table.ts';
import type { Info } from '../protocol/metainfo/index.ts';

/** A range of a file, not empty. */
export interface FileSpan {
  readonly info: Info;
  readonly fileIndex: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** The first piece of a span that is not on disk; undefined when all of it is there. */
export function firstMissing(
  have: Bitfield | undefined,
  { info, fileIndex, offsetBytes, lengthBytes }: FileSpan,
): number | undefined {
  const from = info.files[fileIndex]!.offsetBytes + offsetBytes;
  const last = Math.floor((from + lengthBytes - 1) / info.pieceLengthBytes);
  for (let piece = Math.floor(from / info.pieceLengthBytes); piece <= last; piece += 1) {
    if (have?.has(piece) !== true) return piece;
  }
  return undefined;
}

/** Fills `target` from where the span begins. @returns what went wrong. */
export function readSpan(
  files: FileTable,
  { fileIndex, offsetBytes }: FileSpan,
  target: Buffer,
): Promise<DiskFault | undefined> {
  return new Promise((resolve) => readInto(files, fileIndex, offsetBytes, target, resolve));
}
