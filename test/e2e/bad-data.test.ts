/**
 * A seed whose file rotted after it was checked: it is found and banned, the download completes from the other one.
 * @module
 */
import assert from 'node:assert/strict';
import { closeSync, openSync, statSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, startGet, startSeed } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';

const LENGTH = 6_000_000;

/** Changes some bytes of every second block and not the file's time: a program that changes files would be noticed. */
function rot(path: string): void {
  const { atime, mtimeMs } = statSync(path);
  const fd = openSync(path, 'r+');
  for (let at = 100; at < LENGTH; at += 32_768) writeSync(fd, Buffer.from('rotten'), 0, 6, at);
  closeSync(fd);
  // The middle of the millisecond that counts.
  utimesSync(path, atime, (Math.floor(mtimeMs) + 0.5) / 1000);
}

describe('bad data', { concurrency: 2 }, () => {
  for (const format of ['v1', 'v2', 'hybrid'] as const) {
    it(`${format}: the seed with rotten blocks is banned, and only it`, {
      timeout: 60_000,
    }, async () => {
      await using bed = new TestBed();
      const good = join(bed.dir('good'), 'file.bin');
      const bad = join(bed.dir('bad'), 'file.bin');
      for (const path of [good, bad]) writeFile(path, LENGTH, 1);
      const torrent = await createTorrentFile(bed, good, format, { pieceLength: 262_144 });
      const honest = await startSeed(bed, torrent.file, bed.dir('good'));
      const rotten = await startSeed(bed, torrent.file, bed.dir('bad'));
      rot(bad);
      const into = bed.dir('copy');
      const peers = ['--peer', rotten.address, '--peer', honest.address];
      // Slow enough that both take part: over loopback one of them could bring all before the other is there.
      const get = startGet(bed, torrent.file, into, ...peers, '--download-limit', '2000000');
      await get.done();
      assert.deepEqual(readTree(join(into, 'file.bin')), readTree(good));
      const banned = get.events.filter(({ type }) => type === 'peer-banned');
      assert.deepEqual(
        banned.map(({ address }) => address),
        [rotten.address],
      );
    });
  }
});
