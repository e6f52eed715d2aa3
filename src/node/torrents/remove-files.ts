/**
 * Removes the files of a torrent: what the torrent names and nothing else, then the folders that are empty because of it.
 * @module
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Info } from '../../protocol/metainfo/index.ts';
import { nodeError } from '../errors.ts';

/** @param dir the folder that holds the top name. @throws {AppError} ERR_FILE when something cannot be removed; the rest is. */
export async function removeFiles(dir: string, info: Info): Promise<void> {
  const folders = new Set<string>();
  let failed: { readonly path: string; readonly code: string } | undefined;
  for (const file of info.files) {
    if (file.isPad) continue;
    const where = path.join(dir, ...file.path);
    try {
      await fs.rm(where, { force: true });
    } catch (error) {
      failed ??= { path: where, code: (error as NodeJS.ErrnoException).code ?? 'EIO' };
    }
    if (!info.isSingleFile) noteFolders(folders, dir, where);
  }
  // The deepest first: whoever else put something there keeps it.
  for (const folder of [...folders].toSorted((a, b) => b.length - a.length)) {
    await fs.rmdir(folder).catch(() => {});
  }
  if (failed !== undefined) throw nodeError('ERR_FILE', { ...failed, operation: 'remove' });
}

function noteFolders(folders: Set<string>, dir: string, where: string): void {
  for (let at = path.dirname(where); at.length > dir.length; at = path.dirname(at)) folders.add(at);
}
