/**
 * Deadlines through the library: the part of a file that a player is at comes first.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { createTorrent, PeerNode } from '../../src/node/index.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';

const PIECE_BYTES = 32_768;

it('pieces of a range with a deadline come before others', { timeout: 60_000 }, async () => {
  await using bed = new TestBed();
  const original = join(bed.dir('original'), 'film.bin');
  writeFile(original, 64 * PIECE_BYTES, 1);
  const { metainfo, dir } = await createTorrent(original, { pieceLengthBytes: PIECE_BYTES });
  const source = { kind: 'metainfo', metainfo } as const;
  const options = { listen: '127.0.0.1:0', isOffline: true, usesLocalDiscovery: false } as const;
  await using seeder = await PeerNode.open({ ...options, home: bed.home() });
  await seeder.add({ source, dir, mode: 'seed', isFresh: true });
  await using node = await PeerNode.open({ ...options, home: bed.home() });
  const { host, port } = seeder.endpoint;
  const torrent = node.prepare({ source, dir: bed.dir('copy'), peers: [`${host}:${port}`] });
  const pieces: number[] = [];
  torrent.on('piece', ({ piece }) => pieces.push(piece));
  const range = { file: 0, begin: 40 * PIECE_BYTES, length: 8 * PIECE_BYTES };
  const needs = [{ ...range, inMs: 10_000, bytesPerSec: 4 * PIECE_BYTES }];
  assert.equal(torrent.setDeadlines(needs), false, 'nothing is checked yet');
  await torrent.start();
  assert.equal(torrent.setDeadlines(needs), true);
  await torrent.completed();
  // The first blocks are asked for before it is known how fast the seed is.
  const early = new Set(pieces.slice(0, 16));
  for (let piece = 40; piece < 48; piece += 1) assert(early.has(piece), `${piece}: ${pieces}`);
  assert.deepEqual(readTree(bed.dir('copy')), readTree(bed.dir('original')));
});
