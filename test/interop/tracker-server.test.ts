/**
 * Our tracker with real clients: aria2 and libtorrent find each other through it on loopback, Transmission and starling on two hosts of network namespaces,
 * since Transmission ignores 127/8 addresses from trackers. By HTTP and by UDP.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { TrackerServer } from '../../src/node/index.ts';
import { startAria2 } from '../support/aria2.ts';
import { createTorrentFile, startGet, startSeed } from '../support/cli.ts';
import { needing, poll, TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';
import { PYTHON, startLibtorrent } from '../support/libtorrent.ts';
import type { NamespaceHost } from '../support/namespace.ts';
import { startTransmission } from '../support/transmission.ts';
import { hostsInside, itOnTwoHosts } from '../support/two-hosts.ts';

const inside = hostsInside();
const TREE = { 'a.bin': 500_001, 'b/c.bin': 300_003 };
const VIAS = ['http', 'udp'] as const;

/** A tracker, and a torrent that names it by one protocol. */
async function setUp(bed: TestBed, via: (typeof VIAS)[number], host = '127.0.0.1') {
  const tracker = await TrackerServer.open({ listen: `${host}:0` });
  bed.onEnd(() => tracker.stop());
  const path = writeTree(join(bed.dir('original'), 'Inhalt'), TREE);
  const url = tracker.urls().find((one) => one.startsWith(via))!;
  const torrent = await createTorrentFile(bed, path, 'v1', { trackers: [url] });
  /** Resolves when a seed has announced itself. */
  const seeded = () => poll('announce of a seed', () => tracker.picture.seeds > 0 || undefined);
  /** What was announced by the protocol that was meant, and by no other. */
  const checkProtocol = (): void => {
    const { httpAnnounces, udpAnnounces, refused } = tracker.picture.counters;
    const [meant, other] =
      via === 'http' ? [httpAnnounces, udpAnnounces] : [udpAnnounces, httpAnnounces];
    assert.ok(meant >= 2 && other === 0, `${httpAnnounces} by http, ${udpAnnounces} by udp`);
    assert.equal(refused.ERR_TRACKER_REQUEST_MALFORMED, 0);
  };
  return { tracker, torrent, tree: readTree(path), seeded, checkProtocol };
}

function onLoopback(): void {
  const clients = { aria2: startAria2, libtorrent: startLibtorrent };
  for (const via of VIAS) {
    for (const [from, to] of [
      ['aria2', 'libtorrent'],
      ['libtorrent', 'aria2'],
    ] as const) {
      it(`${to} finds ${from} by ${via}`, needing('aria2c', PYTHON), async () => {
        await using bed = new TestBed();
        const { torrent, tree, seeded, checkProtocol } = await setUp(bed, via);
        const seeder = await clients[from](bed, torrent.file, bed.dir('original'));
        await seeder.complete();
        await seeded();
        const leecher = await clients[to](bed, torrent.file, bed.dir('copy'));
        await leecher.complete();
        assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), tree);
        checkProtocol();
      });
    }
  }
}

function onTwoHosts([here, there]: readonly [NamespaceHost, NamespaceHost]): void {
  const far = { prefix: there.prefix, host: there.address };
  const listen = ['--listen', `${here.address}:0`];
  const limits = { timeout: 110_000 };
  for (const via of VIAS) {
    it(`starling finds Transmission by ${via}`, limits, async () => {
      await using bed = new TestBed();
      const { torrent, tree, seeded, checkProtocol } = await setUp(bed, via, here.address);
      const seeder = await startTransmission(bed, torrent.file, bed.dir('original'), far);
      await seeder.complete();
      await seeded();
      await startGet(bed, torrent.magnet, bed.dir('copy'), ...listen).done();
      assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), tree);
      checkProtocol();
    });

    it(`Transmission finds starling by ${via}`, limits, async () => {
      await using bed = new TestBed();
      const { torrent, tree, seeded, checkProtocol } = await setUp(bed, via, here.address);
      await startSeed(bed, torrent.file, bed.dir('original'), ...listen);
      await seeded();
      const leecher = await startTransmission(bed, torrent.magnet, bed.dir('copy'), far);
      await leecher.complete();
      assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), tree);
      checkProtocol();
    });
  }
}

if (inside === undefined) {
  describe('our tracker on loopback', { concurrency: 2 }, onLoopback);

  itOnTwoHosts('Transmission and starling find each other through our tracker', {
    file: import.meta.filename,
    count: 4,
    needs: ['transmission-daemon'],
  });
} else {
  const hosts = inside;
  describe('our tracker on two hosts', { concurrency: 4 }, () => onTwoHosts(hosts));
}
