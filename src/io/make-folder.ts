/**
 * Makes a folder with those above it.
 *
 * Not by Node's own recursive way: where the system makes no folder though the one above is there (below /proc, in folders of an automounter), that of Node 26 tries for ever, with a thread at 100 %.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';

/** Nothing happens when it is there. @param mode of the folders that are made. @throws the system's error; EEXIST when a file is in its place. */
export function makeFolder(folder: string, mode = 0o777): void {
  try {
    fs.mkdirSync(folder, mode);
  } catch (error) {
    if (isFolder(folder)) return;
    const above = path.dirname(folder);
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' || above === folder || fs.existsSync(above)) throw error;
    makeFolder(above, mode);
    // Once more and no further: what is above it is there.
    try {
      fs.mkdirSync(folder, mode);
    } catch (again) {
      if (!isFolder(folder)) throw again;
    }
  }
}

function isFolder(name: string): boolean {
  return fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
}
