/**
 * `kill -9`, twenty times in one download: nothing that was verified is lost or fetched again.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { Rng } from '../../src/lib/rng.ts';
import { createTorrentFile, type Starling, startSeed, startStarling } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';

const KILLS = 20;
const PIECE_BYTES = 262_144;
const LIMIT_BYTES_PER_SEC = 12_000_000;
const SEED = Number(process.env['STARLING_SEED'] ?? 9);

it(`a download that is killed ${KILLS} times (STARLING_SEED=${SEED}) keeps every verified piece`, {
  ...needing(),
  timeout: 180_000,
}, async () => {
  await using bed = new TestBed();
  const path = writeTree(join(bed.dir('original'), 'large'), {
    'a.bin': 130_000_001,
    'b/c.bin': 99_999_999,
    'b/d.bin': 20_000_003,
  });
  const torrent = await createTorrentFile(bed, path, 'v1', { pieceLength: PIECE_BYTES });
  const seed = await startSeed(bed, torrent.file, bed.dir('original'));
  const rng = new Rng(SEED);
  const home = bed.home();
  const verified = new Set<number>();
  const start = (...more: readonly string[]): Starling => {
    const args = ['get', torrent.file, '--dir', bed.dir('copy'), '--json', ...more];
    const peer = ['--listen', '127.0.0.1:0', '--peer', seed.address];
    return startStarling(bed, [...args, ...peer], { home });
  };
  for (let run = 0; run < KILLS; run += 1) {
    const get = start('--download-limit', `${LIMIT_BYTES_PER_SEC}`);
    // Killed after so many pieces of this run: between two writes, in the middle of one, while the journal grows.
    const pieces = 1 + rng.below(40);
    await get.child.waitFor(`${pieces} pieces`, () =>
      piecesOf(get).length >= pieces ? true : undefined,
    );
    get.child.signal('SIGKILL');
    assert.equal((await get.child.exit()).code, 137);
    note(piecesOf(get), verified, run);
  }
  assert.ok(verified.size < torrent.pieceCount, 'the kills have to fall into the download');
  const last = start();
  const summary = await last.summary();
  await last.done();
  note(piecesOf(last), verified, KILLS);
  // A kill can fall between the journal and the event's line, so a few pieces were never printed; none was fetched twice.
  assert.ok(torrent.pieceCount - verified.size <= KILLS * 8, `${verified.size} pieces reported`);
  assert.equal(summary.bytes, torrent.totalBytes);
  assert.equal(summary.wastedBytes, 0);
  assert.deepEqual(readTree(join(bed.dir('copy'), torrent.name)), readTree(path));
});

function piecesOf(get: Starling): number[] {
  return get.events.filter(({ type }) => type === 'piece').map(({ piece }) => piece as number);
}

function note(pieces: readonly number[], verified: Set<number>, run: number): void {
  for (const piece of pieces) {
    assert.ok(!verified.has(piece), `run ${run} fetched piece ${piece} again`);
    verified.add(piece);
  }
}
