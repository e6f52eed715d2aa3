/**
 * One swarm of everybody: a starling seed with little upload, aria2, libtorrent and two starling leeches that trade.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { startAria2 } from '../support/aria2.ts';
import { createTorrentFile, startGet, startSeed } from '../support/cli.ts';
import { freePort, needing, TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';
import { PYTHON, startLibtorrent } from '../support/libtorrent.ts';

it(
  'a seed, aria2, libtorrent and two starling leeches make each other complete',
  needing('aria2c', PYTHON),
  async () => {
    await using bed = new TestBed();
    const path = writeTree(join(bed.dir('original'), 'Inhalt'), {
      'one.bin': 6_000_001,
      'two/three.bin': 5_500_003,
      'two/empty': 0,
    });
    const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 65536 });
    const tree = readTree(path);
    const seed = await startSeed(
      bed,
      torrent.file,
      bed.dir('original'),
      '--upload-limit',
      '3000000',
    );
    const aria2 = await startAria2(bed, torrent.file, bed.dir('aria2'));
    const peers = [seed.address, aria2.address];
    const libtorrent = await startLibtorrent(bed, torrent.file, bed.dir('libtorrent'), { peers });
    const [portA, portB] = [await freePort(), await freePort()];
    const leeches = [
      { name: 'a', port: portA, other: portB },
      { name: 'b', port: portB, other: portA },
    ].map(({ name, port, other }) => {
      const given = [...peers, libtorrent.address, `127.0.0.1:${other}`];
      const seeding = ['--listen', `127.0.0.1:${port}`, '--seed-time', '600'];
      const options = [...seeding, ...given.flatMap((address) => ['--peer', address])];
      return { name, get: startGet(bed, torrent.magnet, bed.dir(name), ...options) };
    });
    const summaries = await Promise.all(leeches.map(({ get }) => get.summary()));
    await Promise.all([aria2.complete(), libtorrent.complete()]);
    for (const name of ['a', 'b', 'aria2', 'libtorrent']) {
      assert.deepEqual(readTree(join(bed.dir(name), torrent.name)), tree, name);
    }
    for (const { peers: givers } of summaries) {
      assert.ok(givers > 1, `expected several givers, got ${givers}`);
    }
  },
);
