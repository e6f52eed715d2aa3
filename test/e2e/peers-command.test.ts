/** `starling peers` and the verbose `get`: where each peer came from, why others failed, and who is known from an earlier run. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { createTorrentFile, startSeed, startStarling } from '../support/cli.ts';
import { freePort, poll, TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';

const LIMITS = { timeout: 60_000 };

async function setUp(bed: TestBed) {
  const dir = bed.dir('original');
  writeFile(join(dir, 'file.bin'), 300_007, 3);
  const { file, infoHashV1 } = await createTorrentFile(bed, join(dir, 'file.bin'), 'v1');
  return { dir, file, magnet: `magnet:?xt=urn:btih:${infoHashV1}` };
}

it(
  'peers: tells of who is connected and who is not, and why, without fetching',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const { dir, file, magnet } = await setUp(bed);
    const seed = await startSeed(bed, file, dir);
    const deaf = `127.0.0.1:${await freePort()}`;
    for (const source of [file, magnet]) {
      const home = bed.home();
      const args = ['peers', source, '--seconds', '2', '--no-dht', '--no-lsd', '--listen'];
      args.push('127.0.0.1:0', '--peer', seed.address, '--peer', deaf);
      const cwd = bed.dir('elsewhere');
      const { stdout } = await startStarling(bed, [...args, '--json'], { home, cwd }).done();
      const last = JSON.parse(stdout.trim().split('\n').at(-1)!);
      const brief = last.peers.map((peer: Record<string, string>) => [
        peer['address'],
        peer['source'],
        peer['state'],
        peer['reason'],
      ]);
      assert.deepEqual(brief, [
        [seed.address, 'given', 'connected', ''],
        [deaf, 'given', 'failed', 'nothing listens there (connection refused)'],
      ]);
      assert.match(last.peers[0].client, /^starling/i);
      assert(!existsSync(join(cwd, 'file.bin')), 'nothing is written');
    }
  },
);

it('peers: ends with 1 and a hint when nobody answers', LIMITS, async () => {
  await using bed = new TestBed();
  const { magnet } = await setUp(bed);
  const args = ['peers', magnet, '--seconds', '0', '--no-dht', '--no-lsd'];
  const { code, stderr } = await startStarling(bed, args).child.exit();
  assert.equal(code, 1);
  assert.match(stderr, /No peer answered/);
});

it('get --verbose: a line for each peer that comes, fails and goes', LIMITS, async () => {
  await using bed = new TestBed();
  const { dir, file } = await setUp(bed);
  const seed = await startSeed(bed, file, dir);
  const deaf = `127.0.0.1:${await freePort()}`;
  const args = ['get', file, '--dir', bed.dir('copy'), '--verbose', '--listen', '127.0.0.1:0'];
  args.push('--peer', deaf, '--peer', seed.address, '--no-dht');
  const { stderr } = await startStarling(bed, args).done();
  assert(stderr.includes(`+ ${seed.address} (given by you)`), stderr);
  assert(stderr.includes(`! ${deaf} (given by you): nothing listens there`), stderr);
});

it('a peer of an earlier run is found again with nobody to ask', LIMITS, async () => {
  await using bed = new TestBed();
  const { dir, file, magnet } = await setUp(bed);
  const seed = await startSeed(bed, file, dir);
  const home = bed.home();
  const first = startStarling(
    bed,
    ['peers', magnet, '--seconds', '1', '--peer', seed.address, '--no-dht', '--no-lsd'],
    { home },
  );
  await first.done();
  const args = ['get', magnet, '--dir', bed.dir('copy'), '--listen', '127.0.0.1:0', '--json'];
  const second = startStarling(bed, [...args, '--no-dht'], { home });
  const { source } = await second.event('peer-connected');
  assert.equal(source, 'kept');
  await second.done();
  assert.deepEqual(readTree(bed.dir('copy')), readTree(dir));
});

it(
  'peers of a private torrent are not kept: its tracker alone may tell of them',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const dir = bed.dir('original');
    writeFile(join(dir, 'file.bin'), 20_007, 3);
    const path = join(dir, 'file.bin');
    const { file } = await createTorrentFile(bed, path, 'v1', { isPrivate: true });
    const seed = await startSeed(bed, file, dir);
    const home = bed.home();
    const args = ['get', file, '--dir', bed.dir('copy'), '--listen', '127.0.0.1:0', '--json'];
    await startStarling(bed, [...args, '--peer', seed.address], { home }).done();
    assert.deepEqual(readTree(bed.dir('copy')), readTree(dir));
    assert.equal(existsSync(join(home, 'peers.json')), false);
  },
);

it('peers that were met are known after kill -9, too', LIMITS, async () => {
  await using bed = new TestBed();
  const { dir, file, magnet } = await setUp(bed);
  const seed = await startSeed(bed, file, dir);
  const home = bed.home();
  const args = ['peers', magnet, '--seconds', '60', '--peer', seed.address, '--no-dht', '--json'];
  const first = startStarling(bed, [...args, '--listen', '127.0.0.1:0'], { home });
  await first.event('peer-connected');
  const kept = join(home, 'peers.json');
  await poll('what is kept', () => existsSync(kept) || undefined);
  first.child.signal('SIGKILL');
  await first.child.exit();
  const get = ['get', magnet, '--dir', bed.dir('copy'), '--no-dht', '--json'];
  const second = startStarling(bed, [...get, '--listen', '127.0.0.1:0'], { home });
  const { source } = await second.event('peer-connected');
  assert.equal(source, 'kept');
  await second.done();
});
