/**
 * Moves the files of a torrent to another folder: renamed where the disk allows it, else copied, and removed from the old place when all are at the new one.
 * @module
 */
import type { Stats } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../../io/make-folder.ts';
import { AppError } from '../../lib/errors.ts';
import type { Info } from '../../protocol/metainfo/index.ts';
import { nodeError } from '../errors.ts';
import { filesOf, removeFiles } from './remove-files.ts';

interface Move {
  readonly old: string;
  readonly next: string;
}

/**
 * Files of others at the new place are never written over. @param isResumed a move that was cut off goes on: what is at the new place already counts as moved.
 * @throws {AppError} ERR_FILE: then everything is where it was.
 */
export async function moveFiles(
  from: string,
  to: string,
  info: Info,
  isResumed = false,
): Promise<void> {
  const olds = filesOf(path.resolve(from), info);
  const news = filesOf(path.resolve(to), info);
  const present: Move[] = [];
  const done: Move[] = [];
  let isCopied = false;
  try {
    for (const [at, old] of olds.entries()) {
      const next = news[at]!;
      const [there, here] = [await lookAt(next), await lookAt(old)];
      const isDone =
        isResumed && there !== undefined && (here === undefined || isCopy(here, there));
      if (isDone) {
        done.push({ old, next });
        isCopied ||= here !== undefined;
      } else if (there !== undefined) throw fileError(next, 'EEXIST');
      else if (here !== undefined) present.push({ old, next });
    }
    for (const move of present) {
      makeFolder(path.dirname(move.next));
      isCopied = (await place(move)) || isCopied;
      done.push(move);
    }
  } catch (error) {
    await undo(done, isCopied);
    if (error instanceof AppError) throw error;
    const { code = 'EIO', path: where = to } = error as NodeJS.ErrnoException;
    throw fileError(where, code, error);
  }
  // Of renamed files only their empty folders are left. All is at the new place: what cannot be removed from the old one is no reason to go back.
  await removeFiles(from, info, new Set(news)).catch(() => {});
}

/** A copy is made with the times of what it is a copy of, to a millisecond or so, and gets its name when it is whole. */
function isCopy(old: Stats, next: Stats): boolean {
  return old.size === next.size && Math.abs(old.mtimeMs - next.mtimeMs) < 2;
}

/** @returns true when it was copied and the old one still stands. */
async function place({ old, next }: Move): Promise<boolean> {
  try {
    await fs.rename(old, next);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
  }
  const unfinished = `${next}.starling-moving`;
  try {
    await fs.cp(old, unfinished, { force: true, preserveTimestamps: true });
    await fs.rename(unfinished, next);
  } catch (error) {
    await fs.rm(unfinished, { force: true });
    throw error;
  }
  return true;
}

async function undo(done: readonly Move[], isCopied: boolean): Promise<void> {
  for (const { old, next } of done.toReversed()) {
    if (isCopied && (await lookAt(old)) !== undefined) await fs.rm(next, { force: true });
    else await fs.rename(next, old).catch(() => {});
  }
}

/** Undefined: nothing is there. */
export function lookAt(file: string): Promise<Stats | undefined> {
  return fs.lstat(file).catch(() => undefined);
}

function fileError(where: string, code: string, cause?: unknown): Error {
  return nodeError('ERR_FILE', { path: where, code, operation: 'move' }, cause);
}
