import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SlotTuner } from './slot-tuner.ts';

/** Runs rounds on a line where each slot takes what its peer can, up to the line's capacity. @returns the slots of each round. */
function rounds(
  tuner: SlotTuner,
  count: number,
  line: { capacity: number; perPeer: number; peers: number; limit?: number },
): number[] {
  const slots: number[] = [];
  let open = 4;
  for (let i = 0; i < count; i += 1) {
    const served = Math.min(open, line.peers);
    const uploadBytesPerSec = Math.min(line.capacity, served * line.perPeer);
    const waiting = line.peers - served;
    open = tuner.next({ uploadBytesPerSec, limitBytesPerSec: line.limit ?? 0, waiting });
    slots.push(open);
  }
  return slots;
}

describe('SlotTuner', () => {
  it('keeps few slots where few peers take all that the line gives', () => {
    const slots = rounds(new SlotTuner(4), 100, { capacity: 1e6, perPeer: 1e6, peers: 30 });
    assert.equal(Math.max(...slots), 5, 'a slot on trial now and then');
    assert(slots.filter((n) => n === 4).length >= 75);
  });

  it('opens slots for slow peers until the line is full', () => {
    const slots = rounds(new SlotTuner(4), 200, { capacity: 1e6, perPeer: 50_000, peers: 60 });
    const last = slots.slice(-20);
    assert(Math.min(...last) >= 19 && Math.max(...last) <= 22, `ended with ${last}`);
  });

  it('follows a limit up and down', () => {
    const tuner = new SlotTuner(4);
    const line = { capacity: 1e9, perPeer: 20_000, peers: 40, limit: 200_000 };
    const up = rounds(tuner, 30, line);
    assert(Math.min(...up.slice(-5)) >= 8 && Math.max(...up) <= 10, `${up}`);
    const down = rounds(tuner, 30, { ...line, perPeer: 200_000 });
    assert.equal(down.at(-1), 4);
  });

  it('changes nothing while nobody waits', () => {
    const slots = rounds(new SlotTuner(4), 50, { capacity: 1e6, perPeer: 1000, peers: 4 });
    assert.deepEqual(new Set(slots), new Set([4]));
  });

  it('stays within its bounds, one step at a time', () => {
    const sample = fc.record({
      uploadBytesPerSec: fc.nat(),
      limitBytesPerSec: fc.nat({ max: 1e6 }),
      waiting: fc.nat({ max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(sample), (samples) => {
        const tuner = new SlotTuner(4, 12);
        let before = 4;
        for (const each of samples) {
          const slots = tuner.next(each);
          assert(slots >= 4 && slots <= 12 && Math.abs(slots - before) <= 1);
          before = slots;
        }
      }),
    );
  });
});
