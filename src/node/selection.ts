/**
 * Which files of a torrent a person means by patterns, and which pieces that makes wanted.
 * @module
 */
import path from 'node:path';
import { Bitfield } from '../lib/bitfield.ts';
import type { Info, PieceLayout } from '../protocol/metainfo/index.ts';
import { nodeError } from './errors.ts';

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

/** The pieces that hold a byte of the selected files. */
export function wantedPieces(
  layout: PieceLayout,
  selected: ReadonlySet<number> | undefined,
): Bitfield {
  const wanted = new Bitfield(layout.pieceCount);
  if (selected === undefined) {
    wanted.fill();
    return wanted;
  }
  for (const index of selected) {
    const { first, count } = layout.filePieces(index);
    for (let piece = first; piece < first + count; piece += 1) wanted.add(piece);
  }
  return wanted;
}
