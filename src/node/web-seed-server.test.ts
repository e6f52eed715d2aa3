import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { TestBed } from '../../test/support/cli-child.ts';
import { MIXED_TREE, readTree, type TreeSpec, writeTree } from '../../test/support/content.ts';
import type { Metainfo } from '../protocol/metainfo/index.ts';
import { createTorrent } from './create.ts';
import { PeerNode } from './peer-node.ts';
import type { Torrent } from './torrent.ts';
import type { AddOptions } from './torrent-types.ts';
import type { WebSeedServer } from './web-seed-server.ts';

const LIMITS = { timeout: 60_000 };

interface Rig {
  readonly node: PeerNode;
  readonly web: WebSeedServer;
  readonly torrent: Torrent;
  readonly metainfo: Metainfo;
  /** The folder that was shared. */
  readonly path: string;
  /** Its files begin there. */
  readonly base: string;
}

/** Nodes of other tests are not met. */
const ALONE = { listen: '127.0.0.1:0', isOffline: true, usesLocalDiscovery: false } as const;

/** A node that serves a tree over HTTP. */
async function rig(
  bed: TestBed,
  options: {
    readonly version?: 'v1' | 'v2' | 'hybrid';
    readonly tree?: TreeSpec;
    readonly isPrivate?: boolean;
    readonly add?: Partial<AddOptions>;
  } = {},
): Promise<Rig> {
  const path = writeTree(join(bed.dir('original'), 'tree'), options.tree ?? MIXED_TREE);
  const node = await PeerNode.open({ ...ALONE, home: bed.home() });
  bed.onEnd(() => node.close());
  const web = await node.serveWeb('127.0.0.1:0');
  const place = web.reserve('tree');
  const { metainfo, dir } = await createTorrent(path, {
    version: options.version ?? 'v1',
    pieceLengthBytes: 65_536,
    webSeeds: place.urls,
    ...(options.isPrivate === true ? { isPrivate: true } : {}),
  });
  const source = { kind: 'metainfo', metainfo } as const;
  const torrent = await node.add({
    source,
    dir,
    mode: 'seed',
    usesWebSeeds: false,
    ...options.add,
  });
  place.serve(torrent);
  return { node, web, torrent, metainfo, path, base: `${place.urls[0]}tree/` };
}

/** Fetches the torrent with another node that knows nothing but its web seed. */
async function fetchAll(bed: TestBed, { metainfo, path }: Rig): Promise<Torrent> {
  const node = await PeerNode.open({ ...ALONE, home: bed.home() });
  bed.onEnd(() => node.close());
  const copy = await node.add({ source: { kind: 'metainfo', metainfo }, dir: bed.dir('copy') });
  await copy.completed({ signal: AbortSignal.timeout(30_000) });
  assert.deepEqual(readTree(join(bed.dir('copy'), 'tree')), readTree(path));
  return copy;
}

describe('a node as a web seed', { concurrency: 4 }, () => {
  for (const version of ['v1', 'v2', 'hybrid'] as const) {
    it(`${version}: is all that another node needs`, LIMITS, async () => {
      await using bed = new TestBed();
      const made = await rig(bed, { version });
      const copy = await fetchAll(bed, made);
      assert.equal(copy.status().webSeeds[0]!.failure, undefined);
      assert(made.torrent.status().uploadedBytes >= copy.status().wantedBytes, 'it is counted');
    });
  }

  it('serves files whole and in ranges', LIMITS, async () => {
    await using bed = new TestBed();
    const { base, path } = await rig(bed);
    const url = `${base}${encodeURIComponent('grün')}/${encodeURIComponent('日本語 ファイル.bin')}`;
    const bytes = readFileSync(join(path, 'grün', '日本語 ファイル.bin'));
    const whole = await fetch(url);
    assert.equal(whole.status, 200);
    assert.deepEqual(Buffer.from(await whole.arrayBuffer()), bytes);
    const part = await fetch(url, { headers: { range: 'bytes=65000-200000' } });
    assert.equal(part.status, 206);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(65_000, 200_001));
    const empty = await fetch(`${base}deep/er/empty.txt`);
    assert.deepEqual([empty.status, (await empty.bytes()).length], [200, 0]);
    const head = await fetch(url, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), String(bytes.length));
  });

  it('knows nothing but the files of its torrents', LIMITS, async () => {
    await using bed = new TestBed();
    const { base, web, torrent } = await rig(bed, { version: 'hybrid' });
    writeTree(join(bed.dir('original'), 'tree', 'later'), { 'x.bin': 5 });
    const pads = torrent.info!.files.filter(({ isPad }) => isPad);
    assert(pads.length > 0);
    const names = ['', '..', '../tree/tiny.txt', '%2e%2e/tree/tiny.txt', 'later/x.bin', 'deep'];
    for (const name of [...names, ...pads.map(({ path }) => path.slice(1).join('/'))]) {
      const response = await fetch(new Request(`${base}${name.replace('..', '%2e.')}`));
      assert.equal(response.status, name.includes('tree/tiny') ? 200 : 404, name);
    }
    for (const path of ['/', '/2/tree/tiny.txt', '/tree//tiny.txt', '/tree%2Ftiny.txt']) {
      const response = await fetch(`http://127.0.0.1:${web.endpoint.port}${path}`);
      assert.equal(response.status, 404, path);
    }
  });

  it('gives torrents of one name places of their own', LIMITS, async () => {
    await using bed = new TestBed();
    const { node, web, base } = await rig(bed, { tree: { 'a.txt': 5 } });
    const other = writeTree(join(bed.dir('other'), 'tree'), { 'a.txt': 9 });
    const place = web.reserve('tree');
    const { metainfo, dir } = await createTorrent(other, { webSeeds: place.urls });
    const source = { kind: 'metainfo', metainfo } as const;
    const torrent = await node.add({ source, dir, mode: 'seed', usesWebSeeds: false });
    place.serve(torrent);
    const length = async (url: string): Promise<number> =>
      (await (await fetch(url)).bytes()).length;
    assert.equal(await length(`${base}a.txt`), 5);
    assert.equal(await length(`${place.urls[0]}tree/a.txt`), 9);
    await torrent.stop();
    assert.equal((await fetch(`${place.urls[0]}tree/a.txt`)).status, 404);
    assert.equal(await length(`${base}a.txt`), 5);
  });

  it('keeps to the upload limit, and goes on when it is lifted', LIMITS, async () => {
    await using bed = new TestBed();
    const add = { uploadLimitBytesPerSec: 1 };
    const { base, node, web, torrent } = await rig(bed, { tree: { 'a.bin': 500_000 }, add });
    const slow = await fetch(`${base}a.bin`);
    const other = await createTorrent(writeTree(join(bed.dir('other'), 'b'), { c: 5_000_000 }));
    const { metainfo, dir } = other;
    const place = web.reserve('b');
    place.serve(await node.add({ source: { kind: 'metainfo', metainfo }, dir, mode: 'seed' }));
    const free = await fetch(`${place.urls[0]}b/c`);
    assert.equal((await free.bytes()).length, 5_000_000);
    // What the bucket held at first, and the block that it was overdrawn by.
    assert(torrent.status().uploadedBytes <= 2 * 16_384);
    torrent.setLimits({ uploadBytesPerSec: 0 });
    assert.equal((await slow.bytes()).length, 500_000);
  });

  it('is busy while its torrent rests', LIMITS, async () => {
    await using bed = new TestBed();
    const { base, torrent } = await rig(bed);
    torrent.pause();
    const busy = await fetch(`${base}tiny.txt`);
    assert.deepEqual([busy.status, busy.headers.get('retry-after')], [503, '10']);
    torrent.resume();
    assert.equal((await fetch(`${base}tiny.txt`)).status, 200);
  });

  it(
    'sends nothing of a file that another program changed, and the rest as before',
    LIMITS,
    async () => {
      await using bed = new TestBed();
      const { base, path, torrent } = await rig(bed);
      const target = join(path, 'last.bin');
      renameSync(target, `${target}.old`);
      appendFileSync(target, Buffer.alloc(65_536));
      const lost = new Promise<void>((resolve) => torrent.once('problem', () => resolve()));
      await assert.rejects(fetch(`${base}last.bin`).then((response) => response.bytes()));
      await lost;
      while ((await fetch(`${base}last.bin`).catch(() => undefined))?.status !== 503) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal((await fetch(`${base}a%20first%20file.bin`)).status, 200);
    },
  );

  it('refuses private torrents, which are not for everybody', LIMITS, async () => {
    await using bed = new TestBed();
    await assert.rejects(rig(bed, { isPrivate: true }), { code: 'ERR_CONFIG' });
  });

  it('says which address it cannot have', LIMITS, async () => {
    await using bed = new TestBed();
    const { node, web } = await rig(bed, { tree: { 'a.txt': 5 } });
    await assert.rejects(node.serveWeb(`127.0.0.1:${web.endpoint.port}`), {
      code: 'ERR_LISTEN',
      message: /another address or port with --web\.$/,
    });
  });
});
