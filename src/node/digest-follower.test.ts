/**
 * Digests that follow: whatever way the data comes, they are those of the files.
 * @module
 */
import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { TestBed } from '../../test/support/cli-child.ts';
import { Rng } from '../lib/rng.ts';
import { DiskPool } from '../plane/disk-pool.ts';
import type { DiskFault } from '../plane/file-table.ts';
import { DigestFollower } from './digest-follower.ts';

const disk = new DiskPool(new SharedArrayBuffer(1024 * 1024), 2);
after(() => disk.close());

const LENGTHS = [0, 1, 3_000_000, 0, 0, 1024 * 1024, 10_000_000, 7, ...new Array(600).fill(11), 0];

/** Files with these lengths, a follower of them, and what it must say. */
function rig(bed: TestBed): {
  follower: DigestFollower;
  expected: Buffer;
  dir: string;
  faults: DiskFault[];
} {
  const dir = bed.dir('files');
  let offsetBytes = 0;
  const files = LENGTHS.map((lengthBytes, i) => {
    fs.writeFileSync(path.join(dir, `${i}`), randomBytes(lengthBytes));
    const file = {
      path: `${i}`,
      lengthBytes,
      offsetBytes,
      isPad: false,
      isExecutable: false,
      isStored: true,
    };
    offsetBytes += lengthBytes;
    return file;
  });
  const { id } = disk.open({ dir, partsPath: path.join(dir, '.parts'), files });
  const faults: DiskFault[] = [];
  const follower = new DigestFollower({
    disk,
    storage: id,
    files: LENGTHS.map((lengthBytes, index) => ({ index, lengthBytes })),
    emptyDigest: hash('sha256', '', 'buffer'),
    onFault: (fault) => faults.push(fault),
  });
  return { follower, expected: expectedOf(dir), dir, faults };
}

function expectedOf(dir: string): Buffer {
  return Buffer.concat(
    LENGTHS.map((_, i) => hash('sha256', fs.readFileSync(path.join(dir, `${i}`)), 'buffer')),
  );
}

const TOTAL = LENGTHS.reduce((sum, length) => sum + length, 0);

describe('a digest follower', () => {
  for (const seed of [1, 2, 3]) {
    it(`says what the files are, however the data came (seed ${seed})`, async () => {
      await using bed = new TestBed();
      const { follower, expected } = rig(bed);
      const rng = new Rng(seed);
      const digests = follower.digests();
      for (let at = 0; at < TOTAL; at += rng.below(4_000_000)) {
        follower.advance(at);
        await new Promise(setImmediate);
        assert.ok(follower.doneBytes <= at, 'it reads no further than it may');
      }
      follower.advance(TOTAL);
      assert.ok(expected.equals(await digests));
      assert.ok(expected.equals(await follower.digests()), 'again to whoever asks later');
    });
  }

  it('begins anew on demand, whatever is under way', async () => {
    await using bed = new TestBed();
    const { follower, dir } = rig(bed);
    follower.advance(TOTAL);
    fs.writeFileSync(path.join(dir, '1'), 'x');
    fs.writeFileSync(path.join(dir, '6'), Buffer.alloc(10_000_000, 5));
    follower.reset();
    follower.advance(TOTAL);
    assert.ok(expectedOf(dir).equals(await follower.digests()));
  });

  it('tells a file that ended early, and goes on after a reset', async () => {
    await using bed = new TestBed();
    const { follower, expected, dir, faults } = rig(bed);
    const whole = fs.readFileSync(path.join(dir, '6'));
    fs.truncateSync(path.join(dir, '6'), 9_000_000);
    const digests = follower.digests();
    follower.advance(TOTAL);
    while (!follower.isStuck) await new Promise(setImmediate);
    assert.deepEqual(faults, [{ code: 'TRUNCATED', path: path.join(dir, '6'), operation: 'read' }]);
    fs.writeFileSync(path.join(dir, '6'), whole);
    follower.reset();
    follower.advance(TOTAL);
    assert.ok(expected.equals(await digests));
  });
});
