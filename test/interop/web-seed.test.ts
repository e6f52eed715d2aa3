/**
 * Web seeds with other programs: libtorrent and aria2 fetch from ours with no peer beside it.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startAria2 } from '../support/aria2.ts';
import { createTorrentFile, startSeed } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { MIXED_TREE, readTree, writeFile, writeTree } from '../support/content.ts';
import { PYTHON, startLibtorrent } from '../support/libtorrent.ts';

const CLIENTS = [
  { name: 'aria2', program: 'aria2c', versions: ['v1'], start: startAria2 },
  {
    name: 'libtorrent',
    program: PYTHON,
    versions: ['v1', 'v2', 'hybrid'],
    start: startLibtorrent,
  },
] as const;

for (const client of CLIENTS) {
  describe(`our web seed with ${client.name}`, { concurrency: 3 }, () => {
    for (const version of client.versions) {
      for (const kind of ['one file', 'many files'] as const) {
        it(
          `${client.name} fetches ${kind} of ${version} from it alone`,
          needing(client.program),
          async () => {
            await using bed = new TestBed();
            const dir = bed.dir('original');
            const path = join(dir, kind === 'one file' ? 'eine Datei.bin' : 'ein Ordner');
            if (kind === 'one file') writeFile(path, 3_000_017, 7);
            else writeTree(path, MIXED_TREE);
            const options = { pieceLength: 65_536 };
            const plain = await createTorrentFile(bed, path, version, options);
            const seed = await startSeed(bed, plain.file, dir, '--web', '127.0.0.1:0');
            const webSeeds = new URL(seed.magnet).searchParams.getAll('ws');
            const torrent = await createTorrentFile(bed, path, version, { ...options, webSeeds });
            const into = bed.dir('copy');
            const leech = await client.start(bed, torrent.file, into);
            await leech.complete();
            assert.deepEqual(readTree(join(into, torrent.name)), readTree(path));
            const connected = seed.starling.events.filter(({ type }) => type === 'peer-connected');
            assert.deepEqual(connected, [], 'no peer was known');
          },
        );
      }
    }
  });
}
