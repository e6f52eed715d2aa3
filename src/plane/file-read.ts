/**
 * Reads of files that are offered to others: one that is not as it was when it was verified is not read, and says so.
 * @module
 */
import fs from 'node:fs';
import { type DiskFault, DiskFaultError, type FileTable } from './file-table.ts';

/** Fills `target` from a file as it must be; `done` is never called within the call. */
export function readInto(
  files: FileTable,
  fileIndex: number,
  offsetBytes: number,
  target: Buffer,
  done: (fault?: DiskFault) => void,
): void {
  const wanted = target.length;
  try {
    const place = files.acquire(fileIndex, false);
    const change = files.changeOf(fileIndex, place);
    if (change !== undefined) {
      files.release(place);
      queueMicrotask(() => done(change));
      return;
    }
    fs.read(place.fd, target, 0, wanted, place.baseBytes + offsetBytes, (error, count) => {
      // Again: what was written to it while we read may be among the bytes.
      const late = files.changeOf(fileIndex, place);
      files.release(place);
      if (late !== undefined && error === null) done(late);
      else if (error !== null) done(files.fault(fileIndex, 'read', error).fault);
      else if (count < wanted) {
        // The file was cut behind our back: what was verified is gone.
        done({ code: 'TRUNCATED', path: files.pathOf(fileIndex), operation: 'read' });
      } else done();
    });
  } catch (error) {
    if (!(error instanceof DiskFaultError)) throw error;
    queueMicrotask(() => done(error.fault));
  }
}
