/**
 * Gives a file or folder of a torrent another name on disk, after judging whether that can be.
 *
 * Safety: a new name is one component that every reader of ours takes as it is, so that none leads elsewhere; nothing that is there is written over.
 * @module
 */
import type { Stats } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { type Info, safeComponent } from '../../protocol/metainfo/index.ts';
import { nodeError } from '../errors.ts';
import { apiError } from '../http/errors.ts';
import { isAt, type Rename, renamed, renamedPath } from '../renames.ts';
import { lookAt } from './move-files.ts';
import { isInside } from './remove-files.ts';

// Implementation limits
/** Things of one torrent that are called otherwise. */
const MAX_RENAMES = 1_000;

/**
 * What is to be renamed.
 * @param info with the names of now. @param where below the top name, with "/"; '': the top itself.
 * @throws {AppError} ERR_API_NOT_FOUND, ERR_API_INVALID.
 */
export function judgedRename(info: Info, where: string, name: string): Rename {
  const isTop = where === '' || (info.isSingleFile && where === info.name);
  const at = isTop ? [info.name] : [info.name, ...where.split('/')];
  const named = info.files.filter(({ isPad }) => !isPad);
  if (!named.some((file) => isAt(file.path, at))) {
    const hint = 'a path is written as in its list of files, or is that of a folder above one';
    throw apiError('ERR_API_NOT_FOUND', { what: `${JSON.stringify(where)} in it`, hint });
  }
  const rules = process.platform === 'win32' ? 'windows' : 'portable';
  if (name === '' || safeComponent(Buffer.from(name).toString('latin1'), rules) !== name) {
    const got = JSON.stringify(name);
    const mistakes = `expected a name of at most 240 bytes that is no dot and holds no separator, control or invisible character, got ${got}`;
    throw apiError('ERR_API_INVALID', { what: 'name', mistakes });
  }
  const next = [...at.slice(0, -1), name];
  const isTaken = named.some(
    (file) => !isAt(file.path, at) && isAt(file.path.map(folded), next.map(folded)),
  );
  if (isTaken) {
    const mistakes = `expected a name that nothing else in that folder has, got ${JSON.stringify(name)}`;
    throw apiError('ERR_API_INVALID', { what: 'name', mistakes });
  }
  return { path: at, name };
}

/** @throws {AppError} ERR_API_TOO_MANY. */
export function expectFewRenames(renames: readonly Rename[]): void {
  if (renames.length <= MAX_RENAMES) return;
  throw apiError('ERR_API_TOO_MANY', { what: 'other names in one torrent', most: MAX_RENAMES });
}

/** For a torrent that was complete: a name that the disk does not get, since it is away, fits nothing when it is back. @throws {AppError} ERR_FILE. */
export async function expectThere(dir: string, info: Info): Promise<void> {
  const top = path.join(path.resolve(dir), info.name);
  if ((await lookAt(top)) !== undefined) return;
  throw nodeError('ERR_FILE', { path: top, code: 'ENOENT', operation: 'rename' });
}

/**
 * Renames on disk; what is not there yet will come under its new name, unless something else has that.
 * @param info with the names before. @param isResumed a crash cut it off: what has the new name alone counts as renamed. @throws {AppError} ERR_FILE: then nothing changed.
 */
export async function renameFiles(
  dir: string,
  info: Info,
  rename: Rename,
  isResumed = false,
): Promise<void> {
  const top = path.resolve(dir);
  const [old, next] = [path.join(top, ...rename.path), path.join(top, ...renamedPath(rename))];
  try {
    const [here, there] = await Promise.all([lookIn(old), lookIn(next)]);
    const isDone = isResumed && here === undefined;
    if (!isDone && there !== undefined && !isSame(old, here, next, there)) {
      throw nodeError('ERR_FILE', { path: next, code: 'EEXIST', operation: 'write' });
    }
    if (here !== undefined) {
      if (!(await isInside(top, path.dirname(old)))) {
        throw nodeError('ERR_FILE', { path: old, code: 'ELOOP', operation: 'rename' });
      }
      await fs.rename(old, next);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('ERR_')) throw error;
    throw nodeError('ERR_FILE', { path: old, code: code ?? 'EIO', operation: 'rename' }, error);
  }
  await dropLinks(top, info, renamed(info, [rename]));
}

/** Undefined: surely nothing is there. @throws the system's error. */
async function lookIn(where: string): Promise<Stats | undefined> {
  try {
    return await fs.lstat(where);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** One thing: a file system that does not tell "a" from "A" finds the one by the name of the other. A hard link is a second one. */
function isSame(old: string, here: Stats | undefined, next: string, there: Stats): boolean {
  return folded(old) === folded(next) && here?.ino === there.ino && here.dev === there.dev;
}

/** Links to what is called otherwise now lead nowhere: the torrent makes them anew when it is complete. One that cannot be dropped is no reason to go back. */
async function dropLinks(top: string, before: Info, after: Info): Promise<void> {
  for (const [index, { path: parts, symlinkTarget }] of after.files.entries()) {
    const was = before.files[index]!.symlinkTarget;
    if (symlinkTarget === undefined || symlinkTarget.join('/') === was!.join('/')) continue;
    const where = path.join(top, ...parts);
    if (!(await isInside(top, path.dirname(where)))) continue;
    const isLink = (await lookAt(where))?.isSymbolicLink() === true;
    if (isLink) await fs.rm(where, { force: true }).catch(() => {});
  }
}

/** What file systems may take for the same. */
function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
