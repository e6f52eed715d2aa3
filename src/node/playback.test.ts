/**
 * Ranges of files as times of pieces.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simTorrent } from '../../test/simulation/swarm-torrent.ts';
import { MAX_DEADLINES } from '../protocol/swarm/index.ts';
import { needsByPiece } from './playback.ts';

const PIECE_BYTES = 65_536;
const { info } = simTorrent({
  seed: 1,
  files: [
    { path: ['a'], lengthBytes: 1.5 * PIECE_BYTES },
    { path: ['b'], lengthBytes: 1_000 * PIECE_BYTES },
  ],
});

test('each piece of a range is needed when its first byte of the range is read', () => {
  const needs = needsByPiece(info, [
    { piece: 9, inMs: -1 },
    { file: 1, begin: 0, length: 2 * PIECE_BYTES, inMs: 1_000, bytesPerSec: PIECE_BYTES },
  ]);
  assert.deepEqual(needs, [
    { piece: 9, inMs: -1 },
    { piece: 1, inMs: 1_000 },
    { piece: 2, inMs: 1_500 },
    { piece: 3, inMs: 2_500 },
  ]);
});

test('without a rate all is needed at once; a range ends with its file, and with what the core takes', () => {
  assert.deepEqual(needsByPiece(info, [{ file: 0, begin: PIECE_BYTES + 1, inMs: 5 }]), [
    { piece: 1, inMs: 5 },
  ]);
  assert.deepEqual(needsByPiece(info, [{ file: 0, begin: 0, length: 1e12, inMs: 5 }]).length, 2);
  assert.equal(needsByPiece(info, [{ file: 1, begin: 0, inMs: 0 }]).length, MAX_DEADLINES);
});

test('a range that begins outside of its file is misuse', () => {
  const outside = [{ file: 0, begin: 1.5 * PIECE_BYTES, inMs: 0 }];
  assert.throws(() => needsByPiece(info, outside), /expected to begin in 98304 bytes/);
  assert.throws(() => needsByPiece(info, [{ file: 2, begin: 0, inMs: 0 }]), /expected below 2/);
});
