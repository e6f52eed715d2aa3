/**
 * v2 and hybrid torrents with libtorrent, both directions, from torrent file and from every kind of magnet link.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, startGet, startSeed, type TorrentFile } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { MIXED_TREE, readTree, writeFile, writeTree } from '../support/content.ts';
import { createWithLibtorrent, PYTHON, startLibtorrent } from '../support/libtorrent.ts';

interface Shared {
  readonly torrent: TorrentFile;
  readonly dir: string;
  readonly tree: Readonly<Record<string, string>>;
}

const FORMATS = ['v2', 'hybrid'] as const;
const KINDS = ['one file', 'many files'] as const;

async function share(
  bed: TestBed,
  kind: (typeof KINDS)[number],
  format: (typeof FORMATS)[number],
): Promise<Shared> {
  const dir = bed.dir('original');
  const path = join(dir, kind === 'one file' ? 'eine Datei.bin' : 'ein Ordner');
  if (kind === 'one file') writeFile(path, 3_000_017, 7);
  else writeTree(path, MIXED_TREE);
  const torrent = await createTorrentFile(bed, path, format, { pieceLength: 65536 });
  return { torrent, dir, tree: readTree(path) };
}

/** The ways to name a torrent: its file, its whole magnet, and the magnets with one hash of a hybrid. */
function sources(format: (typeof FORMATS)[number]): readonly (readonly [string, Source])[] {
  const file = ['torrent file', (torrent: TorrentFile) => torrent.file] as const;
  const whole = (torrent: TorrentFile): string => torrent.magnet;
  if (format === 'v2') return [file, ['btmh magnet', whole]];
  const without = (hash: string) => (torrent: TorrentFile) =>
    torrent.magnet.replace(new RegExp(`xt=urn:${hash}:[0-9a-f]+&`), '');
  return [
    file,
    ['magnet with btih and btmh', whole],
    ['magnet with btih only', without('btmh')],
    ['magnet with btmh only', without('btih')],
  ];
}

type Source = (torrent: TorrentFile) => string;

for (const format of FORMATS) {
  describe(`${format} with libtorrent`, { concurrency: 3 }, () => {
    for (const kind of KINDS) {
      for (const [via, sourceOf] of sources(format)) {
        it(`libtorrent → starling: ${kind}, from a ${via}`, needing(PYTHON), async () => {
          await using bed = new TestBed();
          const { torrent, dir, tree } = await share(bed, kind, format);
          const seeder = await startLibtorrent(bed, torrent.file, dir);
          await seeder.complete();
          const into = bed.dir('copy');
          const get = startGet(bed, sourceOf(torrent), into, '--peer', seeder.address);
          const summary = await get.summary();
          await get.done();
          assert.deepEqual(readTree(join(into, torrent.name)), tree);
          assert.equal(summary.infoHashV1, torrent.infoHashV1);
          assert.equal(summary.infoHashV2, torrent.infoHashV2);
          assert.equal(summary.wastedBytes, 0);
        });

        it(`starling → libtorrent: ${kind}, from a ${via}`, needing(PYTHON), async () => {
          await using bed = new TestBed();
          const { torrent, dir, tree } = await share(bed, kind, format);
          const seed = await startSeed(bed, torrent.file, dir);
          const into = bed.dir('copy');
          const peers = [seed.address];
          const leecher = await startLibtorrent(bed, sourceOf(torrent), into, { peers });
          await leecher.complete();
          assert.deepEqual(readTree(join(into, torrent.name)), tree);
          const { infoHashV1, infoHashV2 } = await leecher.metadata();
          assert.equal(infoHashV1, torrent.infoHashV1);
          assert.equal(infoHashV2, torrent.infoHashV2);
        });
      }
    }
  });
}

describe('torrents that libtorrent made', { concurrency: 3 }, () => {
  for (const flags of ['v1', 'v2', 'hybrid'] as const) {
    it(
      `starling seeds its own content by a ${flags} torrent of libtorrent's, and gets it`,
      needing(PYTHON),
      async () => {
        await using bed = new TestBed();
        const path = writeTree(join(bed.dir('original'), 'ein Ordner'), MIXED_TREE);
        const torrent = await createWithLibtorrent(bed, path, flags, 65_536);
        const seeder = await startSeed(bed, torrent.file, bed.dir('original'));
        const get = startGet(bed, seeder.magnet, bed.dir('copy'));
        const summary = await get.summary();
        await get.done();
        assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), readTree(path));
        assert.equal(summary.infoHashV1, torrent.infoHashV1);
        assert.equal(summary.infoHashV2, torrent.infoHashV2);
      },
    );
  }
});

it("libtorrent finds starling by x.pe in starling's magnet alone", needing(PYTHON), async () => {
  await using bed = new TestBed();
  const { torrent, dir, tree } = await share(bed, 'one file', 'hybrid');
  const seed = await startSeed(bed, torrent.file, dir);
  const leecher = await startLibtorrent(bed, seed.magnet, bed.dir('copy'));
  await leecher.complete();
  assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), tree);
});
