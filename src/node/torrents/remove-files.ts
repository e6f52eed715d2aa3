/**
 * Removes the files of a torrent: what the torrent names and nothing else, then the folders that are empty because of it.
 *
 * Safety: nothing is removed through a folder that is a link leading out of the torrent's own (the plane writes to none such either); a link that is named itself goes, what it leads to stays.
 * @module
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Info } from '../../protocol/metainfo/index.ts';
import { nodeError } from '../errors.ts';
import { partsPathOf } from '../storage.ts';

/**
 * @param dir the folder that holds the top name. @param kept paths that stay, whatever the torrent names.
 * @throws {AppError} ERR_FILE when something cannot be removed; the rest is.
 */
export async function removeFiles(
  dir: string,
  info: Info,
  kept: ReadonlySet<string> = new Set(),
): Promise<void> {
  const top = path.resolve(dir);
  const folders = new Set<string>();
  let failed: { readonly path: string; readonly code: string } | undefined;
  for (const where of filesOf(top, info)) {
    if (kept.has(where)) continue;
    try {
      if (await isInside(top, path.dirname(where))) await fs.rm(where, { force: true });
    } catch (error) {
      failed ??= { path: where, code: (error as NodeJS.ErrnoException).code ?? 'EIO' };
    }
    if (!info.isSingleFile) noteFolders(folders, top, where);
  }
  // The deepest first: whoever else put something there keeps it.
  for (const folder of [...folders].toSorted((a, b) => b.length - a.length)) {
    if (await isInside(top, path.dirname(folder))) await fs.rmdir(folder).catch(() => {});
  }
  if (failed !== undefined) throw nodeError('ERR_FILE', { ...failed, operation: 'remove' });
}

/** Everything of a torrent on the disk: its files, and the parts of files that were not wanted. */
export function filesOf(dir: string, info: Info): string[] {
  const named = info.files.filter(({ isPad }) => !isPad);
  return [...named.map((file) => path.join(dir, ...file.path)), partsPathOf(info, dir)];
}

/** Whether a folder really lies in `top`; false for one that is not there, too. */
export async function isInside(top: string, folder: string): Promise<boolean> {
  try {
    const [real, realTop] = await Promise.all([fs.realpath(folder), fs.realpath(top)]);
    return real === realTop || real.startsWith(realTop.replace(/[\\/]?$/, path.sep));
  } catch {
    return false;
  }
}

function noteFolders(folders: Set<string>, top: string, where: string): void {
  for (let at = path.dirname(where); at.length > top.length; at = path.dirname(at)) folders.add(at);
}
