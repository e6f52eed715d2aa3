import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { JobResult, PartJob } from './disk-jobs.ts';
import { DiskPool } from './disk-pool.ts';
import type { StorageSpec } from './file-table.ts';
import { SLAB_BYTES, SlabPool } from './slab-pool.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'disk-pool-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));

const PIECES = 40;
const slabs = new SlabPool(PIECES);

interface Rig {
  readonly disk: DiskPool;
  readonly spec: StorageSpec;
  readonly file: string;
}

function rig(workers: number): Rig {
  const disk = new DiskPool(slabs.shared, workers);
  const dir = fs.mkdtempSync(path.join(root, 'd'));
  const lengthBytes = PIECES * SLAB_BYTES;
  const spec = disk.open({
    dir,
    partsPath: path.join(dir, '.parts'),
    files: [
      { path: 'f', lengthBytes, offsetBytes: 0, isPad: false, isExecutable: false, isStored: true },
    ],
  });
  return { disk, spec, file: path.join(dir, 'f') };
}

function part(spec: StorageSpec, piece: number): Omit<PartJob, 'id'> {
  slabs.bytes.fill(piece + 1, piece * SLAB_BYTES, (piece + 1) * SLAB_BYTES);
  return {
    kind: 'part',
    storage: spec.id,
    piece,
    opening: 1,
    memoryAt: piece * SLAB_BYTES,
    lengthBytes: SLAB_BYTES,
    pieceOffsetBytes: 0,
    wantedBytes: SLAB_BYTES,
    plan: { v1Bytes: SLAB_BYTES, v2Bytes: 0, leafWidth: 0 },
    segments: [
      {
        fileIndex: 0,
        fileOffsetBytes: piece * SLAB_BYTES,
        at: 0,
        lengthBytes: SLAB_BYTES,
        isPad: false,
      },
    ],
    spilled: [],
  };
}

test('parts of all workers are written and hashed, however many wait; a worker that was not needed knows the storage too', async () => {
  const { disk, spec, file } = rig(3);
  const owners = new Set<number>();
  let caughtUp = 0;
  const results = Array.from({ length: PIECES }, (_, piece) => {
    const owner = disk.nextOwner();
    owners.add(owner);
    const done = new Promise<JobResult>((resolve) =>
      disk.submit(owner, part(spec, piece), resolve),
    );
    return done;
  });
  assert.equal(disk.isBehind, true);
  const waited = new Promise<void>((resolve) => {
    disk.whenCaughtUp(() => {
      caughtUp += 1;
      assert.equal(disk.isBehind, false);
      resolve();
    });
  });
  const all = await Promise.all(results);
  await waited;
  for (const [piece, { v1, fault, isPieceDone }] of all.entries()) {
    assert.equal(fault, undefined);
    assert.equal(isPieceDone, true);
    const expected = createHash('sha1')
      .update(Buffer.alloc(SLAB_BYTES, piece + 1))
      .digest();
    assert.deepEqual(Buffer.from(v1!), expected);
  }
  assert.deepEqual([...owners].sort(), [0, 1], 'one core is left to the network thread');
  assert.equal(caughtUp, 1);
  assert.equal(fs.statSync(file).size, PIECES * SLAB_BYTES);
  assert.equal(await disk.onAll('close', spec.id), undefined);
  await disk.close();
});

test('one worker alone takes parts', async () => {
  const { disk, spec } = rig(1);
  assert.equal(disk.nextOwner(), 0);
  const result = await new Promise<JobResult>((resolve) =>
    disk.submit(disk.nextOwner(), part(spec, 0), resolve),
  );
  assert.equal(result.fault, undefined);
  assert.equal(disk.pendingCount, 0);
  await disk.close();
});

test('the blocks of a piece on disk are digested one by one; bytes that are gone are a fault', async () => {
  const { disk, spec, file } = rig(1);
  const { segments } = part(spec, 3);
  const lengthBytes = SLAB_BYTES - 1000;
  const digest = (): Promise<JobResult> =>
    new Promise((resolve) =>
      disk.submit(0, { kind: 'blocks', storage: spec.id, lengthBytes, segments }, resolve),
    );
  await new Promise<JobResult>((resolve) => disk.submit(0, part(spec, 3), resolve));
  const { blockDigests } = await digest();
  assert.equal(blockDigests?.length, 64 * 32);
  const sha256 = (bytes: number): Buffer =>
    createHash('sha256').update(Buffer.alloc(bytes, 4)).digest();
  assert.deepEqual(Buffer.from(blockDigests.subarray(0, 32)), sha256(16_384));
  assert.deepEqual(Buffer.from(blockDigests.subarray(63 * 32)), sha256(16_384 - 1000));
  fs.truncateSync(file, 3 * SLAB_BYTES + 5);
  const { fault } = await digest();
  assert.equal(fault?.code, 'TRUNCATED');
  await disk.close();
});
