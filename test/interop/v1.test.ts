/**
 * v1 torrents with aria2, Transmission and libtorrent, both directions, from torrent file and from magnet link.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startAria2 } from '../support/aria2.ts';
import { createTorrentFile, startGet, startSeed, type TorrentFile } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { MIXED_TREE, readTree, writeFile, writeTree } from '../support/content.ts';
import { PYTHON, startLibtorrent } from '../support/libtorrent.ts';
import { startTransmission } from '../support/transmission.ts';

/** What the tests need of a foreign client. */
interface Client {
  readonly name: string;
  readonly program: string;
  /** Transmission 3.00 makes no empty files. */
  readonly makesEmptyFiles: boolean;
  start(
    bed: TestBed,
    source: string,
    dir: string,
  ): Promise<{ readonly address: string; readonly complete: () => Promise<unknown> }>;
}

const CLIENTS: readonly Client[] = [
  { name: 'aria2', program: 'aria2c', makesEmptyFiles: true, start: startAria2 },
  {
    name: 'Transmission',
    program: 'transmission-daemon',
    makesEmptyFiles: false,
    start: startTransmission,
  },
  { name: 'libtorrent', program: PYTHON, makesEmptyFiles: true, start: startLibtorrent },
];

interface Shared {
  readonly torrent: TorrentFile;
  readonly dir: string;
  readonly tree: Readonly<Record<string, string>>;
}

async function share(bed: TestBed, kind: 'one file' | 'many files'): Promise<Shared> {
  const dir = bed.dir('original');
  const path = join(dir, kind === 'one file' ? 'eine Datei.bin' : 'ein Ordner');
  if (kind === 'one file') writeFile(path, 3_000_017, 7);
  else writeTree(path, MIXED_TREE);
  const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: 65536 });
  return { torrent, dir, tree: readTree(path) };
}

function withoutEmpty(tree: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([, value]) => !value.startsWith('0 ')));
}

for (const client of CLIENTS) {
  describe(`v1 with ${client.name}`, { concurrency: 4 }, () => {
    for (const kind of ['one file', 'many files'] as const) {
      for (const via of ['torrent', 'magnet'] as const) {
        const title = `${kind}, from a ${via === 'torrent' ? 'torrent file' : 'magnet link'}`;

        it(`${client.name} → starling: ${title}`, needing(client.program), async () => {
          await using bed = new TestBed();
          const { torrent, dir, tree } = await share(bed, kind);
          const seeder = await client.start(bed, torrent.file, dir);
          await seeder.complete();
          const into = bed.dir('copy');
          const source = via === 'torrent' ? torrent.file : torrent.magnet;
          const get = startGet(bed, source, into, '--peer', seeder.address);
          const summary = await get.summary();
          await get.done();
          assert.deepEqual(readTree(join(into, torrent.name)), tree);
          assert.equal(summary.infoHashV1, torrent.infoHashV1);
          assert.equal(summary.bytes, torrent.totalBytes);
          assert.equal(summary.peers, 1);
        });

        it(`starling → ${client.name}: ${title}`, needing(client.program), async () => {
          await using bed = new TestBed();
          const { torrent, dir, tree } = await share(bed, kind);
          const into = bed.dir('copy');
          const source = via === 'torrent' ? torrent.file : torrent.magnet;
          const leecher = await client.start(bed, source, into);
          await startSeed(bed, torrent.file, dir, '--peer', leecher.address);
          await leecher.complete();
          const copy = readTree(join(into, torrent.name));
          assert.deepEqual(copy, client.makesEmptyFiles ? tree : withoutEmpty(tree));
        });
      }
    }
  });
}
