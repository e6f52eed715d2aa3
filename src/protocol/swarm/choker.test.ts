import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { candidate } from '../../../test/support/choke-candidate.ts';
import { Rng } from '../../lib/rng.ts';
import { type ChokeCandidate, roundRobinRule } from './choke-rules.ts';
import { Choker } from './choker.ts';

function make(slots?: number): Choker {
  return new Choker({ rng: new Rng(7), ...(slots === undefined ? {} : { slots }) });
}

describe('Choker', () => {
  it('unchokes the fastest interested peers and one optimistic peer', () => {
    const choker = make();
    const peers = Array.from({ length: 10 }, (_, i) =>
      candidate(i, { downloadBytesPerSec: 1000 * i }),
    );
    const { unchoke, choke } = choker.run(0, peers, 'leech');
    assert.equal(unchoke.length, 4);
    assert.deepEqual(choke, []);
    const regular = unchoke.filter((peer) => peer !== choker.optimistic);
    const best = [9, 8, 7, 6].filter((peer) => peer !== choker.optimistic).slice(0, 3);
    assert.deepEqual(new Set(regular), new Set(best));
  });

  it('changes nothing between rounds', () => {
    const choker = make();
    const slow = [0, 1, 2, 3, 4].map((i) => candidate(i, { downloadBytesPerSec: 10 }));
    choker.run(0, slow, 'leech');
    const fast = slow.map((c) => ({ ...c, downloadBytesPerSec: 1e6 * c.peer }));
    assert.deepEqual(choker.run(9999, fast, 'leech'), { choke: [], unchoke: [] });
    assert.equal(choker.nextRoundAtMs, 10_000);
  });

  it('ranks by what it sends when it is a seed', () => {
    const choker = make();
    const peers = Array.from({ length: 8 }, (_, i) =>
      candidate(i, { uploadBytesPerSec: 100 * i, downloadBytesPerSec: 1000 - i }),
    );
    choker.run(0, peers, 'seed');
    const best = [7, 6, 5, 4].filter((peer) => peer !== choker.optimistic).slice(0, 3);
    for (const peer of best) assert.equal(choker.isUnchoked(peer), true);
  });

  it('unchokes uninterested peers that are faster than the slowest served one', () => {
    const choker = make(2);
    const peers = [
      candidate(1, { downloadBytesPerSec: 10 }),
      candidate(2, { downloadBytesPerSec: 20 }),
      candidate(3, { downloadBytesPerSec: 500, isInterested: false }),
      candidate(4, { downloadBytesPerSec: 1, isInterested: false }),
      candidate(5),
    ];
    const { unchoke } = choker.run(0, peers, 'leech');
    assert.ok(unchoke.includes(3));
    assert.ok(!unchoke.includes(4));
    assert.equal(unchoke.length, 3);
  });

  it('chokes the worst when such a peer becomes interested', () => {
    const choker = make(2);
    const peers = [
      candidate(1, { downloadBytesPerSec: 10 }),
      candidate(2, { downloadBytesPerSec: 20 }),
      candidate(3, { downloadBytesPerSec: 500, isInterested: false }),
    ];
    choker.run(0, peers, 'leech');
    const now = peers.map((c) => ({ ...c, isInterested: true }));
    const { choke, unchoke } = choker.fill(1000, now, 'leech');
    assert.equal(choke.length, 1);
    assert.ok(choke[0] !== 3 && choke[0] !== choker.optimistic);
    assert.deepEqual(unchoke, []);
  });

  it('gives empty slots away at once', () => {
    const choker = make(3);
    choker.run(0, [candidate(1)], 'leech');
    const peers = [candidate(1), candidate(2), candidate(3), candidate(4)];
    assert.equal(choker.fill(500, peers, 'leech').unchoke.length, 2);
    assert.deepEqual(choker.fill(600, peers, 'leech'), { choke: [], unchoke: [] });
    choker.remove(1);
    assert.equal(choker.fill(700, peers.slice(1), 'leech').unchoke.length, 1);
  });

  it('keeps the optimistic peer for three rounds, then takes another', () => {
    const choker = make();
    const peers = Array.from({ length: 9 }, (_, i) =>
      candidate(i, { downloadBytesPerSec: i < 3 ? 1e6 : 0 }),
    );
    choker.run(0, peers, 'leech');
    const first = choker.optimistic;
    choker.run(10_000, peers, 'leech');
    choker.run(20_000, peers, 'leech');
    assert.equal(choker.optimistic, first);
    choker.run(30_000, peers, 'leech');
    assert.notEqual(choker.optimistic, first);
  });

  it('gives the optimistic slot to whoever waited longest, not to who came last', () => {
    const choker = make(1);
    const peers = [30, 10, 20].map((ms, i) => candidate(i, { waitingSinceMs: ms }));
    choker.run(1000, peers, 'leech');
    assert.equal(choker.optimistic, 1);
    const now = peers.map((c) => (c.peer === 1 ? { ...c, waitingSinceMs: 31_000 } : c));
    choker.run(31_000, now, 'leech');
    assert.equal(choker.optimistic, 2);
  });

  it('draws among those who waited equally long', () => {
    const chosen = new Set<number | undefined>();
    for (let seed = 0; seed < 100; seed += 1) {
      const choker = new Choker({ rng: new Rng(seed), slots: 1 });
      choker.run(0, [candidate(1), candidate(2), candidate(3)], 'leech');
      chosen.add(choker.optimistic);
    }
    assert.deepEqual(chosen, new Set([1, 2, 3]));
  });

  it('lets those wait longer who disappointed before, and shorter who gave', () => {
    const choker = make(1);
    const waits = (peer: number, ms: number, standing: number): ChokeCandidate =>
      candidate(peer, { waitingSinceMs: -ms, standing });
    choker.run(0, [waits(1, 1000, 0), waits(2, 1500, -0.5), waits(3, 600, 1)], 'leech');
    assert.equal(choker.optimistic, 3);
    const other = make(1);
    other.run(0, [waits(1, 1000, 0), waits(2, 1500, -0.5)], 'leech');
    assert.equal(other.optimistic, 1);
  });

  it('drawn at random, makes a new connection the optimistic peer three times as often', () => {
    let chosen = 0;
    const rounds = 3000;
    for (let seed = 0; seed < rounds; seed += 1) {
      const choker = new Choker({ rng: new Rng(seed), optimistic: 'random' });
      const peers = Array.from({ length: 5 }, (_, i) =>
        candidate(i, { connectedAtMs: i === 0 ? 0 : -1e9 }),
      );
      choker.run(1000, peers, 'leech');
      if (choker.optimistic === 0) chosen += 1;
    }
    const expected = (rounds * 3) / 7;
    assert.ok(Math.abs(chosen - expected) < expected * 0.1, `got ${chosen} of ${expected}`);
  });

  it('gives no slot at all to whose host was given too much', () => {
    const choker = make(2);
    const fat = candidate(1, { downloadBytesPerSec: 1e6, isOverfed: true });
    choker.run(0, [fat], 'leech');
    assert.equal(choker.isUnchoked(1), false);
    assert.deepEqual(choker.fill(1, [fat], 'leech').unchoke, []);
    const slim = { ...fat, isOverfed: false };
    choker.run(10_000, [slim], 'leech');
    assert.equal(choker.isUnchoked(1), true);
    choker.run(40_000, [fat, candidate(2)], 'leech');
    assert.equal(choker.isUnchoked(1), false);
  });

  it('in turns, leaves a slot where it is for a minute', () => {
    const choker = new Choker({ rng: new Rng(1), slots: 2, rules: { seed: roundRobinRule } });
    const since = new Map<number, number>();
    const waiting = new Map<number, number>();
    const seen = new Set<number>();
    for (let nowMs = 0; nowMs <= 600_000; nowMs += 10_000) {
      const peers = Array.from({ length: 8 }, (_, peer) => {
        const unchokedAtMs = since.get(peer);
        return candidate(peer, { unchokedAtMs, waitingSinceMs: waiting.get(peer) ?? -peer });
      });
      const { choke, unchoke } = choker.run(nowMs, peers, 'seed');
      for (const peer of choke) {
        assert(peer === choker.optimistic || nowMs - since.get(peer)! >= 30_000);
        since.delete(peer);
        waiting.set(peer, nowMs);
      }
      for (const peer of unchoke) {
        since.set(peer, nowMs);
        seen.add(peer);
      }
    }
    assert.equal(seen.size, 8, 'everybody had a turn');
  });

  it('does not swap peers of nearly the same rate', () => {
    const choker = make(1 + 3);
    const rate = (i: number, extra: number): ChokeCandidate =>
      candidate(i, { downloadBytesPerSec: 1000 + extra });
    const peers = [0, 1, 2, 3, 4, 5].map((i) => rate(i, 0));
    choker.run(0, peers, 'leech');
    const held = peers.filter((c) => choker.isUnchoked(c.peer)).map((c) => c.peer);
    const now = peers.map((c) => rate(c.peer, held.includes(c.peer) ? 0 : 50));
    assert.deepEqual(choker.run(10_000, now, 'leech'), { choke: [], unchoke: [] });
  });

  it('serves nobody who downloads nothing', () => {
    const choker = make();
    const peers = [candidate(1, { isUploadOnly: true, downloadBytesPerSec: 1e6 })];
    assert.deepEqual(choker.run(0, peers, 'leech').unchoke, []);
    assert.deepEqual(choker.fill(1, peers, 'leech').unchoke, []);
  });

  it('gives a snubbing peer no slot by its rate', () => {
    const choker = make(2);
    const peers = [
      candidate(1, { isSnubbed: true, downloadBytesPerSec: 1e6 }),
      candidate(2, { downloadBytesPerSec: 10 }),
      candidate(3, { downloadBytesPerSec: 5 }),
    ];
    choker.run(0, peers, 'leech');
    assert.ok(choker.isUnchoked(2) || choker.isUnchoked(3));
    assert.equal(choker.isUnchoked(1), choker.optimistic === 1);
  });

  it('ranks by another rule when given one', () => {
    const rule = { name: 'lowest number', rank: (c: ChokeCandidate): number => -c.peer };
    const choker = new Choker({ rng: new Rng(1), slots: 3, rules: { leech: rule } });
    const peers = [5, 1, 9, 2, 8].map((peer) => candidate(peer));
    choker.run(0, peers, 'leech');
    const best = [1, 2, 5].filter((peer) => peer !== choker.optimistic).slice(0, 2);
    for (const peer of best) assert.ok(choker.isUnchoked(peer));
  });

  it('reports changes that lead from state to state, and never more interested peers than slots', () => {
    const peerState = fc.record({
      isInterested: fc.boolean(),
      isUploadOnly: fc.boolean(),
      isSnubbed: fc.boolean(),
      downloadBytesPerSec: fc.integer({ min: 0, max: 1e6 }),
      uploadBytesPerSec: fc.integer({ min: 0, max: 1e6 }),
      isThere: fc.boolean(),
    });
    const round = fc.array(peerState, { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.tuple(round, fc.boolean(), fc.boolean()), { maxLength: 12 }),
        (seed, slots, rounds) => {
          const choker = new Choker({ rng: new Rng(seed), slots });
          const unchoked = new Set<number>();
          let nowMs = 0;
          for (const [states, isRound, isSeed] of rounds) {
            nowMs += isRound ? 10_000 : 100;
            const peers = states.flatMap(({ isThere, ...state }, peer) =>
              isThere ? [candidate(peer, state)] : [],
            );
            for (const peer of [...unchoked]) {
              if (peers.some((c) => c.peer === peer)) continue;
              choker.remove(peer);
              unchoked.delete(peer);
            }
            const role = isSeed ? 'seed' : 'leech';
            const change = isRound
              ? choker.run(nowMs, peers, role)
              : choker.fill(nowMs, peers, role);
            for (const peer of change.choke) assert.ok(unchoked.delete(peer));
            for (const peer of change.unchoke) {
              assert.ok(!unchoked.has(peer));
              unchoked.add(peer);
            }
            for (const c of peers) assert.equal(choker.isUnchoked(c.peer), unchoked.has(c.peer));
            const served = peers.filter(
              (c) => c.isInterested && !c.isUploadOnly && unchoked.has(c.peer),
            );
            const waiting = peers.filter(
              (c) => c.isInterested && !c.isUploadOnly && !unchoked.has(c.peer),
            );
            assert.ok(served.length <= slots);
            if (waiting.length > 0) assert.equal(served.length, slots, 'no slot stays empty');
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
