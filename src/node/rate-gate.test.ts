import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateGate } from './rate-gate.ts';

test('no limit: everything may go, and spending costs nothing', () => {
  const gate = new RateGate(0);
  gate.spend(1e12);
  assert.equal(gate.isUnlimited, true);
  assert.equal(gate.available(), Number.POSITIVE_INFINITY);
});

test('in debt nothing may go until the limit is lifted, which wakes each waiter once', () => {
  const gate = new RateGate(1);
  gate.spend(1e6);
  assert.equal(gate.available(), 0);
  let count = 0;
  const wake = (): void => {
    count += 1;
  };
  gate.wait(wake);
  gate.wait(wake);
  gate.setRate(0);
  assert.equal(count, 1);
  gate.setRate(0);
  assert.equal(count, 1, 'a wake is for one wait');
});

test('who was forgotten is not woken', () => {
  const gate = new RateGate(1);
  gate.spend(1e6);
  const woken: string[] = [];
  const first = (): number => woken.push('first');
  gate.wait(first);
  gate.wait(() => woken.push('second'));
  gate.forget(first);
  gate.setRate(0);
  assert.deepEqual(woken, ['second']);
});

test('the timer wakes who waits, and one may wait again while being woken', async () => {
  const gate = new RateGate(1e9);
  await new Promise<void>((resolve) => {
    gate.wait(() => gate.wait(resolve));
  });
  gate.wait(() => assert.fail('closed gates wake nobody'));
  gate.close();
});
