/**
 * Local discovery (BEP 14) with libtorrent and Transmission, on two hosts of network namespaces that share nothing but a cable: no tracker, no link,
 * no given peer. Whoever starts second is heard by the first, so each client once hears us and is once heard.
 * The tests run in a second process that lives on the first host; the other clients run on the second one.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, startGet, startSeed, WITH_LSD } from '../support/cli.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';
import { PYTHON, startLibtorrent } from '../support/libtorrent.ts';
import { addMulticastRoute } from '../support/namespace.ts';
import { startTransmission } from '../support/transmission.ts';
import { hostsInside, itOnTwoHosts } from '../support/two-hosts.ts';

const inside = hostsInside();

if (inside === undefined) {
  itOnTwoHosts('libtorrent, Transmission and starling find each other in the local network', {
    file: import.meta.filename,
    count: 4,
    needs: ['transmission-daemon', PYTHON],
    prepare: (hosts) => hosts.forEach(addMulticastRoute),
  });
} else {
  const [here, there] = inside;
  const far = { prefix: there.prefix, host: there.address, lsd: true };
  const near = [WITH_LSD, '--listen', `${here.address}:0`];
  const clients = [
    ['libtorrent', startLibtorrent],
    ['Transmission', startTransmission],
  ] as const;
  /** A torrent that no other scenario has: they run side by side on one cable. */
  const setUp = async (bed: TestBed, scenario: string) => {
    const path = writeTree(join(bed.dir('original'), 'Inhalt'), {
      [`${scenario}.bin`]: 500_001,
      'b/c.bin': 300_003,
    });
    return { torrent: await createTorrentFile(bed, path, 'v1'), tree: readTree(path) };
  };
  describe('local discovery', { concurrency: true }, () => {
    for (const [name, start] of clients) {
      it(`${name} hears starling, and seeds to it`, async () => {
        await using bed = new TestBed();
        const { torrent, tree } = await setUp(bed, `${name}-hears`);
        const foreign = await start(bed, torrent.file, bed.dir('original'), far);
        await foreign.complete();
        const get = startGet(bed, torrent.file, bed.dir('copy'), ...near);
        await get.done();
        assert.deepEqual(readTree(join(bed.dir('copy'), 'Inhalt')), tree);
      });

      it(`starling hears ${name}, and seeds to it`, async () => {
        await using bed = new TestBed();
        const { torrent, tree } = await setUp(bed, `${name}-heard`);
        await startSeed(bed, torrent.file, bed.dir('original'), ...near);
        const foreign = await start(bed, torrent.file, bed.dir('copy'), far);
        await foreign.complete();
        assert.deepEqual(readTree(join(bed.dir('copy'), 'Inhalt')), tree);
      });
    }
  });
}
