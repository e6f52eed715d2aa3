/**
 * Files that are either the old or the new version, whatever happens in between: written beside, synced, renamed.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { makeFolder } from './make-folder.ts';

let sequence = 0;

/** Replaces a file; its folder is made when missing. @throws the system's error; the old version then stands. */
export function writeFileAtomic(file: string, bytes: Uint8Array, mode = 0o666): void {
  makeFolder(path.dirname(file));
  sequence += 1;
  const temporary = `${file}.${process.pid}.${sequence}.tmp`;
  const fd = fs.openSync(temporary, 'w', mode);
  try {
    try {
      fs.writeFileSync(fd, bytes);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

/** The bytes of a file, or undefined when it is not there, nor its folder. @throws any other system error. */
export function readFileIfThere(file: string): Uint8Array | undefined {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

let knownBootId: string | undefined;

/** Identifies this start of the machine: written data that was not synced is only to be trusted within it. */
export function bootId(): string {
  knownBootId ??= readBootId();
  return knownBootId;
}

function readBootId(): string {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}
