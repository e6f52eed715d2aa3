import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { DiskFaultError, diskFaultOf, FileTable } from './file-table.ts';
import { MAX_OPEN_FILES } from './open-files.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'file-table-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));
let sequence = 0;

interface Rig {
  readonly table: FileTable;
  readonly dir: string;
  readonly partsPath: string;
}

/** Files of 100 bytes each; those in `unselected` are not stored. */
function rig(paths: readonly string[], unselected: readonly number[] = []): Rig {
  sequence += 1;
  const dir = path.join(root, String(sequence), 'in');
  const partsPath = path.join(dir, '.parts');
  const files = paths.map((file, index) => ({
    path: file,
    lengthBytes: 100,
    offsetBytes: index * 100,
    isPad: false,
    isExecutable: index === 1,
    isStored: !unselected.includes(index),
  }));
  const table = new FileTable({ id: sequence, dir, partsPath, files });
  after(() => table.close());
  return { table, dir, partsPath };
}

function faultOf(run: () => unknown): { code: string; path: string; operation: string } {
  try {
    run();
  } catch (error) {
    return diskFaultOf(error);
  }
  return assert.fail('expected a disk fault');
}

const DATA = Uint8Array.from({ length: 10 }, (_, index) => index + 1);

test('a file is made with its folders, at its full length, when it is first written', () => {
  const { table, dir } = rig(['t/a', 't/sub/b']);
  assert.equal(fs.existsSync(dir), false);
  table.write(1, DATA, 90);
  assert.equal(fs.existsSync(path.join(dir, 't/a')), false);
  const stat = fs.statSync(path.join(dir, 't/sub/b'));
  assert.equal(stat.size, 100);
  assert.notEqual(stat.mode & 0o100, 0, 'executable');
  const bytes = new Uint8Array(20);
  assert.equal(table.read(1, bytes, 85), 15, 'the file ends there');
  assert.deepEqual([...bytes.subarray(5, 15)], [...DATA]);
});

test('a longer file keeps its tail', () => {
  const { table, dir } = rig(['a']);
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, 'a'), Buffer.alloc(150, 9));
  table.write(0, DATA, 0);
  assert.equal(fs.statSync(path.join(dir, 'a')).size, 150);
});

test('bytes of files that are not selected lie in the parts file, at their place in piece space', () => {
  const { table, dir, partsPath } = rig(['a', 'b', 'c'], [1, 2]);
  table.write(2, DATA, 5);
  assert.equal(table.pathOf(2), partsPath);
  assert.equal(fs.existsSync(path.join(dir, 'c')), false);
  assert.equal(fs.statSync(partsPath).size, 215);
  const bytes = new Uint8Array(10);
  assert.equal(table.read(2, bytes, 5), 10);
  assert.deepEqual(bytes, DATA);
});

test('no write follows a link in the place of a file, nor one out of the folder', () => {
  const { table, dir } = rig(['a', 'sub/b', 'sub/deep/c']);
  const outside = path.join(path.dirname(dir), 'out');
  fs.mkdirSync(dir, { recursive: true });
  fs.mkdirSync(outside);
  fs.symlinkSync(path.join(outside, 'made'), path.join(dir, 'a'));
  fs.symlinkSync(outside, path.join(dir, 'sub'));
  for (const index of [0, 1, 2]) {
    assert.equal(faultOf(() => table.write(index, DATA, 0)).code, 'ELOOP');
  }
  assert.deepEqual(fs.readdirSync(outside), []);
});

test('a link between folders inside is followed', () => {
  const { table, dir } = rig(['sub/b']);
  fs.mkdirSync(path.join(dir, 'real'), { recursive: true });
  fs.symlinkSync('real', path.join(dir, 'sub'));
  table.write(0, DATA, 0);
  assert.equal(fs.statSync(path.join(dir, 'real', 'b')).size, 100);
});

test('a file in the place of a folder is said to be one', () => {
  for (const file of ['x/b', 'x/y/b']) {
    const { table, dir } = rig([file]);
    fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(path.join(dir, 'x'), '');
    const fault = faultOf(() => table.write(0, DATA, 0));
    assert.deepEqual(fault, { code: 'ENOTDIR', path: path.join(dir, file), operation: 'open' });
  }
});

test('a file that is not there is a fault that names it', () => {
  const { table, dir } = rig(['a']);
  const fault = faultOf(() => table.read(0, new Uint8Array(1), 0));
  assert.deepEqual(fault, { code: 'ENOENT', path: path.join(dir, 'a'), operation: 'open' });
});

test('a file deleted after it was written is a fault once, when it is opened to write again', () => {
  const { table, dir } = rig(Array.from({ length: MAX_OPEN_FILES + 1 }, (_, index) => `f${index}`));
  for (let index = 0; index <= MAX_OPEN_FILES; index += 1) table.write(index, DATA, 0);
  // File 0 was evicted by the last one.
  fs.rmSync(path.join(dir, 'f0'));
  assert.equal(faultOf(() => table.write(0, DATA, 0)).code, 'ENOENT');
  table.write(0, DATA, 0);
  assert.equal(fs.statSync(path.join(dir, 'f0')).size, 100);
});

test('any number of files can be written, and evicted ones are synced', () => {
  const { table, dir } = rig(Array.from({ length: MAX_OPEN_FILES + 9 }, (_, index) => `f${index}`));
  for (let index = 0; index < MAX_OPEN_FILES + 9; index += 1) table.write(index, DATA, 0);
  table.sync();
  assert.equal(fs.readdirSync(dir).length, MAX_OPEN_FILES + 9);
});

test('a file in use stays open when the table is closed, and nothing can be opened afterwards', () => {
  const { table } = rig(['a']);
  table.write(0, DATA, 0);
  const place = table.acquire(0, false);
  table.close();
  assert.equal(fs.readSync(place.fd, new Uint8Array(3), 0, 3, 0), 3);
  table.release(place);
  assert.throws(() => fs.fstatSync(place.fd), { code: 'EBADF' });
  assert.equal(faultOf(() => table.acquire(0, false)).code, 'ECLOSED');
});

test('an error that is no disk fault is passed on', () => {
  const error = new RangeError('not ours');
  assert.throws(() => diskFaultOf(error), RangeError);
  const fault = { code: 'EIO', path: 'p', operation: 'read' } as const;
  assert.equal(diskFaultOf(new DiskFaultError(fault, error)), fault);
});

test('a file that was cut or deleted while it is written to is a fault at the next write, until the table is refreshed', () => {
  const { table, dir } = rig(['a']);
  const where = path.join(dir, 'a');
  table.write(0, DATA, 0);
  fs.truncateSync(where, 50);
  assert.deepEqual(
    faultOf(() => table.write(0, DATA, 60)),
    { code: 'TRUNCATED', path: where, operation: 'write' },
  );
  assert.equal(fs.statSync(where).size, 50, 'nothing was added');
  table.refresh();
  table.write(0, DATA, 60);
  assert.equal(fs.statSync(where).size, 100);
  fs.rmSync(where);
  assert.equal(faultOf(() => table.write(0, DATA, 0)).code, 'VANISHED');
  table.refresh();
  table.write(0, DATA, 0);
  assert.equal(fs.statSync(where).size, 100);
});

test('a whole file that does not look as it did is a fault when it is read', () => {
  const { table, dir } = rig(['a']);
  const where = path.join(dir, 'a');
  table.write(0, DATA, 0);
  const changeNow = (): string | undefined => {
    const place = table.acquire(0, false);
    const fault = table.changeOf(0, place);
    table.release(place);
    if (fault !== undefined) assert.equal(fault.path, where);
    return fault?.code;
  };
  const expectNow = (): void => {
    const { size, mtimeMs } = fs.statSync(where);
    table.expect(0, { sizeBytes: size, mtimeMs: Math.floor(mtimeMs) });
  };
  assert.equal(changeNow(), undefined, 'nobody said how it must look');
  expectNow();
  assert.equal(changeNow(), undefined);
  fs.utimesSync(where, 1_000, 1_000);
  assert.equal(changeNow(), 'CHANGED');
  expectNow();
  fs.truncateSync(where, 99);
  assert.equal(changeNow(), 'TRUNCATED');
  expectNow();
  fs.appendFileSync(where, 'more');
  fs.utimesSync(where, 1_000, 1_000);
  assert.equal(changeNow(), 'CHANGED');
  expectNow();
  fs.rmSync(where);
  assert.equal(changeNow(), 'VANISHED');
  table.expect(0, undefined);
  assert.equal(changeNow(), undefined);
});

test('a file in use when the table is refreshed is closed by its last user', () => {
  const { table } = rig(['a']);
  table.write(0, DATA, 0);
  const place = table.acquire(0, false);
  table.refresh();
  const again = table.acquire(0, false);
  assert.notEqual(again.fd, place.fd);
  table.release(place);
  assert.throws(() => fs.fstatSync(place.fd), { code: 'EBADF' });
  table.release(again);
  assert.ok(fs.fstatSync(again.fd).size > 0, 'it stays open for the next one');
});
