/**
 * Which files of a torrent a person means by patterns, and which pieces that makes wanted.
 * @module
 */
import path from 'node:path';
import { Bitfield } from '../lib/bitfield.ts';
import type { Info, PieceLayout } from '../protocol/metainfo/index.ts';
import { nodeError } from './errors.ts';

// Specification constants
/** Priority of a file that nobody said anything about; 0: not wanted, 7: first. */
export const DEFAULT_PRIORITY = 4;
const MAX_PRIORITY = 7;

/** The path of a file as people see it: below the torrent's top name, with slashes. */
export function shownPath(info: Info, fileIndex: number): string {
  const { path: parts } = info.files[fileIndex]!;
  return info.isSingleFile ? parts.join('/') : parts.slice(1).join('/');
}

/**
 * The files that match any pattern. A pattern with *, ? or [ is a glob over the whole path or the file's name; any other is a path, a folder, or a
 * part of the path in either case.
 * @throws {AppError} ERR_NO_MATCH when none matches.
 */
export function selectFiles(info: Info, patterns: readonly string[]): Set<number> {
  const selected = new Set<number>();
  for (const [index, file] of info.files.entries()) {
    if (file.isPad) continue;
    const shown = shownPath(info, index);
    if (patterns.some((pattern) => matches(shown, pattern))) selected.add(index);
  }
  if (selected.size === 0) {
    throw nodeError('ERR_NO_MATCH', { patterns: patterns.join(', '), name: info.name });
  }
  return selected;
}

function matches(shown: string, pattern: string): boolean {
  if (/[*?[]/.test(pattern)) {
    return (
      path.posix.matchesGlob(shown, pattern) ||
      path.posix.matchesGlob(path.posix.basename(shown), pattern)
    );
  }
  const trimmed = pattern.replace(/\/+$/, '');
  return shown.toLowerCase().includes(trimmed.toLowerCase());
}

/**
 * The priorities of files after a change.
 * @param before of each file. @param changes by index, 0 (not wanted) to 7 (first); a file without a number keeps what it had.
 * @throws {AppError} ERR_CONFIG for more numbers than files, or one out of range.
 */
export function changedPriorities(before: Uint8Array, changes: readonly number[]): Uint8Array {
  const isRight = (priority: number): boolean =>
    Number.isInteger(priority) && priority >= 0 && priority <= MAX_PRIORITY;
  const wrong = changes.findIndex((priority) => priority !== undefined && !isRight(priority));
  if (wrong >= 0 || changes.length > before.length) {
    const got = wrong >= 0 ? `${changes[wrong]} for file ${wrong}` : `${changes.length} numbers`;
    const expected = `0 to ${MAX_PRIORITY} for each of ${before.length} files`;
    throw nodeError('ERR_CONFIG', { what: 'file priorities', expected, got });
  }
  return before.map((priority, index) => changes[index] ?? priority);
}

/** The priority of each piece: the highest of the files that it holds a byte of. @param priorities of each file, 0 (not wanted) to 7. */
export function piecePriorities(
  { files }: Info,
  layout: PieceLayout,
  priorities: Uint8Array,
): Uint8Array {
  const [first = DEFAULT_PRIORITY] = priorities;
  const pieces = new Uint8Array(layout.pieceCount);
  if (priorities.every((priority) => priority === first)) return pieces.fill(first);
  for (const [index, priority] of priorities.entries()) {
    if (files[index]!.isPad) continue;
    const { first, count } = layout.filePieces(index);
    for (let piece = first; piece < first + count; piece += 1) {
      if (priority > pieces[piece]!) pieces[piece] = priority;
    }
  }
  return pieces;
}

/** The pieces that hold a byte of these files. */
export function piecesOf(layout: PieceLayout, files: Iterable<number>): Bitfield {
  const wanted = new Bitfield(layout.pieceCount);
  for (const index of files) {
    const { first, count } = layout.filePieces(index);
    for (let piece = first; piece < first + count; piece += 1) wanted.add(piece);
  }
  return wanted;
}
