/**
 * Loaded before the program (`node --import`), in its workers too: makes the file operations below one folder slow or fail, as a file says.
 *
 * STARLING_DISK_FAULTS names the file; it holds JSON: `dir`, and for `write` and `read` a `code` to fail with or `delayMs` to take longer. It is
 * read at each operation, so that a test can break the disk and mend it again. A write is what costs time: nothing else of the program is touched.
 * @module
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const control = process.env.STARLING_DISK_FAULTS;
const original = { ...fs };
/** Open files below the folder. */
const watched = new Set();

function plan() {
  try {
    return JSON.parse(original.readFileSync(control, 'utf8'));
  } catch {
    // It is being written, or not there: a disk like any other.
    return {};
  }
}

function act(operation) {
  const { code, delayMs } = plan()[operation] ?? {};
  if (delayMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs);
  return code === undefined ? undefined : Object.assign(new Error(`${code}: injected`), { code });
}

fs.openSync = (path, ...rest) => {
  const fd = original.openSync(path, ...rest);
  const { dir } = plan();
  if (dir !== undefined && String(path).startsWith(dir)) watched.add(fd);
  else watched.delete(fd);
  return fd;
};
fs.writeSync = (fd, ...rest) => {
  const error = watched.has(fd) ? act('write') : undefined;
  if (error !== undefined) throw error;
  return original.writeSync(fd, ...rest);
};
fs.readSync = (fd, ...rest) => {
  const error = watched.has(fd) ? act('read') : undefined;
  if (error !== undefined) throw error;
  return original.readSync(fd, ...rest);
};
fs.read = (fd, ...rest) => {
  const error = watched.has(fd) ? act('read') : undefined;
  if (error === undefined) original.read(fd, ...rest);
  else queueMicrotask(() => rest.at(-1)(error));
};
syncBuiltinESMExports();
