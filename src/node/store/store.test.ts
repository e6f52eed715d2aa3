import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { nodeEd25519 } from '../../io/crypto.ts';
import { Database } from '../../io/sqlite.ts';
import { formatPeerId, peerIdOf } from '../../protocol/identity/index.ts';
import { ContactTable } from './contact-table.ts';
import { MIGRATIONS, STORE_FILE } from './migrations.ts';
import type { PublicationRecord } from './publication-table.ts';
import type { StatisticSample } from './statistic-table.ts';
import { Store } from './store.ts';
import type { TorrentRecord } from './torrent-table.ts';

function homeOf(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'starling-store-'));
  t.after(() => rmSync(home, { recursive: true, force: true, maxRetries: 3 }));
  return home;
}

async function storeOf(t: TestContext, home = homeOf(t)): Promise<Store> {
  const store = await Store.open(home);
  t.after(() => store.close());
  return store;
}

function record(n: number, changes: Partial<TorrentRecord> = {}): TorrentRecord {
  return {
    id: n.toString(16).padStart(40, '0'),
    source: { kind: 'metainfo', bytes: Uint8Array.of(n, 2, 3) },
    dir: 'downloads',
    name: `torrent ${n}`,
    mode: 'download',
    isPaused: false,
    queueIndex: n,
    category: undefined,
    tags: [],
    options: {},
    addedAt: 1_700_000_000_000 + n,
    completedAt: undefined,
    uploadedBytes: 0,
    downloadedBytes: 0,
    activeSeconds: 0,
    seedingSeconds: 0,
    error: undefined,
    ...changes,
  };
}

const PEER_ID = formatPeerId(peerIdOf(nodeEd25519.publicKey(new Uint8Array(32).fill(1))));

function publication(changes: Partial<PublicationRecord> = {}): PublicationRecord {
  return {
    id: 'ab',
    kind: 'followed',
    link: 'magnet:?xs=urn:btpk:00',
    name: 'news',
    path: 'videos',
    version: 4,
    torrent: 'cd',
    complete: undefined,
    intervalSeconds: 600,
    addedAt: 1_700_000_000_000,
    ...changes,
  };
}

/** What each released form held: rows written by its own statements, so that later code cannot change them. */
const FIXTURES: Readonly<Record<number, readonly string[]>> = {
  1: [
    `INSERT INTO torrent VALUES ('${record(7).id}', 'downloads', 'torrent 7', 'download', 0, 7, NULL, '[]', '{}', 1700000000007, NULL, 0, 0, 0, 0, NULL)`,
    `INSERT INTO torrent_source (torrent_id, kind, content) VALUES ('${record(7).id}', 'metainfo', x'070203')`,
    `INSERT INTO setting VALUES ('transfers.upload-limit', '5000')`,
    `INSERT INTO category VALUES ('films', 'videos', '{"uploadLimitBytesPerSec":1}')`,
  ],
  2: [
    'INSERT INTO sample VALUES (3600, 1699999200000, 1, 1, 2, 3, 4, 5, 6)',
    "UPDATE total SET value = 9 WHERE name = 'uploaded_bytes'",
  ],
  3: [
    `INSERT INTO contact VALUES (1, '${PEER_ID}', 'Zoë', 5, '{"isTrusted":true,"mayRelay":false,"isRelay":false}', '[["192.0.2.7:1",9]]')`,
    'UPDATE contact_revision SET value = 1',
  ],
  4: ['UPDATE torrent_source SET info = NULL'],
  5: [
    "INSERT INTO publication VALUES ('ab', 'followed', 'magnet:?xs=urn:btpk:00', 'news', 'videos', 4, 'cd', NULL, 600, 1700000000000)",
  ],
};

for (const { version } of MIGRATIONS) {
  test(`a database of form ${version} is brought to the newest one with all that was in it`, async (t) => {
    const home = homeOf(t);
    const file = join(home, STORE_FILE);
    const old = await Database.open({ file, migrations: MIGRATIONS.slice(0, version) });
    for (let form = 1; form <= version; form += 1) {
      await old.transaction(FIXTURES[form]!.map((sql) => ({ sql })));
    }
    await old.close();
    const backups: string[] = [];
    const store = await Store.open(home, (path) => backups.push(path));
    t.after(() => store.close());
    assert.equal(backups.length, version < MIGRATIONS.length ? 1 : 0);
    assert.deepEqual(await store.torrents.all(), [record(7)]);
    assert.deepEqual(await store.settings.all(), { 'transfers.upload-limit': 5000 });
    const limits = { uploadLimitBytesPerSec: 1 };
    assert.deepEqual(await store.categories.all(), [{ name: 'films', dir: 'videos', limits }]);
    const uploadedBytes = version >= 2 ? 9 : 0;
    assert.deepEqual(await store.statistics.totals(), { downloadedBytes: 0, uploadedBytes });
    const publications = await store.publications.all();
    assert.deepEqual(publications, version >= 5 ? [publication()] : []);
    await store.statistics.add(sample(1_699_999_200_000));
    const zoe = { name: 'Zoë', peerId: PEER_ID, addedMs: 5, isTrusted: true, mayRelay: false };
    const addresses = [{ host: '192.0.2.7', port: 1, lastMs: 9 }];
    const contacts = version >= 3 ? [{ ...zoe, isRelay: false, addresses }] : [];
    assert.deepEqual(new ContactTable(home).all(), contacts);
    assert.deepEqual(await store.check(), []);
  });
}

test('torrents come back as they were added and changed, in the order of the queue', async (t) => {
  const home = homeOf(t);
  const store = await storeOf(t, home);
  const full = record(1, {
    queueIndex: 5,
    isPaused: true,
    category: 'films',
    tags: ['a', 'ö'],
    options: { select: ['*.mkv'], shareLimits: { ratio: null }, origin: 'watch' },
    completedAt: 1,
    downloadedBytes: Number.MAX_SAFE_INTEGER,
    activeSeconds: 0.5,
    error: 'The disk is full.',
  });
  const magnet = record(2, {
    source: { kind: 'magnet', link: 'magnet:?xt=urn:btih:00', info: Uint8Array.of(1, 2) },
  });
  await store.torrents.add(full);
  await store.torrents.add(magnet);
  await assert.rejects(store.torrents.add(magnet), { code: 'ERR_DATABASE_STATEMENT' });
  const changes = { source: record(2).source, name: 'other', category: undefined, isPaused: true };
  await store.torrents.update(magnet.id, changes);
  await store.torrents.update(full.id, { category: undefined });
  await store.torrents.update('not there', { name: 'x', source: full.source });
  await store.torrents.update(full.id, {});
  const totals = { uploadedBytes: 1, downloadedBytes: 2, activeSeconds: 3.5, seedingSeconds: 4 };
  await store.torrents.updateTotals([{ id: magnet.id, ...totals }]);
  await store.close();
  const again = await storeOf(t, home);
  const expected = [
    { ...magnet, ...changes, ...totals },
    { ...full, category: undefined },
  ];
  assert.deepEqual(await again.torrents.all(), expected);
  await again.torrents.setQueue([full.id, magnet.id]);
  assert.deepEqual(
    (await again.torrents.all()).map(({ id }) => id),
    [full.id, magnet.id],
  );
  await again.torrents.remove(full.id);
  await again.torrents.remove(full.id);
  assert.deepEqual(
    (await again.torrents.all()).map(({ id }) => id),
    [magnet.id],
  );
  assert.deepEqual(await again.check(), []);
});

test('settings are set all or none, and undefined takes one away', async (t) => {
  const { settings } = await storeOf(t);
  await settings.set({ a: 1, b: ['x'], c: false });
  await settings.set({ a: undefined, b: null });
  await assert.rejects(settings.set({ c: true, d: 1n }));
  assert.deepEqual(await settings.all(), { b: null, c: false });
});

test('a category replaces the one of its name', async (t) => {
  const { categories } = await storeOf(t);
  await categories.set({ name: 'b', dir: 'x', limits: {} });
  await categories.set({ name: 'a', dir: undefined, limits: { shareLimits: { ratio: 2 } } });
  await categories.set({ name: 'b', dir: undefined, limits: {} });
  assert.deepEqual(await categories.all(), [
    { name: 'a', dir: undefined, limits: { shareLimits: { ratio: 2 } } },
    { name: 'b', dir: undefined, limits: {} },
  ]);
  await categories.remove('a');
  assert.equal((await categories.all()).length, 1);
});

test('a publication replaces the one of its id', async (t) => {
  const { publications } = await storeOf(t);
  const bare = { path: undefined, version: undefined, torrent: undefined };
  await publications.set(publication(bare));
  await publications.set(publication({ id: 'own', kind: 'own', addedAt: 1 }));
  assert.deepEqual(
    (await publications.all()).map(({ id }) => id),
    ['own', 'ab'],
  );
  await publications.set(publication({ complete: 'cd' }));
  await publications.remove('own');
  assert.deepEqual(await publications.all(), [publication({ complete: 'cd' })]);
});

const START = 1_700_000_000_000 - (1_700_000_000_000 % 3_600_000);

function sample(atMs: number, n = 1): StatisticSample {
  return {
    atMs,
    downloadBytesPerSec: n,
    uploadBytesPerSec: 2 * n,
    downloadedBytes: 10 * n,
    uploadedBytes: 20 * n,
    peers: n,
    dhtNodes: 100,
  };
}

test('statistics: each range is answered in the finest resolution that is kept for it, with no more points than asked for', async (t) => {
  const { statistics } = await storeOf(t);
  assert.deepEqual(await statistics.range(0, START, 10), []);
  // Six minutes, a sample each ten seconds, rates 0, 1, 2 …
  await Promise.all(
    Array.from({ length: 36 }, (_, i) => statistics.add(sample(START + i * 10_000, i))),
  );
  const fine = await statistics.range(START, START + 60_000, 100);
  assert.deepEqual(
    fine.map(({ atMs, downloadBytesPerSec }) => [atMs - START, downloadBytesPerSec]),
    [0, 1, 2, 3, 4, 5, 6].map((i) => [i * 10_000, i]),
  );
  for (const most of [1, 2, 3, 7, 20]) {
    const points = await statistics.range(START + 5_000, START + 355_000, most);
    assert.ok(points.length >= 1 && points.length <= most, `${points.length} of ${most}`);
    const bytes = points.reduce((sum, { downloadedBytes }) => sum + downloadedBytes, 0);
    assert.equal(bytes, (35 * 36 * 10) / 2, 'no sample is lost or counted twice');
  }
  // Two days before the newest only coarse ones are kept.
  const coarse = await statistics.range(START - 2 * 86_400_000, START + 600_000, 10_000);
  assert.deepEqual(
    coarse.map(({ atMs, peers }) => [atMs - START, peers]),
    [
      [0, 14.5],
      [300_000, 32.5],
    ],
  );
  const sums = { downloadedBytes: 35 * 18 * 10, uploadedBytes: 35 * 18 * 20 };
  assert.deepEqual(await statistics.totals(), sums);
});

test('statistics: what is too old is forgotten, and what a clock that was ahead left behind', async (t) => {
  const { statistics } = await storeOf(t);
  const day = 86_400_000;
  await statistics.add(sample(START + 10 * day));
  await statistics.add(sample(START));
  await statistics.add(sample(START + 2 * day));
  const all = async (fromMs: number): Promise<number[]> =>
    (await statistics.range(fromMs, START + 60 * day, 10_000)).map(
      ({ atMs }) => (atMs - START) / day,
    );
  assert.deepEqual(await all(START + 2 * day - 1), [2], 'the finest has the last day only');
  assert.deepEqual(await all(START), [0, 2]);
  await statistics.add(sample(START + 40 * day));
  assert.deepEqual(await all(START + 10 * day), [40]);
  assert.deepEqual(await all(START), [0, 2, 40], 'hours are kept for years');
});
