/**
 * The last steps of a receiver, cut short at every one of them: what was begun is finished by the next run, and nothing is overwritten or left.
 * @module
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { TestBed } from '../../test/support/cli-child.ts';
import { toHex } from '../lib/bytes.ts';
import { DiskPool } from '../plane/disk-pool.ts';
import { type Manifest, type ManifestEntry, placeEntries } from '../protocol/send/index.ts';
import { TransferSink } from './transfer-sink.ts';

const HASH = new Uint8Array(20).fill(7);
const MTIME_MS = 1_600_000_000_123;
const TREE: readonly ManifestEntry[] = [
  { kind: 'folder', path: [], mode: 0o500, mtimeMs: MTIME_MS },
  { kind: 'file', path: ['a'], sizeBytes: 1, mode: 0o400, mtimeMs: MTIME_MS },
  { kind: 'folder', path: ['d'], mode: 0o500, mtimeMs: MTIME_MS },
  { kind: 'file', path: ['d', 'empty'], sizeBytes: 0, mode: 0o600, mtimeMs: -MTIME_MS },
  { kind: 'link', path: ['l'], target: ['d', 'empty'] },
];
const FILE: readonly ManifestEntry[] = [
  { kind: 'file', path: [], sizeBytes: 1, mode: 0o440, mtimeMs: MTIME_MS },
];

const disk = new DiskPool(new SharedArrayBuffer(1024 * 1024), 1);
after(() => disk.close());

/** Calls that change something on disk, by the names that the sink uses. */
const CHANGES = [
  'renameSync',
  'linkSync',
  'unlinkSync',
  'mkdirSync',
  'openSync',
  'writeFileSync',
  'fsyncSync',
  'chmodSync',
  'utimesSync',
  'rmSync',
] as const;

/** Runs `act` with the nth change failing as a crash would: undone or done, nothing after it happens. @returns true when it got so far. */
async function crashAt(
  nth: number,
  isDone: boolean,
  act: () => Promise<unknown>,
): Promise<boolean> {
  let count = 0;
  const originals = CHANGES.map((name) => fs[name]);
  for (const [index, name] of CHANGES.entries()) {
    const original = originals[index] as (...args: unknown[]) => unknown;
    (fs as unknown as Record<string, unknown>)[name] = (...args: unknown[]): unknown => {
      count += 1;
      if (count > nth || (count === nth && !isDone)) throw new Error('crash');
      const result = original(...args);
      if (count === nth) throw new Error('crash');
      return result;
    };
  }
  try {
    await act();
  } catch (error) {
    if (count < nth) throw error;
  } finally {
    for (const [index, name] of CHANGES.entries())
      (fs as unknown as Record<string, unknown>)[name] = originals[index];
  }
  return count >= nth;
}

function sinkOf(bed: TestBed, entries: readonly ManifestEntry[]): TransferSink {
  const manifest: Manifest = { kind: 'files', name: 'top.x', entries };
  const placed = placeEntries(manifest, 'portable');
  assert(placed.ok);
  return new TransferSink({
    manifest,
    placement: placed.value,
    hash: HASH,
    dir: bed.dir('to'),
    home: bed.dir('state'),
    disk,
  });
}

/** As the engine leaves it. */
function receive(sink: TransferSink, entries: readonly ManifestEntry[]): void {
  sink.open();
  const top = path.join(sink.staging, 'top.x');
  if (entries === FILE) fs.writeFileSync(top, 'x');
  else {
    fs.mkdirSync(top, { recursive: true });
    fs.writeFileSync(path.join(top, 'a'), 'x');
  }
}

function lookOf(where: string): readonly [string, number] {
  const { mode, mtimeMs } = fs.statSync(where);
  return [(mode & 0o777).toString(8), Math.floor(mtimeMs)];
}

function checkWhole(where: string, entries: readonly ManifestEntry[]): void {
  for (const entry of entries) {
    const at = path.join(where, ...entry.path);
    if (entry.kind === 'link') assert.equal(fs.readlinkSync(at), path.join(...entry.target));
    else assert.deepEqual(lookOf(at), [entry.mode.toString(8), entry.mtimeMs]);
    if (entry.kind === 'file') assert.equal(fs.statSync(at).size, entry.sizeBytes);
  }
}

describe('a receiver that is killed while it finishes', () => {
  for (const [what, entries] of [
    ['a folder', TREE],
    ['a file', FILE],
  ] as const) {
    for (const isTaken of [false, true]) {
      it(`${what}${isTaken ? ', its name taken' : ''}: goes on at every step`, async () => {
        let steps = 0;
        for (let nth = 1; ; nth += 1) {
          await using bed = new TestBed();
          const name = !isTaken ? 'top.x' : entries === FILE ? 'top (2).x' : 'top.x (2)';
          if (isTaken) fs.writeFileSync(path.join(bed.dir('to'), 'top.x'), 'old');
          const first = sinkOf(bed, entries);
          receive(first, entries);
          first.seal(toHex(HASH));
          const isDone = nth % 2 === 0;
          const wasCut = await crashAt(Math.ceil(nth / 2), isDone, () => first.finish());
          const next = sinkOf(bed, entries);
          assert.equal(next.digest, toHex(HASH));
          const where = await next.finish();
          assert.equal(where, path.join(bed.dir('to'), name));
          checkWhole(where, entries);
          assert.deepEqual(
            fs.readdirSync(bed.dir('to')).sort(),
            isTaken ? ['top.x', name].sort() : [name],
          );
          if (isTaken)
            assert.equal(fs.readFileSync(path.join(bed.dir('to'), 'top.x'), 'utf8'), 'old');
          // A third run says the same again.
          assert.equal(await sinkOf(bed, entries).finish(), where);
          next.forget();
          assert.deepEqual(fs.readdirSync(path.join(bed.dir('state'), 'transfers')), []);
          fs.chmodSync(where, 0o700);
          if (entries === TREE) fs.chmodSync(path.join(where, 'd'), 0o700);
          if (!wasCut) break;
          steps = nth;
        }
        assert.ok(steps >= 10, `${steps} steps were cut`);
      });
    }
  }

  it('does not take a name that appeared meanwhile', async () => {
    await using bed = new TestBed();
    const sink = sinkOf(bed, TREE);
    receive(sink, TREE);
    sink.seal(toHex(HASH));
    // The name was noted, then the process died.
    const state = path.join(bed.dir('state'), 'transfers', `${toHex(HASH.subarray(0, 8))}.json`);
    fs.writeFileSync(state, JSON.stringify({ digest: toHex(HASH), target: 'top.x' }));
    fs.mkdirSync(path.join(bed.dir('to'), 'top.x'));
    fs.writeFileSync(path.join(bed.dir('to'), 'top.x/theirs'), 'old');
    const where = await sinkOf(bed, TREE).finish();
    assert.equal(path.basename(where), 'top.x (2)');
    assert.deepEqual(fs.readdirSync(path.join(bed.dir('to'), 'top.x')), ['theirs']);
    fs.chmodSync(where, 0o700);
    fs.chmodSync(path.join(where, 'd'), 0o700);
  });

  it('takes a damaged note for none', async () => {
    await using bed = new TestBed();
    fs.mkdirSync(path.join(bed.dir('state'), 'transfers'));
    const state = path.join(bed.dir('state'), 'transfers', `${toHex(HASH.subarray(0, 8))}.json`);
    for (const text of [
      '',
      '{',
      'null',
      '{"digest":1}',
      '{"digest":"ab","target":"../x"}',
      'x'.repeat(5_000),
    ]) {
      fs.writeFileSync(state, text);
      assert.equal(sinkOf(bed, TREE).digest, undefined, text);
    }
  });
});
