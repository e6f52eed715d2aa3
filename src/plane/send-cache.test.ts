import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { FileTable } from './file-table.ts';
import type { Geometry } from './geometry.ts';
import { SendCache, type SendSource, type Span } from './send-cache.ts';

const BLOCK = 16_384;
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'send-cache-'));
after(() => fs.rmSync(dir, { recursive: true, force: true }));

/** Pieces of one block in one file. */
function source(pieceCount: number): SendSource {
  fs.writeFileSync(path.join(dir, 'f'), Buffer.alloc(BLOCK * pieceCount, 7));
  const lengthBytes = BLOCK * pieceCount;
  const files = new FileTable({
    id: 1,
    dir,
    partsPath: path.join(dir, 'parts'),
    files: [
      { path: 'f', lengthBytes, offsetBytes: 0, isPad: false, isExecutable: false, isStored: true },
    ],
  });
  const geometry: Geometry = {
    pieceCount,
    pieceLengthBytes: BLOCK,
    pieceBytes: () => BLOCK,
    wantedBytes: () => BLOCK,
    blockCount: () => 1,
    blockBytes: () => BLOCK,
    isPadBlock: () => false,
    segments: (piece) => {
      const fileOffsetBytes = piece * BLOCK;
      return [
        { fileIndex: 0, fileOffsetBytes, pieceOffsetBytes: 0, lengthBytes: BLOCK, isPad: false },
      ];
    },
    hashPlan: () => ({ v1Bytes: BLOCK, v2Bytes: 0, leafWidth: 0 }),
  };
  return { files, geometry };
}

const noWake = (): void => assert.fail('nobody starves here');

function read(span: Span): Promise<void> {
  return new Promise((resolve) => {
    if (span.state === 'reading') span.waiting.push(resolve);
    else resolve();
  });
}

test('a span left while it was being read wakes who starves when the read ends', async () => {
  const cache = new SendCache(2);
  const from = source(3);
  const spans = [cache.use(from, 0, 0, noWake)!, cache.use(from, 1, 0, noWake)!];
  const woken = new Promise<void>((resolve) => {
    assert.equal(cache.use(from, 2, 0, resolve), undefined);
  });
  for (const span of spans) cache.release(span);
  await woken;
  cache.release(cache.use(from, 2, 0, noWake)!);
  from.files.close();
});

test('a closed queue does not swallow the wake of the next one', async () => {
  const cache = new SendCache(2);
  const from = source(3);
  const spans = [cache.use(from, 0, 0, noWake)!, cache.use(from, 1, 0, noWake)!];
  await Promise.all(spans.map(read));
  const woken: string[] = [];
  cache.use(from, 2, 0, () => woken.push('closed'));
  cache.use(from, 2, 0, () => woken.push('open'));
  cache.release(spans[0]!);
  assert.deepEqual(woken, ['closed', 'open']);
  cache.release(spans[1]!);
  from.files.close();
});

test('what is forgotten while it is read is read anew, and its buffer comes back once', async () => {
  const cache = new SendCache(2);
  const from = source(2);
  const old = cache.use(from, 0, 0, noWake)!;
  cache.forget(from);
  const fresh = cache.use(from, 0, 0, noWake)!;
  assert.notEqual(fresh, old);
  await Promise.all([read(old), read(fresh)]);
  cache.release(old);
  const same = cache.use(from, 0, 0, noWake)!;
  assert.equal(same, fresh);
  const other = cache.use(from, 1, 0, noWake)!;
  assert.notEqual(other.bytes, fresh.bytes);
  await read(other);
  from.files.close();
});

test('few buffers are used in turn while they suffice', async () => {
  const cache = new SendCache(32);
  const from = source(40);
  const buffers = new Set<Buffer>();
  for (let piece = 0; piece < 30; piece += 1) {
    const span = cache.use(from, piece, 0, noWake)!;
    buffers.add(span.bytes);
    await read(span);
    cache.release(span);
  }
  assert.ok(buffers.size < 12, `used ${buffers.size} buffers`);
  from.files.close();
});

test('the last span of a torrent that makes room for another one of it does not get lost', async () => {
  const cache = new SendCache(2);
  const other = source(1);
  const held = cache.use(other, 0, 0, noWake)!;
  const from = source(3);
  for (const piece of [0, 1, 2, 2]) {
    const span = cache.use(from, piece, 0, noWake)!;
    await read(span);
    assert.equal(span.bytes.readUInt32BE(5), piece);
    cache.release(span);
  }
  const again = cache.use(from, 2, 0, noWake)!;
  assert.equal(again.state, 'ready', 'the span that is there is found');
  cache.release(again);
  await read(held);
  cache.release(held);
  for (const each of [other, from]) each.files.close();
});

test('a span of hundreds of tiny files has few of them open at a time', async () => {
  const count = 400;
  const lengthBytes = 40;
  const folder = path.join(dir, 'tiny');
  fs.mkdirSync(folder);
  const files = Array.from({ length: count }, (_, i) => {
    fs.writeFileSync(path.join(folder, `${i}`), Buffer.alloc(lengthBytes, i));
    const offsetBytes = i * lengthBytes;
    const rest = { isPad: false, isExecutable: false, isStored: true };
    return { path: `${i}`, lengthBytes, offsetBytes, ...rest };
  });
  const table = new FileTable({ id: 1, dir: folder, partsPath: path.join(dir, 'p'), files });
  let inUse = 0;
  let most = 0;
  const acquire = table.acquire.bind(table);
  const release = table.release.bind(table);
  table.acquire = (index, canWrite) => {
    inUse += 1;
    most = Math.max(most, inUse);
    return acquire(index, canWrite);
  };
  table.release = (place) => {
    inUse -= 1;
    release(place);
  };
  const { geometry } = source(1);
  const bytes = count * lengthBytes;
  const from: SendSource = {
    files: table,
    geometry: {
      ...geometry,
      wantedBytes: () => bytes,
      segments: () =>
        files.map((file, fileIndex) => ({
          fileIndex,
          fileOffsetBytes: 0,
          pieceOffsetBytes: file.offsetBytes,
          lengthBytes,
          isPad: false,
        })),
    },
  };
  const cache = new SendCache(2);
  const span = cache.use(from, 0, 0, noWake)!;
  await read(span);
  const content = Buffer.concat(files.map((_, i) => Buffer.alloc(lengthBytes, i)));
  assert.ok(content.equals(span.bytes.subarray(13, 13 + bytes)));
  assert.ok(most <= 16, `${most} files were open at a time`);
  cache.release(span);
  table.close();
});
