/**
 * What is wanted of a torrent's files changes while it runs: less and more, with pieces that lie in several files, and over a restart.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTorrent, PeerNode, type Torrent } from '../../src/node/index.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';

const PIECE_BYTES = 16_384;
/** Piece 2 holds the end of b, all of c and the start of d. */
const TREE = { 'a.bin': 20_000, 'b.bin': 20_000, 'c.bin': 500, 'd.bin': 60_000, 'e.bin': 0 };
const OPTIONS = { listen: '127.0.0.1:0', isOffline: true, usesLocalDiscovery: false } as const;

async function setUp(bed: TestBed) {
  const original = join(bed.dir('original'), 'set');
  writeTree(original, TREE);
  const { metainfo, dir } = await createTorrent(original, {
    pieceLengthBytes: PIECE_BYTES,
    version: 'v1',
  });
  const source = { kind: 'metainfo', metainfo } as const;
  const indexOf = (name: string): number =>
    metainfo.info.files.findIndex(({ path }) => path.at(-1) === name);
  const only = (names: readonly string[], priority = 4): number[] =>
    metainfo.info.files.map(({ path }) => (names.includes(path.at(-1)!) ? priority : 0));
  return { source, dir, metainfo, indexOf, only };
}

const filesIn = (folder: string): string[] => readdirSync(folder).sort();

test('more is wanted of a seed, which downloads again without fetching anything twice; then it is complete again', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const { source, dir, indexOf, only } = await setUp(bed);
  await using seeder = await PeerNode.open({ ...OPTIONS, home: bed.home() });
  await seeder.add({ source, dir, mode: 'seed', isFresh: true });
  const peers = [`127.0.0.1:${seeder.endpoint.port}`];
  const home = bed.home();
  const copy = bed.dir('copy');
  {
    await using node = await PeerNode.open({ ...OPTIONS, home });
    const torrent = node.prepare({ source, dir: copy, peers, priorities: only(['b.bin']) });
    const states: string[] = [];
    torrent.on('state', ({ state }) => states.push(state));
    await torrent.start();
    const { bytes } = await torrent.completed();
    assert.equal(bytes, 2 * PIECE_BYTES, 'the pieces of b');
    assert.deepEqual(filesIn(join(copy, 'set')), ['b.bin']);
    const had = torrent.fileProgress();
    assert.equal(had[indexOf('b.bin')], 20_000);
    assert.equal(had[indexOf('c.bin')], 500, 'in the parts file');
    assert.equal(had[indexOf('a.bin')], 20_000 - PIECE_BYTES);

    const changed = once(torrent, 'priorities');
    torrent.setFilePriorities(Object.assign([], { [indexOf('c.bin')]: 7, [indexOf('e.bin')]: 1 }));
    await changed;
    assert.equal(torrent.state, 'seeding', 'c had come with b');
    assert.deepEqual(filesIn(join(copy, 'set')), ['b.bin', 'c.bin', 'e.bin']);

    torrent.setFilePriorities(only(['a.bin', 'b.bin', 'c.bin', 'd.bin', 'e.bin']));
    await once(torrent, 'priorities');
    assert.equal(torrent.summary, undefined);
    await torrent.completed();
    assert.deepEqual(readTree(join(copy, 'set')), readTree(join(dir, 'set')));
    const { downloadedBytes } = torrent.status();
    assert.equal(downloadedBytes, 100_500, 'each byte came once');
    const tail = states.slice(-3);
    assert.deepEqual(tail, ['seeding', 'downloading', 'seeding']);
    torrent.setFilePriorities(only(['a.bin', 'd.bin'], 3));
    assert.equal(torrent.status().wantedBytes, 100_500, 'each piece has a byte of one of them');
  }
  await using again = await PeerNode.open({ ...OPTIONS, home });
  const torrent = await again.add({ source, dir: copy });
  assert.deepEqual(torrent.filePriorities, only(['a.bin', 'd.bin'], 3), 'remembered');
  assert.equal(torrent.state, 'seeding');
});

test('less is wanted than before: what is there already is all, and it is complete; nothing at all is complete too', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const { source, only, metainfo } = await setUp(bed);
  await using node = await PeerNode.open({ ...OPTIONS, home: bed.home() });
  const torrent = node.prepare({ source, dir: bed.dir('copy') });
  assert.throws(() => torrent.setFilePriorities([9]), /expected 0 to 7 for each/);
  torrent.setFilePriorities(only(['a.bin']));
  assert.deepEqual(torrent.filePriorities, only(['a.bin']), 'before the files are looked at');
  await torrent.start();
  assert.equal(torrent.state, 'downloading');
  assert.equal(torrent.status().wantedBytes, 2 * PIECE_BYTES);
  torrent.setFilePriorities(metainfo.info.files.map(() => 0));
  assert.equal(torrent.state, 'seeding');
  assert.equal((await torrent.completed()).bytes, 0);
  torrent.setFilePriorities([4]);
  assert.equal(torrent.state, 'downloading');
});

test('what cannot be copied out of the parts file is lost, and wanted again', {
  timeout: 60_000,
}, async () => {
  await using bed = new TestBed();
  const { source, dir, only } = await setUp(bed);
  await using seeder = await PeerNode.open({ ...OPTIONS, home: bed.home() });
  await seeder.add({ source, dir, mode: 'seed', isFresh: true });
  const peers = [`127.0.0.1:${seeder.endpoint.port}`];
  await using node = await PeerNode.open({ ...OPTIONS, home: bed.home() });
  const copy = bed.dir('copy');
  const options = { source, dir: copy, peers, priorities: only(['b.bin']) };
  const torrent: Torrent = node.prepare(options);
  await torrent.start();
  await torrent.completed();
  const parts = filesIn(copy).find((name) => name.endsWith('.starling-parts'))!;
  writeFileSync(join(copy, parts), '');
  const problem = once(torrent, 'problem');
  const lost = once(torrent, 'pieces-lost');
  const changed = once(torrent, 'priorities');
  torrent.setFilePriorities(only(['a.bin', 'b.bin', 'c.bin', 'd.bin', 'e.bin']));
  const [{ error }] = await problem;
  assert.match(error.message, /starling-parts \(TRUNCATED\)/);
  const [{ pieces }] = await lost;
  assert.deepEqual(pieces, [1, 2], 'they have bytes of other files than b');
  await changed;
  assert.equal(torrent.status().havePieces, 0);
  assert.equal(torrent.status().wantedBytes, 100_500);
  assert(existsSync(join(copy, 'set', 'e.bin')));
});
