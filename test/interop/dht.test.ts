/**
 * One DHT of libtorrent, aria2 and ours: peers and items are found by everybody, whoever announced or put them; nothing but the DHT tells of anybody
 * here: no trackers, no peer exchange, no local discovery, no addresses in links.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { toHex } from '../../src/lib/bytes.ts';
import { publicKeyOf, publisherSeed } from '../../src/node/dht-client.ts';
import { startAria2 } from '../support/aria2.ts';
import { createTorrentFile, startGet, startSeed, startStarling } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { readTree, writeTree } from '../support/content.ts';
import { Observer, settled, standIn, unwanted, waitUntilKnown } from '../support/dht-network.ts';
import { PYTHON, startLibtorrent } from '../support/libtorrent.ts';
import { startLibtorrentNode } from '../support/libtorrent-node.ts';

const NEEDS = needing('aria2c', PYTHON);
const ITEMS = needing(PYTHON);

/** Starts a client that seeds or gets, with a node to begin with. */
type Start = (
  bed: TestBed,
  source: string,
  dir: string,
  node: string,
) => Promise<{ readonly address: string; readonly complete: () => Promise<void> }>;

const libtorrent: Start = (bed, source, dir, node) =>
  startLibtorrent(bed, source, dir, { dht: [node] });

const aria2: Start = (bed, source, dir, node) => startAria2(bed, source, dir, { dht: node });

const starling: Start = async (bed, source, dir, node) => {
  if (source.startsWith('magnet:')) {
    const leech = startGet(bed, source, dir, '--no-lsd', '--bootstrap', node);
    return { address: '', complete: async () => void (await leech.done()) };
  }
  const { address } = await startSeed(bed, source, dir, '--no-lsd', '--bootstrap', node);
  return { address, complete: async () => {} };
};

/** What is to be got, and its link: the hash and nothing else. */
async function makeTorrent(bed: TestBed, version: 'v1' | 'v2') {
  const path = writeTree(join(bed.dir('original'), 'Inhalt'), {
    'a.bin': 300_001,
    'b/c.bin': 200_003,
  });
  const { file, infoHashV1, infoHashV2 } = await createTorrentFile(bed, path, version);
  const infoHash = (version === 'v1' ? infoHashV1 : infoHashV2)!;
  const magnet = `magnet:?xt=urn:${version === 'v1' ? 'btih:' : 'btmh:1220'}${infoHash}`;
  return { file, infoHash, magnet, dir: bed.dir('original'), tree: readTree(path) };
}

/** One seeds, beginning with one node; the other gets, beginning with another one. */
async function meet(
  bed: TestBed,
  observer: Observer,
  version: 'v1' | 'v2',
  [seed, seedsNode]: readonly [Start, string],
  [get, getsNode]: readonly [Start, string],
): Promise<void> {
  const { file, infoHash, magnet, dir, tree } = await makeTorrent(bed, version);
  const seeder = await seed(bed, file, dir, seedsNode);
  await seeder.complete();
  await observer.sees(infoHash, seeder.address);
  const leech = await get(bed, magnet, bed.dir('copy'), getsNode);
  await leech.complete();
  assert.deepEqual(readTree(join(bed.dir('copy'), 'Inhalt')), tree);
}

/** Runs `starling dht … --json` and gives what it printed. */
async function dht(
  bed: TestBed,
  node: string,
  words: readonly string[],
  home = bed.home(),
): Promise<Record<string, unknown>[]> {
  const args = ['dht', ...words, '--json', '--listen', '127.0.0.1:0', '--bootstrap', node];
  const { stdout } = await startStarling(bed, args, { home }).done();
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

interface Network {
  readonly ours: string;
  readonly theirs: string;
  readonly third: string;
  readonly observer: Observer;
}

/** One node of each kind, which all began with ours. */
async function makeNetwork(bed: TestBed): Promise<Network> {
  const ours = (await standIn(bed, 1)).address;
  const theirs = (await startLibtorrentNode(bed, [ours])).address;
  const { dir, file } = await unwanted(bed, 'aria2', 99);
  const third = (await startAria2(bed, file, dir, { dht: ours })).address;
  const observer = await Observer.join(bed, [ours]);
  await observer.knows(3);
  return { ours, theirs, third, observer };
}

// Most of the time they wait for clients that are in no hurry.
describe('the DHT with others', { concurrency: 3 }, () => {
  // aria2 needs 25 s from a link to the first byte, whoever seeds: so they run at the same time.
  describe('one network of libtorrent, aria2 and starling', { concurrency: 4, ...NEEDS }, () => {
    for (const [title, version, seed, get] of [
      ['starling finds a seed of libtorrent', 'v1', libtorrent, starling],
      ['starling finds a seed of libtorrent by a v2 hash', 'v2', libtorrent, starling],
      ['libtorrent finds a seed of starling', 'v1', starling, libtorrent],
      ['libtorrent finds a seed of starling by a v2 hash', 'v2', starling, libtorrent],
      ['starling finds a seed of aria2', 'v1', aria2, starling],
      ['aria2 finds a seed of starling', 'v1', starling, aria2],
      ['libtorrent finds a seed of aria2', 'v1', aria2, libtorrent],
      ['aria2 finds a seed of libtorrent', 'v1', libtorrent, aria2],
    ] as const) {
      it(title, { timeout: NEEDS.timeout }, async () => {
        await using bed = new TestBed();
        const { ours, theirs, observer } = await makeNetwork(bed);
        await meet(bed, observer, version, [seed, ours], [get, theirs]);
      });
    }

    it('dht peers lists seeds of libtorrent and aria2', { timeout: NEEDS.timeout }, async () => {
      await using bed = new TestBed();
      const { ours, theirs, third, observer } = await makeNetwork(bed);
      const { file, infoHash, dir } = await makeTorrent(bed, 'v1');
      const seeders = [
        await startLibtorrent(bed, file, dir, { dht: [ours] }),
        await startAria2(bed, file, dir, { dht: third }),
      ];
      for (const { address } of seeders) await observer.sees(infoHash, address);
      const listed = (await dht(bed, theirs, ['peers', infoHash])).map(({ address }) => address);
      for (const { address } of seeders)
        assert(listed.includes(address), `${address} in ${listed}`);
    });
  });

  // libtorrent takes whoever stores something for a node, also one that says that it is none (BEP 43), and then waits 15 s for what is gone: so they run
  // at the same time.
  describe('items', { concurrency: 6, ...ITEMS }, () => {
    for (const [where, start] of [
      ['a node of ours', async (bed: TestBed) => (await standIn(bed, 1)).address],
      ['libtorrent', async (bed: TestBed) => (await startLibtorrentNode(bed, [])).address],
    ] as const) {
      it(`at ${where}: libtorrent and starling read what the other put`, ITEMS, async () => {
        await using bed = new TestBed();
        const store = await start(bed);
        const foreign = await startLibtorrentNode(bed, [store]);
        const theirTarget = await foreign.put('hello from there');
        const [read] = await dht(bed, store, ['get', theirTarget]);
        assert.deepEqual([read!['target'], read!['value']], [theirTarget, 'hello from there']);
        const [put] = await dht(bed, store, ['put', 'hello from here']);
        assert.equal(await foreign.get(String(put!['target'])), 'hello from here');
      });

      for (const salt of ['', 'news of the day']) {
        const kind = salt === '' ? 'signed' : 'signed and salted';
        it(`${kind}, at ${where}: each reads and replaces what the other put`, ITEMS, async () => {
          await using bed = new TestBed();
          const store = await start(bed);
          const foreign = await startLibtorrentNode(bed, [store]);
          const home = bed.home();
          // The same key on both sides: each goes on from the number that the other left.
          const seed = publisherSeed(home);
          const key = toHex(publicKeyOf(seed));
          const name = { key, salt };
          const salted = salt === '' ? [] : ['--salt', salt];
          for (const seq of [1, 3]) {
            await foreign.putMutable(toHex(seed), name, `theirs ${seq}`);
            const [read] = await dht(bed, store, ['get', salt === '' ? key : `${key}.${salt}`]);
            assert.deepEqual([read!['value'], read!['seq']], [`theirs ${seq}`, seq]);
            const put = ['put', `ours ${seq + 1}`, '--mutable', ...salted];
            assert.equal((await dht(bed, store, put, home))[0]!['seq'], seq + 1);
            const found = await foreign.getMutable(name, seq + 1);
            assert.deepEqual([found.value, found.salt], [`ours ${seq + 1}`, salt]);
          }
        });
      }
    }
  });

  it('twelve nodes do without the one that all began with, newcomers too', NEEDS, async () => {
    await using bed = new TestBed();
    const first = await standIn(bed, 0);
    const begin = [first.address];
    const ours = await Promise.all([1, 2, 3].map((number) => standIn(bed, number, begin)));
    // After ours: libtorrent never keeps the node that it begins with, and looks around much later again.
    await waitUntilKnown(
      [first.address],
      ours.map(({ address }) => address),
      3,
    );
    const known = ours.map(({ address }) => address);
    const nodes = await Promise.all(
      [1, 2, 3].map(() => settled(known, () => startLibtorrentNode(bed, begin))),
    );
    // Now, since aria2 answers nothing that it does not know, and libtorrent waits 15 s for it.
    const before = await nodes[1]!.put('put before');
    const thirds = await Promise.all(
      [1, 2, 3].map(async (number) => {
        const { dir, file } = await unwanted(bed, `aria2-${number}`, 90 + number);
        return startAria2(bed, file, dir, { dht: first.address });
      }),
    );
    const one = await makeTorrent(bed, 'v1');
    const other = await makeTorrent(bed, 'v2');
    const seeders = [
      await settled(known, () => startLibtorrent(bed, one.file, one.dir, { dht: begin })),
      await startSeed(bed, other.file, other.dir, '--no-lsd', '--bootstrap', first.address),
    ];
    const all = [...nodes, ...ours, ...seeders].map(({ address }) => address);
    const others = thirds.map(({ address }) => address);
    await waitUntilKnown(all, [...all, ...others], 2);
    // Newcomers will begin with aria2, which keeps the dead for long and takes no items: it must know some who live and do.
    await waitUntilKnown(others, all, 3);
    const observer = await Observer.join(bed, begin);
    await observer.sees(one.infoHash, seeders[0]!.address);
    await observer.sees(other.infoHash, seeders[1]!.address);
    first.starling.child.signal('SIGKILL');
    await first.starling.child.exit();

    const leeches = await Promise.all([
      starling(bed, one.magnet, bed.dir('starling'), thirds[0]!.address),
      aria2(bed, one.magnet, bed.dir('aria2'), nodes[0]!.address),
      libtorrent(bed, other.magnet, bed.dir('libtorrent'), ours[0]!.address),
    ]);
    await Promise.all(leeches.map((leech) => leech.complete()));
    for (const name of ['starling', 'aria2', 'libtorrent']) {
      assert.deepEqual(readTree(join(bed.dir(name), 'Inhalt')), one.tree, name);
    }
    const [read] = await dht(bed, thirds[1]!.address, ['get', before]);
    assert.equal(read!['value'], 'put before');
    const [put] = await dht(bed, thirds[2]!.address, ['put', 'put after']);
    assert.equal(await nodes[2]!.get(String(put!['target'])), 'put after');
  });
});
