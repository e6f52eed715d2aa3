/**
 * `get --sha256`: the digest that a person was told is compared with what came.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, runStarling, startGet, startSeed } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile, writeTree } from '../support/content.ts';

const LIMITS = { timeout: 60_000 };
const OF_FOLDER = 'find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum';

function sha256(script: string, cwd: string): string {
  return execFileSync('sh', ['-c', script], { cwd, encoding: 'latin1' }).slice(0, 64);
}

describe('get --sha256', { concurrency: 2 }, () => {
  it(
    'of one file is what sha256sum prints; a wrong one exits 3 and seeds nothing',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const path = join(bed.dir('original'), 'file.bin');
      writeFile(path, 1_000_000, 1);
      const torrent = await createTorrentFile(bed, path, 'v2');
      const seed = await startSeed(bed, torrent.file, bed.dir('original'));
      const right = sha256('sha256sum file.bin', bed.dir('original'));
      const peer = ['--peer', seed.address];
      await startGet(
        bed,
        torrent.file,
        bed.dir('copy'),
        ...peer,
        '--sha256',
        right.toUpperCase(),
      ).done();
      const wrong = right.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
      const again = startGet(
        bed,
        torrent.file,
        bed.dir('other'),
        ...peer,
        '--sha256',
        wrong,
        '--seed-time',
        '1000',
      );
      const { code, stderr } = await again.child.exit();
      assert.equal(code, 3);
      assert.match(stderr, new RegExp(`expected ${wrong}, got ${right}`));
      assert.deepEqual(
        again.events.filter(({ type }) => type === 'summary'),
        [],
      );
      assert.deepEqual(readTree(bed.dir('other')), readTree(bed.dir('original')));
    },
  );

  it('of a folder is that of the lines that sha256sum prints, in any format', LIMITS, async () => {
    await using bed = new TestBed();
    const path = writeTree(join(bed.dir('original'), 'folder'));
    const torrent = await createTorrentFile(bed, path, 'hybrid');
    const seed = await startSeed(bed, torrent.file, bed.dir('original'));
    const right = sha256(OF_FOLDER, path);
    await startGet(
      bed,
      torrent.magnet,
      bed.dir('copy'),
      '--peer',
      seed.address,
      '--sha256',
      right,
    ).done();
  });

  it('that is no digest, or of a selection, is a wrong call', LIMITS, async () => {
    await using bed = new TestBed();
    for (const more of [
      ['--sha256', 'abc'],
      ['--sha256', 'a'.repeat(64), '--select', 'x'],
    ]) {
      const { code } = await runStarling(bed, [
        'get',
        `magnet:?xt=urn:btih:${'a'.repeat(40)}`,
        ...more,
      ]);
      assert.equal(code, 2);
    }
  });
});
