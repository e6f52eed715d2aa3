/**
 * Peers through the DHT with Transmission, which answers nobody on 127/8: so on two hosts of network namespaces, as in tracker-transmission.test.ts.
 * It looks for torrents once more than eight nodes answered: that many of ours stand on the first host, and it knows them from an earlier run.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, startGet, startSeed } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';
import { Observer, standIn } from '../support/dht-network.ts';
import { PYTHON } from '../support/libtorrent.ts';
import { startLibtorrentNode } from '../support/libtorrent-node.ts';
import { startTransmission } from '../support/transmission.ts';
import { hostsInside, itOnTwoHosts } from '../support/two-hosts.ts';

const inside = hostsInside();
const TREE = { 'a.bin': 500_001, 'b/c.bin': 300_003 };
/** Nodes of ours beside two of libtorrent. */
const NODES = 10;

if (inside === undefined) {
  itOnTwoHosts('Transmission and starling find each other through the DHT', {
    file: import.meta.filename,
    count: 2,
    needs: ['transmission-daemon', PYTHON],
  });
} else {
  const [here, there] = inside;
  const setUp = async (bed: TestBed) => {
    const first = (await standIn(bed, 0, [], here.address)).address;
    const numbers = Array.from({ length: NODES - 1 }, (_, i) => i + 1);
    const more = numbers.map((number) => standIn(bed, number, [first], here.address));
    const theirs = [1, 2].map(() => startLibtorrentNode(bed, [first], here.address));
    const nodes = await Promise.all([...more, ...theirs]);
    const dht = [first, ...nodes.map(({ address }) => address)].map((address) => {
      const [host, port] = address.split(':');
      return { host: host!, port: Number(port) };
    });
    const path = writeTree(join(bed.dir('original'), 'Inhalt'), TREE);
    const torrent = await createTorrentFile(bed, path, 'v1');
    const observer = await Observer.join(bed, [first]);
    await observer.knows(8);
    const far = { prefix: there.prefix, host: there.address, dht };
    const ours = ['--no-lsd', '--listen', `${here.address}:0`, '--bootstrap', first];
    const magnet = `magnet:?xt=urn:btih:${torrent.infoHashV1}`;
    return {
      torrent,
      tree: readTree(path),
      magnet,
      infoHash: torrent.infoHashV1!,
      observer,
      far,
      ours,
    };
  };

  describe('on two hosts', { concurrency: 2 }, () => {
    it('starling finds a seed of Transmission', { timeout: 200_000 }, async () => {
      await using bed = new TestBed();
      const { torrent, tree, magnet, infoHash, observer, far, ours } = await setUp(bed);
      const seeder = await startTransmission(bed, torrent.file, bed.dir('original'), far);
      await seeder.complete();
      await observer.sees(infoHash, seeder.address);
      await startGet(bed, magnet, bed.dir('copy'), ...ours).done();
      assert.deepEqual(readTree(join(bed.dir('copy'), 'Inhalt')), tree);
    });

    it('Transmission finds a seed of starling', { timeout: 200_000 }, async () => {
      await using bed = new TestBed();
      const { torrent, tree, magnet, infoHash, observer, far, ours } = await setUp(bed);
      const seed = await startSeed(bed, torrent.file, bed.dir('original'), ...ours);
      await observer.sees(infoHash, seed.address);
      const leecher = await startTransmission(bed, magnet, bed.dir('copy'), far);
      await leecher.complete();
      assert.deepEqual(readTree(join(bed.dir('copy'), 'Inhalt')), tree);
    });
  });
}
