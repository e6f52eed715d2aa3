/**
 * Moves the files of a torrent to another folder: renamed where the disk allows it, else copied, and removed from the old place when all are at the new one.
 * @module
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Info } from '../../protocol/metainfo/index.ts';
import { nodeError } from '../errors.ts';
import { filesOf, removeFiles } from './remove-files.ts';

/** Files of others at the new place are never written over. @throws {AppError} ERR_FILE: then everything is where it was. */
export async function moveFiles(from: string, to: string, info: Info): Promise<void> {
  const olds = filesOf(path.resolve(from), info);
  const news = filesOf(path.resolve(to), info);
  const moves = olds.map((old, at) => [old, news[at]!] as const);
  const present: (readonly [string, string])[] = [];
  for (const move of moves) {
    if (await isThere(move[1])) throw fileError(move[1], 'EEXIST');
    if (await isThere(move[0])) present.push(move);
  }
  const done: (readonly [string, string])[] = [];
  let isCopied = false;
  try {
    for (const move of present) {
      await fs.mkdir(path.dirname(move[1]), { recursive: true });
      isCopied = (await place(...move)) || isCopied;
      done.push(move);
    }
  } catch (error) {
    await undo(done, isCopied);
    const { code = 'EIO', path: where = to } = error as NodeJS.ErrnoException;
    throw fileError(where, code, error);
  }
  // Of renamed files only their empty folders are left. All is at the new place: what cannot be removed from the old one is no reason to go back.
  await removeFiles(from, info, new Set(news)).catch(() => {});
}

/** @returns true when it was copied and the old one still stands. */
async function place(old: string, next: string): Promise<boolean> {
  try {
    await fs.rename(old, next);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
  }
  try {
    await fs.cp(old, next, { errorOnExist: true, force: false, preserveTimestamps: true });
  } catch (error) {
    const isOurs = (error as NodeJS.ErrnoException).code?.endsWith('CP_EEXIST') !== true;
    if (isOurs) await fs.rm(next, { force: true });
    throw error;
  }
  return true;
}

async function undo(
  done: readonly (readonly [string, string])[],
  isCopied: boolean,
): Promise<void> {
  for (const [old, next] of done.toReversed()) {
    if (isCopied && (await isThere(old))) await fs.rm(next, { force: true });
    else await fs.rename(next, old).catch(() => {});
  }
}

async function isThere(file: string): Promise<boolean> {
  return fs.lstat(file).then(
    () => true,
    () => false,
  );
}

function fileError(where: string, code: string, cause?: unknown): Error {
  return nodeError('ERR_FILE', { path: where, code, operation: 'move' }, cause);
}
