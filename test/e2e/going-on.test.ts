/**
 * Interrupting and going on: Ctrl-C, selections, damaged and missing files, a full disk, permissions.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  createTorrentFile,
  runStarling,
  type Starling,
  startGet,
  startSeed,
  startStarling,
} from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile, writeTree } from '../support/content.ts';

const LIMITS = { timeout: 60_000 };
const [MOUNT, UMOUNT] = ['mount', 'umount'] as const;
const isRoot = process.getuid?.() === 0;
const asRoot = { ...LIMITS, skip: isRoot ? false : 'needs root' };

function pieces(get: Starling): number[] {
  return get.events.filter(({ type }) => type === 'piece').map(({ piece }) => Number(piece));
}

describe('going on', { concurrency: 2 }, () => {
  it(
    'Ctrl-C saves, exits 130 and says how to go on; the next run fetches only the rest',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 3_000_000, 1);
      const torrent = await createTorrentFile(bed, path, 'hybrid', { pieceLength: 32768 });
      const seed = await startSeed(bed, torrent.file, bed.dir('original'));
      const home = bed.home();
      const args = [
        'get',
        torrent.magnet,
        '--dir',
        bed.dir('copy'),
        '--peer',
        seed.address,
        '--json',
      ];
      const listen = ['--listen', '127.0.0.1:0'];
      const first = startStarling(bed, [...args, ...listen, '--download-limit', '400000'], {
        home,
      });
      await first.child.waitFor('a few pieces', () =>
        pieces(first).length > 5 ? true : undefined,
      );
      first.child.signal('SIGINT');
      const end = await first.child.exit();
      assert.equal(end.code, 130);
      assert.match(end.stderr, /^starling: Interrupted[^\n]*again[^\n]*\n$/);
      const second = startStarling(bed, [...args, ...listen], { home });
      await second.done();
      const both = [...pieces(first), ...pieces(second)].sort((a, b) => a - b);
      assert.deepEqual(both, [...Array(torrent.pieceCount).keys()]);
      assert.deepEqual(readTree(join(bed.dir('copy'), 'file.bin')), readTree(path));
    },
  );

  it(
    '--select fetches the files that match, keeps border pieces apart, and later the rest',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const tree = { 'a.bin': 100_001, 'sub/b.txt': 70_000, 'c.bin': 150_003 };
      const path = writeTree(join(bed.dir('original'), 'Inhalt'), tree);
      const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 65536 });
      const seed = await startSeed(bed, torrent.file, bed.dir('original'));
      const home = bed.home();
      const into = bed.dir('copy');
      const args = ['get', torrent.file, '--dir', into, '--peer', seed.address, '--json'];
      const run = (...more: readonly string[]): Starling =>
        startStarling(bed, [...args, '--listen', '127.0.0.1:0', ...more], { home });
      const first = run('--select', 'sub/*.txt');
      await first.done();
      const whole = readTree(path);
      const copy = join(into, 'Inhalt');
      assert.deepEqual(readTree(copy), { 'sub/b.txt': whole['sub/b.txt'] });
      assert.ok(existsSync(join(into, `.${torrent.infoHashV1}.starling-parts`)));
      assert.deepEqual(
        pieces(first).sort((a, b) => a - b),
        [3, 4],
      );
      await run('--select', 'a.bin', '--select', 'sub').done();
      assert.deepEqual(Object.keys(readTree(copy)), ['a.bin', 'sub/b.txt']);
      await run().done();
      assert.deepEqual(readTree(copy), whole);
      const none = await runStarling(bed, [...args, '--select', 'nothing'], { home });
      assert.equal(none.code, 1);
      assert.match(none.stderr, /^starling: No file of Inhalt matches nothing/);
    },
  );

  it('verify tells damage apart, get mends it, seed refuses what is missing', LIMITS, async () => {
    await using bed = new TestBed();
    const dir = bed.dir('original');
    const path = writeTree(join(dir, 'Inhalt'), { 'a.bin': 300_000, 'b.bin': 300_000 });
    const whole = readTree(path);
    const torrent = await createTorrentFile(bed, path, 'hybrid', { pieceLength: 32768 });
    const seed = await startSeed(bed, torrent.file, dir);
    const copy = bed.dir('copy');
    const home = bed.home();
    const get = [
      'get',
      torrent.file,
      '--dir',
      copy,
      '--peer',
      seed.address,
      '--json',
      '--listen',
      '127.0.0.1:0',
    ];
    await startStarling(bed, get, { home }).done();
    const verify = ['verify', torrent.file, '--dir', copy];
    assert.equal((await runStarling(bed, verify)).code, 0);
    const file = openSync(join(copy, 'Inhalt', 'a.bin'), 'r+');
    writeSync(file, Buffer.from('damage'), 0, 6, 100_000);
    truncateSync(join(copy, 'Inhalt', 'b.bin'), 299_000);
    const damaged = await runStarling(bed, verify);
    assert.equal(damaged.code, 3);
    assert.match(
      damaged.stdout,
      /^a\.bin: 9 of 10 pieces are right\nb\.bin: 9 of 10 pieces are right\n$/,
    );
    assert.match(
      damaged.stderr,
      /^starling: Inhalt: 18 of 20 pieces are right; run "starling get"/,
    );
    const refused = await runStarling(bed, ['seed', torrent.file, '--dir', copy]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^starling: Only 18 of 20 pieces/m);
    const mend = startStarling(bed, get, { home });
    await mend.done();
    assert.equal(pieces(mend).length, 2);
    assert.deepEqual(readTree(join(copy, 'Inhalt')), whole);
    rmSync(join(copy, 'Inhalt', 'a.bin'));
    assert.equal((await runStarling(bed, verify)).code, 3);
    const missing = await runStarling(bed, ['seed', torrent.file, '--dir', copy], { home });
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /a\.bin is missing/);
    await startStarling(bed, get, { home }).done();
    assert.deepEqual(readTree(join(copy, 'Inhalt')), whole);
  });

  it(
    'a file that is deleted while it is seeded makes a problem that names it, not an end',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const dir = bed.dir('original');
      const path = join(dir, 'file.bin');
      writeFile(path, 2_000_000, 3);
      const torrent = await createTorrentFile(bed, path, 'v1');
      const seed = await startSeed(bed, torrent.file, dir);
      rmSync(path);
      startGet(bed, torrent.file, bed.dir('copy'), '--peer', seed.address);
      const problem = await seed.starling.event('problem');
      assert.match(String(problem['message']), /file\.bin/);
      assert.equal(seed.starling.child.hasEnded, false);
    },
  );

  it(
    'a full disk makes one error that names the file; the download goes on when there is room',
    asRoot,
    async () => {
      await using bed = new TestBed();
      const small = bed.dir('small');
      execFileSync(MOUNT, ['-t', 'tmpfs', '-o', 'size=1m', 'none', small]);
      bed.onEnd(() => execFileSync(UMOUNT, ['-l', small]));
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 4_000_000, 4);
      const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 65536 });
      const seed = await startSeed(bed, torrent.file, bed.dir('original'));
      const get = startGet(bed, torrent.file, small, '--peer', seed.address);
      const problem = await get.event('problem');
      assert.match(String(problem['message']), /file\.bin \(ENOSPC\): the disk is full/);
      execFileSync(MOUNT, ['-o', 'remount,size=16m', small]);
      await get.done();
      assert.equal(get.events.filter(({ type }) => type === 'problem').length, 1);
      assert.deepEqual(readTree(join(small, 'file.bin')), readTree(path));
    },
  );

  it(
    'denied permission makes one error that names the place, exit 1; afterwards the same command completes',
    asRoot,
    async () => {
      await using bed = new TestBed();
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 500_000, 5);
      const torrent = await createTorrentFile(bed, path, 'v1');
      const seed = await startSeed(bed, torrent.file, bed.dir('original'));
      const into = bed.dir('locked');
      const home = bed.home();
      chmodSync(into, 0o555);
      const args = ['get', torrent.file, '--dir', into, '--peer', seed.address, '--json'];
      const options = { home, isBound: true };
      const refused = await runStarling(bed, [...args, '--listen', '127.0.0.1:0'], options);
      assert.equal(refused.code, 1, refused.stderr);
      assert.match(refused.stderr, /^starling: Cannot [^\n]*locked[^\n]*\(EACCES\)[^\n]*\n$/);
      chmodSync(into, 0o777);
      const again = await runStarling(bed, [...args, '--listen', '127.0.0.1:0'], options);
      assert.equal(again.code, 0, again.stderr);
      assert.deepEqual(readTree(join(into, 'file.bin')), readTree(path));
    },
  );
});
