import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LEAST_SLOTS, MAX_SLOTS, SlotTuner } from './slot-tuner.ts';

interface Line {
  readonly capacity: number;
  readonly perPeer: number;
  readonly peers: number;
  readonly limit?: number;
}

/** A tuner on a line where each slot takes what its peer can, up to the line's capacity. */
class Bench {
  readonly tuner = new SlotTuner(5);
  nowMs = 0;
  uploadedBytes = 0;
  open = 5;

  /** @returns the slots of each round. */
  rounds(count: number, line: Line): number[] {
    const slots: number[] = [];
    for (let i = 0; i < count; i += 1) {
      const served = Math.min(this.open, line.peers);
      const most = Math.min(line.capacity, line.limit ?? Number.POSITIVE_INFINITY);
      this.uploadedBytes += 10 * Math.min(most, served * line.perPeer);
      this.nowMs += 10_000;
      const waiting = line.peers - served;
      const { uploadedBytes } = this;
      const limitBytesPerSec = line.limit ?? 0;
      this.open = this.tuner.next(this.nowMs, { uploadedBytes, limitBytesPerSec, waiting });
      slots.push(this.open);
    }
    return slots;
  }
}

function range(slots: readonly number[]): [number, number] {
  return [Math.min(...slots), Math.max(...slots)];
}

describe('SlotTuner', () => {
  it('begins with what it was given, until it has seen the line', () => {
    assert.deepEqual(new Bench().rounds(2, { capacity: 1e6, perPeer: 1e6, peers: 30 }), [5, 5]);
  });

  it('gives a slow line few slots, a fast one more: the root of its rate', () => {
    for (const [capacity, slots] of [
      [4_000, 3],
      [16_000, 3],
      [48_000, 4],
      [125_000, 6],
      [625_000, 12],
    ] as const) {
      const seen = new Bench().rounds(100, { capacity, perPeer: capacity, peers: 80 }).slice(5);
      assert.equal(seen.filter((n) => n === slots).length > 55, true, `${capacity}: ${seen}`);
      // A trial now and then.
      assert(Math.max(...seen) <= Math.ceil(slots * 1.25) && Math.min(...seen) === slots);
    }
  });

  it('opens slots for slow peers until the line is full', () => {
    const bench = new Bench();
    bench.rounds(150, { capacity: 1e6, perPeer: 40_000, peers: 60 });
    const last = range(bench.rounds(30, { capacity: 1e6, perPeer: 40_000, peers: 60 }));
    // 25 fill it; a trial adds a quarter, and one that fails takes a few of them back.
    assert(last[0] >= 20 && last[1] <= 40, `ended with ${last}`);
  });

  it('adds slots at once when those who take become slow, and gives them up again', () => {
    const bench = new Bench();
    bench.rounds(10, { capacity: 625_000, perPeer: 625_000, peers: 40 });
    const slow = bench.rounds(15, { capacity: 625_000, perPeer: 30_000, peers: 40 });
    assert(Math.max(...slow) >= 21, `${slow}`);
    const fast = bench.rounds(150, { capacity: 625_000, perPeer: 625_000, peers: 40 });
    assert.equal(fast.at(-1)! <= 15, true, `${fast}`);
  });

  it('follows a limit up and down', () => {
    const bench = new Bench();
    const line = { capacity: 1e9, perPeer: 10_000, peers: 40, limit: 200_000 };
    const up = bench.rounds(30, line);
    assert(range(up.slice(-5))[0] >= 18 && Math.max(...up) <= 26, `${up}`);
    const down = bench.rounds(60, { ...line, perPeer: 200_000 });
    assert.equal(down.at(-1), 7);
  });

  it('learns nothing of the line while nobody waits', () => {
    const slots = new Bench().rounds(50, { capacity: 1e6, perPeer: 1000, peers: 5 });
    assert.deepEqual(new Set(slots), new Set([5]));
  });

  it('is not misled by what sockets take at once in a round', () => {
    const bench = new Bench();
    bench.rounds(5, { capacity: 16_000, perPeer: 16_000, peers: 30 });
    bench.uploadedBytes += 3e6;
    const slots = bench.rounds(20, { capacity: 16_000, perPeer: 16_000, peers: 30 });
    assert(Math.max(...slots) <= 4, `${slots}`);
  });

  it('stays within its bounds', () => {
    const round = fc.record({
      bytes: fc.nat({ max: 1e9 }),
      limitBytesPerSec: fc.nat({ max: 1e6 }),
      waiting: fc.nat({ max: 60 }),
      ms: fc.nat({ max: 20_000 }),
    });
    fc.assert(
      fc.property(fc.array(round), (all) => {
        const tuner = new SlotTuner(5);
        let nowMs = 0;
        let uploadedBytes = 0;
        for (const { bytes, ms, ...sample } of all) {
          nowMs += ms;
          uploadedBytes += bytes;
          const slots = tuner.next(nowMs, { ...sample, uploadedBytes });
          assert(Number.isInteger(slots) && slots >= LEAST_SLOTS + 1 && slots <= MAX_SLOTS + 1);
        }
      }),
    );
  });
});
