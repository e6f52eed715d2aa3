/**
 * Reads of files that must be as they were.
 * @module
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readInto } from './file-read.ts';
import { type DiskFault, FileTable } from './file-table.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'file-read-'));
after(() => fs.rmSync(dir, { recursive: true, force: true }));

test('what is written while it is read counts as changed', async () => {
  const where = path.join(dir, 'f');
  fs.writeFileSync(where, Buffer.alloc(1000, 1));
  const { size, mtimeMs } = fs.statSync(where);
  const file = { path: 'f', lengthBytes: 1000, offsetBytes: 0, isPad: false, isExecutable: false };
  const table = new FileTable({
    id: 1,
    dir,
    partsPath: path.join(dir, '.parts'),
    files: [{ ...file, isStored: true }],
  });
  table.expect(0, { sizeBytes: size, mtimeMs: Math.floor(mtimeMs) });
  const read = (act: () => void): Promise<DiskFault | undefined> =>
    new Promise((resolve) => {
      readInto(table, 0, 0, Buffer.alloc(1000), resolve);
      act();
    });
  assert.equal(await read(() => {}), undefined);
  assert.equal((await read(() => fs.utimesSync(where, 1, 1)))?.code, 'CHANGED');
  table.close();
});
