/**
 * Many torrents in one node: who runs and who waits, pauses, limits of giving, and rate limits of single torrents.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  type AddOptions,
  createTorrent,
  type NodeOptions,
  PeerNode,
  type Torrent,
} from '../../src/node/index.ts';
import { poll, TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';
import { startTestTracker } from '../support/tracker.ts';

const LIMITS = { timeout: 60_000 };

function openNode(bed: TestBed, options: NodeOptions = {}): Promise<PeerNode> {
  return PeerNode.open({
    listen: '127.0.0.1:0',
    home: bed.home(),
    isOffline: true,
    usesLocalDiscovery: false,
    ...options,
  });
}

/** A node that seeds `count` files. */
async function seedFiles(bed: TestBed, count: number): Promise<[PeerNode, AddOptions[]]> {
  const node = await openNode(bed);
  const sources: AddOptions[] = [];
  for (let index = 0; index < count; index += 1) {
    const path = join(bed.dir('original'), `file-${index}.bin`);
    writeFile(path, 400_001, index + 1);
    const { metainfo, dir } = await createTorrent(path, { pieceLengthBytes: 32_768 });
    const source = { kind: 'metainfo', metainfo } as const;
    await node.add({ source, dir, mode: 'seed', isFresh: true });
    const { host, port } = node.endpoint;
    sources.push({ source, dir: bed.dir('copy'), peers: [`${host}:${port}`] });
  }
  return [node, sources];
}

async function untilState(torrent: Torrent, state: string): Promise<void> {
  await poll(`state ${state}`, () => torrent.state === state || undefined);
}

it(
  'one download at a time: the others wait as queued, and the next one starts by itself',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const [seeder, sources] = await seedFiles(bed, 3);
    await using _ = seeder;
    await using node = await openNode(bed, {
      maxActiveDownloads: 1,
      downloadLimitBytesPerSec: 2e6,
    });
    const torrents: Torrent[] = [];
    let most = 0;
    const completed: Torrent[] = [];
    for (const options of sources) {
      const torrent = node.prepare(options);
      torrents.push(torrent);
      torrent.on('state', () => {
        const active = torrents.filter(({ state }) => state === 'downloading').length;
        most = Math.max(most, active);
      });
      torrent.on('complete', () => completed.push(torrent));
      await torrent.start();
    }
    const [first, second, third] = torrents as [Torrent, Torrent, Torrent];
    assert.deepEqual(
      torrents.map(({ state }) => state),
      ['downloading', 'queued', 'queued'],
    );
    assert.equal(second.status().peers.length, 0, 'who waits connects to nobody');
    assert.equal(node.queue.move(third, 'up'), true);
    assert.deepEqual(node.queue.order, [first, third, second]);
    await Promise.all(torrents.map((torrent) => torrent.completed()));
    assert.deepEqual(completed, [first, third, second]);
    assert.equal(most, 1);
    assert.deepEqual(readTree(bed.dir('copy')), readTree(bed.dir('original')));
  },
);

it('a paused torrent leaves its peers and trackers, and goes on where it was', LIMITS, async () => {
  await using bed = new TestBed();
  const tracker = await startTestTracker();
  try {
    const [seeder, [options]] = await seedFiles(bed, 1);
    await using _ = seeder;
    await using node = await openNode(bed);
    const torrent = await node.add({
      ...options!,
      trackers: [tracker.httpUrl],
      downloadLimitBytesPerSec: 100_000,
    });
    await once(torrent, 'piece');
    torrent.pause();
    assert.equal(torrent.state, 'paused');
    assert.equal(torrent.status().peers.length, 0);
    await tracker.waitFor(({ event }) => event === 'stopped');
    const had = torrent.status().havePieces;
    assert.ok(had >= 1);
    torrent.setLimits({ downloadBytesPerSec: 0 });
    torrent.resume();
    assert.equal(torrent.state, 'downloading');
    const { bytes } = await torrent.completed();
    assert.equal(bytes, 400_001);
    assert.ok(torrent.status().downloadedBytes < 400_001 + 300_000, 'what was there is kept');
    await tracker.waitFor(({ event }) => event === 'completed');
    const events = tracker.announces.map(({ event }) => event);
    // A hybrid announces each of its two hashes.
    assert.deepEqual(new Set(events), new Set(['started', 'stopped', 'completed']));
    assert.equal(events.filter((event) => event === 'started').length, 4);
  } finally {
    await tracker.close();
  }
});

it(
  'a seed that has given enough pauses, ends, or goes on as a super seed, as it was told',
  LIMITS,
  async () => {
    await using bed = new TestBed();
    const [seeder, sources] = await seedFiles(bed, 3);
    await using _ = seeder;
    await using node = await openNode(bed);
    const reasons: string[] = [];
    const limits = [
      { ratio: 0, action: 'pause' },
      { seedingSeconds: 0, action: 'stop' },
      { idleSeconds: 0, action: 'super-seed' },
    ] as const;
    const torrents = sources.map((options, index) => {
      const torrent = node.prepare({ ...options, shareLimits: limits[index]! });
      torrent.on('share-limit', ({ reason, action }) => reasons.push(`${reason} ${action}`));
      return torrent;
    });
    await Promise.all(torrents.map((torrent) => torrent.start()));
    const [paused, ended, going] = torrents as [Torrent, Torrent, Torrent];
    await untilState(paused, 'paused');
    await untilState(ended, 'stopped');
    await untilState(going, 'seeding');
    await poll('three limits', () => reasons.length === 3 || undefined);
    assert.deepEqual(reasons.sort(), ['idle-time super-seed', 'ratio pause', 'seeding-time stop']);
    paused.resume();
    assert.equal(paused.state, 'seeding', 'a limit strikes once');
    assert.equal(node.torrents.length, 2);
  },
);
