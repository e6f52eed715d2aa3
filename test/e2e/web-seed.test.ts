/** `share --web` and `seed --web`: the files over HTTP, to whoever knows no peer. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  createTorrentFile,
  runStarling,
  startGet,
  startSeed,
  startServing,
} from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile, writeTree } from '../support/content.ts';

const LIMITS = { timeout: 120_000 };

describe('the files over HTTP, from the command line', { concurrency: 2 }, () => {
  for (const kind of ['one file', 'a folder'] as const) {
    it(`share --web puts its URL into the torrent and the link: ${kind}`, LIMITS, async () => {
      await using bed = new TestBed();
      const path = join(bed.dir('original'), 'some thing');
      if (kind === 'one file') writeFile(path, 300_000, 5);
      else writeTree(path, { 'a.bin': 200_000, 'ü/b.bin': 100_000, 'ü/empty': 0 });
      const share = await startServing(bed, ['share', path, '--web', '127.0.0.1:0']);
      const [event] = share.starling.events.filter(({ type }) => type === 'seeding');
      const [url] = event!['web'] as string[];
      assert.match(url!, /^http:\/\/127\.0\.0\.1:\d+\/$/);
      assert.equal(new URL(share.magnet).searchParams.get('ws'), url);
      // The torrent file names no peer and no tracker.
      const get = startGet(bed, share.torrent!, bed.dir('copy'));
      assert.equal((await get.summary()).peers, 1);
      await get.done();
      assert.deepEqual(readTree(join(bed.dir('copy'), 'some thing')), readTree(path));
    });
  }

  it('seed --web serves a torrent that knows nothing of it', LIMITS, async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'a.bin');
    writeFile(path, 300_000, 6);
    const torrent = await createTorrentFile(bed, path, 'v1');
    const seed = await startSeed(bed, torrent.file, bed.dir('original'), '--web', '127.0.0.1:0');
    const url = new URL(seed.magnet).searchParams.get('ws')!;
    assert.deepEqual(
      await (await fetch(`${url}a.bin`)).bytes(),
      new Uint8Array(readFileSync(path)),
    );
    const get = startGet(bed, torrent.file, bed.dir('copy'), '--web-seed', url);
    await get.done();
    assert.deepEqual(readTree(join(bed.dir('copy'), 'a.bin')), readTree(path));
  });

  it('what is no address is told', LIMITS, async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'a.bin');
    writeFile(path, 5, 6);
    const args = ['share', path, '--listen', '127.0.0.1:0', '--web'];
    const wrong = await runStarling(bed, [...args, '127.0.0.1']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--web: expected HOST:PORT/);
  });
});
