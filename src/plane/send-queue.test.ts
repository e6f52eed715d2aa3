import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pieceOf } from '../../test/support/torrents.ts';
import { InvariantError } from '../lib/assert.ts';
import { Rng } from '../lib/rng.ts';
import { TorrentGeometry } from '../node/storage.ts';
import { type LayoutInfo, type PlanOptions, planTorrent } from '../protocol/metainfo/index.ts';
import { type DiskFault, FileTable } from './file-table.ts';
import { SendCache, type SendSource } from './send-cache.ts';
import { SendQueue, type SendTarget } from './send-queue.ts';

const BLOCK = 16_384;
const MIB = 1024 * 1024;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'send-queue-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));
let sequence = 0;

interface Torrent {
  readonly source: SendSource;
  readonly pieces: readonly Uint8Array[];
  readonly paths: readonly string[];
}

/** Files of random bytes on disk. */
function torrent(
  lengths: readonly number[],
  form: Omit<PlanOptions, 'name' | 'isSingleFile'>,
): Torrent {
  const options = { ...form, name: 't', isSingleFile: false };
  sequence += 1;
  const dir = path.join(root, String(sequence));
  const bytes = lengths.map((length, index) => new Rng(index + 1).bytes(length));
  const plan = planTorrent(
    bytes.map((content, index) => ({ path: [`f${index}`], lengthBytes: content.length })),
    options,
  );
  const contents = plan.sourceIndices.map((source) => bytes[source!]);
  fs.mkdirSync(path.join(dir, 't'), { recursive: true });
  const paths = plan.files.map((file) => path.join(dir, ...file.path));
  for (const [index, content] of contents.entries()) {
    if (content !== undefined) fs.writeFileSync(paths[index]!, content);
  }
  const geometry = new TorrentGeometry(plan as LayoutInfo);
  const files = new FileTable({
    id: sequence,
    dir,
    partsPath: path.join(dir, '.parts'),
    files: plan.files.map((file) => ({
      path: path.join(...file.path),
      lengthBytes: file.lengthBytes,
      offsetBytes: file.offsetBytes,
      isPad: file.isPad,
      isExecutable: false,
      isStored: true,
    })),
  });
  after(() => files.close());
  const pieces = Array.from({ length: geometry.pieceCount }, (_, piece) =>
    pieceOf(geometry, contents, piece),
  );
  return { source: { files, geometry }, pieces, paths };
}

interface Block {
  readonly piece: number;
  readonly begin: number;
  readonly data: Buffer;
}

interface Rig {
  readonly queue: SendQueue;
  readonly faults: { piece: number; begin: number; length: number; fault: DiskFault }[];
  readonly cache: SendCache;
  /** Bytes and blocks told by `onSent`. */
  readonly sent: { dataBytes: number; blockCount: number };
  /** Sizes of the writes so far. */
  readonly writes: number[];
  allowance: number;
  /** What the target got so far, parsed. */
  blocks(): Block[];
  /** The next write, or fault. */
  next(): Promise<void>;
}

/** @param isSlow the target never takes what was written. */
function rig(of: Torrent, isSlow = false): Rig {
  const written: Buffer[] = [];
  let queuedBytes = 0;
  let wake: (() => void) | undefined;
  const target: SendTarget = {
    get queuedBytes() {
      return queuedBytes;
    },
    write(bytes, done) {
      // The slice is of a cache buffer, which is used again.
      written.push(Buffer.from(bytes));
      made.writes.push(bytes.length);
      if (isSlow) queuedBytes += bytes.length;
      else if (done !== undefined) queueMicrotask(done);
      wake?.();
    },
  };
  const cache = new SendCache(3);
  const faults: Rig['faults'] = [];
  const sent = { dataBytes: 0, blockCount: 0 };
  const queue = new SendQueue(cache, of.source, target, {
    allowance: () => made.allowance,
    onSent: (dataBytes, blockCount) => {
      sent.dataBytes += dataBytes;
      sent.blockCount += blockCount;
    },
    onFault: (piece, begin, length, fault) => {
      faults.push({ piece, begin, length, fault });
      wake?.();
    },
  });
  const made: Rig = {
    queue,
    faults,
    cache,
    sent,
    writes: [],
    allowance: Number.POSITIVE_INFINITY,
    blocks: () => parse(Buffer.concat(written)),
    next: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
  };
  return made;
}

function parse(stream: Buffer): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < stream.length; ) {
    const length = stream.readUInt32BE(at);
    assert.equal(stream[at + 4], 7);
    const data = stream.subarray(at + 13, at + 4 + length);
    assert.equal(data.length, length - 9);
    blocks.push({ piece: stream.readUInt32BE(at + 5), begin: stream.readUInt32BE(at + 9), data });
    at += 4 + length;
  }
  return blocks;
}

type Request = readonly [piece: number, begin: number, length: number];

/** Pushes requests and waits until all are answered. */
async function serve(on: Rig, requests: readonly Request[]): Promise<void> {
  for (const request of requests) on.queue.push(request);
  const wanted = on.sent.blockCount + on.faults.length + requests.length;
  while (on.sent.blockCount + on.faults.length < wanted) {
    const event = on.next();
    on.queue.pump();
    if (on.sent.blockCount + on.faults.length < wanted) await event;
  }
}

function check(of: Torrent, blocks: readonly Block[], requests: readonly Request[]): void {
  assert.deepEqual(
    blocks.map(({ piece, begin, data }) => [piece, begin, data.length]),
    requests,
  );
  for (const { piece, begin, data } of blocks) {
    const expected = Buffer.alloc(data.length);
    expected.set(of.pieces[piece]!.subarray(begin, begin + data.length));
    assert.ok(data.equals(expected), `bytes of piece ${piece} at ${begin}`);
  }
}

test('blocks leave in the order they were asked for, whatever the order, the last short one too', async () => {
  const of = torrent([3 * 2 * MIB + 20_000], { version: 'v1', pieceLengthBytes: 2 * MIB });
  const requests: Request[] = [];
  for (let piece = 0; piece < of.source.geometry.pieceCount; piece += 1) {
    for (let block = 0; block < of.source.geometry.blockCount(piece); block += 1) {
      requests.push([piece, block * BLOCK, of.source.geometry.blockBytes(piece, block)]);
    }
  }
  const inOrder = rig(of);
  await serve(inOrder, requests);
  check(of, inOrder.blocks(), requests);
  assert.equal(inOrder.sent.dataBytes, 3 * 2 * MIB + 20_000);
  const shuffled = new Rng(5).shuffle([...requests]).slice(0, 60);
  const outOfOrder = rig(of);
  await serve(outOfOrder, shuffled);
  check(of, outOfOrder.blocks(), shuffled);
});

test('requests that are not whole blocks get their bytes', async () => {
  const of = torrent([2 * MIB], { version: 'v1', pieceLengthBytes: 2 * MIB });
  const requests: Request[] = [
    [0, 1, 1],
    [0, 5, BLOCK],
    [0, BLOCK - 1, 2],
    [0, MIB - 10, 10],
    [0, MIB, 1],
    [0, MIB + 3 * BLOCK + 7, 2 * BLOCK],
    [0, 0, BLOCK],
    [0, 2 * MIB - 1, 1],
  ];
  const on = rig(of);
  await serve(on, requests);
  check(of, on.blocks(), requests);
});

test('a request across the border of two spans is a broken invariant, never zeros for data', async () => {
  const of = torrent([2 * MIB], { version: 'v1', pieceLengthBytes: 2 * MIB });
  const on = rig(of);
  await serve(on, [[0, MIB - BLOCK, BLOCK]]);
  // The span is in the cache by now, so that the throw is ours to catch.
  on.queue.push([0, MIB - 10, 20]);
  assert.throws(() => on.queue.pump(), InvariantError);
  assert.equal(on.sent.blockCount, 1);
});

test('pads are zeros: after the end of data, wholly beyond it, and behind the gap of a v2 piece', async () => {
  for (const version of ['hybrid', 'v2'] as const) {
    const of = torrent([MIB + 5000, 40_000], { version, pieceLengthBytes: 4 * MIB });
    const requests: Request[] = [
      [0, MIB, BLOCK],
      [0, MIB, 5000],
      [0, MIB + 4999, 2],
    ];
    if (version === 'hybrid') requests.push([0, MIB + BLOCK, BLOCK], [0, 3 * MIB, BLOCK]);
    const on = rig(of);
    await serve(on, requests);
    check(of, on.blocks(), requests);
  }
});

test('a cancelled request is not served, and one that is not there is told', async () => {
  const of = torrent([4 * BLOCK], { version: 'v1', pieceLengthBytes: 4 * BLOCK });
  const on = rig(of);
  on.queue.push([0, 0, BLOCK]);
  on.queue.push([0, BLOCK, BLOCK]);
  assert.equal(on.queue.cancel(0, 0, BLOCK), true);
  assert.equal(on.queue.cancel(0, 0, BLOCK), false);
  assert.equal(on.queue.cancel(0, BLOCK, 5), false);
  assert.equal(on.queue.length, 1);
  await serve(on, [[0, 2 * BLOCK, BLOCK]]);
  const left: Request[] = [
    [0, BLOCK, BLOCK],
    [0, 2 * BLOCK, BLOCK],
  ];
  check(of, on.blocks(), left);
});

test('a cleared queue serves nothing old and goes on; a closed one serves nothing', async () => {
  const of = torrent([4 * BLOCK], { version: 'v1', pieceLengthBytes: 4 * BLOCK });
  const on = rig(of);
  on.queue.push([0, 0, BLOCK]);
  on.queue.pump();
  on.queue.clear();
  assert.equal(on.queue.length, 0);
  await serve(on, [[0, BLOCK, BLOCK]]);
  check(of, on.blocks(), [[0, BLOCK, BLOCK]]);
  on.queue.close();
  on.queue.push([0, 0, BLOCK]);
  on.queue.pump();
  assert.equal(on.sent.blockCount, 1);
});

test('a file cut behind our back is a fault of its blocks alone', async () => {
  const of = torrent([MIB, 2 * MIB], { version: 'v1', pieceLengthBytes: MIB });
  fs.truncateSync(of.paths[1]!, MIB + 100);
  const on = rig(of);
  await serve(on, [
    [2, 0, BLOCK],
    [1, 0, BLOCK],
  ]);
  check(of, on.blocks(), [[1, 0, BLOCK]]);
  const [fault] = on.faults;
  assert.deepEqual(
    [fault?.piece, fault?.begin, fault?.length, fault?.fault.code, fault?.fault.path],
    [2, 0, BLOCK, 'TRUNCATED', of.paths[1]],
  );
});

test('a file that is gone is a fault, and is read again at the next request', async () => {
  const of = torrent([MIB], { version: 'v1', pieceLengthBytes: MIB });
  const bytes = fs.readFileSync(of.paths[0]!);
  fs.rmSync(of.paths[0]!);
  const on = rig(of);
  await serve(on, [[0, 0, BLOCK]]);
  assert.equal(on.faults[0]?.fault.code, 'ENOENT');
  fs.writeFileSync(of.paths[0]!, bytes);
  await serve(on, [[0, BLOCK, BLOCK]]);
  check(of, on.blocks(), [[0, BLOCK, BLOCK]]);
});

test('a socket that takes nothing gets two blocks and no more', async () => {
  const of = torrent([4 * MIB], { version: 'v1', pieceLengthBytes: MIB });
  const on = rig(of, true);
  for (let piece = 0; piece < 4; piece += 1) {
    for (let block = 0; block < 64; block += 1) on.queue.push([piece, block * BLOCK, BLOCK]);
  }
  const first = on.next();
  on.queue.pump();
  await first;
  on.queue.pump();
  assert.equal(on.sent.dataBytes, 2 * BLOCK);
  assert.equal(on.queue.length, 4 * 64 - 2);
});

test('nothing is written without allowance, and about as much as it allows', async () => {
  const of = torrent([MIB], { version: 'v1', pieceLengthBytes: MIB });
  const on = rig(of, true);
  on.allowance = 0;
  for (let block = 0; block < 64; block += 1) on.queue.push([0, block * BLOCK, BLOCK]);
  on.queue.pump();
  assert.equal(on.queue.length, 64);
  on.allowance = BLOCK + 1;
  const first = on.next();
  on.queue.pump();
  await first;
  // What is allowed is asked anew before each write: here it never shrinks, so each takes two blocks.
  assert.equal(
    on.writes[0],
    2 * (BLOCK + 13),
    'a block is never split, and the debt is one block at most',
  );
});
