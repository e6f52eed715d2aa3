/**
 * The list of addresses: against a model, and case by case.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../../lib/rng.ts';
import { PeerList } from './peer-list.ts';
import type { PeerAddress } from './types.ts';

function address(index: number, port = 6881): PeerAddress {
  return { host: `50.${index >> 8}.${index & 255}.1`, port };
}

function listOf(count: number): PeerList {
  const list = new PeerList(new Rng(1));
  for (let i = 0; i < count; i += 1) list.add(0, address(i), 'tracker');
  return list;
}

/** Takes until nothing is due. */
function takeAll(list: PeerList, nowMs: number, weAreSeed = false): string[] {
  const hosts: string[] = [];
  for (;;) {
    const taken = list.take(nowMs, weAreSeed);
    if (taken === undefined) return hosts;
    hosts.push(taken.address.host);
  }
}

describe('choice', () => {
  it('addresses of the highest priority first', () => {
    const ranks = [5, 900, 17, 4_000_000_000, 60];
    const list = new PeerList(new Rng(1), ({ port }) => ranks[port - 1]);
    for (let port = 1; port <= ranks.length; port += 1) list.add(0, address(port, port), 'tracker');
    const order: number[] = [];
    for (let taken = list.take(0, false); taken !== undefined; taken = list.take(0, false)) {
      order.push(taken.address.port);
    }
    assert.deepEqual(order, [4, 2, 5, 3, 1]);
  });

  it('priorities that become known later change the order of what is due', () => {
    let isKnown = false;
    const list = new PeerList(new Rng(1), ({ port }) => (isKnown ? port : undefined));
    for (let port = 1; port <= 20; port += 1) list.add(0, address(port, port), 'tracker');
    list.nextDueMs(false);
    isKnown = true;
    list.rank();
    assert.equal(list.take(0, false)!.address.port, 20);
    list.add(0, address(30, 30), 'tracker');
    assert.equal(list.take(0, false)!.address.port, 30);
    assert.equal(list.take(0, false)!.address.port, 19);
  });

  it('what a person gave goes before everything, and what failed goes behind', () => {
    const list = new PeerList(new Rng(1), ({ port }) => port);
    list.add(0, address(1, 9), 'tracker');
    list.add(0, address(2, 5), 'tracker');
    list.add(0, address(3, 1), 'given');
    const first = list.take(0, false)!;
    assert.equal(first.address.port, 1);
    const second = list.take(0, false)!;
    assert.equal(second.address.port, 9);
    list.closed(0, second.dial, 0, false);
    assert.equal(list.take(60_000, false)!.address.port, 5);
    assert.equal(list.take(60_000, false)!.address.port, 9);
  });

  it('an address that failed waits twice as long each time, up to ten minutes', () => {
    const list = listOf(1);
    let nowMs = 0;
    const waits: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      list.closed(nowMs, list.take(nowMs, false)!.dial, 0, false);
      const dueMs = list.nextDueMs(false);
      assert.equal(list.take(dueMs - 1, false), undefined);
      waits.push(dueMs - nowMs);
      nowMs = dueMs;
    }
    for (const [i, wait] of waits.entries()) {
      const middle = Math.min(5_000 * 2 ** i, 600_000);
      assert.ok(wait >= middle * 0.75 && wait <= middle * 1.25, `${i}: ${wait}`);
    }
  });

  it('seeds rest while we are complete, and come back when we are not', () => {
    const list = listOf(3);
    const seed = list.take(0, false)!;
    list.closed(0, seed.dial, 1, true);
    assert.equal(takeAll(list, 60_000, true).length, 2);
    assert.equal(list.nextDueMs(true), Number.POSITIVE_INFINITY);
    assert.ok(list.nextDueMs(false) < 60_000);
    assert.deepEqual(takeAll(list, 60_000), [seed.address.host]);
  });

  it('a postponed address keeps its failures and comes back in time', () => {
    const list = listOf(1);
    list.postpone(list.take(0, false)!.dial, 7_000);
    assert.equal(list.diallingCount, 0);
    assert.equal(list.nextDueMs(false), 7_000);
    assert.equal(takeAll(list, 7_000).length, 1);
  });
});

describe('one peer, many doors', () => {
  it('a covered address is not dialled until its last cover is gone', () => {
    const list = listOf(2);
    list.cover(address(0));
    list.cover(address(0));
    assert.deepEqual(takeAll(list, 0), [address(1).host]);
    list.uncover(0, address(0));
    assert.deepEqual(takeAll(list, 600_000), []);
    list.uncover(600_000, address(0));
    assert.deepEqual(takeAll(list, 600_000), [], 'it may come back by itself');
    assert.deepEqual(takeAll(list, 660_000), [address(0).host]);
  });

  it('an address that is covered before it is known rests from the beginning', () => {
    const list = new PeerList(new Rng(1));
    list.cover(address(0));
    list.add(0, address(0), 'tracker');
    assert.equal(list.nextDueMs(false), Number.POSITIVE_INFINITY);
    list.uncover(0, address(0));
    assert.ok(list.nextDueMs(false) < 10_000);
  });

  it('an address whose dial ends while it is covered rests too', () => {
    const list = listOf(1);
    const { dial } = list.take(0, false)!;
    list.cover(address(0));
    list.closed(0, dial, 0, false);
    assert.deepEqual(takeAll(list, 600_000), []);
  });

  it('an address of our own is forgotten and not taken again', () => {
    const list = listOf(2);
    list.markOwn(address(0));
    list.add(0, address(0), 'given');
    assert.deepEqual(takeAll(list, 0), [address(1).host]);
    for (let i = 0; i < 100; i += 1) list.markOwn(address(1_000 + i));
    list.add(0, address(0), 'given');
    assert.equal(list.size, 2, 'only the last few are remembered');
  });
});

describe('bounds', () => {
  it('when full, the address that failed most gives way, never one that a person gave', () => {
    const list = new PeerList(new Rng(1), () => 1);
    list.add(0, address(5_000), 'given');
    for (let i = 0; i < 3; i += 1) {
      const taken = list.take(i * 10_000_000, false)!;
      list.closed(i * 10_000_000, taken.dial, 0, false);
    }
    for (let i = 1; i < 2_000; i += 1) list.add(0, address(i), 'tracker');
    assert.equal(list.size, 2_000);
    list.add(0, address(6_000), 'tracker');
    assert.equal(list.size, 2_000, 'nothing failed that may be forgotten');
    const failed = list.take(0, false)!;
    list.closed(0, failed.dial, 0, false);
    list.add(0, address(6_000), 'tracker');
    assert.equal(list.size, 2_000);
    const all = takeAll(list, 100_000_000);
    assert.ok(all.includes(address(6_000).host) && all.includes(address(5_000).host));
    assert.ok(!all.includes(failed.address.host));
  });

  it('a ban takes every port of a host with it; on loopback only the one', () => {
    const list = new PeerList(new Rng(1));
    const peerId = new Uint8Array(20);
    for (const port of [1, 2]) list.add(0, { host: '50.0.0.1', port }, 'tracker');
    for (const port of [1, 2]) list.add(0, { host: '127.0.0.1', port }, 'tracker');
    list.ban({ host: '50.0.0.1', port: 1 }, peerId);
    list.ban({ host: '127.0.0.1', port: 1 }, peerId);
    list.add(0, { host: '50.0.0.1', port: 3 }, 'tracker');
    assert.deepEqual(takeAll(list, 0), ['127.0.0.1']);
    assert.ok(list.isBanned({ host: '50.0.0.1', port: 9 }));
    assert.ok(!list.isBanned({ host: '127.0.0.1', port: 2 }));
    assert.ok(list.isBanned({ host: '50.0.0.9', port: 9 }, peerId));
  });
});

describe('what peers named', () => {
  it('one host has at most a hundred addresses, all together a thousand, and others are not crowded out', () => {
    const list = new PeerList(new Rng(1));
    for (let speaker = 0; speaker < 30; speaker += 1) {
      for (let i = 0; i < 150; i += 1)
        list.addHeard(0, `s${speaker}`, address(200 * speaker + i), false);
      assert.ok(list.heardCount <= Math.min(1_000, 100 * (speaker + 1)));
    }
    assert.equal(list.heardCount, 1_000);
    for (let i = 0; i < 1_000; i += 1)
      list.add(0, { host: `60.0.${i >> 8}.${i & 255}`, port: 1 }, 'tracker');
    assert.equal(list.size, 2_000);
  });

  it('a newcomer has its say when others have filled the list', () => {
    const list = new PeerList(new Rng(1));
    for (let speaker = 0; speaker < 10; speaker += 1) {
      for (let i = 0; i < 100; i += 1)
        list.addHeard(0, `s${speaker}`, address(100 * speaker + i), false);
    }
    assert.equal(list.heardCount, 1_000);
    assert.equal(list.addHeard(0, 'new', address(5_000), false), true);
    assert.equal(list.heardCount, 1_000);
  });

  it('as fast as peer exchange allows, not faster', () => {
    const list = new PeerList(new Rng(1));
    let index = 0;
    const say = (nowMs: number, count: number): void => {
      for (let i = 0; i < count; i += 1) {
        index += 1;
        list.addHeard(nowMs, 'one', address(index), false);
      }
    };
    say(0, 500);
    assert.equal(list.heardCount, 100);
    list.forgetOpen();
    say(0, 500);
    assert.equal(list.heardCount, 0);
    say(60_000, 500);
    assert.equal(list.heardCount, 50);
  });

  it('a third port of a host is not taken, unless the host is this machine', () => {
    const list = new PeerList(new Rng(1));
    const taken = [1, 2, 3].map((port) => list.addHeard(0, 's', address(1, port), false));
    assert.deepEqual(taken, [true, true, false]);
    const near = [1, 2, 3].map((port) => list.addHeard(0, 's', { host: '127.0.0.1', port }, false));
    assert.deepEqual(near, [true, true, true]);
  });

  it('whose addresses fail all the time is not believed any more, and the rest of them is forgotten', () => {
    const list = new PeerList(new Rng(1));
    for (let i = 0; i < 100; i += 1) list.addHeard(0, 'liar', address(i), false);
    let dials = 0;
    for (let nowMs = 0; nowMs < 1_000_000; nowMs += 1_000) {
      for (
        let taken = list.take(nowMs, false);
        taken !== undefined;
        taken = list.take(nowMs, false)
      ) {
        dials += 1;
        list.closed(nowMs, taken.dial, 0, false);
      }
    }
    assert.equal(dials, 60);
    assert.equal(list.size, 0);
    assert.equal(list.addHeard(1_000_000, 'liar', address(500), false), false);
    assert.equal(list.addHeard(1_000_000, 'other', address(500), false), true);
    assert.equal(list.addHeard(2_000_000, 'liar', address(501), false), true, 'half is forgiven');
  });

  it('who names peers that answer is believed although many do not', () => {
    const list = new PeerList(new Rng(1));
    for (let round = 0; round < 20; round += 1) {
      const nowMs = round * 60_000;
      for (let i = 0; i < 50; i += 1)
        list.addHeard(nowMs, 'honest', address(100 * round + i), false);
      for (let i = 0; i < 50; i += 1) {
        const taken = list.take(nowMs, false);
        if (taken === undefined) break;
        if (i % 5 === 0) list.connected(taken.dial);
        list.closed(nowMs, taken.dial, Number(i % 5 === 0), false);
      }
    }
    assert.equal(list.addHeard(2_000_000, 'honest', address(9_000), false), true);
  });

  it('named by somebody else too, an address no longer depends on its peer', () => {
    const list = new PeerList(new Rng(1));
    list.addHeard(0, 's', address(1), false);
    list.addHeard(0, 's', address(2), false);
    list.add(0, address(1), 'tracker');
    assert.equal(list.heardCount, 1);
    assert.deepEqual(list.forgetOpen(), []);
    assert.deepEqual(takeAll(list, 0), [address(1).host]);
  });

  it('when they are forgotten, dials under way come to nothing and open ones are told', () => {
    const list = new PeerList(new Rng(1));
    for (let i = 0; i < 3; i += 1) list.addHeard(0, 's', address(i), false);
    const [open, underWay] = [list.take(0, false)!, list.take(0, false)!];
    list.connected(open.dial);
    assert.deepEqual(list.forgetOpen(), [open.dial]);
    assert.deepEqual([list.isDialling(open.dial), list.isDialling(underWay.dial)], [true, false]);
    assert.deepEqual([list.size, list.diallingCount, list.heardCount], [0, 0, 0]);
    list.closed(0, open.dial, 1, false);
    assert.equal(list.size, 0);
  });

  it('what local discovery found is forgotten with it, unless somebody else named it too', () => {
    const list = new PeerList(new Rng(1));
    for (let i = 0; i < 3; i += 1) list.add(0, address(i), 'lan');
    list.add(0, address(1), 'tracker');
    list.add(0, address(2), 'lan');
    const dials = [list.take(0, false)!, list.take(0, false)!, list.take(0, false)!];
    for (const { dial } of dials) list.connected(dial);
    const open = dials.filter(({ address: { host } }) => host !== address(1).host);
    assert.deepEqual(
      list.forgetOpen(),
      open.map(({ dial }) => dial),
    );
    assert.equal(list.size, 1);
  });

  it('a neighbour that failed twice is forgotten: who is there is heard again', () => {
    const list = new PeerList(new Rng(1));
    list.add(0, address(1), 'lan');
    list.closed(0, list.take(0, false)!.dial, 0, false);
    assert.equal(list.size, 1);
    list.closed(60_000, list.take(60_000, false)!.dial, 0, false);
    assert.equal(list.size, 0);
  });

  it('what its peer dropped is forgotten once it failed, and by nobody else', () => {
    const list = new PeerList(new Rng(1));
    list.addHeard(0, 's', address(1), false);
    list.dropHeard('s', address(1));
    assert.equal(list.size, 1, 'it was not tried yet');
    list.closed(0, list.take(0, false)!.dial, 0, false);
    list.dropHeard('t', address(1));
    assert.equal(list.size, 1);
    list.dropHeard('s', address(1));
    assert.equal(list.size, 0);
  });

  it('a peer that is said to be a seed is not dialled by a seed', () => {
    const list = new PeerList(new Rng(1));
    list.addHeard(0, 's', address(1), true);
    assert.deepEqual(takeAll(list, 0, true), []);
    assert.deepEqual(takeAll(list, 0, false), [address(1).host]);
  });
});

/** What a run may do. */
const step = fc.record({
  what: fc.constantFrom(
    'add',
    'hear',
    'take',
    'fail',
    'connect',
    'close',
    'cover',
    'uncover',
    'ban',
    'own',
    'forgetOpen',
    'clear',
    'wait',
    'rank',
    'postpone',
  ),
  index: fc.nat(15),
  isSeed: fc.boolean(),
});

describe('whatever happens', () => {
  it('an address is dialled by one at a time, never while it is covered, banned or our own; counts stay right', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.nat(), (steps, seed) => {
        const list = new PeerList(new Rng(seed), ({ host }) => host.length);
        const dials = new Map<number, { key: string; isOpen: boolean }>();
        const covers: string[] = [];
        const shut = new Set<string>();
        let nowMs = 0;
        const key = (index: number): string => address(index).host;
        const pick = (index: number, isOpen: boolean): number | undefined =>
          [...dials].filter(([, one]) => one.isOpen === isOpen).map(([dial]) => dial)[index];
        const drop = (dial: number | undefined, isUseful: boolean): void => {
          if (dial === undefined) return;
          dials.delete(dial);
          list.closed(nowMs, dial, Number(isUseful), isUseful);
        };
        for (const { what, index, isSeed } of steps) {
          if (what === 'add') list.add(nowMs, address(index), isSeed ? 'given' : 'tracker');
          else if (what === 'hear') list.addHeard(nowMs, `s${index % 3}`, address(index), isSeed);
          else if (what === 'take') {
            const taken = list.take(nowMs, isSeed);
            if (taken === undefined) {
              assert.ok(list.nextDueMs(isSeed) > nowMs);
              continue;
            }
            const { host } = taken.address;
            assert.ok(![...dials.values()].some((one) => one.key === host), `${host} twice`);
            assert.ok(!covers.includes(host) && !shut.has(host), host);
            dials.set(taken.dial, { key: host, isOpen: false });
          } else if (what === 'fail') drop(pick(index, false), false);
          else if (what === 'close') drop(pick(index, true), isSeed);
          else if (what === 'connect') {
            const dial = pick(index, false);
            if (dial === undefined) continue;
            list.connected(dial);
            dials.get(dial)!.isOpen = true;
          } else if (what === 'postpone') {
            const dial = pick(index, false);
            if (dial === undefined) continue;
            list.postpone(dial, nowMs + 1_000);
            dials.delete(dial);
          } else if (what === 'cover') {
            covers.push(key(index));
            list.cover(address(index));
          } else if (what === 'uncover') {
            if (!covers.includes(key(index))) continue;
            covers.splice(covers.indexOf(key(index)), 1);
            list.uncover(nowMs, address(index));
          } else if (what === 'ban') {
            shut.add(key(index));
            list.ban(address(index), new Uint8Array(20));
          } else if (what === 'own') {
            shut.add(key(index));
            list.markOwn(address(index));
          } else if (what === 'rank') list.rank();
          else if (what === 'wait') nowMs += index * 1_000;
          else if (what === 'clear') {
            list.clear();
            for (const dial of dials.keys()) assert.equal(list.isDialling(dial), false);
            dials.clear();
          } else {
            const open = new Set(list.forgetOpen());
            for (const [dial, one] of dials) {
              if (open.has(dial)) assert.ok(one.isOpen);
              if (!list.isDialling(dial)) dials.delete(dial);
            }
            assert.equal(list.heardCount, 0);
          }
          const underWay = [...dials.values()].filter(({ isOpen }) => !isOpen).length;
          assert.equal(list.diallingCount, underWay);
          assert.ok(list.heardCount <= list.size && list.size <= 16);
        }
      }),
    );
  });
});
