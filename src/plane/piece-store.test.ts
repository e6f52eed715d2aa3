import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { pieceOf, pieceRootV2 } from '../../test/support/torrents.ts';
import { Rng } from '../lib/rng.ts';
import { TorrentGeometry } from '../node/storage.ts';
import { type LayoutInfo, type PlanOptions, planTorrent } from '../protocol/metainfo/index.ts';
import type { JobResult } from './disk-jobs.ts';
import { DiskPool } from './disk-pool.ts';
import type { StorageSpec } from './file-table.ts';
import { PieceStore } from './piece-store.ts';
import { SlabPool } from './slab-pool.ts';

const BLOCK = 16_384;
const MIB = 1024 * 1024;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'piece-store-'));
const pool = new SlabPool(8);
const disk = new DiskPool(pool.shared, 2);
after(async () => {
  await disk.close();
  fs.rmSync(root, { recursive: true, force: true });
});
let sequence = 0;

interface Rig {
  readonly store: PieceStore;
  readonly geometry: TorrentGeometry;
  readonly spec: StorageSpec;
  readonly contents: readonly (Uint8Array | undefined)[];
  readonly pieces: Uint8Array[];
  /** The next verdict on a piece. */
  next(): Promise<{ piece: number; result: JobResult }>;
}

/** @param padAt indices of files that are pads, for v1 torrents with pads anywhere. */
function rig(lengths: readonly number[], options: PlanOptions, padAt: readonly number[] = []): Rig {
  const bytes = lengths.map((length, index) => new Rng(index + 1).bytes(length));
  const plan = planTorrent(
    bytes.map((content, index) => ({ path: ['t', `f${index}`], lengthBytes: content.length })),
    options,
  );
  const files = plan.files.map((file, index) =>
    padAt.includes(index) ? { ...file, isPad: true } : file,
  );
  const info: LayoutInfo = { ...plan, files } as LayoutInfo;
  const geometry = new TorrentGeometry(info);
  const contents = plan.sourceIndices.map((source, index) =>
    padAt.includes(index) ? undefined : bytes[source!],
  );
  sequence += 1;
  const dir = path.join(root, String(sequence));
  const spec = disk.open({
    dir,
    partsPath: path.join(dir, '.parts'),
    files: files.map((file) => ({
      path: path.join(...file.path),
      lengthBytes: file.lengthBytes,
      offsetBytes: file.offsetBytes,
      isPad: file.isPad,
      isExecutable: false,
      isStored: true,
    })),
  });
  const verdicts: { piece: number; result: JobResult }[] = [];
  const waiting: ((verdict: { piece: number; result: JobResult }) => void)[] = [];
  const store = new PieceStore({
    geometry,
    pool,
    disk,
    storage: spec.id,
    handlers: {
      onPiece: (piece, result) => {
        const wake = waiting.shift();
        if (wake === undefined) verdicts.push({ piece, result });
        else wake({ piece, result });
      },
    },
  });
  return {
    store,
    geometry,
    spec,
    contents,
    pieces: Array.from({ length: geometry.pieceCount }, (_, piece) =>
      pieceOf(geometry, contents, piece),
    ),
    next: () => {
      const ready = verdicts.shift();
      if (ready !== undefined) return Promise.resolve(ready);
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

function copyBlock(
  { pieces, geometry }: Rig,
  piece: number,
  block: number,
  target: { buffer: Buffer; offset: number },
): void {
  const length = geometry.blockBytes(piece, block);
  target.buffer.set(pieces[piece]!.subarray(block * BLOCK, block * BLOCK + length), target.offset);
}

/** @returns false when no memory was free. */
function tryFill(on: Rig, piece: number, block: number): boolean {
  const target = on.store.begin(piece, block);
  if (target === undefined) return false;
  copyBlock(on, piece, block, target);
  on.store.complete(piece, block, target.opening);
  return true;
}

function fill(on: Rig, piece: number, block: number): void {
  const target = on.store.begin(piece, block);
  assert.ok(target !== undefined, `block ${block} of piece ${piece} has a place`);
  copyBlock(on, piece, block, target);
  on.store.complete(piece, block, target.opening);
}

function blocksOf({ geometry }: Rig, piece: number): number[] {
  return Array.from({ length: geometry.blockCount(piece) }, (_, block) => block).filter(
    (block) => !geometry.isPadBlock(piece, block),
  );
}

function checkDigests(on: Rig, piece: number, result: JobResult): void {
  assert.equal(result.fault, undefined);
  const bytes = on.pieces[piece]!;
  const plan = on.geometry.hashPlan(piece);
  const v1 = plan.v1Bytes > 0 ? createHash('sha1').update(bytes).digest('hex') : undefined;
  const v2 =
    plan.leafWidth > 0
      ? pieceRootV2(bytes.subarray(0, on.geometry.wantedBytes(piece)), plan.leafWidth)
      : undefined;
  assert.equal(result.v1 && Buffer.from(result.v1).toString('hex'), v1, `v1 of piece ${piece}`);
  assert.deepEqual(
    result.v2 && Buffer.from(result.v2),
    v2 && Buffer.from(v2),
    `v2 of piece ${piece}`,
  );
}

function checkFiles({ spec, contents }: Rig): void {
  for (const [index, file] of spec.files.entries()) {
    if (file.isPad) assert.ok(!fs.existsSync(path.join(spec.dir, file.path)), 'no pad is written');
    else assert.ok(fs.readFileSync(path.join(spec.dir, file.path)).equals(contents[index]!));
  }
}

/** Fills all blocks in an order of the seed, a few pieces at a time, and checks everything. */
async function download(on: Rig, seed: number, atOnce = 3): Promise<void> {
  const rng = new Rng(seed);
  const order = rng.shuffle(Array.from({ length: on.geometry.pieceCount }, (_, piece) => piece));
  const wanted = order.filter((piece) => on.geometry.wantedBytes(piece) > 0);
  while (wanted.length > 0) {
    const some = wanted.splice(0, Math.min(on.store.openLimit, atOnce));
    const blocks = rng.shuffle(
      some.flatMap((piece) => blocksOf(on, piece).map((block) => ({ piece, block }))),
    );
    for (const { piece, block } of blocks) {
      // Where slabs are short, one is free once the worker spilled a part.
      while (!tryFill(on, piece, block)) await new Promise((resolve) => setImmediate(resolve));
    }
    for (let left = some.length; left > 0; left -= 1) {
      const { piece, result } = await on.next();
      assert.ok(some.includes(piece));
      checkDigests(on, piece, result);
    }
  }
  checkFiles(on);
  assert.equal(await disk.onAll('close', on.spec.id), undefined);
  on.store.close();
  assert.equal(on.store.openCount, 0);
  assert.equal(pool.freeCount, pool.slabCount, 'all memory came back');
}

for (const version of ['v1', 'v2', 'hybrid'] as const) {
  test(`${version}: blocks in any order give the digests of independent hashing and the files' bytes`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(16_384, 32_768, 65_536),
        fc.nat(),
        async (lengths, pieceLengthBytes, seed) => {
          await download(
            rig(lengths, { name: 't', isSingleFile: false, version, pieceLengthBytes }),
            seed,
          );
        },
      ),
      { numRuns: 8 },
    );
  });

  test(`${version}: the parts of 4 MiB pieces may fill in any order`, async () => {
    const lengths = [5 * MIB + 12_345, 3 * MIB];
    await download(
      rig(lengths, { name: 't', isSingleFile: false, version, pieceLengthBytes: 4 * MIB }),
      3,
    );
  });
}

for (const version of ['v1', 'v2', 'hybrid'] as const) {
  test(`${version}: 32 slow peers with a piece of 16 MiB each need no more than the slabs: parts are spilled and read back`, async () => {
    const lengths = [16 * MIB * 2 + 5, 16 * MIB, 100];
    const options = { name: 't', isSingleFile: false, version, pieceLengthBytes: 16 * MIB };
    const on = rig(lengths, options);
    assert.ok(on.store.openLimit >= 32);
    let spills = 0;
    const { submit } = disk;
    disk.submit = (worker, job, done) => {
      spills += Number(job.kind === 'spill');
      submit.call(disk, worker, job, done);
    };
    // All open at once, in blocks of random order: eight slabs for forty-nine parts.
    await download(on, 1, 32);
    disk.submit = submit;
    assert.ok(spills > 40, `${spills} spills`);
  });
}

test('a part that cannot be spilled ends its piece with the fault, and all memory comes back', async () => {
  const on = rig([16 * MIB], {
    name: 't',
    isSingleFile: false,
    version: 'v1',
    pieceLengthBytes: 16 * MIB,
  });
  fs.writeFileSync(on.spec.dir, 'a file where the folder should be');
  for (let part = 0; part < 8; part += 1) tryFill(on, 0, part * 64);
  const { result } = await on.next();
  assert.equal(result.fault?.code, 'ENOTDIR');
  assert.equal(on.store.openCount, 0);
  await disk.onAll('close', on.spec.id);
  assert.equal(pool.freeCount, pool.slabCount);
  on.store.close();
});

test('pads in the middle of a piece are zeros that nobody sends, a part of pads alone needs no memory', async () => {
  const options = {
    name: 't',
    isSingleFile: false,
    version: 'v1',
    pieceLengthBytes: 4 * MIB,
  } as const;
  const on = rig([100_000, 3 * MIB, 900_000, 40_000, 50_000], options, [1, 3]);
  // No memory is free when the piece is opened.
  const slabs = Array.from({ length: pool.slabCount }, () => pool.acquire()!);
  assert.equal(on.store.begin(0, 0), undefined);
  for (const slab of slabs) pool.release(slab);
  await download(on, 1);
});

test('a block has one writer at a time, and another one after it was abandoned', async () => {
  const on = rig([2 * BLOCK], {
    name: 't',
    isSingleFile: false,
    version: 'v1',
    pieceLengthBytes: 2 * BLOCK,
  });
  const first = on.store.begin(0, 0)!;
  const { opening } = first;
  assert.equal(on.store.begin(0, 0), undefined);
  first.buffer.fill(0xee, first.offset, first.offset + BLOCK);
  on.store.abandon(0, 0, opening);
  fill(on, 0, 0);
  assert.equal(on.store.begin(0, 0), undefined, 'it is there already');
  fill(on, 0, 1);
  const { result } = await on.next();
  checkDigests(on, 0, result);
  on.store.close();
  assert.equal(pool.freeCount, pool.slabCount);
});

/** A rig whose only file cannot be written while a folder stands in its place. */
function blocked(pieceBytes: number, pieceCount = 1): Rig & { obstacle: string } {
  const options = {
    name: 't',
    isSingleFile: false,
    version: 'v1',
    pieceLengthBytes: pieceBytes,
  } as const;
  const on = rig([pieceBytes * pieceCount], options);
  const obstacle = path.join(on.spec.dir, on.spec.files[0]!.path);
  fs.mkdirSync(obstacle, { recursive: true });
  return { ...on, obstacle };
}

test('parts queued behind a fault do not count for the next opening of the piece', async () => {
  const on = blocked(4 * MIB);
  // Two whole parts go to the worker together: the first fails, the second would be written if it came alone.
  for (let block = 0; block < 128; block += 1) fill(on, 0, block);
  const { result } = await on.next();
  assert.equal(result.fault?.code, 'EISDIR');
  assert.equal(result.fault?.path, on.obstacle);
  fs.rmdirSync(on.obstacle);
  for (const block of blocksOf(on, 0)) fill(on, 0, block);
  const second = await on.next();
  checkDigests(on, 0, second.result);
  checkFiles(on);
  on.store.close();
  assert.equal(pool.freeCount, pool.slabCount);
});

test('a fault in the middle of a batch: later parts of that opening are dropped by the worker', async () => {
  // Two files; the part of the first one fails, that of the second one could be written.
  const options = {
    name: 't',
    isSingleFile: false,
    version: 'v1',
    pieceLengthBytes: 4 * MIB,
  } as const;
  const on = rig([MIB, 3 * MIB], options);
  const obstacle = path.join(on.spec.dir, on.spec.files[0]!.path);
  fs.mkdirSync(obstacle, { recursive: true });
  for (let block = 0; block < 192; block += 1) fill(on, 0, block);
  const { result } = await on.next();
  assert.equal(result.fault?.code, 'EISDIR');
  fs.rmdirSync(obstacle);
  // In another order, so that parts of both openings would add up to a whole too early.
  for (let block = 255; block >= 0; block -= 1) fill(on, 0, block);
  checkDigests(on, 0, (await on.next()).result);
  checkFiles(on);
  await disk.onAll('close', on.spec.id);
  on.store.close();
  assert.equal(pool.freeCount, pool.slabCount);
});

test('a block that is being filled keeps its memory through a fault and never counts for the next opening', async () => {
  const on = blocked(2 * MIB);
  const late = on.store.begin(0, 64)!;
  const { opening, offset } = late;
  for (let block = 0; block < 64; block += 1) fill(on, 0, block);
  const { result } = await on.next();
  assert.equal(result.fault?.code, 'EISDIR');
  assert.equal(pool.freeCount, pool.slabCount - 1, 'the late block still has its slab');
  fs.rmdirSync(on.obstacle);
  // Opened again: the same block gets other memory and another writer.
  const again = on.store.begin(0, 64)!;
  const { opening: secondOpening, offset: secondOffset } = again;
  assert.notEqual(secondOpening, opening);
  assert.notEqual(Math.floor(secondOffset / MIB), Math.floor(offset / MIB));
  pool.bytes.fill(0xee, offset, offset + BLOCK);
  on.store.complete(0, 64, opening);
  assert.equal(on.store.begin(0, 64), undefined, 'the second writer is still at it');
  copyBlock(on, 0, 64, { buffer: pool.bytes, offset: secondOffset });
  on.store.complete(0, 64, secondOpening);
  for (const block of blocksOf(on, 0)) if (block !== 64) fill(on, 0, block);
  checkDigests(on, 0, (await on.next()).result);
  checkFiles(on);
  on.store.close();
  assert.equal(pool.freeCount, pool.slabCount);
});

test('close gives memory back as writers end', () => {
  const on = rig([4 * BLOCK], {
    name: 't',
    isSingleFile: false,
    version: 'v1',
    pieceLengthBytes: BLOCK,
  });
  const { opening } = on.store.begin(0, 0)!;
  const { opening: other } = on.store.begin(1, 0)!;
  on.store.close();
  assert.equal(on.store.begin(2, 0), undefined);
  assert.equal(pool.freeCount, pool.slabCount - 1);
  on.store.complete(0, 0, opening);
  on.store.abandon(1, 0, other);
  assert.equal(pool.freeCount, pool.slabCount);
  assert.throws(() => on.store.abandon(1, 0, other), /was not begun/);
});

test('work that comes behind the close of its storage fails and leaves no file open', async () => {
  const on = rig([BLOCK], {
    name: 't',
    isSingleFile: false,
    version: 'v1',
    pieceLengthBytes: BLOCK,
  });
  await disk.onAll('close', on.spec.id);
  fill(on, 0, 0);
  assert.equal((await on.next()).result.fault?.code, 'ECLOSED');
  assert.ok(!fs.existsSync(path.join(on.spec.dir, on.spec.files[0]!.path)));
  on.store.close();
  assert.equal(pool.freeCount, pool.slabCount);
});

test('an open piece that is given up gives its memory back and has no verdict; it can be filled anew', async () => {
  const on = rig([3 * MIB], {
    name: 't',
    version: 'v1',
    pieceLengthBytes: MIB,
    isSingleFile: false,
  });
  const free = pool.freeCount;
  for (const block of blocksOf(on, 0)) fill(on, 0, block);
  fill(on, 1, 0);
  const target = on.store.begin(1, 1)!;
  const { opening } = target;
  fill(on, 2, 0);
  assert.deepEqual(
    on.store.giveUpOpen((piece) => piece < 2),
    [0, 1],
  );
  assert.equal(on.store.isCurrent(1, opening), false);
  assert.equal(on.store.openCount, 1);
  on.store.complete(1, 1, opening);
  for (const block of blocksOf(on, 0)) fill(on, 0, block);
  const verdict = await on.next();
  assert.equal(verdict.piece, 0);
  checkDigests(on, 0, verdict.result);
  on.store.close();
  assert.equal(pool.freeCount, free, 'the first copy of piece 0 said nothing');
});
