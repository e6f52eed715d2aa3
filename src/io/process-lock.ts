/**
 * A lock that one process holds for as long as it lives: whoever is killed gives it back.
 *
 * Node has no file locks of its own; SQLite has, on every platform: an empty database in an exclusive transaction is the lock.
 * @module
 */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from './make-folder.ts';

/** SQLite's result code for a lock that another one holds. */
const SQLITE_BUSY = 5;

/** A lock that is held. */
export interface ProcessLock {
  release(): void;
}

/** @returns undefined when another process holds it. @throws the system's error, or SQLite's. */
export function takeProcessLock(file: string): ProcessLock | undefined {
  makeFolder(path.dirname(file));
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
