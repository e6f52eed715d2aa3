/**
 * Torrents whose files are called otherwise on one node: the disk and its user see the new names, peers the torrent's.
 * @module
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { VersionTorrents } from '../../src/node/publications/version-torrents.ts';
import { Store } from '../../src/node/store/store.ts';
import { torrentFields } from '../../src/node/transmission/torrent-fields.ts';
import { TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';
import { type Json, ok, openTestNode, type TestNode, until } from '../support/daemon.ts';

const LIMITS = { timeout: 60_000 };
const TREE = { 'a.bin': 70_001, 'sub/b.bin': 80_003, 'sub/deep/c.bin': 90_005, 'sub/empty': 0 };

const isSeeding = ({ state }: Json): boolean => state === 'seeding';

function pathsOf({ files }: Json): string[] {
  return files.map(({ path }: Json) => path).sort();
}

/** A node that shares a tree called "both". */
async function sharing(bed: TestBed): Promise<{ node: TestNode; id: string; tree: string }> {
  const tree = writeTree(join(bed.dir('original'), 'both'), TREE);
  const node = await openTestNode(bed, { home: bed.dir('sharing-home') });
  const { id } = await ok(node, 'POST', '/shares', { path: tree });
  await until(node, id, isSeeding);
  return { node, id, tree };
}

/** What another node adds to fetch it from that one. */
async function wishOf(node: TestNode, id: string): Promise<object> {
  const { magnet } = await ok(node, 'GET', `/torrents/${id}`);
  const { host, port } = node.daemon.composition.node.endpoint;
  return { link: magnet, peers: [`${host}:${port}`] };
}

describe('other names', { concurrency: 2 }, () => {
  it(
    'are given during a download, and hold over completion, check and restart; peers get the torrent as it is',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { node: origin, id, tree } = await sharing(bed);
      const home = bed.home();
      const node = await openTestNode(bed, { home });
      const wish = await wishOf(origin, id);
      await ok(node, 'POST', '/torrents', { ...wish, downloadLimitBytesPerSec: 1 });
      await until(node, id, ({ files }) => files.length === 4);
      const rename = (path: string, name: string): Promise<Json> =>
        ok(node, 'POST', `/torrents/${id}/rename`, { path, name });
      await rename('sub/b.bin', 'bee.bin');
      await rename('sub', 'below');
      assert.equal((await rename('', 'Mine')).name, 'Mine');
      await ok(node, 'PATCH', `/torrents/${id}`, { downloadLimitBytesPerSec: 0 });
      const whole = await until(node, id, isSeeding);
      const names = ['a.bin', 'below/bee.bin', 'below/deep/c.bin', 'below/empty'];
      assert.deepEqual([whole.name, pathsOf(whole)], ['Mine', names]);
      const {
        'a.bin': a,
        'sub/b.bin': b,
        'sub/deep/c.bin': c,
        'sub/empty': empty,
      } = readTree(tree);
      const here = join(bed.dir('downloads'), 'Mine');
      assert.ok(!existsSync(join(bed.dir('downloads'), 'both')));
      const expected = {
        'a.bin': a,
        'below/bee.bin': b,
        'below/deep/c.bin': c,
        'below/empty': empty,
      };
      assert.deepEqual(readTree(here), expected);
      await rename('a.bin', 'A.bin');
      await ok(node, 'POST', '/torrents/actions', { action: 'recheck', ids: [id] });
      await until(node, id, isSeeding);
      await node.daemon.close();
      const again = await openTestNode(bed, { home });
      const row = await until(again, id, isSeeding);
      assert.deepEqual([row.name, row.progress], ['Mine', 1]);
      assert.deepEqual(pathsOf(row), ['A.bin', ...names.slice(1)]);
      await origin.daemon.close();
      const third = await openTestNode(bed, { home: bed.dir('third-home') });
      const dir = bed.dir('third');
      await ok(third, 'POST', '/torrents', { ...(await wishOf(again, id)), dir });
      assert.equal((await until(third, id, isSeeding)).name, 'both');
      assert.deepEqual(readTree(join(dir, 'both')), readTree(tree));
      await ok(again, 'PATCH', `/torrents/${id}`, { dir: bed.dir('elsewhere') });
      await until(again, id, isSeeding);
      assert.ok(existsSync(join(bed.dir('elsewhere'), 'Mine/below/bee.bin')));
      await ok(again, 'DELETE', `/torrents/${id}?files=true`);
      assert.ok(!existsSync(join(bed.dir('elsewhere'), 'Mine')));
    },
  );

  it(
    'are not those of a person’s own files: a download that has nothing yet writes over none',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { node: origin, id } = await sharing(bed);
      const node = await openTestNode(bed, { home: bed.home() });
      const { host, port } = origin.daemon.composition.node.endpoint;
      const bytes = origin.daemon.composition.torrents.get(id).torrentFile()!;
      const torrent = Buffer.from(bytes).toString('base64');
      const peers = [`${host}:${port}`];
      await ok(node, 'POST', '/torrents', { torrent, peers, isPaused: true });
      await until(node, id, ({ files, state }) => files.length === 4 && state === 'paused');
      const mine = join(bed.dir('downloads'), 'both', 'mine.bin');
      mkdirSync(dirname(mine), { recursive: true });
      writeFileSync(mine, 'mine');
      const body = { path: 'a.bin', name: 'mine.bin' };
      const { body: said } = await node.ask('POST', `/torrents/${id}/rename`, { body });
      await ok(node, 'PATCH', `/torrents/${id}`, { isPaused: false });
      await until(node, id, isSeeding);
      assert.ok(readFileSync(mine, 'utf8') === 'mine', 'it is written over');
      assert.equal(said.code, 'ERR_FILE');
    },
  );

  it(
    'go with a torrent that is removed: what waits for its turn leaves its files alone',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { node, id, tree } = await sharing(bed);
      const before = readTree(tree);
      const { torrents } = node.daemon.composition;
      const removed = torrents.remove(id, false);
      const late = await Promise.allSettled([
        torrents.rename(id, 'a.bin', 'late.bin'),
        torrents.moveTo(id, bed.dir('elsewhere')),
        torrents.setDir(id, bed.dir('elsewhere')),
        torrents.change(id, { isPaused: true }),
        torrents.recheck(id),
        torrents.remove(id, true),
      ]);
      await removed;
      const codes = late.map((each) => each.status === 'rejected' && each.reason.code);
      assert.deepEqual(new Set(codes), new Set(['ERR_API_NOT_FOUND']));
      assert.deepEqual(readTree(tree), before);
      assert.deepEqual(readTree(bed.dir('elsewhere')), {});
    },
  );

  it(
    'hold on the disk and here when the database fails after the disk had them',
    LIMITS,
    async (t) => {
      await using bed = new TestBed();
      const { node, id, tree } = await sharing(bed);
      const { home } = node.daemon.composition.node;
      // Of this node alone: other tests run beside it.
      const table = node.daemon.composition.store.torrents;
      const update = table.update.bind(table);
      const broken = t.mock.method(table, 'update', (...args: Parameters<typeof update>) => {
        const isLast = args[1].options?.renames !== undefined;
        return isLast ? Promise.reject(new Error('full')) : update(...args);
      });
      const body = { path: 'sub', name: 'below' };
      assert.equal((await node.ask('POST', `/torrents/${id}/rename`, { body })).status, 500);
      broken.mock.restore();
      const names = ['a.bin', 'below/b.bin', 'below/deep/c.bin', 'below/empty'];
      assert.deepEqual(pathsOf(await until(node, id, isSeeding)), names);
      assert.deepEqual(Object.keys(readTree(tree)).sort(), names);
      await node.daemon.close();
      const again = await openTestNode(bed, { home });
      assert.deepEqual(pathsOf(await until(again, id, isSeeding)), names);
    },
  );

  it('stay here: links for others have the name of the torrent', LIMITS, async () => {
    await using bed = new TestBed();
    const { node, id } = await sharing(bed);
    const { torrents } = node.daemon.composition;
    await ok(node, 'POST', `/torrents/${id}/rename`, { path: '', name: 'Mine' });
    const { name, magnet } = await until(node, id, isSeeding);
    const isOf = (link: string): string | null => new URL(link).searchParams.get('dn');
    assert.deepEqual([name, isOf(magnet)], ['Mine', 'both']);
    assert.equal(new VersionTorrents(torrents).find(id)?.name, 'both');
    await torrents.get(id).halt();
    assert.equal(isOf(torrents.get(id).magnet), 'both');
  });

  it(
    'are told to remotes with their folder, also where a lone file has its name',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const tree = writeTree(join(bed.dir('original'), 'one'), { 'only.bin': 1000 });
      const node = await openTestNode(bed, { home: bed.home() });
      const { id } = await ok(node, 'POST', '/shares', { path: tree });
      await until(node, id, isSeeding);
      await ok(node, 'POST', `/torrents/${id}/rename`, { path: 'only.bin', name: 'one' });
      await until(node, id, isSeeding);
      const { files } = torrentFields(1, node.daemon.composition.torrents.get(id), ['files']);
      assert.deepEqual((files as Json)[0].name, 'one/one');
    },
  );

  it('are not noted while the disk with the files is away', LIMITS, async () => {
    await using bed = new TestBed();
    const { node, id, tree } = await sharing(bed);
    const away = `${dirname(tree)}-away`;
    renameSync(dirname(tree), away);
    const body = { path: 'a.bin', name: 'A.bin' };
    const { body: said } = await node.ask('POST', `/torrents/${id}/rename`, { body });
    renameSync(away, dirname(tree));
    assert.equal(said.code, 'ERR_FILE');
    await ok(node, 'POST', '/torrents/actions', { action: 'recheck', ids: [id] });
    assert.deepEqual(pathsOf(await until(node, id, isSeeding)), Object.keys(TREE));
  });

  it('leave a torrent its place in the queue, as a check and a move do', LIMITS, async () => {
    await using bed = new TestBed();
    const { node, id } = await sharing(bed);
    for (const name of ['second', 'third']) {
      const path = writeTree(join(bed.dir('original'), name), { 'x.bin': name.length });
      await until(node, (await ok(node, 'POST', '/shares', { path })).id, isSeeding);
    }
    const { torrents, node: engine } = node.daemon.composition;
    const isFirst = async (): Promise<void> => {
      await until(node, id, isSeeding);
      assert.deepEqual(
        engine.queue.order.map(({ infoHashes }) => infoHashes),
        torrents.entries.map(({ torrent }) => torrent!.infoHashes),
      );
    };
    await torrents.rename(id, 'a.bin', 'A.bin');
    await isFirst();
    await torrents.recheck(id);
    await isFirst();
    await torrents.moveTo(id, bed.dir('elsewhere'));
    await isFirst();
  });

  it('that cannot be are refused in words, and nothing changes', LIMITS, async () => {
    await using bed = new TestBed();
    const { node, id, tree } = await sharing(bed);
    writeFileSync(join(tree, 'mine.txt'), 'mine');
    const before = readTree(tree);
    const refused = async (path: string, name: string): Promise<[number, string]> => {
      const { status, body } = await node.ask('POST', `/torrents/${id}/rename`, {
        body: { path, name },
      });
      return [status, body.code];
    };
    assert.deepEqual(await refused('nothing', 'x'), [404, 'ERR_API_NOT_FOUND']);
    for (const name of ['../x', 'x/y', '..', 'SUB', '']) {
      assert.deepEqual(await refused('a.bin', name), [400, 'ERR_API_INVALID'], name);
    }
    const [status, code] = await refused('a.bin', 'mine.txt');
    assert.equal(code, 'ERR_FILE');
    assert.ok(status >= 400 && status < 500, `${status}`);
    const row = await until(node, id, isSeeding);
    assert.deepEqual(pathsOf(row), Object.keys(TREE));
    assert.deepEqual(readTree(tree), before);
    const link = `magnet:?xt=urn:btih:${'a'.repeat(40)}`;
    await ok(node, 'POST', '/torrents', { link });
    const early = await node.ask('POST', `/torrents/${'a'.repeat(40)}/rename`, {
      body: { name: 'x' },
    });
    assert.deepEqual([early.status, early.body.code], [400, 'ERR_API_INVALID']);
  });

  for (const moment of ['before', 'after'] as const) {
    it(
      `go on with the next start when a crash came ${moment} the disk had them`,
      LIMITS,
      async () => {
        await using bed = new TestBed();
        const { node, id, tree } = await sharing(bed);
        const { home } = node.daemon.composition.node;
        const whole = readTree(tree);
        await node.daemon.close();
        if (moment === 'after') renameSync(join(tree, 'sub'), join(tree, 'below'));
        const store = await Store.open(home);
        const [record] = await store.torrents.all();
        const renaming = { path: ['both', 'sub'], name: 'below' };
        await store.torrents.update(id, { options: { ...record!.options, renaming } });
        await store.close();
        const again = await openTestNode(bed, { home });
        const row = await until(again, id, isSeeding);
        assert.deepEqual(pathsOf(row), ['a.bin', 'below/b.bin', 'below/deep/c.bin', 'below/empty']);
        assert.equal(readTree(tree)['below/b.bin'], whole['sub/b.bin']);
        const { options } = again.daemon.composition.torrents.get(id).record;
        assert.deepEqual([options.renaming, options.renames], [undefined, [renaming]]);
      },
    );
  }
});
