import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from './token-bucket.ts';

test('without a rate there is no limit', () => {
  for (const rate of [0, Number.POSITIVE_INFINITY]) {
    const bucket = new TokenBucket(rate, 0);
    bucket.spend(0, 1e15);
    assert.equal(bucket.isUnlimited, true);
    assert.equal(bucket.available(0), Number.POSITIVE_INFINITY);
    assert.equal(bucket.waitMs(0, 1e9), 0);
  }
});

test('it starts full, refills with time, and keeps no more than its burst', () => {
  const bucket = new TokenBucket(1000, 0, 500);
  assert.equal(bucket.available(0), 500);
  bucket.spend(0, 500);
  assert.equal(bucket.available(0), 0);
  assert.equal(bucket.available(100), 100);
  assert.equal(bucket.available(10_000), 500);
});

test('the burst is a quarter of a second, and a block at least', () => {
  assert.equal(new TokenBucket(1_000_000, 0).available(0), 250_000);
  assert.equal(new TokenBucket(10, 0).available(0), 16_384);
});

test('a debt is paid before anything may go', () => {
  const bucket = new TokenBucket(1000, 0, 500);
  bucket.spend(0, 1500);
  assert.equal(bucket.waitMs(0, 1), 1001);
  assert.equal(bucket.available(999), 0);
  assert.equal(bucket.available(1001), 1);
});

test('a clock that stands still or goes back gives nothing', () => {
  const bucket = new TokenBucket(1000, 1000, 500);
  bucket.spend(1000, 500);
  assert.equal(bucket.available(1000), 0);
  assert.equal(bucket.available(0), 0);
  assert.equal(bucket.available(1100), 100);
});

test('another rate counts from now, and no more is kept than its burst', () => {
  const bucket = new TokenBucket(1_000_000, 0);
  bucket.setRate(80_000, 0);
  assert.equal(bucket.available(0), 20_000);
  bucket.spend(0, 20_000);
  bucket.setRate(40_000, 100);
  assert.equal(bucket.available(100), 8000);
  assert.equal(bucket.available(200), 12_000);
});

test('who waits as told may spend then, and over time no more goes than rate and burst allow', () => {
  const amounts = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), amounts, (rate, list) => {
      const burst = 3000;
      const bucket = new TokenBucket(rate, 0, burst);
      let nowMs = 0;
      let spent = 0;
      for (const amount of list) {
        nowMs += bucket.waitMs(nowMs, amount);
        assert.ok(bucket.available(nowMs) >= amount - 1, 'within rounding');
        bucket.spend(nowMs, amount);
        spent += amount;
      }
      assert.ok(spent <= burst + (nowMs * rate) / 1000 + 1);
    }),
  );
});
