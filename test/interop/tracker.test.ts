/**
 * Finding each other through a tracker, HTTP and UDP: aria2 and libtorrent on loopback. Transmission has tracker-transmission.test.ts.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startAria2 } from '../support/aria2.ts';
import { createTorrentFile, startGet, startSeed } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';
import { PYTHON, startLibtorrent } from '../support/libtorrent.ts';
import { startTestTracker } from '../support/tracker.ts';

const CLIENTS = [
  { name: 'aria2', program: 'aria2c', start: startAria2 },
  { name: 'libtorrent', program: PYTHON, start: startLibtorrent },
] as const;

for (const { name, program, start } of CLIENTS) {
  describe(`trackers with ${name}`, { concurrency: 2 }, () => {
    for (const via of ['http', 'udp'] as const) {
      for (const form of ['torrent file', 'magnet link'] as const) {
        it(`starling finds ${name} by ${via}, from a ${form}`, needing(program), async () => {
          await using bed = new TestBed();
          const { torrent, tracker, path } = await setUp(bed, via);
          const seeder = await start(bed, torrent.file, bed.dir('original'));
          await seeder.complete();
          await tracker.waitFor((announce) => announce.port === seeder.port);
          const source = form === 'torrent file' ? torrent.file : torrent.magnet;
          const get = startGet(bed, source, bed.dir('copy'));
          await get.done();
          assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), readTree(path));
          const ours = tracker.announces.filter(({ peerId }) => peerId.startsWith('2d534c'));
          const events = ours.map(({ event }) => event);
          assert.deepEqual(events, ['started', 'completed', 'stopped']);
          assert.equal(ours.at(-1)?.left, 0);
        });

        it(`${name} finds starling by ${via}, from a ${form}`, needing(program), async () => {
          await using bed = new TestBed();
          const { torrent, tracker, path } = await setUp(bed, via);
          const seed = await startSeed(bed, torrent.file, bed.dir('original'));
          const announce = await tracker.waitFor(({ port }) => port === seed.port);
          assert.equal(announce.left, 0);
          assert.equal(announce.infoHash, torrent.infoHashV1);
          const source = form === 'torrent file' ? torrent.file : torrent.magnet;
          const leecher = await start(bed, source, bed.dir('copy'));
          await leecher.complete();
          assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), readTree(path));
        });
      }
    }
  });
}

async function setUp(
  bed: TestBed,
  via: 'http' | 'udp',
): Promise<{
  torrent: Awaited<ReturnType<typeof createTorrentFile>>;
  tracker: Awaited<ReturnType<typeof startTestTracker>>;
  path: string;
}> {
  const tracker = await startTestTracker();
  bed.onEnd(() => tracker.close());
  const path = writeTree(join(bed.dir('original'), 'Inhalt'));
  const url = via === 'http' ? tracker.httpUrl : tracker.udpUrl;
  const torrent = await createTorrentFile(bed, path, 'v1', { trackers: [url] });
  return { torrent, tracker, path };
}
