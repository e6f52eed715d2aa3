import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { nodeCrypto } from '../../test/support/node-crypto.ts';
import { makeTorrent } from '../../test/support/torrents.ts';
import { DiskPool } from '../plane/disk-pool.ts';
import { type Info, parseMetainfo } from '../protocol/metainfo/index.ts';
import {
  checkPieces,
  createEmptyFiles,
  createSymlinks,
  expectedHashes,
  storageSpec,
  TorrentGeometry,
} from './storage.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'storage-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));
let sequence = 0;

/** A fresh folder `in`, and beside it `out`, where nothing may go. */
function folders(): { dir: string; outside: string } {
  sequence += 1;
  const dir = path.join(root, String(sequence), 'in');
  const outside = path.join(root, String(sequence), 'out');
  fs.mkdirSync(dir, { recursive: true });
  fs.mkdirSync(outside);
  return { dir, outside };
}

interface Entry {
  readonly path: readonly string[];
  readonly symlinkTarget?: readonly string[];
}

/** An info of entries without data. */
function infoOf(...entries: readonly Entry[]): Info {
  const files = entries.map((entry) => ({
    ...entry,
    lengthBytes: 0,
    offsetBytes: 0,
    isPad: false,
    isExecutable: false,
  }));
  return { files, infoHashV1: new Uint8Array(20) } as unknown as Info;
}

const EMPTY = infoOf({ path: ['t', 'sub', 'empty'] });
const LINK = infoOf({ path: ['t', 'sub', 'link'], symlinkTarget: ['t', 'data'] });
const always = (): boolean => true;

test('empty files are created with their folders; what is there stays', () => {
  const { dir } = folders();
  const spec = storageSpec(EMPTY, dir, always);
  createEmptyFiles(spec, EMPTY);
  const where = path.join(dir, 't', 'sub', 'empty');
  assert.equal(fs.statSync(where).size, 0);
  fs.writeFileSync(where, 'mine');
  createEmptyFiles(spec, EMPTY);
  assert.equal(fs.readFileSync(where, 'utf8'), 'mine');
});

test('an empty file that is not selected is not created', () => {
  const { dir } = folders();
  createEmptyFiles(
    storageSpec(EMPTY, dir, () => false),
    EMPTY,
  );
  assert.deepEqual(fs.readdirSync(dir), []);
});

test('neither empty files nor symlinks are created through a link that leads out', () => {
  const { dir, outside } = folders();
  fs.mkdirSync(path.join(dir, 't'));
  fs.symlinkSync(outside, path.join(dir, 't', 'sub'));
  const refused = { code: 'ELOOP' };
  assert.throws(() => createEmptyFiles(storageSpec(EMPTY, dir, always), EMPTY), refused);
  assert.throws(() => createSymlinks(storageSpec(LINK, dir, always), LINK), refused);
  assert.deepEqual(fs.readdirSync(outside), []);
});

test('an empty file in the place of a dangling link does not follow it', () => {
  const { dir, outside } = folders();
  fs.mkdirSync(path.join(dir, 't', 'sub'), { recursive: true });
  fs.symlinkSync(path.join(outside, 'made'), path.join(dir, 't', 'sub', 'empty'));
  createEmptyFiles(storageSpec(EMPTY, dir, always), EMPTY);
  assert.deepEqual(fs.readdirSync(outside), []);
});

test('a symlink points at its target, relative to where its folder really is; an entry that is there stays', () => {
  const { dir } = folders();
  fs.mkdirSync(path.join(dir, 't', 'deep', 'er'), { recursive: true });
  fs.writeFileSync(path.join(dir, 't', 'data'), 'data');
  // A link that stays inside, one level deeper than it looks.
  fs.symlinkSync(path.join('deep', 'er'), path.join(dir, 't', 'sub'));
  createSymlinks(storageSpec(LINK, dir, always), LINK);
  createSymlinks(storageSpec(LINK, dir, always), LINK);
  const where = path.join(dir, 't', 'sub', 'link');
  assert.equal(fs.readlinkSync(where), path.join('..', '..', 'data'));
  assert.equal(fs.readFileSync(where, 'utf8'), 'data');
});

for (const version of ['v1', 'v2', 'hybrid'] as const) {
  test(`a check finds the pieces that are there and right (${version})`, async () => {
    const { dir } = folders();
    const bytes = [100_000, 0, 50_000].map((length, index) =>
      new Uint8Array(length).fill(index + 1),
    );
    const { bytes: torrent } = makeTorrent(
      bytes.map((content, index) => ({ path: [`f${index}`], bytes: content })),
      { name: 't', isSingleFile: false, version, pieceLengthBytes: 32_768 },
    );
    const parsed = parseMetainfo(torrent, nodeCrypto);
    assert.ok(parsed.ok);
    const { info, pieceLayers: layers } = parsed.value;
    const geometry = new TorrentGeometry(info);
    const disk = new DiskPool(new SharedArrayBuffer(1024), 2);
    const spec = disk.open(storageSpec(info, dir, always));
    const check = async (): Promise<number[]> => [
      ...(await checkPieces({
        disk,
        storage: spec.id,
        geometry,
        expected: expectedHashes(info, geometry, layers),
      })),
    ];
    const all = [...Array(geometry.pieceCount).keys()];
    assert.deepEqual(await check(), [], 'nothing is there');
    fs.mkdirSync(path.join(dir, 't'));
    for (const [index, content] of bytes.entries()) {
      fs.writeFileSync(path.join(dir, 't', `f${index}`), content);
    }
    assert.deepEqual(await check(), all);
    const file = fs.openSync(path.join(dir, 't', 'f0'), 'r+');
    fs.writeSync(file, Buffer.of(0), 0, 1, 40_000);
    fs.closeSync(file);
    assert.deepEqual(
      await check(),
      all.filter((piece) => piece !== 1),
      'a byte is wrong',
    );
    fs.truncateSync(path.join(dir, 't', 'f2'), 49_999);
    assert.deepEqual(
      await check(),
      all.slice(0, -1).filter((piece) => piece !== 1),
      'a byte is missing',
    );
    await disk.close();
  });
}
