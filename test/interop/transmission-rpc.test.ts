/**
 * The node under the hands of programs made for Transmission: Debian's `transmission-remote`, and bare calls of its RPC.
 * @module
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, startSeed } from '../support/cli.ts';
import { type Exit, needing, TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';
import { openTestNode, type TestNode } from '../support/daemon.ts';
import { startTransmission } from '../support/transmission.ts';

const REMOTE = 'transmission-remote';
const MAGNET = `magnet:?xt=urn:btih:${'ab'.repeat(20)}&dn=sought`;
const SOUGHT = 'ab'.repeat(20);
const TREE = { 'a.bin': 400_001, 'sub/b.bin': 300_003, 'c.txt': 17 };

/** transmission-remote on a node. */
function remoteOf(bed: TestBed, node: TestNode, base = '/transmission/') {
  const run = (...args: readonly string[]): Promise<Exit> => {
    const auth = `starling:${node.daemon.token}`;
    return bed.start(REMOTE, [`${node.url}${base}`, '--auth', auth, ...args]).exit();
  };
  return {
    run,
    /** Insists on success. @returns what it printed. */
    ok: async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(...args);
      assert.equal(code, 0, `${args.join(' ')}: ${stdout}\n${stderr}`);
      return stdout;
    },
  };
}

/** Bare calls, with the session id that 409 tells. */
async function rpcOf(node: TestNode) {
  const headers: Record<string, string> = {};
  const post = (body: string) => node.ask('POST', '/transmission/rpc', { body, headers });
  const first = await post('{}');
  assert.equal(first.status, 409);
  headers['x-transmission-session-id'] = first.headers.get('x-transmission-session-id')!;
  return {
    post,
    call: async (method: string, values?: unknown, tag?: unknown) =>
      (await post(JSON.stringify({ method, arguments: values, tag }))).body,
  };
}

describe('transmission-remote', { concurrency: 2 }, () => {
  it(
    'adds and takes away trackers, and says whether what is added starts',
    needing(REMOTE),
    async () => {
      await using bed = new TestBed();
      const node = await openTestNode(bed);
      const { ok, run } = remoteOf(bed, node);
      const [a, b, c] = [1, 2, 3].map((at) => `http://127.0.0.1:9/${at}/announce`);
      const { call } = await rpcOf(node);
      const starts = async () => (await call('session-get')).arguments['start-added-torrents'];
      assert.equal(await starts(), true);
      await ok('--start-paused');
      assert.equal(await starts(), false);
      assert.match(await ok('-a', `${MAGNET}&tr=${encodeURIComponent(a!)}`), /success/);
      const row = async (id: string) => (await node.ask('GET', `/torrents/${id}`)).body;
      const urls = async () => (await row(SOUGHT)).trackers.map(({ url }: { url: string }) => url);
      assert.equal((await row(SOUGHT)).state, 'paused');
      assert.match(await ok('-t', '1', '-td', b!), /success/);
      assert.match(await ok('-t', '1', '-td', c!), /success/);
      assert.deepEqual(await urls(), [a, b, c]);
      assert.match(await ok('-t', '1', '-it'), /Tracker 2: 127\.0\.0\.1/);
      assert.match(await ok('-t', '1', '-tr', '1'), /success/);
      assert.deepEqual(await urls(), [a, c]);
      for (const wrong of [
        ['-td', c!],
        ['-td', 'nothing'],
        ['-tr', '7'],
      ]) {
        const { stdout, stderr } = await run('-t', '1', ...wrong);
        assert.match(stdout + stderr, /error setting announce list/, wrong.join(' '));
      }
      const ids = [SOUGHT];
      const set = async (values: object) => (await call('torrent-set', { ids, ...values })).result;
      assert.equal(await set({ trackerReplace: [1, b] }), 'success');
      assert.deepEqual(await urls(), [a, b]);
      assert.equal(await set({ trackerReplace: [5, b] }), 'error setting announce list');
      const trackerList = `${c}\n${a}\n\n${b}\n`;
      assert.equal(await set({ trackerList }), 'success');
      for (const list of [`${a}\n\n${a}`, 'nothing']) {
        assert.equal(await set({ trackerList: list }), 'Invalid tracker list');
      }
      const fields = ['trackerList', 'trackers', 'trackerStats'];
      const [shown] = (await call('torrent-get', { ids, fields })).arguments.torrents;
      assert.equal(shown.trackerList, trackerList.trim());
      for (const field of ['trackers', 'trackerStats']) {
        const all = shown[field].map(({ id, tier, announce }: Record<string, unknown>) => [
          id,
          tier,
          announce,
        ]);
        assert.deepEqual(all, [
          [0, 0, c],
          [1, 0, a],
          [2, 1, b],
        ]);
      }
      assert.equal(await set({ trackerList: '' }), 'success');
      assert.deepEqual(await urls(), []);
      const [told, other] = ['ef'.repeat(20), 'cd'.repeat(20)];
      assert.equal(
        (await call('torrent-add', { filename: told, paused: false })).result,
        'success',
      );
      assert.notEqual((await row(told)).state, 'paused');
      await ok('--no-start-paused');
      assert.equal(await starts(), true);
      await ok('-a', `magnet:?xt=urn:btih:${other}`);
      assert.notEqual((await row(other)).state, 'paused');
    },
  );

  it(
    'is asked for a password, finds its session, with and without a slash',
    needing(REMOTE),
    async () => {
      await using bed = new TestBed();
      const node = await openTestNode(bed);
      const wrong = await bed
        .start(REMOTE, [`${node.url}/transmission/`, '-n', 'starling:no', '-l'])
        .exit();
      assert.match(wrong.stdout + wrong.stderr, /401/);
      const none = await node.ask('POST', '/transmission/rpc', { body: '{}', token: null });
      assert.equal(none.status, 401);
      assert.match(none.headers.get('www-authenticate')!, /^Basic /);
      for (const where of ['/transmission/rpc', '/transmission/rpc/']) {
        const answer = await node.ask('POST', where, { body: '{}' });
        assert.equal(answer.status, 409, where);
        assert.match(answer.headers.get('x-transmission-session-id')!, /^[\w-]{20,}$/);
      }
      for (const base of ['/transmission/', '/transmission']) {
        assert.match(await remoteOf(bed, node, base).ok('-l'), /^Sum:/m, base);
      }
      const plain = await bed
        .start(REMOTE, [`127.0.0.1:${node.port}`, '-n', `starling:${node.daemon.token}`, '-si'])
        .exit();
      assert.match(plain.stdout, /Daemon version: 4\.0\.5 \(Starling/);
    },
  );

  it(
    'adds, shows, chooses files, limits, labels, moves, checks and removes',
    needing(REMOTE),
    async () => {
      await using bed = new TestBed();
      const node = await openTestNode(bed);
      const { ok } = remoteOf(bed, node);
      const path = writeTree(join(bed.dir('downloads'), 'Inhalt'), TREE);
      const torrent = await createTorrentFile(bed, path, 'v1');
      assert.match(await ok('-a', torrent.file), /success/);
      assert.match(await ok('-a', MAGNET), /success/);
      await ok('-t', '2', '-S');
      const row = async (id: string) => (await node.ask('GET', `/torrents/${id}`)).body;
      const id = torrent.infoHashV1!;
      for (let state = ''; state !== 'seeding'; ) state = (await row(id)).state;

      const list = await ok('-l');
      assert.match(list, /100%.*Inhalt/);
      assert.match(list, /Stopped.*sought/);
      assert.match(list, /^Sum:/m);
      const info = await ok('-t', '1', '-i');
      assert.match(info, /Name: Inhalt/);
      assert.match(info, new RegExp(`Hash: ${id}`));
      assert.match(info, /Percent Done: 100%/);
      assert.match(info, /Total size: 700\.0 kB/);
      const files = await ok('-t', '1', '-f');
      assert.match(files, /\(3 files\)/);
      assert.match(files, /100%.*Inhalt\/sub\/b\.bin/);
      for (const view of ['-ip', '-it', '-ic']) await ok('-t', '1', view);

      await ok('-t', '1', '-G', '0');
      assert.equal((await row(id)).files[0].priority, 0);
      assert.match(await ok('-t', '1', '-f'), /^ *0:.* No /m);
      await ok('-t', '1', '-g', 'all');
      await ok('-t', '1', '-ph', '0', '-pl', '1', '-pn', '2');
      assert.deepEqual(
        (await row(id)).files.map(({ priority }: { priority: number }) => priority),
        [7, 1, 4],
      );

      await ok('-t', '1', '-d', '50', '-u', '60');
      const limited = await row(id);
      assert.deepEqual(
        [limited.downloadLimitBytesPerSec, limited.uploadLimitBytesPerSec],
        [50_000, 60_000],
      );
      await ok('-t', '1', '-D', '-U');
      assert.equal((await row(id)).downloadLimitBytesPerSec, 0);
      await ok('-d', '123');
      await ok('-u', '45');
      const status = (await node.ask('GET', '/status')).body;
      assert.deepEqual(
        [status.downloadLimitBytesPerSec, status.uploadLimitBytesPerSec],
        [123_000, 45_000],
      );
      assert.match(await ok('-si'), /Download speed limit: 123/);
      await ok('-t', '1', '-L', 'linux,iso');
      assert.deepEqual((await row(id)).tags, ['linux', 'iso']);
      assert.match(await ok('-t', '1', '-i'), /Labels: .*linux/);
      assert.match(await ok('-st'), /CURRENT SESSION[\s\S]*TOTAL/);
      await ok('-t', '1', '--reannounce');
      await ok('-t', '1', '-v');
      for (let state = ''; state !== 'seeding'; ) state = (await row(id)).state;

      await ok('-t', '2', '-s');
      assert.equal((await row(SOUGHT)).state, 'metadata');
      await ok('-t', '2', '-S');
      assert.equal((await row(SOUGHT)).state, 'paused');
      await ok('-t', SOUGHT, '-r');
      assert.equal((await node.ask('GET', `/torrents/${SOUGHT}`)).status, 404);

      const before = readTree(path);
      await ok('-t', '1', '--move', bed.dir('elsewhere'));
      assert.deepEqual(readTree(join(bed.dir('elsewhere'), 'Inhalt')), before);
      assert.ok(!existsSync(path));
      await ok('-t', '1', '--remove-and-delete');
      assert.ok(!existsSync(join(bed.dir('elsewhere'), 'Inhalt')));
      assert.equal((await node.ask('GET', '/torrents')).body.total, 0);
    },
  );

  it(
    'alone brings a torrent from another starling, and one from Transmission',
    needing(REMOTE, 'transmission-daemon'),
    async () => {
      await using bed = new TestBed();
      const node = await openTestNode(bed);
      const { ok } = remoteOf(bed, node);
      const path = writeTree(join(bed.dir('original'), 'Inhalt'), TREE);
      const torrent = await createTorrentFile(bed, path, 'v1');
      const seed = await startSeed(bed, torrent.file, bed.dir('original'));
      // The link names the peer (x.pe).
      await ok('-a', seed.magnet, '-w', bed.dir('copy'));
      for (let text = ''; !/Percent Done: 100%/.test(text); ) text = await ok('-t', '1', '-i');
      assert.deepEqual(readTree(join(bed.dir('copy'), 'Inhalt')), readTree(path));
      const other = writeTree(join(bed.dir('second'), 'Other'), TREE, 2);
      const second = await createTorrentFile(bed, other, 'v1', { out: bed.dir('files') });
      const daemon = await startTransmission(bed, second.file, bed.dir('second'));
      await daemon.complete();
      await ok('-a', `${second.magnet}&x.pe=${daemon.address}`, '-w', bed.dir('copy'));
      for (let text = ''; !/Percent Done: 100%/.test(text); ) text = await ok('-t', '2', '-i');
      assert.deepEqual(readTree(join(bed.dir('copy'), 'Other')), readTree(other));
    },
  );
});

describe("Transmission's RPC", { concurrency: 2 }, () => {
  it('takes ids in every form, answers tables, repeats tags', needing(), async () => {
    await using bed = new TestBed();
    const node = await openTestNode(bed);
    const { call } = await rpcOf(node);
    const other = `magnet:?xt=urn:btih:${'cd'.repeat(20)}&dn=other`;
    for (const filename of [MAGNET, other]) {
      const { result, arguments: added } = await call('torrent-add', { filename, paused: true });
      assert.equal(result, 'success');
      assert.ok(added['torrent-added'].id > 0);
    }
    const twice = await call('torrent-add', { filename: MAGNET });
    assert.equal(twice.arguments['torrent-duplicate'].hashString, SOUGHT);
    const names = async (ids?: unknown): Promise<string[]> => {
      const fields = ['id', 'name'];
      const answer = await call('torrent-get', ids === undefined ? { fields } : { fields, ids });
      assert.equal(answer.result, 'success');
      return answer.arguments.torrents.map((each: { name: string }) => each.name);
    };
    assert.deepEqual(await names(), ['sought', 'other']);
    assert.deepEqual(await names(2), ['other']);
    assert.deepEqual(await names([1]), ['sought']);
    assert.deepEqual(await names(SOUGHT), ['sought']);
    assert.deepEqual(await names([SOUGHT.toUpperCase(), 2]), ['sought', 'other']);
    assert.deepEqual(await names([99, 'nothing', null]), []);
    assert.deepEqual(await names([]), []);
    assert.deepEqual(await names('recently-active'), ['sought', 'other']);
    const table = await call('torrent-get', { fields: ['id', 'name'], format: 'table' }, 7);
    assert.deepEqual(table.arguments.torrents, [
      ['id', 'name'],
      [1, 'sought'],
      [2, 'other'],
    ]);
    assert.equal(table.tag, 7);
    await call('torrent-remove', { ids: [2] });
    const recent = await call('torrent-get', { fields: ['id'], ids: 'recently-active' });
    assert.deepEqual(recent.arguments.removed, [2]);
    assert.equal((await call('session-get')).arguments['rpc-version'], 17);
    const some = await call('session-get', { fields: ['version', 'nothing'] });
    assert.deepEqual(Object.keys(some.arguments), ['version']);
    const space = await call('free-space', { path: bed.root });
    assert.ok(space.arguments['size-bytes'] > 0);
  });

  it(
    'renames a torrent and what is in it, by paths that begin with its name',
    needing(),
    async () => {
      await using bed = new TestBed();
      const node = await openTestNode(bed);
      const { call } = await rpcOf(node);
      const dir = bed.dir('downloads');
      const path = writeTree(join(dir, 'Inhalt'), TREE);
      const before = readTree(path);
      const { file, infoHashV1: id } = await createTorrentFile(bed, path, 'v1');
      await call('torrent-add', { filename: file, 'download-dir': dir });
      const rename = (from: string, name: string) =>
        call('torrent-rename-path', { ids: [id], path: from, name });
      const done = await rename('Inhalt/sub/b.bin', 'bee.bin');
      assert.deepEqual(done.arguments, { path: 'Inhalt/sub/b.bin', name: 'bee.bin', id: 1 });
      assert.equal((await rename('Inhalt', 'Contents')).result, 'success');
      const { 'sub/b.bin': b, ...rest } = before;
      assert.deepEqual(readTree(join(dir, 'Contents')), { ...rest, 'sub/bee.bin': b });
      const [row] = (await call('torrent-get', { ids: [id], fields: ['name', 'files'] })).arguments
        .torrents;
      assert.equal(row.name, 'Contents');
      assert.ok(row.files.some(({ name }: { name: string }) => name === 'Contents/sub/bee.bin'));
      assert.match((await rename('Inhalt/sub', 'x')).result, /begins with its name/);
      assert.match((await rename('Contents/sub', '../x')).result, /name: expected/);
      const nobody = await call('torrent-rename-path', { ids: [], path: 'Contents', name: 'b' });
      assert.match(nobody.result, /requires 1 torrent/);
    },
  );

  it('refuses in words what it does not know, and falls over nothing', needing(), async () => {
    await using bed = new TestBed();
    const node = await openTestNode(bed);
    const { call, post } = await rpcOf(node);
    assert.equal((await call('no-such-thing')).result, 'method name not recognized');
    for (const method of ['toString', '__proto__', 'constructor', '']) {
      assert.equal((await call(method)).result, 'method name not recognized', method);
    }
    for (const text of ['', '{', '[]', 'null', '"x"', '{"method":{}}', '{"method":1}']) {
      const answer = await post(text);
      assert.equal(answer.status, 200, text);
      assert.notEqual(answer.body.result, 'success', text);
    }
    const wrong: readonly [string, unknown][] = [
      ['torrent-add', {}],
      ['torrent-add', { filename: 'relative.torrent' }],
      ['torrent-add', { filename: '/nowhere/x.torrent' }],
      ['torrent-add', { filename: 'magnet:?xt=nothing' }],
      ['torrent-add', { metainfo: 'AAAA' }],
      ['torrent-add', { filename: MAGNET, 'download-dir': 'relative' }],
      ['torrent-set-location', { ids: [1] }],
      ['torrent-rename-path', { ids: [1], path: 'a', name: 'b' }],
    ];
    for (const [method, values] of wrong) {
      const { result } = await call(method, values);
      assert.notEqual(result, 'success', `${method} ${JSON.stringify(values)}`);
      assert.ok(result.length > 5 && !/undefined| at \S+:\d/.test(result), result);
    }
    const odd: readonly [string, unknown][] = [
      ['torrent-get', { fields: ['__proto__', 'toString', 'id', 5, null], ids: {} }],
      ['torrent-set', { ids: [1], 'files-wanted': [99, 'x', null], labels: [1, {}] }],
      ['session-set', { 'speed-limit-down': 'x', nothing: 1 }],
      ['free-space', { path: '\0' }],
      ['free-space', {}],
    ];
    for (const [method, values] of odd) {
      const answer = await post(JSON.stringify({ method, arguments: values }));
      assert.equal(answer.status, 200, `${method} ${JSON.stringify(values)}: ${answer.text}`);
      assert.doesNotMatch(answer.text, /__proto__/);
    }
    assert.equal((await node.ask('GET', '/healthz', { token: null })).status, 200);
    assert.ok(readFileSync(join(node.daemon.composition.home, 'api-token')).length > 40);
  });
});
