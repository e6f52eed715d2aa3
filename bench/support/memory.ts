/**
 * The same free memory for every run: on a virtual machine, pages that were free for two seconds are handed back to the host, and taking one again
 * costs more than writing it (1 GiB into the page cache took 0.2 s or 1.6 s here).
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';

/**
 * Linux reports free pages to a host two seconds after the first of them became free. A run that begins earlier after a large file was deleted is
 * slowed by it: without this pause the sketch's times lay between 0.74 and 1.34 s, in turn, instead of 0.74 to 0.77.
 */
export const HANDED_BACK_MS = 3_500;

/** Takes memory from the host and frees it: a file is written in `dir` and deleted. Right before a run. */
export function warmMemory(dir: string, mib: number): void {
  const bytes = Buffer.alloc(1024 * 1024, 1);
  const file = path.join(dir, 'warm');
  const fd = fs.openSync(file, 'w');
  for (let i = 0; i < mib; i += 1) fs.writeSync(fd, bytes);
  fs.closeSync(fd);
  fs.rmSync(file);
}
