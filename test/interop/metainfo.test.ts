/**
 * Torrent files across programs: what others make is read with the same info-hashes, and the other way round.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { askStarling, createTorrentFile } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { MIXED_TREE, writeFile, writeTree } from '../support/content.ts';
import { createWithLibtorrent, PYTHON, startLibtorrent } from '../support/libtorrent.ts';

const KINDS = ['one file', 'many files'] as const;
const FORMATS = ['v1', 'v2', 'hybrid'] as const;

function content(bed: TestBed, kind: (typeof KINDS)[number]): string {
  const path = join(bed.dir('original'), 'Inhält');
  if (kind === 'one file') writeFile(path, 1_234_567, 3);
  else writeTree(path, MIXED_TREE);
  return path;
}

for (const kind of KINDS) {
  describe(`torrent files of ${kind}`, { concurrency: 2 }, () => {
    for (const format of FORMATS) {
      it(
        `made by libtorrent, ${format}: starling reads the same info-hashes`,
        needing(PYTHON),
        async () => {
          await using bed = new TestBed();
          const theirs = await createWithLibtorrent(bed, content(bed, kind), format, 65_536);
          const info = await askStarling(bed, ['info', theirs.file]);
          assert.equal(info['infoHashV1'], theirs.infoHashV1);
          assert.equal(info['infoHashV2'], theirs.infoHashV2);
          assert.equal(info['version'], format);
          assert.equal(info['name'], 'Inhält');
        },
      );

      it(
        `made by starling, ${format}: libtorrent reads the same info-hashes and finds the content right`,
        needing(PYTHON),
        async () => {
          await using bed = new TestBed();
          const ours = await createTorrentFile(bed, content(bed, kind), format);
          const libtorrent = await startLibtorrent(bed, ours.file, bed.dir('original'));
          const theirs = await libtorrent.metadata();
          await libtorrent.complete();
          assert.equal(theirs.infoHashV1, ours.infoHashV1);
          assert.equal(theirs.infoHashV2, ours.infoHashV2);
          assert.equal(theirs.name, 'Inhält');
        },
      );

      it(
        `made by both with the same pieces, ${format}: the v2 hash is the same`,
        needing(PYTHON),
        async () => {
          if (format === 'v1' || kind === 'many files') return;
          await using bed = new TestBed();
          const path = content(bed, kind);
          const theirs = await createWithLibtorrent(bed, path, format, 65_536);
          const ours = await createTorrentFile(bed, path, format, { pieceLength: 65536 });
          assert.equal(ours.infoHashV2, theirs.infoHashV2);
        },
      );
    }

    it(
      'made by mktorrent: starling finds the content right, libtorrent the same info-hash',
      needing('mktorrent', PYTHON),
      async () => {
        await using bed = new TestBed();
        const path = content(bed, kind);
        const file = join(bed.root, 'mktorrent.torrent');
        await bed.start('mktorrent', ['-l', '16', '-o', file, path]).exit();
        await agree(bed, file);
      },
    );

    it(
      'made by transmission-create: starling finds the content right, libtorrent the same info-hash',
      needing('transmission-create', PYTHON),
      async () => {
        await using bed = new TestBed();
        const path = content(bed, kind);
        const file = join(bed.root, 'transmission.torrent');
        await bed.start('transmission-create', ['-s', '64', '-o', file, path]).exit();
        await agree(bed, file);
      },
    );
  });
}

async function agree(bed: TestBed, file: string): Promise<void> {
  const info = await askStarling(bed, ['info', file]);
  const report = await askStarling(bed, ['verify', file, '--dir', bed.dir('original')]);
  assert.equal(report['isComplete'], true);
  const theirs = await (await startLibtorrent(bed, file, bed.dir('original'))).metadata();
  assert.equal(info['infoHashV1'], theirs.infoHashV1);
  assert.equal(info['infoHashV2'], undefined);
}
