/**
 * A lock beside a file, so that of several programs that change it one after the other does, and none loses what another one wrote.
 *
 * The lock is a file that only one can make. Who was killed while holding it leaves it behind: after STALE_MS it counts as nobody's.
 * It blocks while it waits, so it is for changes that take milliseconds.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { makeFolder } from './make-folder.ts';

// Implementation limits
/** A lock this old was left behind: what it guards takes milliseconds. */
const STALE_MS = 10_000;
/** How long a lock is waited for: longer than a stale one lasts. */
const PATIENCE_MS = 15_000;
/** How often it is tried again. */
const RETRY_MS = 10;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Runs `work` while nobody else who asks here holds the lock of this file. @throws the system's error; EBUSY when it is not to be had. */
export function withFileLock<T>(file: string, work: () => T): T {
  const lock = `${file}.lock`;
  makeFolder(path.dirname(file));
  const endMs = performance.now() + PATIENCE_MS;
  while (!tryLock(lock)) {
    if (performance.now() >= endMs) throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' });
    Atomics.wait(sleeper, 0, 0, RETRY_MS);
  }
  try {
    return work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

function tryLock(lock: string): boolean {
  try {
    fs.closeSync(fs.openSync(lock, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (isStale(lock)) removeStale(lock);
  return false;
}

function isStale(lock: string): boolean {
  const made = fs.statSync(lock, { throwIfNoEntry: false });
  return made !== undefined && Date.now() - made.mtimeMs > STALE_MS;
}

/** Of several who see a stale lock each takes another file away: whoever got a new one by then gives it back. */
function removeStale(lock: string): void {
  const taken = `${lock}.${process.pid}`;
  try {
    fs.renameSync(lock, taken);
    if (!isStale(taken)) fs.linkSync(taken, lock);
  } catch {
    // Somebody else was faster.
  }
  fs.rmSync(taken, { force: true });
}
