import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestBed } from '../../../test/support/cli-child.ts';
import { writeTree } from '../../../test/support/content.ts';
import { createTorrent } from '../create.ts';
import { PeerNode } from '../peer-node.ts';
import type { Torrent } from '../torrent.ts';
import { MAX_PLAYHEADS, Playheads } from './playheads.ts';
import { type ReadOptions, readTorrentFile } from './reader.ts';

const PIECE_BYTES = 32_768;
const FILM_BYTES = 60 * PIECE_BYTES + 77;
const OPTIONS = { listen: '127.0.0.1:0', isOffline: true, usesLocalDiscovery: false } as const;
const TREE = { 'film.mp4': FILM_BYTES, 'notes.txt': 3 * PIECE_BYTES };

async function setUp(bed: TestBed) {
  const original = join(bed.dir('original'), 'set');
  writeTree(original, TREE);
  const { metainfo, dir } = await createTorrent(original, { pieceLengthBytes: PIECE_BYTES });
  const source = { kind: 'metainfo', metainfo } as const;
  const indexOf = (name: string): number =>
    metainfo.info.files.findIndex(({ path }) => path.at(-1) === name);
  const content = (name: string): Buffer => readFileSync(join(original, name));
  return { source, dir, film: indexOf('film.mp4'), notes: indexOf('notes.txt'), content };
}

async function read(torrent: Torrent, options: ReadOptions): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readTorrentFile(torrent, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a file is read while it downloads: from its start and from a place far ahead at once, each byte as it was, and the place that is read comes first', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const { source, dir, film, notes, content } = await setUp(bed);
  await using seeder = await PeerNode.open({ ...OPTIONS, home: bed.home() });
  await seeder.add({ source, dir, mode: 'seed', isFresh: true });
  await using node = await PeerNode.open({ ...OPTIONS, home: bed.home() });
  const peers = [`127.0.0.1:${seeder.endpoint.port}`];
  const priorities: number[] = [];
  priorities[notes] = 0;
  const torrent = node.prepare({ source, dir: bed.dir('copy'), peers, priorities });
  const pieces: number[] = [];
  torrent.on('piece', ({ piece }) => pieces.push(piece));
  const begin = 48 * PIECE_BYTES - 5;
  const end = begin + 4 * PIECE_BYTES;
  const known = once(torrent, 'metadata');
  const starting = torrent.start();
  await known;
  assert.equal(torrent.state, 'checking');
  const seeks = [read(torrent, { file: film, begin, end }), read(torrent, { file: film })];
  await starting;
  const [part, whole] = await Promise.all(seeks);
  const expected = content('film.mp4');
  assert(part!.equals(expected.subarray(begin, end)));
  assert(whole!.equals(expected));
  // The first blocks are asked for before it is known how fast the seed is.
  const { first } = torrent.files!.geometry.filePieces(film);
  const at = pieces.indexOf(first + 48);
  assert(at < 45, `piece 48 came as number ${at}: ${pieces}`);
  assert.equal(Playheads.of(torrent).count, 0, 'both took their deadlines back');

  assert.equal(torrent.filePriorities[notes], 0);
  const text = await read(torrent, { file: notes, begin: 10 });
  assert(text.equals(content('notes.txt').subarray(10)), 'what was not wanted is, by reading it');
  assert.equal(torrent.filePriorities[notes], 4);
  assert.deepEqual(await read(torrent, { file: film, begin: 7, end: 7 }), Buffer.alloc(0));
});

test('reading waits for what is missing until it is told not to, or the torrent cannot bring it', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const { source, film } = await setUp(bed);
  await using node = await PeerNode.open({ ...OPTIONS, home: bed.home() });
  const torrent = await node.add({ source, dir: bed.dir('copy') });
  const abort = new AbortController();
  const waiting = read(torrent, { file: film, signal: abort.signal });
  abort.abort(new Error('the player went away'));
  await assert.rejects(waiting, /the player went away/);
  const paused = assert.rejects(read(torrent, { file: film }), /it is paused .* resume it/);
  await new Promise((resolve) => setImmediate(resolve));
  torrent.pause();
  await paused;
  await assert.rejects(read(torrent, { file: film }), { code: 'ERR_READ' });
  torrent.resume();
  const more = Array.from({ length: MAX_PLAYHEADS }, () => read(torrent, { file: film }));
  const ended = Promise.allSettled(more);
  await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(read(torrent, { file: film }), /read 32 times at once/);
  await torrent.stop();
  const reasons = (await ended).map((each) => (each as PromiseRejectedResult).reason.message);
  for (const reason of reasons) assert.match(reason, /it was stopped/);
  assert.equal(Playheads.of(torrent).count, 0);
});

test('what is there is read of a paused torrent too; a file that somebody deleted is an error that names it', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const { source, dir, film, content } = await setUp(bed);
  await using node = await PeerNode.open({ ...OPTIONS, home: bed.home() });
  const torrent = await node.add({ source, dir, mode: 'seed' });
  torrent.pause();
  assert((await read(torrent, { file: film })).equals(content('film.mp4')));
  const problem = once(torrent, 'problem');
  rmSync(join(dir, 'set', 'film.mp4'));
  await assert.rejects(read(torrent, { file: film }), {
    code: 'ERR_FILE',
    message: /film\.mp4 \(VANISHED\)/,
  });
  await problem;
});
