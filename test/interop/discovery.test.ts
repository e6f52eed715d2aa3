/**
 * Finding peers by each way alone, by what is left when others fail, and by none but the tracker in private torrents: ten programs, each on a host of
 * its own in a network namespace, none told of a peer unless the scenario says so.
 * A watch at the switch sees every announce and lookup that leaves a host, so "alone" and "no more" are not taken from the programs' own words.
 * @module
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Starling, type StarlingEvent, WITH_LSD } from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { readTree } from '../support/content.ts';
import { PYTHON } from '../support/libtorrent.ts';
import { namespaceObstacle } from '../support/namespace.ts';
import {
  addressOf,
  hostsMet,
  Neighbourhood,
  only,
  piecesOf,
  type SharedFile,
  sourcesOf,
} from '../support/neighbourhood.ts';

const needs = needing('ip', PYTHON);
const obstacle = process.env['CI'] === 'true' ? false : namespaceObstacle();
const options = { skip: needs.skip || obstacle, timeout: 150_000 };
const HOSTS = 10;
/** Stays when it is complete. */
const STAYS = ['--seed-time', '600'];

/** Hosts by number, the first and last included. */
function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

function assertSame(hood: Neighbourhood, host: number, { dir, name }: SharedFile): void {
  assert.deepEqual(readTree(join(hood.copy(host), name)), readTree(join(dir, name)));
}

/** Fits peers that were found by this way, or by any. */
function isFrom(source: string | undefined): (event: StarlingEvent) => boolean {
  return (event) => source === undefined || event['source'] === source;
}

/** Waits until all are complete, and compares what they got. Those whom they found, they found by this way. */
async function allComplete(
  hood: Neighbourhood,
  file: SharedFile,
  leeches: ReadonlyMap<number, Starling>,
  way?: string,
): Promise<void> {
  for (const [host, leech] of leeches) {
    await leech.summary();
    assertSame(hood, host, file);
    const others = [...sourcesOf(leech)].filter((source) => source !== way);
    if (way !== undefined) assert.deepEqual(others, [], 'found by other ways');
  }
}

describe('finding peers', { concurrency: 2 }, () => {
  describe('by one way alone', () => {
    it(
      'DHT: a hash is enough, with one node to begin with that is not the seed',
      options,
      async () => {
        await using bed = new TestBed();
        const hood = new Neighbourhood(bed, HOSTS);
        const watch = await hood.watch(PYTHON);
        const file = await hood.share();
        await hood.dhtNode(0);
        const way = [...only('dht'), '--bootstrap', hood.at(0)];
        await hood.seed(1, file, way);
        const get = (host: number): [number, Starling] => [host, hood.get(host, file.magnet, way)];
        await allComplete(hood, file, new Map(range(2, 9).map(get)), 'dht');
        assert.deepEqual(
          watch.seen.filter(({ way: by }) => by === 'lan'),
          [],
        );
        assert.ok(watch.count('dht-announce', hood.host(1), file.infoHash) > 0);
      },
    );

    it(
      'peer exchange: who knows one leech gets to peers that nobody told it of',
      options,
      async () => {
        await using bed = new TestBed();
        const hood = new Neighbourhood(bed, HOSTS);
        const watch = await hood.watch(PYTHON);
        const file = await hood.share();
        await hood.seed(0, file, [...only('pex'), '--upload-limit', '400000']);
        // A chain: each knows the one before it.
        const get = (host: number): [number, Starling] => {
          const args = [...only('pex'), '--peer', hood.at(host - 1), ...STAYS];
          return [host, hood.get(host, file.magnet, args)];
        };
        const leeches = new Map(range(1, 9).map(get));
        for (const [host, leech] of leeches) {
          const told = [host - 1, host + 1].map((near) => `${hood.network.hosts[near]?.address}:`);
          const isStranger = (address: string): boolean =>
            told.every((near) => !address.startsWith(near));
          await leech.event('peer-connected', (event) => isStranger(addressOf(event)));
        }
        await allComplete(hood, file, leeches);
        assert.equal(watch.seen.length, 1, 'announces beside peer exchange');
      },
    );

    it('local network: with nothing but the hash', options, async () => {
      await using bed = new TestBed();
      const hood = new Neighbourhood(bed, HOSTS);
      const watch = await hood.watch(PYTHON);
      const file = await hood.share();
      await hood.seed(0, file, only('lsd'));
      const get = (host: number): [number, Starling] => [
        host,
        hood.get(host, file.magnet, only('lsd')),
      ];
      await allComplete(hood, file, new Map(range(1, 9).map(get)), 'lan');
      assert.ok(watch.seen.every(({ way }) => !way.startsWith('dht')));
      assert.ok(watch.count('lan', hood.host(0), file.infoHash) > 0);
    });

    it('tracker: with the hash and its URL', options, async () => {
      await using bed = new TestBed();
      const hood = new Neighbourhood(bed, HOSTS);
      const watch = await hood.watch(PYTHON);
      const file = await hood.share({ trackers: [hood.trackerUrl(0)] });
      await hood.tracker(0);
      await hood.seed(1, file, only());
      const get = (host: number): [number, Starling] => [
        host,
        hood.get(host, file.magnetWithTrackers, only()),
      ];
      await allComplete(hood, file, new Map(range(2, 9).map(get)), 'tracker');
      assert.equal(watch.seen.length, 1, 'announces beside those to the tracker');
    });

    it(
      'what is left: ways end one after another, the download goes on, and newcomers find it',
      options,
      async () => {
        await using bed = new TestBed();
        const hood = new Neighbourhood(bed, HOSTS);
        const [TRACKER, NODE, SEED, GIVEN, LEECH, FAST_SEED] = [0, 1, 2, 3, 4, 9] as const;
        const file = await hood.share({ bytes: 8_000_017, trackers: [hood.trackerUrl(TRACKER)] });
        const tracker = await hood.tracker(TRACKER);
        const node = await hood.dhtNode(NODE);
        const all = [WITH_LSD, '--bootstrap', hood.at(NODE)];
        const slow = ['--upload-limit', '120000'];
        await hood.seed(SEED, file, [...all, ...slow]);
        const get = (host: number, home = bed.home()): Starling => {
          const args = [...all, '--peer', hood.at(GIVEN), ...STAYS];
          return hood.get(host, file.magnetWithTrackers, args, { home });
        };
        const given = hood.get(GIVEN, file.magnetWithTrackers, [...all, ...STAYS]);
        const leech = get(LEECH);
        await leech.event('piece');
        await given.event('piece');
        // One of the newcomers was here before, with something else to do.
        const lived = bed.home();
        await hood.start(8, ['dht', '--bootstrap', hood.at(NODE)], { home: lived }).done();
        const newcomers = new Map<number, Starling>([[LEECH, leech]]);
        const goesOn = async (host: number, source?: string, home?: string): Promise<void> => {
          const before = piecesOf(leech);
          const newcomer = get(host, home);
          newcomers.set(host, newcomer);
          await newcomer.event('peer-connected', isFrom(source));
          await newcomer.event('piece');
          await leech.child.waitFor('further pieces', () => piecesOf(leech) > before || undefined);
          assert.ok(
            leech.events.every(({ type }) => type !== 'summary'),
            'complete too early',
          );
        };
        const kill = async ({ child }: Starling): Promise<void> => {
          child.signal('SIGKILL');
          await child.exit();
        };
        await kill(tracker);
        await goesOn(5);
        hood.network.cutMulticast();
        await goesOn(6);
        await kill(given);
        await goesOn(7, 'dht');
        await kill(node);
        await goesOn(8, 'dht', lived);
        await hood.seed(FAST_SEED, file, [...only('pex'), '--peer', hood.at(LEECH)]);
        await allComplete(hood, file, newcomers);
      },
    );

    it('restart: peers again, with every help of the first time gone', options, async () => {
      await using bed = new TestBed();
      const hood = new Neighbourhood(bed, 7);
      const file = await hood.share({ bytes: 8_000_017, trackers: [hood.trackerUrl(0)] });
      const tracker = await hood.tracker(0);
      const node = await hood.dhtNode(1);
      const begin = ['--bootstrap', hood.at(1)];
      const slow = ['--upload-limit', '100000'];
      await hood.seed(2, file, [...only('dht', 'pex'), ...begin, ...slow]);
      hood.get(3, file.magnetWithTrackers, [...only('dht', 'pex'), ...begin, ...STAYS]);
      const home = bed.home();
      // Each time at another address, where nobody who remembers it would dial it.
      const run = async (host: number, way: string[], source?: string): Promise<void> => {
        const args = [file.magnetWithTrackers, '--dir', hood.copy(4), ...way, ...begin];
        const leech = hood.start(host, ['get', ...args], { home });
        await leech.event('peer-connected', isFrom(source));
        await leech.event('piece');
        leech.child.signal('SIGINT');
        assert.equal((await leech.child.exit()).code, 130);
      };
      await run(4, only('dht', 'pex'));
      for (const { child } of [tracker, node]) {
        child.signal('SIGKILL');
        await child.exit();
      }
      await run(5, only(), 'kept');
      rmSync(join(home, 'peers.json'));
      await run(6, only('dht'), 'dht');
    });
  });

  it('a private torrent: once its metadata came, by the tracker alone', options, async () => {
    await using bed = new TestBed();
    const hood = new Neighbourhood(bed, HOSTS);
    const watch = await hood.watch(PYTHON);
    const [TRACKER, NODE, LEECH, NEIGHBOUR, STRANGER, TOLD, SEED] = [0, 1, 2, 3, 4, 5, 6] as const;
    const [PUBLIC, PUBLIC_SEED] = [7, 8] as const;
    const file = await hood.share({ trackers: [hood.trackerUrl(TRACKER)], isPrivate: true });
    const publicFile = await hood.share();
    await hood.tracker(TRACKER);
    await hood.dhtNode(NODE);
    const begin = ['--bootstrap', hood.at(NODE)];
    // Three know the hash alone, one by each way that is open to everybody, and have nothing.
    hood.get(STRANGER, file.magnet, [...only('dht', 'pex'), ...begin]);
    await watch.more('dht-announce', hood.host(STRANGER), file.infoHash);
    const leech = hood.get(LEECH, file.magnetWithTrackers, [WITH_LSD, ...begin, ...STAYS]);
    await watch.more('lan', hood.host(LEECH), file.infoHash);
    const twin = hood.get(PUBLIC, publicFile.magnet, [WITH_LSD, ...begin, ...STAYS]);
    await watch.more('lan', hood.host(PUBLIC), publicFile.infoHash);
    hood.get(NEIGHBOUR, file.magnet, only('lsd', 'pex'));
    const told = hood.get(TOLD, file.magnet, [...only('pex'), '--peer', hood.at(LEECH)]);
    const found = [STRANGER, NEIGHBOUR].map((host) => hood.at(host));
    for (const peer of found) {
      await leech.event('peer-connected', (event) => addressOf(event) === peer);
    }
    await told.event('peer-connected');
    await watch.more('dht-announce', hood.host(LEECH), file.infoHash);
    const counts = (): number[] =>
      (['lan', 'dht-lookup', 'dht-announce'] as const).map((way) =>
        watch.count(way, hood.host(LEECH), file.infoHash),
      );
    const before = counts();
    assert.ok(before.every((count) => count > 0));
    const seed = await hood.seed(SEED, file, only('pex'));
    await hood.seed(PUBLIC_SEED, publicFile, [...only('pex'), '--peer', hood.at(PUBLIC)]);
    for (const peer of found) {
      const closed = await leech.event('peer-closed', (event) => addressOf(event) === peer);
      assert.match(String(closed['reason']), /private torrent/);
    }
    await leech.summary();
    await told.summary();
    assertSame(hood, LEECH, file);
    // The public twin asks again, now that it knows all hashes; in the local network after a minute (BEP 14).
    await twin.summary();
    await watch.more('lan', hood.host(PUBLIC), publicFile.infoHash, 1);
    assert.ok(watch.count('dht-announce', hood.host(PUBLIC), publicFile.infoHash) > 1);
    assert.deepEqual(counts(), before);
    // Peer exchange would have brought these two together.
    assert.deepEqual(hostsMet(seed.starling), new Set([hood.host(LEECH)]));
    assert.deepEqual(hostsMet(told), new Set([hood.host(LEECH)]));
  });
});
