/**
 * The library: the same as the command line as a typed API, with events, AbortSignal and async disposal.
 * @module
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { createTorrent, PeerNode, readSource } from '../../src/node/index.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';

const LIMITS = { timeout: 60_000 };

it('two nodes in one process: create, seed, get by magnet, events in order', LIMITS, async () => {
  await using bed = new TestBed();
  const path = writeTree(join(bed.dir('original'), 'Inhalt'));
  const created = await createTorrent(path, {});
  await using seeder = await PeerNode.open({
    listen: '127.0.0.1:0',
    home: bed.home(),
    isOffline: true,
    usesLocalDiscovery: false,
  });
  const seeding = await seeder.add({
    source: { kind: 'metainfo', metainfo: created.metainfo },
    dir: created.dir,
    mode: 'seed',
  });
  assert.equal(seeding.state, 'seeding');
  await using node = await PeerNode.open({
    listen: '127.0.0.1:0',
    home: bed.home(),
    isOffline: true,
    usesLocalDiscovery: false,
  });
  const link = seeding.magnet(seeder.reachableEndpoints);
  const torrent = node.prepare({ source: await readSource(link), dir: bed.dir('copy') });
  const states: string[] = [];
  const pieces = new Set<number>();
  torrent.on('state', ({ state }) => states.push(state));
  torrent.on('piece', ({ piece }) => pieces.add(piece));
  const completed = torrent.completed();
  await torrent.start();
  const summary = await completed;
  assert.deepEqual(states, ['checking', 'downloading', 'seeding']);
  assert.equal(pieces.size, torrent.info?.pieceCount);
  assert.equal(summary.name, 'Inhalt');
  assert.deepEqual(readTree(join(bed.dir('copy'), 'Inhalt')), readTree(path));
  assert.equal((await torrent.completed()).bytes, summary.bytes);
  await assert.rejects(node.add({ source: await readSource(link), dir: bed.dir('copy') }), {
    code: 'ERR_DUPLICATE',
  });
  await torrent.stop();
  assert.deepEqual(node.torrents, []);
});

it('a signal ends the wait with its reason, disposal ends everything', LIMITS, async () => {
  await using bed = new TestBed();
  const node = await PeerNode.open({
    listen: '127.0.0.1:0',
    home: bed.home(),
    isOffline: true,
    usesLocalDiscovery: false,
  });
  const magnet = `magnet:?xt=urn:btih:${'ab'.repeat(20)}`;
  const torrent = await node.add({ source: await readSource(magnet), dir: bed.dir('copy') });
  assert.equal(torrent.state, 'metadata');
  const abort = new AbortController();
  const waiting = torrent.completed({ signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  const other = torrent.completed();
  other.catch(() => {});
  await node[Symbol.asyncDispose]();
  await assert.rejects(other, { code: 'ERR_STOPPED' });
  assert.equal(torrent.state, 'stopped');
  const file = join(bed.root, 'broken.torrent');
  writeFileSync(file, 'nonsense');
  await assert.rejects(readSource(file), { code: 'ERR_SOURCE' });
});
