/**
 * `kill -9` of the node again and again, at moments that a seed says, amid adds, downloads and changes: what was acknowledged is there after each start, and every torrent ends whole.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { Rng } from '../../src/lib/rng.ts';
import { createTorrentFile, startSeed } from '../support/cli.ts';
import { needing, poll, TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';
import { type NodeProcess, startNode } from '../support/node-process.ts';

const KILLS = 50;
const SEED = Number(process.env['STARLING_SEED'] ?? 11);
/** Torrents that are downloaded meanwhile. */
const DOWNLOADS = 12;
const BYTES = 3_000_000;
/** Slow enough that kills hit downloads that are under way. */
const RATE_LIMIT = 500_000;

/** What the node has said yes to. */
interface Acknowledged {
  readonly torrents: Map<string, Record<string, unknown>>;
  readonly removed: Set<string>;
  /** By name: what may be found; two while a change was on its way. */
  readonly settings: Map<string, readonly unknown[]>;
  /** Asked for when it was killed: either is right. */
  readonly open: Map<string, { readonly field: string; readonly value: unknown } | 'exists'>;
}

function magnetOf(n: number): { id: string; link: string } {
  const id = n.toString(16).padStart(40, 'e');
  return { id, link: `magnet:?xt=urn:btih:${id}&dn=m${n}` };
}

it(`a node that is killed ${KILLS} times loses nothing that it acknowledged (STARLING_SEED=${SEED})`, {
  ...needing(),
  timeout: 300_000,
}, async () => {
  await using bed = new TestBed();
  const rng = new Rng(SEED);
  const links: { id: string; file: string; path: string; peer: string }[] = [];
  for (let n = 0; n < DOWNLOADS; n += 1) {
    const path = join(bed.dir('from'), `d${n}.bin`);
    writeFile(path, BYTES, n);
    const out = bed.dir(`torrent-${n}`);
    const torrent = await createTorrentFile(bed, path, 'hybrid', { out });
    const seed = await startSeed(bed, torrent.file, bed.dir('from'));
    const { infoHashV1, file } = torrent;
    links.push({ id: infoHashV1!, file, path, peer: seed.address });
  }
  const home = bed.home();
  const known: Acknowledged = {
    torrents: new Map(),
    removed: new Set(),
    settings: new Map(),
    open: new Map(),
  };
  let next = 0;
  let node: NodeProcess;
  for (let kill = 0; kill < KILLS; kill += 1) {
    node = await startNode(bed, { home });
    await expectAll(node, known);
    const count = 1 + rng.below(12);
    for (let n = 0; n < count; n += 1) next = await change(node, known, rng, next, links);
    // The last one is on its way, or answered just now, when the node is killed.
    const last = change(node, known, rng, next, links).catch(() => {});
    for (let turns = rng.below(30); turns > 0; turns -= 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    node.starling.child.signal('SIGKILL');
    await last;
    next += 1;
    await node.starling.child.exit();
  }
  node = await startNode(bed, { home });
  await expectAll(node, known);
  for (const { id } of links) {
    if (!known.torrents.has(id)) continue;
    await node.ask('PATCH', `/torrents/${id}`, { isPaused: false, downloadLimitBytesPerSec: 0 });
  }
  for (const { id, file, peer } of links) {
    const isThere = await node.ask('GET', `/torrents/${id}`).then(
      () => true,
      () => false,
    );
    if (!isThere) await node.events('add', file, '--peer', peer);
  }
  for (const { id, path } of links) {
    const row = await node.untilState(id, 'seeding');
    const copy = join(String(row['dir']), path.split('/').at(-1)!);
    assert.deepEqual(readTree(copy), readTree(path));
  }
  node.starling.child.signal('SIGKILL');
  await node.starling.child.exit();
  const database = new DatabaseSync(join(home, 'starling.db'));
  assert.equal(database.prepare('PRAGMA integrity_check').get()!['integrity_check'], 'ok');
  database.close();
});

/** One change, noted when it was acknowledged. @returns the number of the next new torrent. */
async function change(
  node: NodeProcess,
  known: Acknowledged,
  rng: Rng,
  next: number,
  links: readonly { id: string; file: string; peer: string }[],
): Promise<number> {
  const ids = [...known.torrents.keys()];
  const kind = rng.below(7);
  if (kind === 6) {
    await changeSetting(node, known, rng);
    return next;
  }
  if (kind === 0 || ids.length === 0) {
    const { id, link } = magnetOf(next);
    known.open.set(id, 'exists');
    await node.ask('POST', '/torrents', { link, isPaused: true, tags: [`t${next}`] });
    known.open.delete(id);
    known.torrents.set(id, { tags: [`t${next}`], state: 'paused' });
    return next + 1;
  }
  const fresh = links.find(({ id }) => !known.torrents.has(id) && !known.open.has(id));
  if (kind === 1 && fresh !== undefined) {
    const torrent = readFileSync(fresh.file).toString('base64');
    const peers = [fresh.peer];
    known.open.set(fresh.id, 'exists');
    const wish = { torrent, peers, downloadLimitBytesPerSec: RATE_LIMIT };
    await node.ask('POST', '/torrents', wish);
    known.open.delete(fresh.id);
    known.torrents.set(fresh.id, { downloadLimitBytesPerSec: RATE_LIMIT });
    return next;
  }
  const id = ids[rng.below(ids.length)]!;
  if (kind === 2 && id.startsWith('e') && !links.some((each) => each.id === id)) {
    known.open.set(id, 'exists');
    known.torrents.delete(id);
    await node.ask('DELETE', `/torrents/${id}`);
    known.open.delete(id);
    known.removed.add(id);
    return next;
  }
  const [field, value]: readonly [string, unknown] =
    kind === 3
      ? ['uploadLimitBytesPerSec', 1_000 + rng.below(1_000_000)]
      : kind === 4
        ? ['category', `c${rng.below(100)}`]
        : ['tags', [`tag-${rng.below(1_000)}`]];
  known.open.set(id, { field, value });
  await node.ask('PATCH', `/torrents/${id}`, { [field]: value });
  known.open.delete(id);
  known.torrents.set(id, { ...known.torrents.get(id), [field]: value });
  return next;
}

async function changeSetting(node: NodeProcess, known: Acknowledged, rng: Rng): Promise<void> {
  const names = ['schedule.upload-limit', 'queue.active-seeds', 'seeding.time'];
  const name = names[rng.below(names.length)]!;
  const value = 1 + rng.below(1_000);
  known.settings.set(name, [...(known.settings.get(name) ?? [undefined]), value]);
  await node.ask('PATCH', '/settings', { [name]: value });
  known.settings.set(name, [value]);
}

async function expectSettings(node: NodeProcess, known: Acknowledged): Promise<void> {
  const { settings } = await node.ask('GET', '/settings');
  for (const { name, value, source } of settings) {
    const right = known.settings.get(name);
    if (right === undefined) continue;
    // Undefined: it was never changed.
    const found = source === 'default' ? undefined : value;
    assert.ok(right.includes(found), `${name}: ${found} instead of ${right.join(' or ')}`);
    known.settings.set(name, [found]);
  }
}

/** Compares, and takes over how it ended with what was asked for when it was killed. */
async function expectAll(node: NodeProcess, known: Acknowledged): Promise<void> {
  await expectSettings(node, known);
  const { torrents } = await poll('the list', () => node.ask('GET', '/torrents?limit=5000'));
  const rows = new Map<string, Record<string, unknown>>(
    torrents.map((row: { id: string }) => [row.id, row]),
  );
  for (const [id, open] of known.open) {
    const row = rows.get(id);
    if (open === 'exists') {
      if (row !== undefined) known.torrents.set(id, {});
      continue;
    }
    const fields = known.torrents.get(id)!;
    if (JSON.stringify(row?.[open.field]) === JSON.stringify(open.value)) {
      known.torrents.set(id, { ...fields, [open.field]: open.value });
    }
  }
  known.open.clear();
  for (const [id, fields] of known.torrents) {
    const row = rows.get(id);
    assert.ok(row !== undefined, `${id} was acknowledged`);
    for (const [field, value] of Object.entries(fields)) {
      assert.deepEqual(row[field], value, `${id} ${field}`);
    }
  }
  for (const id of known.removed) assert.ok(!rows.has(id), `${id} was removed`);
}
