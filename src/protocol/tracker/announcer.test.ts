import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Answer,
  type VirtualAnnounce,
  VirtualTrackers,
} from '../../../test/support/virtual-trackers.ts';
import { toHex } from '../../lib/bytes.ts';
import { Rng } from '../../lib/rng.ts';
import { Announcer } from './index.ts';

const A = 'http://a.example/announce';
const B = 'http://b.example/announce';
const C = 'http://c.example/announce';
const UA = 'udp://ua.example:80/announce';
const UB = 'udp://ub.example:80';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const V1 = new Uint8Array(20).fill(1);
const V2 = new Uint8Array(20).fill(2);

for (const url of [A, UA]) {
  describe(`events at ${url.slice(0, url.indexOf(':'))} trackers`, () => {
    test('a download says started, completed and stopped once each', () => {
      const world = new VirtualTrackers({ tiers: [[url]] });
      world.stats(1000);
      world.start();
      world.advance(2 * HOUR);
      world.complete();
      world.advance(2 * HOUR);
      world.complete();
      world.stop();
      world.stop();
      world.advance(HOUR);
      const events = world.announces.map(({ event }) => event);
      assert.deepEqual(
        events.filter((event) => event !== 'none'),
        ['started', 'completed', 'stopped'],
      );
      assert.equal(events.filter((event) => event === 'none').length, 8);
      assert.equal(world.announcer.isIdle, true);
      assert.equal(world.announcer.nextTimeoutMs(), Number.POSITIVE_INFINITY);
    });

    test('a seed never says completed', () => {
      const world = new VirtualTrackers({ tiers: [[url]] });
      world.start();
      world.complete();
      world.advance(HOUR);
      world.stop();
      const events = new Set(world.announces.map(({ event }) => event));
      assert.deepEqual([...events], ['started', 'none', 'stopped']);
    });

    test('what is not answered is said again, what was answered is not', () => {
      const world = new VirtualTrackers({ tiers: [[url]] });
      let calls = 0;
      world.stats(1000);
      world.script(url, ({ event }) => {
        if (event !== 'connect') calls += 1;
        return calls === 1 || calls === 3 ? 'silence' : {};
      });
      world.start();
      world.advance(5 * MINUTE);
      world.complete();
      world.advance(5 * MINUTE);
      const events = world.announces.map(({ event }) => event);
      assert.deepEqual(events, ['started', 'started', 'completed', 'completed']);
    });

    test('completed waits for the answer to started', () => {
      const world = new VirtualTrackers({ tiers: [[url]] });
      let isSilent = true;
      world.script(url, () => (isSilent ? 'silence' : {}));
      world.stats(1000);
      world.start();
      isSilent = false;
      world.complete();
      world.advance(5 * MINUTE);
      const last = url === A ? ['started', 'completed'] : ['started'];
      // The UDP tracker never heard of us as a leech: its connect was not answered.
      assert.deepEqual([...new Set(world.announces.map(({ event }) => event))], last);
    });

    test('a tracker joined after completion hears no completed', () => {
      const world = new VirtualTrackers({ tiers: [[url], [B]] });
      world.stats(1000);
      world.start();
      world.complete();
      world.script(url, 'unreachable');
      world.advance(HOUR);
      assert.equal(world.announces.filter(({ event }) => event === 'completed').length, 1);
      assert.ok(world.log.includes('b started'));
      assert.ok(!world.log.includes('b completed'));
    });

    test('stopped goes to every tracker that got started, and only to those', () => {
      const world = new VirtualTrackers({ tiers: [[url], [B], [C]] });
      world.start();
      world.script(url, 'unreachable');
      world.advance(HOUR);
      const before = world.announces.length;
      world.script(url, {});
      world.stop();
      const urls = world.announces.slice(before).map((announce) => announce.url);
      assert.deepEqual(urls.sort(), [url, B].sort());
      assert.equal(world.announces.at(-1)!.numWant, 0);
    });

    test('stop before the answer to started still says stopped', () => {
      const world = new VirtualTrackers({ tiers: [[url]] });
      world.script(url, ({ event }) => (event === 'started' ? 'silence' : {}));
      world.start();
      world.stop();
      assert.equal(world.announces.at(-1)!.event, 'stopped');
    });

    test('a silent tracker holds up stop for 5 s', () => {
      const world = new VirtualTrackers({ tiers: [[url]] });
      world.start();
      world.advance(2 * MINUTE);
      world.script(url, 'silence');
      world.stop();
      assert.equal(world.announcer.isIdle, false);
      world.advance(5_000);
      assert.equal(world.announcer.isIdle, true);
    });

    test('a second start announces everything again', () => {
      const world = new VirtualTrackers({ tiers: [[url]] });
      world.start();
      world.stop();
      world.start();
      assert.deepEqual(
        world.announces.map(({ event }) => event),
        ['started', 'stopped', 'started'],
      );
    });
  });
}

describe('what an announce says', () => {
  test('left is 16384 while the size is unknown', () => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    world.stats(undefined);
    world.start();
    assert.equal(world.announces[0]!.left, 16_384);
  });

  test('the key stays the same in all announces to all trackers', () => {
    const world = new VirtualTrackers({ tiers: [[A], [UA]], announceTo: 'all-trackers' });
    world.start();
    world.advance(3 * HOUR);
    world.stop();
    assert.equal(new Set(world.announces.map(({ key }) => key)).size, 1);
    assert.match(world.announces[0]!.key, /^[0-9a-f]{8}$/);
  });

  test('a given key is used', () => {
    const world = new VirtualTrackers({ tiers: [[A]], key: 0xabc });
    world.start();
    assert.equal(world.announces[0]!.key, '00000abc');
  });

  test('published addresses go to HTTP trackers only when given', () => {
    const plain = new VirtualTrackers({ tiers: [[A]] });
    plain.start();
    assert.doesNotMatch(plain.announces[0]!.query, /ipv[46]=/);
    const world = new VirtualTrackers({ tiers: [[A]], ipv4: '192.0.2.1', ipv6: '2001:db8::1' });
    world.start();
    assert.match(world.announces[0]!.query, /&ipv4=192\.0\.2\.1&ipv6=2001%3Adb8%3A%3A1/);
  });

  test('a tracker id is sent back, and kept while none is given', () => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    world.script(A, ({ event }) => (event === 'started' ? { trackerId: 'x y' } : {}));
    world.start();
    world.advance(HOUR);
    assert.doesNotMatch(world.announces[0]!.query, /trackerid/);
    assert.match(world.announces[1]!.query, /&trackerid=x%20y$/);
    assert.match(world.announces[2]!.query, /&trackerid=x%20y$/);
  });

  test('a partial seed says paused in regular announces', () => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    world.stats(1000);
    world.start();
    world.stats(500, true);
    world.advance(HOUR);
    world.stop();
    assert.deepEqual(world.log, ['a started', 'a paused', 'a paused', 'a stopped']);
  });
});

describe('tiers', () => {
  test('are shuffled by the seed, once for both hashes', () => {
    const first = (seed: number): string[] => {
      const hashes = [V1, V2];
      const world = new VirtualTrackers({ tiers: [[A, B, C]], hashes, rng: new Rng(seed) });
      world.start();
      return world.announces.map(({ url }) => url);
    };
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const urls = first(seed);
      assert.equal(urls[0], urls[1]);
      seen.add(urls[0]!);
    }
    assert.equal(seen.size, 3);
  });

  test('the next tier is asked only when all of a tier failed', () => {
    const world = new VirtualTrackers({ tiers: [[A, B], [C]] });
    world.script(A, 'unreachable');
    world.script(B, { failure: 'no' });
    world.start();
    assert.deepEqual(new Set(world.log.slice(0, 2)), new Set(['a started', 'b started']));
    assert.deepEqual(world.log.slice(2), ['c started']);
  });

  test('each announce begins at the first tier again', () => {
    const world = new VirtualTrackers({ tiers: [[A], [B]] });
    world.script(A, 'unreachable');
    world.start();
    world.advance(31 * MINUTE);
    assert.deepEqual(world.log, ['a started', 'b started', 'a started', 'b none']);
  });

  test('the winner is asked first from then on', () => {
    const world = new VirtualTrackers({ tiers: [[A, B, C]] });
    for (const url of [A, B]) world.script(url, 'unreachable');
    world.start();
    const tries = world.log.length;
    world.advance(2 * HOUR);
    assert.ok(world.log.slice(tries).every((line) => line === 'c none'));
  });

  test('all-tiers announces to one of each, all-trackers to each', () => {
    const tiers = [[A, B], [C]];
    const some = new VirtualTrackers({ tiers, announceTo: 'all-tiers' });
    some.start();
    assert.equal(some.announces.length, 2);
    const all = new VirtualTrackers({ tiers, announceTo: 'all-trackers' });
    all.start();
    assert.equal(all.announces.length, 3);
    all.stop();
    assert.equal(all.announces.length, 6);
  });

  test('doubles, unusable URLs and more than 100 trackers do no harm', () => {
    const many = Array.from({ length: 300 }, (_, i) => `http://t${i}.example/announce`);
    const world = new VirtualTrackers({
      tiers: [[A, ` ${A} `], ['wss://w.example', 'nonsense'], many],
      announceTo: 'all-trackers',
    });
    world.start();
    assert.equal(world.announces.length, 98);
    const { status } = world.announcer;
    assert.equal(status.length, 100);
    const wss = status.find(({ url }) => url === 'wss://w.example')!;
    assert.equal(wss.activity, 'disabled');
    assert.match(wss.lastError!, /expected http, https or udp, got the scheme wss/);
  });

  test('a torrent without trackers is quiet', () => {
    const world = new VirtualTrackers({ tiers: [] });
    world.start();
    world.needPeers();
    world.complete();
    world.stop();
    assert.equal(world.announces.length, 0);
    assert.equal(world.announcer.nextTimeoutMs(), Number.POSITIVE_INFINITY);
  });
});

describe('time', () => {
  const gaps = (interval: number, minInterval?: number): number => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    world.script(A, { interval, ...(minInterval !== undefined && { minInterval }) });
    world.start();
    world.advance(3 * 24 * HOUR);
    return world.announces[1]!.atMs - world.announces[0]!.atMs;
  };

  test('the interval is kept, from 60 s to a day, and never below min interval', () => {
    assert.equal(gaps(1800), 1_800_000);
    assert.equal(gaps(0), MINUTE);
    assert.equal(gaps(10_000_000), 24 * HOUR);
    assert.equal(gaps(300, 900), 900_000);
  });

  test('without an interval it is 30 minutes', () => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    world.script(A, {});
    world.start();
    world.advance(29 * MINUTE);
    assert.equal(world.announces.length, 1);
    world.advance(MINUTE);
    assert.equal(world.announces.length, 2);
  });

  test('needPeers announces as early as min interval allows', () => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    world.script(A, { interval: 1800, minInterval: 300 });
    world.start();
    world.needPeers();
    world.advance(299_999);
    assert.equal(world.announces.length, 1);
    world.advance(1);
    assert.equal(world.announces.length, 2);
    world.advance(600_000);
    assert.equal(world.announces.length, 2);
    world.needPeers();
    assert.equal(world.announces.length, 3);
  });

  test('rounds that fail come less and less often, up to 64 minutes', () => {
    const world = new VirtualTrackers({ tiers: [[A], [B]] });
    for (const url of [A, B]) world.script(url, 'unreachable');
    world.start();
    world.advance(12 * HOUR);
    const times = world.announces.filter(({ url }) => url === A).map(({ atMs }) => atMs);
    const waits = times.slice(1).map((time, index) => (time - times[index]!) / 1000);
    // Up to a tenth more, by lot, so that many who lost a tracker do not come back together.
    for (const [index, least] of [15, 30, 60, 120, 240, 480, 960, 1920, 3840, 3840].entries()) {
      assert.ok(waits[index]! >= least && waits[index]! <= least * 1.1, `${waits[index]}`);
    }
    assert.ok(waits[9] !== waits[8], 'drawn each time');
    world.script(B, { interval: 1800 });
    world.advance(3840 * 1100 + 1800 * 1000);
    const times2 = world.announces.filter(({ url }) => url === B).map(({ atMs }) => atMs);
    assert.equal(times2.at(-1)! - times2.at(-2)!, 1_800_000);
  });

  test('needPeers does not hurry a failing tracker, retryNow does', () => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    world.script(A, 'unreachable');
    world.start();
    world.needPeers();
    assert.equal(world.announces.length, 1);
    world.announcer.retryNow(world.nowMs);
    world.drain();
    assert.equal(world.announces.length, 2);
  });

  test('a silent HTTP tracker is given up after 15 s when another is left, after 60 s otherwise', () => {
    const world = new VirtualTrackers({ tiers: [[A], [B]] });
    for (const url of [A, B]) world.script(url, 'silence');
    world.start();
    world.advance(15_000);
    assert.deepEqual(world.log, ['a started', 'b started']);
    world.advance(59_999);
    assert.equal(world.events.length, 1);
    world.advance(1);
    assert.equal(world.events.length, 2);
  });

  test('retry in is kept, and never means never', () => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    world.script(A, { failure: 'busy', retryIn: '5' });
    world.start();
    world.advance(299_999);
    assert.equal(world.announces.length, 1);
    world.script(A, { failure: 'gone', retryIn: 'never' });
    world.advance(1);
    assert.equal(world.announces.length, 2);
    world.advance(48 * HOUR);
    assert.equal(world.announces.length, 2);
    assert.equal(world.announcer.status[0]!.activity, 'disabled');
    assert.equal(world.announcer.nextTimeoutMs(), Number.POSITIVE_INFINITY);
  });

  test('who refuses is not asked again within a minute', () => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    world.script(A, { failure: 'unregistered torrent' });
    world.start();
    world.advance(59_999);
    assert.equal(world.announces.length, 1);
  });

  test('late answers are ignored', () => {
    const announcer = new Announcer({
      tiers: [[A], [B]],
      hashes: [V1],
      peerId: V1,
      port: 1,
      rng: new Rng(1),
    });
    announcer.start(0);
    const first = announcer.poll()!;
    assert.ok(first.type === 'http');
    announcer.handleTimeout(15_000);
    while (announcer.poll() !== undefined);
    const body = new TextEncoder().encode('d8:intervali60e5:peers0:e');
    announcer.handleHttpReply(15_001, first.requestId, { status: 200, body });
    assert.equal(announcer.status[0]!.activity, 'failing');
    assert.equal(announcer.status[1]!.activity, 'announcing');
  });
});

describe('UDP', () => {
  test('a dead tracker delays the next one by 15 s', () => {
    const world = new VirtualTrackers({ tiers: [[UA], [UB], [A]] });
    world.script(UA, 'silence');
    world.script(UB, 'silence');
    world.start();
    world.advance(30_000);
    assert.deepEqual(
      world.datagrams.map(({ url }) => url),
      [UA, UB],
    );
    assert.deepEqual(world.log, ['a started']);
  });

  test('a connection id serves both hashes and is renewed after a minute', () => {
    const world = new VirtualTrackers({ tiers: [[UA]] });
    world.script(UA, { interval: 60 });
    world.start();
    world.advance(59_000);
    world.announcer.addHash(world.nowMs, V2);
    world.drain();
    assert.deepEqual(
      world.datagrams.map(({ action }) => action),
      [0, 1, 1],
    );
    world.advance(1_000);
    assert.deepEqual(
      world.datagrams.map(({ action }) => action),
      [0, 1, 1, 0, 1],
    );
  });

  test('a tracker that forgot the connection id is connected to again', () => {
    const world = new VirtualTrackers({ tiers: [[UA]] });
    let hasForgotten = false;
    world.script(UA, ({ event }) => {
      if (event === 'connect') hasForgotten = false;
      return hasForgotten ? { failure: 'connection id?' } : {};
    });
    world.stats(1000);
    world.start();
    hasForgotten = true;
    world.complete();
    assert.deepEqual(
      world.datagrams.map(({ action }) => action),
      [0, 1, 1, 0, 1],
    );
    assert.deepEqual(
      world.events.map(({ type }) => type),
      ['completed'],
    );
  });

  test('answers with a wrong transaction, action or length are ignored', () => {
    const announcer = new Announcer({
      tiers: [[UA]],
      hashes: [V1],
      peerId: V1,
      port: 1,
      rng: new Rng(3),
    });
    announcer.start(0);
    const connect = announcer.poll()!;
    assert.ok(connect.type === 'udp');
    const id = connect.requestId;
    const reply = (words: number[], requestId = id): void => {
      const bytes = new Uint8Array(words.length * 4);
      const view = new DataView(bytes.buffer);
      for (const [index, word] of words.entries()) view.setUint32(index * 4, word);
      announcer.handleUdpReply(1, requestId, bytes);
    };
    reply([0, id ^ 1, 0, 9]);
    reply([0, id ^ 1, 0, 9], id ^ 1);
    reply([1, id, 1800, 0, 0]);
    reply([0, id, 0]);
    reply([7, id, 0, 9]);
    assert.equal(announcer.poll(), undefined);
    reply([0, id, 0, 9]);
    const announce = announcer.poll()!;
    assert.ok(announce.type === 'udp');
    reply([0, announce.requestId, 0, 9], announce.requestId);
    reply([1, announce.requestId, 1800], announce.requestId);
    assert.equal(announcer.status[0]!.activity, 'announcing');
    reply([1, announce.requestId, 1800, 2, 3], announce.requestId);
    assert.equal(announcer.status[0]!.activity, 'working');
    assert.equal(announcer.status[0]!.leeches, 2);
    assert.equal(announcer.status[0]!.seeds, 3);
  });

  test('after hours of silence there is no new series of quick tries at once', () => {
    const world = new VirtualTrackers({ tiers: [[UA]] });
    world.script(UA, 'silence');
    world.start();
    world.advance(24 * HOUR);
    assert.ok(world.datagrams.length < 80, `${world.datagrams.length} datagrams in a day`);
  });
});

describe('hybrid and private torrents', () => {
  test('both hashes are announced, each with its own events', () => {
    const world = new VirtualTrackers({ tiers: [[A]], hashes: [V1, V2] });
    world.stats(1000);
    world.start();
    world.complete();
    world.stop();
    const of = (hash: string): string[] =>
      world.announces.filter(({ infoHash }) => infoHash === hash).map(({ event }) => event);
    assert.deepEqual(of('01'.repeat(20)), ['started', 'completed', 'stopped']);
    assert.deepEqual(of('02'.repeat(20)), ['started', 'completed', 'stopped']);
  });

  test('one hash may fail while the other works', () => {
    const world = new VirtualTrackers({ tiers: [[A], [B]], hashes: [V1, V2] });
    world.script(A, ({ infoHash }) => (infoHash.startsWith('02') ? { failure: 'unknown' } : {}));
    world.start();
    assert.deepEqual(world.log, ['a started', 'a started', 'b started']);
    assert.equal(world.announcer.status[0]!.activity, 'working');
    assert.equal(world.announcer.status[0]!.lastError, 'unknown');
  });

  test('a private torrent stays with its tracker, both hashes with the same', () => {
    const world = new VirtualTrackers({
      tiers: [[A], [B]],
      hashes: [V1, V2],
      isPrivate: true,
      announceTo: 'all-trackers',
    });
    world.script(A, 'unreachable');
    world.start();
    assert.deepEqual(world.log, ['a started', 'b started', 'b started']);
    world.script(A, {});
    world.advance(3 * HOUR);
    assert.ok(world.log.slice(3).every((line) => line === 'b none'));
  });

  test('a private torrent reports a switch before the new peers', () => {
    const world = new VirtualTrackers({ tiers: [[A], [B]], isPrivate: true });
    world.script(B, { peers: [['192.0.2.7', 7]] });
    world.start();
    world.script(A, 'unreachable');
    world.advance(31 * MINUTE);
    const types = world.events.map(({ type }) => type);
    assert.deepEqual(types, ['failure', 'switch', 'peers']);
    assert.deepEqual(world.events[1], { type: 'switch', fromUrl: A, toUrl: B });
  });

  test('a magnet that turns out private keeps its tracker', () => {
    const world = new VirtualTrackers({ tiers: [[A], [B]] });
    world.script(A, 'unreachable');
    world.start();
    world.announcer.setPrivate();
    world.script(A, {});
    world.advance(HOUR);
    assert.deepEqual(world.log.slice(2), ['b none', 'b none']);
  });
});

describe('for users', () => {
  test('peers, warnings and the state of each tracker', () => {
    const world = new VirtualTrackers({ tiers: [[A], [B]] });
    world.script(A, {
      warning: 'old client',
      peers: [
        ['192.0.2.7', 7],
        ['192.0.2.8', 8],
      ],
    });
    world.start();
    assert.deepEqual(
      world.events.map(({ type }) => type),
      ['warning', 'peers'],
    );
    const [a, b] = world.announcer.status;
    assert.equal(a!.activity, 'working');
    assert.equal(a!.warning, 'old client');
    assert.equal(a!.peersReceived, 2);
    assert.equal(a!.nextAnnounceMs, world.nowMs + 1_800_000);
    assert.equal(b!.activity, 'idle');
    assert.equal(b!.nextAnnounceMs, undefined);
  });

  test('misuse throws', () => {
    const good = { tiers: [], hashes: [V1], peerId: V1, port: 1, rng: new Rng(1) };
    const bad = [
      { hashes: [] },
      { hashes: [V1, V1, V1] },
      { hashes: [new Uint8Array(32)] },
      { peerId: new Uint8Array(19) },
      { port: 65_536 },
      { numWant: 1.5 },
    ];
    for (const part of bad) {
      assert.throws(() => new Announcer({ ...good, ...part }), { code: 'ERR_TRACKER_BAD_OPTION' });
    }
  });
});

test('any sequence of commands and faults keeps the promises about events and pace', () => {
  const urls = [A, B, UA, UB];
  const step = fc.oneof(
    fc.constantFrom('start', 'stop', 'complete', 'needPeers', 'retryNow').map((name) => ({ name })),
    fc.integer({ min: 0, max: HOUR }).map((ms) => ({ name: 'advance', ms })),
    fc
      .tuple(fc.constantFrom(...urls), fc.constantFrom('silence', 'unreachable', 'refuse', 'ok'))
      .map(([url, mood]) => ({ name: 'mood', url, mood })),
  );
  const policy = fc.constantFrom('first-tracker', 'all-tiers', 'all-trackers');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), policy, fc.boolean(), (steps, to, isPrivate) => {
      const announceTo = to as 'first-tracker';
      const tiers = [
        [A, UA],
        [B, UB],
      ];
      const world = new VirtualTrackers({ tiers, hashes: [V1, V2], isPrivate, announceTo });
      /** Events that were accepted, by session, tracker and hash. */
      const accepted = new Map<string, string[]>();
      let session = 0;
      const accept = ({ url, infoHash, event }: VirtualAnnounce): Answer => {
        if (event === 'connect') return {};
        const key = `${session} ${url} ${infoHash}`;
        accepted.set(key, [...(accepted.get(key) ?? []), event]);
        return {};
      };
      for (const url of urls) world.script(url, accept);
      world.stats(1000);
      for (const each of steps) {
        if ('ms' in each) world.advance(each.ms);
        else if ('mood' in each) {
          const { url, mood } = each;
          if (mood === 'silence' || mood === 'unreachable') world.script(url, mood);
          else world.script(url, mood === 'refuse' ? { failure: 'no' } : accept);
        } else if (each.name === 'retryNow') {
          world.announcer.retryNow(world.nowMs);
          world.drain();
        } else {
          if (each.name === 'start' && !world.announcer.isRunning) session += 1;
          world[each.name as 'start']();
        }
      }
      world.stop();
      world.advance(5_000);
      assert.equal(world.announcer.isIdle, true);
      assert.equal(world.announcer.nextTimeoutMs(), Number.POSITIVE_INFINITY);
      for (const events of accepted.values()) {
        const regular = events.filter((event) => event !== 'none');
        assert.match(regular.join(), /^(started(,completed)?(,stopped)?|stopped)$/);
        assert.notEqual(events[0], 'none');
        if (events.includes('stopped')) assert.equal(events.at(-1), 'stopped');
      }
      assert.ok(world.announces.length < 40 * (steps.length + 1) + 8 * (world.nowMs / MINUTE));
    }),
    { numRuns: 500 },
  );
});

describe('what is remembered', () => {
  test('completed is told once for good: not after another stop and start, nor by a later announcer that was told so', () => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    const download = (of: VirtualTrackers): void => {
      of.stats(1000);
      of.start();
      of.complete();
      of.stop();
    };
    download(world);
    download(world);
    assert.deepEqual(world.log, [
      'a started',
      'a completed',
      'a stopped',
      'a started',
      'a stopped',
    ]);
    const told = world.events.filter((event) => event.type === 'completed');
    assert.equal(told.length, 1);
    const { trackerUrl, infoHash } = told[0]!;
    const later = new VirtualTrackers({
      tiers: [[A], [B]],
      isCompletedTold: (url, hash) => url === trackerUrl && toHex(hash) === toHex(infoHash),
    });
    download(later);
    assert.deepEqual(later.log, ['a started', 'a stopped']);
    later.script(A, 'unreachable');
    download(later);
    assert.deepEqual(later.log.slice(-3), ['b started', 'b completed', 'b stopped']);
  });

  test('completed is owed until it is accepted', () => {
    const world = new VirtualTrackers({ tiers: [[A]] });
    world.stats(1000);
    world.start();
    world.script(A, 'unreachable');
    world.complete();
    assert.equal(world.events.filter(({ type }) => type === 'completed').length, 0);
    world.script(A, {});
    world.advance(17_000);
    assert.equal(world.log.at(-1), 'a completed');
    assert.equal(world.events.filter(({ type }) => type === 'completed').length, 1);
  });
});

describe('what else a tracker says', () => {
  function started(): { announcer: Announcer; id: () => number } {
    const options = { tiers: [[A]], hashes: [V1], peerId: V1, port: 1, rng: new Rng(3) };
    const announcer = new Announcer(options);
    announcer.start(0);
    const id = (): number => {
      for (let output = announcer.poll(); output; output = announcer.poll()) {
        if (output.type === 'http') return output.requestId;
      }
      throw new Error('expected a request');
    };
    return { announcer, id };
  }

  test('Retry-After of a reply that serves nothing is kept to, a day at most; of one that does it means nothing', () => {
    const text = (body: string): Uint8Array => Uint8Array.from(body, (c) => c.charCodeAt(0));
    for (const [status, body, retryAfterMs, nextMs] of [
      [503, 'busy', 600_000, 600_000],
      [429, '', 1e12, 86_400_000],
      [429, 'd14:failure reason4:busye', 600_000, 600_000],
      [200, 'd8:intervali1800e5:peers0:e', 600_000, 1_800_000],
    ] as const) {
      const { announcer, id } = started();
      announcer.handleHttpReply(0, id(), { status, body: text(body), retryAfterMs });
      assert.equal(announcer.nextTimeoutMs(), nextMs, `${status} ${body}`);
    }
  });

  test('intervals of 0, of 2^31 and more, and negative ones are kept within a minute and a day', () => {
    for (const [interval, nextMs] of [
      ['0', 60_000],
      ['2147483648', 86_400_000],
      ['9007199254740991', 86_400_000],
      ['-5', 1_800_000],
    ] as const) {
      const { announcer, id } = started();
      const body = Uint8Array.from(`d8:intervali${interval}e5:peers0:e`, (c) => c.charCodeAt(0));
      announcer.handleHttpReply(0, id(), { status: 200, body });
      assert.equal(announcer.nextTimeoutMs(), nextMs, interval);
    }
  });
});
