import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { nodeCrypto } from '../../test/support/node-crypto.ts';
import { makeTorrent, pieceOf } from '../../test/support/torrents.ts';
import { bootId } from '../io/atomic-file.ts';
import { Bitfield } from '../lib/bitfield.ts';
import { DiskPool } from '../plane/disk-pool.ts';
import { FileTable } from '../plane/file-table.ts';
import { parseMetainfo } from '../protocol/metainfo/index.ts';
import { ResumeStore } from './resume.ts';
import { TorrentFiles } from './torrent-files.ts';

const PIECE_BYTES = 16_384;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'torrent-files-'));
const disk = new DiskPool(new SharedArrayBuffer(1024), 1);
after(async () => {
  await disk.close();
  fs.rmSync(root, { recursive: true, force: true });
});
let sequence = 0;
/** What was not synced is believed only where starts of the machine can be told apart. */
const skip = bootId() === '' && 'this system has no id of its start';

/** Two files, 1.5 pieces each: piece 1 lies in both. */
function rig(): {
  dir: string;
  open: (select: readonly string[]) => TorrentFiles;
  fill: (files: TorrentFiles) => void;
} {
  sequence += 1;
  const dir = path.join(root, String(sequence));
  const contents = [1, 2].map((value) => new Uint8Array(1.5 * PIECE_BYTES).fill(value));
  const { bytes } = makeTorrent(
    contents.map((content, index) => ({ path: [`f${index}`], bytes: content })),
    { name: 't', isSingleFile: false, version: 'v1', pieceLengthBytes: PIECE_BYTES },
  );
  const parsed = parseMetainfo(bytes, nodeCrypto);
  assert.ok(parsed.ok);
  const { info } = parsed.value;
  return {
    dir,
    open: (select) =>
      new TorrentFiles({
        info,
        layers: new Map(),
        dir,
        disk,
        resume: new ResumeStore(path.join(dir, 'home'), info.infoHashV1!, dir),
        select,
        selectOnly: undefined,
      }),
    fill: (files) => {
      const table = new FileTable(files.spec);
      for (const [piece, priority] of files.piecePriorities().entries()) {
        if (priority === 0) continue;
        const data = pieceOf(files.geometry, contents, piece);
        for (const segment of files.geometry.segments(piece)) {
          const { fileIndex, fileOffsetBytes, pieceOffsetBytes, lengthBytes } = segment;
          const part = data.subarray(pieceOffsetBytes, pieceOffsetBytes + lengthBytes);
          table.write(fileIndex, part, fileOffsetBytes);
        }
      }
      table.close();
    },
  };
}

const TOTALS = { uploadedBytes: 0, downloadedBytes: 0 };

async function check(files: TorrentFiles): Promise<number[]> {
  let hashedBytes = 0;
  const have = await files.check(new AbortController().signal, (doneBytes) => {
    hashedBytes = doneBytes;
  });
  assert.equal(hashedBytes, 0, 'resume data is believed');
  return [...have];
}

test('a selection is remembered; without the parts file, the pieces that lay in it are not had', {
  skip,
}, async () => {
  const { open, fill } = rig();
  const first = open(['f0']);
  assert.deepEqual([...first.piecePriorities()], [4, 4, 0]);
  fill(first);
  const have = new Bitfield(3);
  have.add(0);
  have.add(1);
  first.save(have, TOTALS, true);
  assert.deepEqual(await check(open(['f0'])), [0, 1]);
  fs.rmSync(first.spec.partsPath);
  assert.deepEqual(await check(open(['f0'])), [0]);
});

test('a file selected later has no pieces yet', { skip }, async () => {
  const { open, fill } = rig();
  const first = open(['f0']);
  fill(first);
  const have = new Bitfield(3);
  have.add(0);
  have.add(1);
  first.save(have, TOTALS, true);
  const second = open([]);
  assert.equal(
    second.spec.files.every((file) => file.isStored),
    true,
  );
  assert.deepEqual(await check(second), [0]);
});

test('the journal counts until the next record', { skip }, async () => {
  const { open, fill } = rig();
  const first = open([]);
  fill(first);
  first.save(new Bitfield(3), TOTALS, false);
  first.journal([2, 0]);
  assert.deepEqual(await check(open([])), [0, 2]);
  first.save(new Bitfield(3), TOTALS, false);
  assert.deepEqual(await check(open([])), []);
});

test('what is missing or was cut short is named', () => {
  const { open, fill, dir } = rig();
  const files = open([]);
  assert.equal(files.findMissing(), path.join(dir, 't', 'f0'));
  fill(files);
  assert.equal(files.findMissing(), undefined);
  const have = new Bitfield(3);
  have.fill();
  assert.equal(files.findVanished(have), undefined);
  fs.truncateSync(path.join(dir, 't', 'f1'), 5);
  assert.equal(files.findVanished(have), path.join(dir, 't', 'f1'));
});

test('the record of a complete torrent is left as it is from start to end, until something moves', {
  skip,
}, async () => {
  const { dir, open, fill } = rig();
  const first = open([]);
  fill(first);
  const have = new Bitfield(first.info.pieceCount);
  have.fill();
  first.trackerMemory = () => ({ key: 0xffff_fffe, completed: ['00 udp://t.example:1'] });
  first.begin(have, true);
  first.end(have, { uploadedBytes: 7, downloadedBytes: 0 });
  const folder = path.join(dir, 'home', 'resume');
  const [name] = fs.readdirSync(folder);
  const file = path.join(folder, name!);
  fs.utimesSync(file, 1, 1);

  const quiet = open([]);
  const found = await quiet.check(new AbortController().signal, () => {});
  assert.ok(found.isFull);
  quiet.begin(found, true);
  quiet.end(found, TOTALS);
  assert.equal(fs.statSync(file).mtimeMs, 1_000, 'nothing was written');

  const busy = open([]);
  await busy.check(new AbortController().signal, () => {});
  busy.begin(found, true);
  busy.end(found, { uploadedBytes: 5, downloadedBytes: 0 });
  assert.notEqual(fs.statSync(file).mtimeMs, 1_000);
  assert.equal(open([]).totals(TOTALS).uploadedBytes, 12, 'all runs together');
  assert.deepEqual(open([]).trackers, { key: 0xffff_fffe, completed: ['00 udp://t.example:1'] });
});

test('a torrent that still wants something gets a record that is not clean before data flows', {
  skip,
}, async () => {
  const { dir, open, fill } = rig();
  const first = open([]);
  fill(first);
  const have = new Bitfield(first.info.pieceCount);
  have.add(0);
  first.end(have, TOTALS);
  const second = open([]);
  const found = await second.check(new AbortController().signal, () => {});
  second.begin(found, false);
  const record = new ResumeStore(path.join(dir, 'home'), second.info.infoHashV1!, dir).load();
  assert.equal(record?.isClean, false);
});
