/**
 * Finding each other through a tracker with Transmission, which ignores 127/8 addresses from trackers: so on two hosts of network namespaces.
 * The tests run in a second process that lives on the first host, with the tracker; Transmission runs on the second host.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, startGet, startSeed } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';
import { startTestTracker } from '../support/tracker.ts';
import { startTransmission } from '../support/transmission.ts';
import { hostsInside, itOnTwoHosts } from '../support/two-hosts.ts';

const inside = hostsInside();
const TREE = { 'a.bin': 500_001, 'b/c.bin': 300_003 };

if (inside === undefined) {
  itOnTwoHosts('Transmission and starling find each other through trackers', {
    file: import.meta.filename,
    count: 4,
    needs: ['transmission-daemon'],
  });
} else {
  const [here, there] = inside;
  const far = { prefix: there.prefix, host: there.address };
  // Transmission looks for work every ten seconds: let all wait at the same time.
  const vias = ['http', 'udp'] as const;
  const scenario = (via: (typeof vias)[number]): void => {
    const setUp = async (bed: TestBed) => {
      const tracker = await startTestTracker({}, here.address);
      bed.onEnd(() => tracker.close());
      const path = writeTree(join(bed.dir('original'), 'Inhalt'), TREE);
      const url = via === 'http' ? tracker.httpUrl : tracker.udpUrl;
      const torrent = await createTorrentFile(bed, path, 'v1', { trackers: [url] });
      return { tracker, torrent, tree: readTree(path) };
    };
    const listen = ['--listen', `${here.address}:0`];

    it(`starling finds Transmission by ${via}`, { timeout: 110_000 }, async () => {
      await using bed = new TestBed();
      const { tracker, torrent, tree } = await setUp(bed);
      const seeder = await startTransmission(bed, torrent.file, bed.dir('original'), far);
      await seeder.complete();
      await tracker.waitFor(({ port }) => port === seeder.port);
      await startGet(bed, torrent.magnet, bed.dir('copy'), ...listen).done();
      assert.deepEqual(readTree(join(bed.dir('copy'), 'Inhalt')), tree);
    });

    it(`Transmission finds starling by ${via}`, { timeout: 110_000 }, async () => {
      await using bed = new TestBed();
      const { tracker, torrent, tree } = await setUp(bed);
      const seed = await startSeed(bed, torrent.file, bed.dir('original'), ...listen);
      await tracker.waitFor(({ port }) => port === seed.port);
      const leecher = await startTransmission(bed, torrent.magnet, bed.dir('copy'), far);
      await leecher.complete();
      assert.deepEqual(readTree(join(bed.dir('copy'), 'Inhalt')), tree);
    });
  };
  describe('on two hosts', { concurrency: 4 }, () => vias.forEach(scenario));
}
