/**
 * How many files each table may keep open, so that sockets and other tables get some of what the system allows the process.
 * @module
 */
import fs from 'node:fs';

// Implementation limits
/** Open files a table keeps at most. */
export const MAX_OPEN_FILES = 64;
/** … and at least: a span of a piece over small files needs several at a time, but one after another. */
const MIN_OPEN_FILES = 4;
/** Files, pipes and pollers that the program has open before any torrent. */
const RESERVED = 40;
/** Shares of the rest: a table for each of three threads, and as much for sockets. */
const SHARES = 6;

/** The files of a table under a limit for the process; undefined: no limit is known. */
export function openFilesUnder(limit: number | undefined): number {
  if (limit === undefined) return MAX_OPEN_FILES;
  const share = Math.floor((limit - RESERVED) / SHARES);
  return Math.min(MAX_OPEN_FILES, Math.max(MIN_OPEN_FILES, share));
}

/** What the system allows this process, where it says so (Linux). */
export function openFilesLimit(): number | undefined {
  try {
    const text = fs.readFileSync('/proc/self/limits', 'latin1');
    const limit = Number(/^Max open files\s+(\d+)/m.exec(text)?.[1]);
    return Number.isSafeInteger(limit) ? limit : undefined;
  } catch {
    return undefined;
  }
}
