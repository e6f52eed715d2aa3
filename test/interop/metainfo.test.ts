/**
 * Torrent files across programs: what others make is read with the same info-hashes, and the other way round.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeDict } from '../../src/protocol/bencode/index.ts';
import { askStarling, createTorrentFile, type TorrentFile } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { MIXED_TREE, writeFile, writeTree } from '../support/content.ts';
import { createWithLibtorrent, PYTHON, startLibtorrent } from '../support/libtorrent.ts';

const KINDS = ['one file', 'many files'] as const;
const FORMATS = ['v1', 'v2', 'hybrid'] as const;
/** As mktorrent -l 16 and transmission-create -s 64. */
const PIECE_LENGTH = 65_536;

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
          const theirs = await createWithLibtorrent(bed, content(bed, kind), format, PIECE_LENGTH);
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
        `made by both with the same pieces, ${format}: the same hashes of pieces and the same info-hashes`,
        needing(PYTHON),
        async () => {
          await using bed = new TestBed();
          const path = content(bed, kind);
          const theirs = await createWithLibtorrent(bed, path, format, PIECE_LENGTH, true);
          const ours = await createSame(bed, path, format, theirs.file);
          assert.equal(ours.infoHashV1, theirs.infoHashV1);
          assert.equal(ours.infoHashV2, theirs.infoHashV2);
        },
      );
    }

    it(
      'made by mktorrent: starling finds the content right and makes the same, libtorrent reads the same info-hash',
      needing('mktorrent', PYTHON),
      async () => {
        await using bed = new TestBed();
        const path = content(bed, kind);
        const file = join(bed.root, 'mktorrent.torrent');
        await bed.start('mktorrent', ['-l', '16', '-o', file, path]).exit();
        const infoHash = await agree(bed, file);
        assert.equal((await createSame(bed, path, 'v1', file)).infoHashV1, infoHash);
      },
    );

    it(
      'made by transmission-create: starling finds the content right and the same hashes of pieces, libtorrent the same info-hash',
      needing('transmission-create', PYTHON),
      async () => {
        await using bed = new TestBed();
        const path = content(bed, kind);
        const file = join(bed.root, 'transmission.torrent');
        await bed.start('transmission-create', ['-s', '64', '-o', file, path]).exit();
        await agree(bed, file);
        // Not the info-hash: it leaves out empty files, and says "private" even where that is 0.
        await createSame(bed, path, 'v1', file);
      },
    );
  });
}

/** Makes a torrent of what `theirs` was made of: the hash of every piece must be the same. */
async function createSame(
  bed: TestBed,
  path: string,
  format: (typeof FORMATS)[number],
  theirs: string,
): Promise<TorrentFile> {
  const ours = await createTorrentFile(bed, path, format, { pieceLength: PIECE_LENGTH });
  const hashes = hashesOf(ours.file);
  assert.deepEqual(hashes, hashesOf(theirs));
  assert.equal(hashes.pieces.length, format === 'v2' ? 0 : ours.pieceCount);
  assert.equal(hashes.roots.length > 0, format !== 'v1');
  assert.equal(hashes.layers.length > 0, format !== 'v1');
  return ours;
}

/** In hex: SHA-1 of each piece (BEP 3); the file tree with its roots, and the piece layers (BEP 52). */
function hashesOf(file: string): { pieces: string[]; roots: string; layers: string } {
  const decoded = decodeDict(readFileSync(file));
  if (!decoded.ok) assert.fail(decoded.message);
  const torrent = decoded.value;
  const info = torrent.dict('info')!;
  const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
  return {
    pieces: hex(info.bytes('pieces')).match(/.{1,40}/g) ?? [],
    roots: hex(info.rawSlice('file tree')),
    layers: hex(torrent.rawSlice('piece layers')),
  };
}

/** @returns the info-hash that all read. */
async function agree(bed: TestBed, file: string): Promise<string> {
  const info = await askStarling(bed, ['info', file]);
  const report = await askStarling(bed, ['verify', file, '--dir', bed.dir('original')]);
  assert.equal(report['isComplete'], true);
  const theirs = await (await startLibtorrent(bed, file, bed.dir('original'))).metadata();
  assert.equal(info['infoHashV1'], theirs.infoHashV1);
  assert.equal(info['infoHashV2'], undefined);
  return theirs.infoHashV1!;
}
