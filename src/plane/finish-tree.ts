/**
 * The last steps of a tree whose data is there: what no data brings (folders, empty files, symbolic links), then modes and times.
 *
 * Both steps may be cut short anywhere and done again. The tree is in a folder of our own, and no name in it leads through a link: the caller made them so.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../io/make-folder.ts';
import { DiskFaultError } from './file-table.ts';

/** Seconds are cut to whole microseconds on their way to the system, and a double holds .123 as .122999. */
const ROUNDING_MS = 0.0005;

/** An entry of the tree. */
export interface FinishEntry {
  readonly kind: 'file' | 'folder' | 'link';
  /** Relative to the folder, with the system's separators. */
  readonly path: string;
  /** file: a file without bytes is made. */
  readonly sizeBytes: number;
  /** file and folder: permission bits, and milliseconds since 1970. */
  readonly mode: number;
  readonly mtimeMs: number;
  /** link: what it leads to, relative to the folder that it is in. */
  readonly target: string;
}

/**
 * Does one step for some entries.
 * @param entries make: folders before what is in them; dress: after it, since a folder's mode may forbid to change what is in it.
 * @throws {DiskFaultError}
 */
export function finishTree(
  step: 'make' | 'dress',
  dir: string,
  entries: readonly FinishEntry[],
): void {
  for (const entry of entries) {
    const where = path.join(dir, entry.path);
    try {
      if (step === 'make') make(where, entry);
      else dress(where, entry);
    } catch (error) {
      throw faultAt(where, error);
    }
  }
}

function faultAt(where: string, error: unknown): DiskFaultError {
  const { code = 'EIO' } = error as NodeJS.ErrnoException;
  return new DiskFaultError({ code, path: where, operation: 'write' }, error);
}

function make(where: string, { kind, sizeBytes, target }: FinishEntry): void {
  if (kind === 'folder') makeFolder(where);
  else if (kind === 'link') unlessThere(() => fs.symlinkSync(target, where));
  else if (sizeBytes === 0) unlessThere(() => fs.closeSync(fs.openSync(where, 'wx')));
}

/** Gives an entry its mode and time; links have none of their own. @throws the system's error. */
export function dress(
  where: string,
  { kind, mode, mtimeMs }: Pick<FinishEntry, 'kind' | 'mode' | 'mtimeMs'>,
): void {
  if (kind === 'link') return;
  // As a text: Node takes a negative number for "now".
  const seconds = String((mtimeMs + ROUNDING_MS) / 1000);
  fs.utimesSync(where, seconds, seconds);
  fs.chmodSync(where, mode);
}

function unlessThere(act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
