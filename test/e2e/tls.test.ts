/**
 * Trackers over HTTPS: one whose authority is trusted is announced to, any other is told nothing.
 * The certificates of `test/support/tls` are fixtures made for 127.0.0.1; a child trusts their authority when NODE_EXTRA_CA_CERTS names it.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  createTorrentFile,
  type Starling,
  startSeed,
  startStarling,
  type TorrentFile,
} from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';
import { startTestTracker, type TestTracker } from '../support/tracker.ts';

const LIMITS = { timeout: 60_000 };
const FIXTURES = join(import.meta.dirname, '..', 'support', 'tls');
const AUTHORITY = join(FIXTURES, 'authority.cert.pem');
const TLS = {
  key: readFileSync(join(FIXTURES, 'tracker.key.pem'), 'utf8'),
  cert: readFileSync(join(FIXTURES, 'tracker.cert.pem'), 'utf8'),
};

async function startTracker(bed: TestBed, tls?: typeof TLS): Promise<TestTracker> {
  const tracker = await startTestTracker({}, undefined, tls);
  bed.onEnd(() => tracker.close());
  return tracker;
}

/** A torrent of one file, and a seed of it that every one of these would name. */
async function startSwarm(
  bed: TestBed,
  trackers: readonly (string | readonly string[])[],
  knowing: readonly TestTracker[],
): Promise<TorrentFile> {
  const path = join(bed.dir('original'), 'file.bin');
  writeFile(path, 200_001, 21);
  const torrent = await createTorrentFile(bed, path, 'v1', { trackers });
  const seed = await startSeed(bed, torrent.file, bed.dir('original'), '--no-discovery');
  for (const tracker of knowing) tracker.addPeer(torrent.infoHashV1!, '127.0.0.1', seed.port);
  return torrent;
}

/** `get`, whose trust comes from `authority` alone, whatever surrounds the test. */
function startGet(bed: TestBed, torrent: TorrentFile, authority: string | undefined): Starling {
  const args = ['get', torrent.file, '--dir', bed.dir('copy'), '--listen', '127.0.0.1:0', '--json'];
  return startStarling(bed, args, {
    env: { NODE_EXTRA_CA_CERTS: authority, NODE_TLS_REJECT_UNAUTHORIZED: undefined },
  });
}

function assertCopied(bed: TestBed): void {
  assert.deepEqual(readTree(bed.dir('copy')), readTree(bed.dir('original')));
}

describe('a tracker over HTTPS', { concurrency: 2 }, () => {
  it('whose authority is trusted is announced to, and names the peers', LIMITS, async () => {
    await using bed = new TestBed();
    const tracker = await startTracker(bed, TLS);
    assert.match(tracker.httpUrl, /^https:/);
    const torrent = await startSwarm(bed, [tracker.httpUrl], [tracker]);
    const get = startGet(bed, torrent, AUTHORITY);
    await get.done();
    assertCopied(bed);
    assert.equal(tracker.announces[0]?.event, 'started');
    assert.deepEqual(
      get.events.filter(({ type }) => type === 'tracker-problem'),
      [],
    );
  });

  it(
    'whose authority is not trusted is told nothing, and the next one is asked, in its tier and in the next',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const untrusted = await Promise.all([startTracker(bed, TLS), startTracker(bed, TLS)]);
      const plain = await startTracker(bed);
      // A tier is asked in random order; two that fail show that its next one is asked, whichever comes first.
      const trackers = [untrusted.map(({ httpUrl }) => httpUrl), plain.httpUrl];
      const torrent = await startSwarm(bed, trackers, [...untrusted, plain]);
      const get = startGet(bed, torrent, undefined);
      await get.done();
      assertCopied(bed);
      for (const { httpUrl, announces } of untrusted) {
        assert.deepEqual(announces, []);
        const problem = await get.event('tracker-problem', ({ url }) => url === httpUrl);
        assert.match(String(problem['message']), /certificate/);
      }
      assert.equal(plain.announces[0]?.event, 'started');
    },
  );

  it('whose certificate is for another host is told nothing', LIMITS, async () => {
    await using bed = new TestBed();
    const [named, plain] = await Promise.all([startTracker(bed, TLS), startTracker(bed)]);
    const url = named.httpUrl.replace('127.0.0.1', 'localhost');
    const torrent = await startSwarm(bed, [url, plain.httpUrl], [named, plain]);
    const get = startGet(bed, torrent, AUTHORITY);
    await get.done();
    assertCopied(bed);
    assert.deepEqual(named.announces, []);
    assert.equal(plain.announces[0]?.event, 'started');
    const problem = await get.event('tracker-problem', (event) => event['url'] === url);
    assert.match(String(problem['message']), /certificate/);
  });
});
