import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_AHEAD_BYTES, MIN_AHEAD_BYTES, SendAhead } from './send-ahead.ts';

/** Sends for `seconds` over a line of `bytesPerSec`, a block at a time. @returns the limit at the end. */
function run(ahead: SendAhead, bytesPerSec: number, seconds: number, fromMs = 0): number {
  const blockMs = (16_384 * 1000) / bytesPerSec;
  ahead.begin(fromMs);
  for (let ms = blockMs; ms <= seconds * 1000; ms += blockMs) {
    ahead.sent(fromMs + ms, 16_384, false);
  }
  return ahead.limitBytes;
}

describe('SendAhead', () => {
  it('gives a slow socket a block when it has sent the one before', () => {
    assert.equal(run(new SendAhead(), 3_000, 60), MIN_AHEAD_BYTES);
  });

  it('gives a fast socket a megabyte', () => {
    assert.equal(run(new SendAhead(), 100e6, 1), MAX_AHEAD_BYTES);
  });

  it('gives any other what it sends in half a second', () => {
    const limit = run(new SendAhead(), 400_000, 10);
    assert(Math.abs(limit - 200_000) < 20_000, `got ${limit}`);
  });

  it('follows a line that becomes slow', () => {
    const ahead = new SendAhead();
    run(ahead, 100e6, 1);
    assert.equal(run(ahead, 3_000, 60, 1_000), MIN_AHEAD_BYTES);
  });

  it('grows at once on a socket that is always empty again', () => {
    const ahead = new SendAhead();
    for (let ms = 0; ms < 5; ms += 1) {
      ahead.begin(ms);
      ahead.sent(ms + 0.2, ahead.limitBytes, true);
    }
    assert.equal(ahead.limitBytes, MAX_AHEAD_BYTES);
  });

  it('stays in its bounds whatever happens', () => {
    const step = fc.record({
      afterMs: fc.double({ min: 0, max: 1e5, noNaN: true }),
      bytes: fc.nat({ max: 1 << 21 }),
      isEmpty: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const ahead = new SendAhead();
        let nowMs = 0;
        for (const { afterMs, bytes, isEmpty } of steps) {
          nowMs += afterMs;
          ahead.sent(nowMs, bytes, isEmpty);
          assert(ahead.limitBytes >= MIN_AHEAD_BYTES && ahead.limitBytes <= MAX_AHEAD_BYTES);
        }
      }),
    );
  });
});
