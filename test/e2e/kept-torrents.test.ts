/**
 * What a node makes of its torrents over moves, restarts and changed rules: folders, categories, tags, the schedule, metadata, counters.
 * @module
 */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrent, PeerNode } from '../../src/node/index.ts';
import { Store } from '../../src/node/store/store.ts';
import { LimitService } from '../../src/node/torrents/limit-service.ts';
import { poll, TestBed } from '../support/cli-child.ts';
import { readTree, writeFile, writeTree } from '../support/content.ts';
import {
  type Json,
  ok,
  openTestNode,
  StreamReader,
  type TestNode,
  until,
} from '../support/daemon.ts';
import { startTestTracker } from '../support/tracker.ts';

const LIMITS = { timeout: 60_000 };
const BYTES = 400_001;

interface Offered {
  readonly id: string;
  /** What adds it. */
  readonly wish: { readonly link: string; readonly peers: readonly string[] };
}

/** A node that gives `count` files by their links, and its end. */
async function offer(
  bed: TestBed,
  count: number,
): Promise<{ readonly offered: readonly Offered[]; close(): Promise<void> }> {
  const node = await PeerNode.open({
    listen: '127.0.0.1:0',
    home: bed.home(),
    isOffline: true,
    usesLocalDiscovery: false,
  });
  bed.onEnd(() => node.close());
  const offered: Offered[] = [];
  const { host, port } = node.endpoint;
  for (let index = 0; index < count; index += 1) {
    const path = join(bed.dir('original'), `file-${index}.bin`);
    writeFile(path, BYTES, index + 1);
    const { metainfo, dir } = await createTorrent(path, { pieceLengthBytes: 32_768 });
    const torrent = await node.add({
      source: { kind: 'metainfo', metainfo },
      dir,
      mode: 'seed',
      isFresh: true,
    });
    const id = Buffer.from(metainfo.info.infoHashV1!).toString('hex');
    offered.push({ id, wish: { link: torrent.magnet(), peers: [`${host}:${port}`] } });
  }
  return { offered, close: () => node.close() };
}

const isSeeding = ({ state }: Json): boolean => state === 'seeding';

describe('torrents of a node', { concurrency: 2 }, () => {
  it(
    'a magnet whose metadata came once needs nobody to know its files: after a restart, a check, without resume data',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const home = bed.home();
      const { offered, close } = await offer(bed, 1);
      const [{ id, wish }] = offered as [Offered];
      const first = await openTestNode(bed, { home });
      // A byte a second: it never gets its content.
      await ok(first, 'POST', '/torrents', { ...wish, downloadLimitBytesPerSec: 1 });
      const before = await until(first, id, ({ files }) => files.length === 1);
      await first.daemon.close();
      await close();
      const second = await openTestNode(bed, { home });
      const after = await until(second, id, ({ files }) => files.length === 1);
      assert.deepEqual(after.files[0].path, before.files[0].path);
      assert.equal(after.state, 'downloading');
      await ok(second, 'POST', '/torrents/actions', { action: 'recheck', ids: [id] });
      await until(second, id, ({ state, files }) => state === 'downloading' && files.length === 1);
      await ok(second, 'PATCH', `/torrents/${id}`, { dir: bed.dir('elsewhere') });
      await until(second, id, ({ state, files }) => state === 'downloading' && files.length === 1);
      const file = await second.ask('GET', `/torrents/${id}/torrent`);
      assert.equal(file.status, 200);
      assert.ok(file.text.startsWith('d4:infod'));
    },
  );

  it('dials peers that a person names while it runs, and says what is none', LIMITS, async () => {
    await using bed = new TestBed();
    const { offered } = await offer(bed, 1);
    const [{ id, wish }] = offered as [Offered];
    const node = await openTestNode(bed, { home: bed.home() });
    await ok(node, 'POST', '/torrents', { link: wish.link.replace(/&x\.pe=[^&]*/g, '') });
    const dial = async (...peers: string[]): Promise<[number, string]> => {
      const { status, body } = await node.ask('POST', `/torrents/${id}/peers`, { body: { peers } });
      return [status, body.code];
    };
    for (const wrong of ['nobody', '127.0.0.1:0', ':6881', '127.0.0.1:99999', '']) {
      assert.equal((await dial(...wish.peers, wrong))[0], 400, wrong);
    }
    assert.equal((await ok(node, 'GET', `/torrents/${id}`)).connectedPeers, 0, 'all or none');
    assert.equal((await dial(...wish.peers))[0], 200);
    await until(node, id, isSeeding);
    await ok(node, 'DELETE', `/torrents/${id}`);
    assert.equal((await dial(...wish.peers))[0], 404);
  });

  it('tells that a download is complete and since when at once, in one patch', LIMITS, async () => {
    await using bed = new TestBed();
    const { offered } = await offer(bed, 1);
    const [{ id, wish }] = offered as [Offered];
    const node = await openTestNode(bed, { home: bed.home() });
    const reader = new StreamReader(node, 'torrents');
    await reader.event(({ type }) => type === 'snapshot');
    const { addedAtMs } = await ok(node, 'POST', '/torrents', wish);
    const { data } = await reader.event((event) => isSeeding(event.data.set?.[id] ?? {}));
    await reader.cut();
    assert.ok(data.set[id].completedAtMs >= addedAtMs, JSON.stringify(data));
  });

  it(
    'a complete download moves to its folder, unchecked, and keeps what it counted; then and over a check and a restart',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const home = bed.home();
      const [done, other] = [bed.dir('done'), bed.dir('other')];
      const films = bed.dir('films');
      const { offered } = await offer(bed, 3);
      const [a, b, c] = offered as [Offered, Offered, Offered];
      const settings = { 'completed-dir': done };
      const node = await openTestNode(bed, { home });
      await ok(node, 'PATCH', '/settings', settings);
      await ok(node, 'POST', '/torrents', a.wish);
      const moved = await until(node, a.id, (row) => isSeeding(row) && row.dir === done);
      assert.equal(moved.doneBytes, BYTES);
      assert.ok(moved.downloadedBytes >= BYTES);
      assert.ok(!existsSync(join(bed.dir('downloads'), 'file-0.bin')));
      await ok(node, 'PATCH', '/settings', { 'completed-dir': other });
      await ok(node, 'PUT', '/categories/films', { dir: films });
      await ok(node, 'POST', '/torrents', b.wish);
      await ok(node, 'POST', '/torrents', { ...c.wish, category: 'films' });
      await until(node, b.id, (row) => isSeeding(row) && row.dir === other);
      const stayed = await until(node, c.id, isSeeding);
      assert.equal(stayed.dir, films, 'a category with a folder keeps its torrents there');
      assert.deepEqual(
        [done, other, films].flatMap((dir) => Object.keys(readTree(dir))),
        ['file-0.bin', 'file-1.bin', 'file-2.bin'],
      );
      const file = join(done, 'file-0.bin');
      const { atime, mtime } = statSync(file);
      const right = readFileSync(file);
      // A check looks at every byte, whatever size and time say.
      writeFileSync(file, right.with(70_000, right[70_000]! ^ 1));
      utimesSync(file, atime, mtime);
      await ok(node, 'POST', '/torrents/actions', { action: 'recheck', ids: [a.id] });
      const checked = await until(node, a.id, isSeeding);
      assert.ok(checked.downloadedBytes >= moved.downloadedBytes + 16_384);
      assert.ok(readFileSync(file).equals(right));
      const { torrents } = node.daemon.composition;
      const { activeSeconds, seedingSeconds } = torrents.get(a.id).totals;
      assert.ok(seedingSeconds > 0 && activeSeconds > seedingSeconds);
      await node.daemon.close();
      const again = await openTestNode(bed, { home });
      const kept = again.daemon.composition.torrents.get(a.id);
      assert.ok(kept.totals.activeSeconds >= activeSeconds);
      assert.ok(kept.totals.seedingSeconds >= seedingSeconds);
      const row = await until(again, a.id, isSeeding);
      assert.deepEqual([row.dir, row.downloadedBytes], [done, checked.downloadedBytes]);
    },
  );

  it('a move that a crash cut off goes on with the next start', LIMITS, async () => {
    await using bed = new TestBed();
    const home = bed.home();
    const [from, to] = [bed.dir('from'), bed.dir('to')];
    const tree = writeTree(join(from, 'both'), { 'a.bin': 70_000, 'sub/b.bin': 80_000 });
    const before = readTree(tree);
    const first = await openTestNode(bed, { home });
    const { id } = await ok(first, 'POST', '/shares', { path: tree });
    await until(first, id, isSeeding);
    await first.daemon.close();
    // As the disk looks between two of its files.
    mkdirSync(join(to, 'both'));
    renameSync(join(tree, 'a.bin'), join(to, 'both/a.bin'));
    const store = await Store.open(home);
    const [record] = await store.torrents.all();
    await store.torrents.update(id, { options: { ...record!.options, movingTo: to } });
    await store.close();
    const second = await openTestNode(bed, { home });
    const { dir, doneBytes } = await until(second, id, isSeeding);
    assert.deepEqual([dir, doneBytes], [to, 150_000]);
    assert.deepEqual(readTree(join(to, 'both')), before);
    assert.ok(!existsSync(tree));
    const { options } = second.daemon.composition.torrents.get(id).record;
    assert.equal(options.movingTo, undefined);
  });

  it(
    'a change of a category holds at once: its limits for its torrents, its folder for the next one; without it both are over',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { offered } = await offer(bed, 3);
      const [a, b, c] = offered as [Offered, Offered, Offered];
      const [old, next] = [bed.dir('old'), bed.dir('next')];
      const node = await openTestNode(bed);
      await ok(node, 'PUT', '/categories/films', { dir: old, downloadLimitBytesPerSec: 1 });
      await ok(node, 'POST', '/torrents', { ...a.wish, category: 'films' });
      await until(node, a.id, (row) => row.connectedPeers > 0 && row.files.length > 0);
      await ok(node, 'PUT', '/categories/films', { dir: next, downloadLimitBytesPerSec: 0 });
      const free = await until(node, a.id, isSeeding);
      assert.equal(free.dir, old, 'nothing is moved by a change of the folder');
      // Nothing at all is enough: it rests, until a person says otherwise, whatever rules change then.
      await ok(node, 'PATCH', `/torrents/${a.id}`, { shareLimits: { ratio: 0, action: 'pause' } });
      await until(node, a.id, ({ state }) => state === 'paused');
      await ok(node, 'PATCH', `/torrents/${a.id}`, { isPaused: false });
      await until(node, a.id, isSeeding);
      await ok(node, 'PUT', '/categories/films', { dir: next, downloadLimitBytesPerSec: 1 });
      await ok(node, 'POST', '/torrents', { ...b.wish, category: 'films' });
      const held = await until(node, b.id, (row) => row.connectedPeers > 0 && row.files.length > 0);
      assert.deepEqual([held.dir, held.state], [next, 'downloading']);
      await ok(node, 'DELETE', '/categories/films');
      assert.equal((await until(node, b.id, isSeeding)).category, 'films');
      await ok(node, 'POST', '/torrents', { ...c.wish, category: 'films' });
      assert.equal((await until(node, c.id, isSeeding)).dir, bed.dir('downloads'));
      assert.equal((await ok(node, 'GET', `/torrents/${a.id}`)).state, 'seeding');
    },
  );

  it(
    'trackers are changed while a torrent runs: the old one is told goodbye, the new one is asked, and it stays so',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const home = bed.home();
      const [old, next] = [await startTestTracker(), await startTestTracker()];
      bed.onEnd(() => Promise.all([old.close(), next.close()]));
      const node = await openTestNode(bed, { home });
      const id = 'a'.repeat(40);
      const link = `magnet:?xt=urn:btih:${id}&tr=${encodeURIComponent(old.httpUrl)}`;
      await ok(node, 'POST', '/torrents', { link });
      await old.waitFor(({ event }) => event === 'started');
      const wrong = await node.ask('PATCH', `/torrents/${id}`, {
        body: { trackers: [['http://x.example/'], ['http://x.example/']] },
      });
      assert.deepEqual([wrong.status, wrong.body.code], [400, 'ERR_API_INVALID']);
      const changed = await ok(node, 'PATCH', `/torrents/${id}`, {
        trackers: [[next.httpUrl], []],
      });
      const urls = ({ trackers }: Json): string[] => trackers.map(({ url }: Json) => url);
      assert.deepEqual(urls(changed), [next.httpUrl]);
      await old.waitFor(({ event }) => event === 'stopped');
      await next.waitFor(({ event }) => event === 'started');
      await node.daemon.close();
      const again = await openTestNode(bed, { home });
      await poll('a second start', () =>
        next.announces.filter(({ event }) => event === 'started').length === 2 ? true : undefined,
      );
      const { magnet, ...rest } = await until(again, id, ({ trackers }) => trackers.length === 1);
      assert.deepEqual(urls(rest), [next.httpUrl]);
      assert.ok(magnet.includes(encodeURIComponent(next.httpUrl)));
      assert.ok(!magnet.includes(encodeURIComponent(old.httpUrl)));
      assert.equal(old.announces.filter(({ event }) => event === 'started').length, 1);
      await ok(again, 'PATCH', `/torrents/${id}`, { trackers: [] });
      await poll('a goodbye', () =>
        next.announces.filter(({ event }) => event === 'stopped').length === 2 ? true : undefined,
      );
      await ok(again, 'PATCH', '/settings', { 'queue.start-added': false });
      const resting = { link: `magnet:?xt=urn:btih:${'b'.repeat(40)}` };
      assert.equal((await ok(again, 'POST', '/torrents', resting)).state, 'paused');
      const running = { link: `magnet:?xt=urn:btih:${'c'.repeat(40)}`, isPaused: false };
      assert.notEqual((await ok(again, 'POST', '/torrents', running)).state, 'paused');
    },
  );

  it('tags are set, asked for and kept', LIMITS, async () => {
    await using bed = new TestBed();
    const home = bed.home();
    const node = await openTestNode(bed, { home });
    const link = (digit: string): string => `magnet:?xt=urn:btih:${digit.repeat(40)}`;
    await ok(node, 'POST', '/torrents', { link: link('a'), isPaused: true, tags: ['linux'] });
    await ok(node, 'POST', '/torrents', { link: link('b'), isPaused: true });
    await ok(node, 'PATCH', `/torrents/${'b'.repeat(40)}`, { tags: ['iso', 'linux', 'a&b'] });
    const found = async (from: TestNode, tag: string): Promise<string[]> => {
      const { torrents } = await ok(from, 'GET', `/torrents?tag=${encodeURIComponent(tag)}`);
      return torrents.map(({ id }: Json) => id[0]).sort();
    };
    assert.deepEqual(await found(node, 'linux'), ['a', 'b']);
    assert.deepEqual(await found(node, 'a&b'), ['b']);
    await ok(node, 'PATCH', `/torrents/${'a'.repeat(40)}`, { tags: [] });
    assert.deepEqual(await found(node, 'linux'), ['b']);
    await node.daemon.close();
    const again = await openTestNode(bed, { home });
    assert.deepEqual((await ok(again, 'GET', `/torrents/${'b'.repeat(40)}`)).tags, [
      'iso',
      'linux',
      'a&b',
    ]);
    assert.deepEqual(await found(again, 'iso'), ['b']);
  });

  it(
    'the schedule limits running torrents when its time comes, and lets them go when it is over',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { offered } = await offer(bed, 1);
      const [{ id, wish }] = offered as [Offered];
      const node = await openTestNode(bed);
      const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
      await ok(node, 'PATCH', '/settings', {
        'schedule.enabled': true,
        'schedule.days': days,
        // All day.
        'schedule.from': '00:00',
        'schedule.to': '00:00',
        'schedule.download-limit': 1,
        'schedule.upload-limit': 2,
        'transfers.download-limit': 7_000_000,
      });
      assert.equal((await ok(node, 'GET', '/status')).usesAlternativeLimits, true);
      await ok(node, 'POST', '/torrents', wish);
      const held = await until(node, id, (row) => row.connectedPeers > 0 && row.files.length > 0);
      assert.equal(held.state, 'downloading');
      // What the clock does.
      await ok(node, 'PATCH', '/settings', { 'schedule.from': '08:00', 'schedule.to': '18:00' });
      const { node: engine, settings, log } = node.daemon.composition;
      let now = new Date(2026, 0, 5, 17, 59);
      const limits = new LimitService(engine, settings, log.area('limits'), () => now);
      limits.apply();
      assert.deepEqual(limits.now, {
        isAlternative: true,
        downloadBytesPerSec: 1,
        uploadBytesPerSec: 2,
      });
      assert.equal((await ok(node, 'GET', `/torrents/${id}`)).state, 'downloading');
      now = new Date(2026, 0, 5, 18, 0);
      limits.apply();
      assert.equal(limits.now.downloadBytesPerSec, 7_000_000);
      await until(node, id, isSeeding);
    },
  );
});
