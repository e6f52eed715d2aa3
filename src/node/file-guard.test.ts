import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { nodeCrypto } from '../../test/support/node-crypto.ts';
import { makeTorrent } from '../../test/support/torrents.ts';
import { Bitfield } from '../lib/bitfield.ts';
import { Rng } from '../lib/rng.ts';
import { DiskPool } from '../plane/disk-pool.ts';
import { FileTable } from '../plane/file-table.ts';
import { parseMetainfo } from '../protocol/metainfo/index.ts';
import { FileGuard } from './file-guard.ts';
import { ResumeStore } from './resume.ts';
import { TorrentFiles } from './torrent-files.ts';

const PIECE_BYTES = 16_384;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'file-guard-'));
const disk = new DiskPool(new SharedArrayBuffer(1024), 2);
after(async () => {
  await disk.close();
  fs.rmSync(root, { recursive: true, force: true });
});
let sequence = 0;

interface Rig {
  readonly guard: FileGuard;
  readonly table: FileTable;
  readonly have: Bitfield;
  readonly lost: number[];
  readonly where: (index: number) => string;
}

/** Two whole files of 4.5 pieces each: piece 4 lies in both. */
function rig(isReadOnly: boolean, signal = new AbortController().signal): Rig {
  sequence += 1;
  const dir = path.join(root, String(sequence));
  const contents = [1, 2].map((seed) => new Rng(seed).bytes(4.5 * PIECE_BYTES));
  const { bytes } = makeTorrent(
    contents.map((content, index) => ({ path: [`f${index}`], bytes: content })),
    { name: 't', isSingleFile: false, version: 'v1', pieceLengthBytes: PIECE_BYTES },
  );
  const parsed = parseMetainfo(bytes, nodeCrypto);
  assert.ok(parsed.ok);
  const { info } = parsed.value;
  const where = (index: number): string => path.join(dir, 't', `f${index}`);
  fs.mkdirSync(path.join(dir, 't'), { recursive: true });
  for (const [index, content] of contents.entries()) fs.writeFileSync(where(index), content);
  const files = new TorrentFiles({
    info,
    layers: new Map(),
    dir,
    disk,
    resume: new ResumeStore(path.join(dir, 'home'), info.infoHashV1!, dir),
    select: [],
    selectOnly: undefined,
  });
  const have = new Bitfield(info.pieceCount);
  have.fill();
  const table = new FileTable(files.spec);
  after(() => table.close());
  const lost: number[] = [];
  const guard = new FileGuard({
    files,
    table,
    have: () => have,
    isReadOnly,
    signal,
    onLost: (pieces) => {
      lost.push(...pieces);
      for (const piece of pieces) have.delete(piece);
    },
    onFound: () => assert.fail('nothing was put back'),
  });
  after(() => guard.close());
  return { guard, table, have, lost, where };
}

function changeOf({ table }: Rig, index: number): string | undefined {
  const place = table.acquire(index, false);
  const fault = table.changeOf(index, place);
  table.release(place);
  return fault?.code;
}

test('of a file that was cut only what is gone is lost, however often it is told', async () => {
  const on = rig(true);
  assert.equal(changeOf(on, 0), undefined);
  fs.truncateSync(on.where(0), 2 * PIECE_BYTES + 5);
  assert.equal(changeOf(on, 0), 'TRUNCATED');
  const fault = { code: 'TRUNCATED', path: on.where(0), operation: 'read' } as const;
  assert.equal(on.guard.takes(fault), true);
  assert.equal(on.guard.takes(fault), true);
  assert.equal(on.guard.isBusy, true);
  assert.equal(changeOf(on, 0), 'TRUNCATED', 'nothing is read of it until that is known');
  await on.guard.idle();
  assert.equal(on.guard.isBusy, false);
  assert.deepEqual(on.lost, [2, 3, 4]);
  assert.equal(changeOf(on, 0), undefined, 'what is left may be read');
  assert.equal(changeOf(on, 1), undefined);
});

test('a file that was only touched loses nothing', async () => {
  const on = rig(false);
  fs.utimesSync(on.where(1), 1_000, 1_000);
  assert.equal(changeOf(on, 1), 'CHANGED');
  assert.equal(on.guard.takes({ code: 'CHANGED', path: on.where(1), operation: 'read' }), true);
  await on.guard.idle();
  assert.deepEqual(on.lost, []);
  assert.equal(changeOf(on, 1), undefined);
  fs.utimesSync(on.where(1), 2_000, 2_000);
  assert.equal(changeOf(on, 1), 'CHANGED', 'the next change is noticed too');
});

test('a file that is gone loses all its pieces, also where a worker still has it open', async () => {
  const on = rig(false);
  // The workers hash it once, and keep it open.
  assert.equal(on.guard.takes({ code: 'CHANGED', path: on.where(0), operation: 'read' }), true);
  await on.guard.idle();
  fs.rmSync(on.where(0));
  assert.equal(on.guard.takes({ code: 'ENOENT', path: on.where(0), operation: 'open' }), true);
  await on.guard.idle();
  assert.deepEqual(on.lost, [0, 1, 2, 3, 4]);
  assert.equal(changeOf(on, 1), undefined, 'its neighbour may be read until it is written to');
});

test('a check that is cut short loses nothing, and says that it does not know', async () => {
  const abort = new AbortController();
  const on = rig(false, abort.signal);
  fs.truncateSync(on.where(0), 5);
  assert.equal(on.guard.takes({ code: 'TRUNCATED', path: on.where(0), operation: 'read' }), true);
  abort.abort();
  await on.guard.idle();
  assert.deepEqual(on.lost, []);
  assert.equal(on.guard.isUnsure, true);
});

test('faults of the disk, and of files that are not ours, are left to others', () => {
  const { guard, where } = rig(true);
  assert.equal(guard.takes({ code: 'EIO', path: where(0), operation: 'read' }), false);
  assert.equal(guard.takes({ code: 'CHANGED', path: '/elsewhere', operation: 'read' }), false);
  assert.equal(guard.isBusy, false);
});
