import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { GivenLedger, MAX_LEDGER_HOSTS } from './given-ledger.ts';

const MIB = 1_048_576;
const HOUR_MS = 3_600_000;

describe('GivenLedger', () => {
  it('calls a host overfed that was given more than three times what it shows, beyond the grace', () => {
    const ledger = new GivenLedger(65_536);
    ledger.give(0, 'a', 16 * MIB);
    assert.equal(ledger.isOverfed(0, 'a'), false, 'the grace');
    ledger.give(0, 'a', 1);
    assert.equal(ledger.isOverfed(0, 'a'), true);
    ledger.show('a', MIB);
    assert.equal(ledger.isOverfed(0, 'a'), false);
    ledger.give(0, 'a', 3 * MIB);
    assert.equal(ledger.isOverfed(0, 'a'), true);
  });

  it('leaves room for sixteen pieces however large they are', () => {
    const ledger = new GivenLedger(16 * MIB);
    ledger.give(0, 'a', 256 * MIB);
    assert.equal(ledger.isOverfed(0, 'a'), false);
    ledger.give(0, 'a', 1);
    assert.equal(ledger.isOverfed(0, 'a'), true);
  });

  it('counts a host across its connections, and the most that one of them shows', () => {
    const ledger = new GivenLedger(65_536);
    ledger.give(0, 'a', 32 * MIB);
    ledger.show('a', 2 * MIB);
    ledger.show('a', 0);
    assert.equal(ledger.isOverfed(0, 'a'), true, 'a connection that shows nothing hides nothing');
    ledger.show('a', 6 * MIB);
    assert.equal(ledger.isOverfed(0, 'a'), false);
  });

  it('forgives after an hour', () => {
    const ledger = new GivenLedger(65_536);
    ledger.give(0, 'a', 100 * MIB);
    assert.equal(ledger.isOverfed(HOUR_MS - 1, 'a'), true);
    assert.equal(ledger.isOverfed(HOUR_MS, 'a'), false);
    assert.equal(ledger.givenBytes(HOUR_MS, 'a'), 0);
  });

  it('knows nothing of strangers', () => {
    const ledger = new GivenLedger(65_536);
    ledger.show('a', MIB);
    assert.equal(ledger.isOverfed(0, 'a'), false);
    assert.equal(ledger.size, 0, 'showing costs us nothing, so it takes no memory');
  });

  it('forgets whoever was given nothing for longest', () => {
    const ledger = new GivenLedger(65_536);
    for (let host = 0; host <= MAX_LEDGER_HOSTS; host += 1) {
      ledger.give(0, `${host}`, MIB);
      ledger.give(0, '0', MIB);
    }
    assert.equal(ledger.size, MAX_LEDGER_HOSTS);
    assert.equal(ledger.givenBytes(0, '1'), 0);
    assert(ledger.givenBytes(0, '0') > 0);
  });

  it('counts what was given within the hour, ten minutes more or less', () => {
    const gift = fc.record({
      afterMs: fc.integer({ min: 0, max: 2_000_000 }),
      bytes: fc.integer({ min: 1, max: MIB }),
    });
    fc.assert(
      fc.property(fc.array(gift, { maxLength: 30 }), (gifts) => {
        const ledger = new GivenLedger(65_536);
        const given: { atMs: number; bytes: number }[] = [];
        let nowMs = 0;
        for (const { afterMs, bytes } of gifts) {
          nowMs += afterMs;
          ledger.give(nowMs, 'a', bytes);
          given.push({ atMs: nowMs, bytes });
        }
        const within = (ms: number): number =>
          given.reduce((sum, { atMs, bytes }) => sum + (nowMs - atMs < ms ? bytes : 0), 0);
        const counted = ledger.givenBytes(nowMs, 'a');
        assert(counted >= within(HOUR_MS - 600_000) && counted <= within(HOUR_MS));
      }),
    );
  });
});
