/**
 * `starling tracker` in a process of its own, and two others that find each other through it alone.
 * @module
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  createTorrentFile,
  runStarling,
  type Starling,
  startGet,
  startServing,
  startStarling,
} from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';

const LIMITS = { timeout: 60_000 };

async function startTracker(
  bed: TestBed,
  ...args: readonly string[]
): Promise<{ tracker: Starling; urls: readonly [udp: string, http: string]; stats: string }> {
  const all = ['tracker', '--listen', '127.0.0.1:0', '--json', ...args];
  const tracker = startStarling(bed, all);
  const event = await tracker.event('tracking');
  const urls = event['urls'] as [string, string];
  return { tracker, urls, stats: `${new URL(urls[1]).origin}` };
}

for (const [index, via] of (['udp', 'http'] as const).entries()) {
  it(`share and get find each other through it by ${via}; it ends in order`, LIMITS, async () => {
    await using bed = new TestBed();
    const { tracker, urls, stats } = await startTracker(bed);
    const path = join(bed.dir('original'), 'file.bin');
    writeFile(path, 300_001, 7);
    const share = await startServing(bed, ['share', path, '--tracker', urls[index]!]);
    // Without the address of the seed, only the tracker leads to it.
    const magnet = share.magnet.replaceAll(/&x\.pe=[^&]*/g, '');
    await startGet(bed, magnet, bed.dir('copy')).done();
    assert.deepEqual(readTree(bed.dir('copy')), readTree(bed.dir('original')));

    const page = await (await fetch(`${stats}/stats`)).text();
    assert.match(page, /Torrents<td>2\n/);
    const metrics = await (await fetch(`${stats}/metrics`)).text();
    // Both hashes of a hybrid; the one that got it said goodbye.
    assert.match(metrics, /^starling_tracker_peers\{family="ipv4"\} 2$/m);
    assert.match(metrics, new RegExp(`protocol="${via}",action="announce"} [1-9]`));
    // First, or its goodbye would wait for a tracker that is gone.
    await share.starling.child.stop();
    tracker.child.signal('SIGINT');
    const exit = await tracker.child.exit();
    assert.equal(exit.code, 130);
    assert.match(exit.stderr, /Stopped\. Peers come back by themselves/);
  });
}

it(
  'serves only torrents of --allow with a key of --key, and says so to others',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('original'), 'file.bin');
    writeFile(path, 100_001, 7);
    const torrent = await createTorrentFile(bed, path, 'v1');
    const allow = join(bed.root, 'allow.txt');
    writeFileSync(allow, `# ours\n${torrent.infoHashV1} file.bin\n`);
    const { tracker, urls, stats } = await startTracker(bed, '--allow', allow, '--key', 's3cret');
    assert.deepEqual(
      urls.map((url) => new URL(url).pathname),
      ['/s3cret/announce', '/s3cret/announce'],
    );
    const ask = async (key: string, infoHash: string): Promise<string> => {
      const escaped = infoHash.replaceAll(/../g, '%$&');
      const query = `info_hash=${escaped}&peer_id=${'a'.repeat(20)}&port=1&left=0`;
      return (await fetch(`${stats}${key}/announce?${query}`)).text();
    };
    assert.match(
      await ask('', torrent.infoHashV1!),
      /failure reason\d+:this tracker needs a valid key/,
    );
    assert.match(await ask('/wrong', torrent.infoHashV1!), /needs a valid key/);
    assert.match(await ask('/s3cret', '00'.repeat(20)), /does not serve this torrent/);
    assert.match(await ask('/s3cret', torrent.infoHashV1!), /^d8:completei1e/);
    // Asked by HTTP, a local tracker has to have a path that begins with /announce.
    for (const url of [urls[0], `${stats}/announce/s3cret`]) {
      const { file } = await createTorrentFile(bed, path, 'v1', { trackers: [url] });
      const seed = await startServing(bed, ['seed', file, '--dir', bed.dir('original')]);
      await startGet(bed, file, bed.dir(`copy-${url.slice(0, 3)}`)).done();
      const { stdout } = await runStarling(bed, ['info', file, '--scrape', '--json']);
      // A UDP scrape has no place for a key.
      assert.match(stdout, url.startsWith('http') ? /"seeds":[12]/ : /needs a valid key/);
      await seed.starling.child.stop();
    }
    writeFileSync(allow, '00');
    tracker.child.signal('SIGHUP');
    await tracker.child.waitFor(
      'a problem',
      () => /line 1: expected/.test(tracker.child.stderr) || undefined,
    );
    assert.match(
      await ask('/s3cret', torrent.infoHashV1!),
      /^d8:completei/,
      'the list before holds',
    );
    writeFileSync(allow, '00'.repeat(20));
    tracker.child.signal('SIGHUP');
    await tracker.event('allowed', ({ torrents }) => torrents === 1);
    assert.match(await ask('/s3cret', torrent.infoHashV1!), /does not serve this torrent/);
  },
);

it('says what is wrong with a call', LIMITS, async () => {
  await using bed = new TestBed();
  const { urls } = await startTracker(bed);
  const port = new URL(urls[1]).port;
  const taken = await runStarling(bed, ['tracker', '--listen', `127.0.0.1:${port}`]);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /Cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\)/);
  const interval = await runStarling(bed, ['tracker', '--interval', '5']);
  assert.match(interval.stderr, /expected 30 to 86400 seconds, got 5/);
  const key = await runStarling(bed, ['tracker', '--key', 'a/b']);
  assert.match(key.stderr, /expected 1 to 64 letters, digits or \._~-, got a\/b/);
  const list = await runStarling(bed, ['tracker', '--allow', join(bed.root, 'none')]);
  assert.match(list.stderr, /Cannot read .*none \(ENOENT\)/);
});
