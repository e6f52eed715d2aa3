/** Swarms of a tracker: who is in, who is told of whom, who gives way; and the same against a plain model. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeU32 } from '../../../lib/bytes.ts';
import { formatIp } from '../../../lib/ip-address.ts';
import { Rng } from '../../../lib/rng.ts';
import { SipHash } from '../../../lib/siphash.ts';
import { EMPTY_SWARM_SEC, PEERS_PER_ADDRESS_MAX } from './constants.ts';
import { type PeerAnnounce, type SwarmLimits, SwarmStore, tallyOf } from './swarm-store.ts';

const ID = new Uint8Array(20).fill(7);

function store(limits: SwarmLimits = {}): SwarmStore {
  return new SwarmStore(new SipHash(new Uint8Array(16).fill(5)), new Rng(1), limits);
}

function hash(number: number): Uint8Array {
  const bytes = new Uint8Array(20);
  writeU32(bytes, 0, number);
  return bytes;
}

/** Peer `number` of 198.51/16 or of 2001:db8::/32, each in a /64 of its own. */
function peer(number: number, more: Partial<PeerAnnounce> = {}, family: 4 | 6 = 4): PeerAnnounce {
  const v6 = new Uint8Array(16);
  v6.set([0x20, 1, 0xd, 0xb8, 0, 0, number >> 8, number & 255]);
  return {
    infoHash: hash(1),
    peerId: ID,
    address: family === 4 ? Uint8Array.of(198, 51, number >> 8, number & 255) : v6,
    port: 6881,
    isSeed: false,
    isPartialSeed: false,
    event: 'none',
    isExempt: false,
    ...more,
  };
}

/** Announces, then gives "host port" of all whom the peer is told of. */
function told(swarms: SwarmStore, announce: PeerAnnounce, want = 50, nowSec = 0): string[] {
  const swarm = swarms.announce(nowSec, announce);
  const family = announce.address.length === 4 ? 4 : 6;
  const list: string[] = [];
  const forGiver = announce.isSeed || announce.isPartialSeed;
  swarms.select(swarm!, family, want, forGiver, (pool, slot) =>
    list.push(`${formatIp(pool.addressOf(slot))} ${pool.portOf(slot)}`),
  );
  return list.sort();
}

describe('who is told of whom', () => {
  it('peers hear of each other, nobody of itself', () => {
    const swarms = store();
    assert.deepEqual(told(swarms, peer(1)), []);
    assert.deepEqual(told(swarms, peer(2)), ['198.51.0.1 6881']);
    assert.deepEqual(told(swarms, peer(1)), ['198.51.0.2 6881']);
    assert.equal(swarms.peerCount, 2);
  });

  it('swarms and families do not mix', () => {
    const swarms = store();
    told(swarms, peer(1));
    assert.deepEqual(told(swarms, peer(2, { infoHash: hash(2) })), []);
    assert.deepEqual(told(swarms, peer(3, {}, 6)), []);
    assert.deepEqual(told(swarms, peer(4, {}, 6)), ['2001:db8:0:3:: 6881']);
  });

  it('seeds and partial seeds hear of leeches only, leeches of everybody', () => {
    const swarms = store();
    told(swarms, peer(1, { isSeed: true }));
    told(swarms, peer(2, { isPartialSeed: true }));
    told(swarms, peer(3));
    assert.deepEqual(told(swarms, peer(4, { isSeed: true })), ['198.51.0.3 6881']);
    assert.deepEqual(told(swarms, peer(5, { isPartialSeed: true })), ['198.51.0.3 6881']);
    assert.equal(told(swarms, peer(6)).length, 5);
  });

  it('of many peers as many different ones come as are wanted, by lot, in the share of seeds and leeches', () => {
    const swarms = store();
    for (let i = 1; i <= 400; i += 1) told(swarms, peer(i, { isSeed: i <= 100 }));
    const seen = new Set<string>();
    let seeds = 0;
    for (let round = 0; round < 200; round += 1) {
      const list = told(swarms, peer(1000), 40);
      assert.deepEqual([list.length, new Set(list).size], [40, 40]);
      for (const one of list) {
        seen.add(one);
        const [, , high, low] = one.split(/[. ]/).map(Number);
        if (high! * 256 + low! <= 100) seeds += 1;
      }
    }
    assert.equal(seen.size, 400, 'everybody gets a turn');
    assert.equal(seeds, 200 * 10);
  });

  it('when there are few leeches, seeds fill the list; the other way round too', () => {
    const swarms = store();
    for (let i = 1; i <= 60; i += 1) told(swarms, peer(i, { isSeed: i > 1 }));
    assert.equal(told(swarms, peer(1000), 50).length, 50);
    assert.equal(told(swarms, peer(1000), 0).length, 0);
  });
});

describe('counts', () => {
  it('follow a peer from leech to seed to gone', () => {
    const swarms = store();
    const swarm = swarms.announce(0, peer(1, { event: 'started' }))!;
    assert.deepEqual(tallyOf(swarm), { seeds: 0, incomplete: 1, leeches: 1, downloads: 0 });
    swarms.announce(0, peer(1, { isPartialSeed: true }));
    assert.deepEqual(tallyOf(swarm), { seeds: 0, incomplete: 1, leeches: 0, downloads: 0 });
    swarms.announce(0, peer(1, { isSeed: true, event: 'completed' }));
    swarms.announce(0, peer(1, { isSeed: true, event: 'completed' }));
    assert.deepEqual(tallyOf(swarm), { seeds: 1, incomplete: 0, leeches: 0, downloads: 1 });
    assert.equal(swarms.seeds, 1);
    swarms.announce(0, peer(1, { isSeed: true, event: 'stopped' }));
    assert.deepEqual(tallyOf(swarm), { seeds: 0, incomplete: 0, leeches: 0, downloads: 1 });
    assert.deepEqual([swarms.peerCount, swarms.seeds, swarms.torrentCount], [0, 0, 1]);
  });

  it('a goodbye of somebody who never came makes no torrent', () => {
    const swarms = store();
    assert.equal(swarms.announce(0, peer(1, { event: 'stopped' })), undefined);
    assert.equal(swarms.torrentCount, 0);
  });
});

describe('bounds', () => {
  it('ports of one address in a swarm: its oldest gives way; an exempt address has no such bound', () => {
    const swarms = store();
    for (let i = 0; i < PEERS_PER_ADDRESS_MAX + 3; i += 1) {
      swarms.announce(i, peer(1, { port: 1000 + i }));
    }
    assert.equal(swarms.peerCount, PEERS_PER_ADDRESS_MAX);
    const ports = told(swarms, peer(2), 100, 99).map((one) => Number(one.split(' ')[1]));
    assert.deepEqual(
      ports,
      Array.from({ length: PEERS_PER_ADDRESS_MAX }, (_, i) => 1003 + i),
    );
    assert.equal(swarms.counters.displaced, 3);
    for (let i = 0; i < 100; i += 1) {
      swarms.announce(0, peer(3, { port: 1000 + i, isExempt: true }));
    }
    assert.equal(swarms.peerCount, PEERS_PER_ADDRESS_MAX + 1 + 100);
  });

  it('an IPv6 /64 counts as one address', () => {
    const swarms = store({ peersPerAddressMax: 2 });
    for (let i = 0; i < 5; i += 1) {
      const announce = peer(9, {}, 6);
      announce.address[15] = i;
      swarms.announce(i, announce);
    }
    assert.equal(swarms.peerCount, 2);
  });

  it('peers in all: whoever was silent longest gives way, in either family', () => {
    const swarms = store({ peersMax: 3 });
    swarms.announce(1, peer(1, {}, 6));
    swarms.announce(2, peer(2));
    swarms.announce(3, peer(3));
    swarms.announce(4, peer(1, {}, 6));
    swarms.announce(5, peer(4));
    assert.equal(swarms.peerCount, 3);
    assert.deepEqual(told(swarms, peer(4), 9, 6), ['198.51.0.3 6881']);
    assert.equal(swarms.v6.size, 1);
  });

  it('torrents in all: the one that was silent longest goes with its peers', () => {
    const swarms = store({ torrentsMax: 2 });
    swarms.announce(1, peer(1, { infoHash: hash(1) }));
    swarms.announce(1, peer(2, { infoHash: hash(1), isSeed: true }));
    swarms.announce(2, peer(1, { infoHash: hash(2) }));
    swarms.announce(3, peer(1, { infoHash: hash(1) }));
    swarms.announce(4, peer(1, { infoHash: hash(3) }));
    assert.equal(swarms.tally(hash(2)), undefined);
    assert.equal(swarms.tally(hash(1))!.seeds, 1);
    swarms.announce(5, peer(1, { infoHash: hash(4) }));
    assert.equal(swarms.tally(hash(1)), undefined);
    assert.deepEqual([swarms.torrentCount, swarms.peerCount, swarms.seeds], [2, 2, 0]);
  });

  it('silent peers expire, a step at a time; empty swarms a day later', () => {
    const swarms = store();
    for (let i = 0; i < 10; i += 1) swarms.announce(i, peer(i));
    assert.equal(swarms.expire(10, 5, 3), true);
    assert.equal(swarms.peerCount, 7);
    assert.equal(swarms.expire(10, 5, 3), false);
    assert.equal(swarms.peerCount, 5);
    assert.equal(swarms.counters.expired, 5);
    swarms.expire(100, 100, 100);
    assert.deepEqual([swarms.peerCount, swarms.torrentCount], [0, 1]);
    swarms.expire(EMPTY_SWARM_SEC + 10, 100, 100);
    assert.equal(swarms.torrentCount, 0);
  });
});

describe('against a model', () => {
  it('a long life of any announces leaves the same peers, counts and lists as plain maps do', () => {
    for (let seed = 0; seed < 8; seed += 1) {
      const rng = new Rng(seed);
      const swarms = store();
      const model = new Map<string, { swarm: number; seenSec: number; role: number }>();
      for (let now = 0; now < 3_000; now += 1) {
        const [swarm, number, port] = [rng.below(5), rng.below(60), 1 + rng.below(3)];
        const family = rng.below(2) === 0 ? 4 : 6;
        const role = rng.below(3);
        const event = rng.below(6) === 0 ? 'stopped' : 'none';
        const key = `${swarm} ${family} ${number} ${port}`;
        const [isSeed, isPartialSeed] = [role === 1, role === 2];
        const more = { infoHash: hash(swarm), port, event, isSeed, isPartialSeed } as const;
        swarms.announce(now, peer(number, more, family));
        if (event === 'stopped') model.delete(key);
        else model.set(key, { swarm, seenSec: now, role });
        if (now % 500 === 499) {
          swarms.expire(now, now - 400, 1e9);
          for (const [name, { seenSec }] of model) if (seenSec < now - 400) model.delete(name);
        }
      }
      assert.equal(swarms.peerCount, model.size);
      for (let swarm = 0; swarm < 5; swarm += 1) {
        const own = [...model].filter(([, one]) => one.swarm === swarm);
        const count = (role: number): number => own.filter(([, one]) => one.role === role).length;
        const tally = swarms.tally(hash(swarm))!;
        assert.deepEqual(
          [tally.seeds, tally.leeches, tally.incomplete],
          [count(1), count(0), count(0) + count(2)],
        );
        const asker = peer(5_000, { infoHash: hash(swarm) });
        const expected = own.filter(([name]) => name.split(' ')[1] === '4').length;
        assert.equal(new Set(told(swarms, asker, 1_000, 3_000)).size, expected);
        swarms.announce(3_000, { ...asker, event: 'stopped' });
      }
    }
  });
});
