/** Two programs that know nothing of each other but the torrent find each other by multicast on loopback. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, startGet, startSeed, WITH_LSD } from '../support/cli.ts';
import { poll, TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';
import { openTestNode, type TestNode } from '../support/daemon.ts';

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

  // Less than the minute between two announces, the first of which tells of the node itself.
  it('two nodes that just began find torrents of each other', { timeout: 40_000 }, async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'data.bin');
    writeFile(path, 300_000, 3);
    const open = (home: string): Promise<TestNode> =>
      openTestNode(bed, { home: bed.dir(home), settings: { 'discovery.lan': true } });
    const [giver, taker] = [await open('giver'), await open('taker')];
    const { id } = (await giver.ask('POST', '/shares', { body: { path } })).body;
    const dir = bed.dir('copy');
    const wish = { link: `magnet:?xt=urn:btih:${id}`, dir };
    assert.equal((await taker.ask('POST', '/torrents', { body: wish })).status, 201);
    await poll('the whole file', async () => {
      const { body } = await taker.ask('GET', `/torrents/${id}`);
      return body.state === 'seeding' ? true : undefined;
    });
    assert.deepEqual(readTree(dir), readTree(bed.dir('original')));
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
