/** Two programs that know nothing of each other but the torrent find each other by multicast on loopback. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, startGet, startSeed, WITH_LSD } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { writeFile } from '../support/content.ts';

describe('local discovery', () => {
  it('a seed and a leech find each other without a tracker, a link or a given peer', async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'data.bin');
    writeFile(path, 300_000, 1);
    const { file } = await createTorrentFile(bed, path, 'hybrid');
    const seed = await startSeed(bed, file, bed.dir('original'), WITH_LSD);
    const get = startGet(bed, file, bed.dir('copy'), WITH_LSD);
    const { peers } = await get.summary();
    assert.equal(peers, 1);
    const { address } = await get.event('peer-connected');
    assert.match(String(address), /^127\.0\.0\.1:/);
    await get.done();
    assert.equal(seed.starling.child.hasEnded, false);
  });

  it('is off for --no-lsd and for --no-discovery', async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'data.bin');
    writeFile(path, 300_000, 2);
    const { file } = await createTorrentFile(bed, path, 'v1');
    const dir = bed.dir('original');
    const deaf = await Promise.all(
      ['--no-lsd', '--no-discovery'].map((more) => startSeed(bed, file, dir, WITH_LSD, more)),
    );
    const seed = await startSeed(bed, file, dir, WITH_LSD);
    const get = startGet(bed, file, bed.dir('copy'), WITH_LSD);
    assert.equal((await get.summary()).peers, 1);
    await get.done();
    const connected = [...deaf, seed].map(({ starling }) =>
      starling.events.some(({ type }) => type === 'peer-connected'),
    );
    assert.deepEqual(connected, [false, false, true]);
  });
});
