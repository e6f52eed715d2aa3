import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CONNECTIONS_BURST,
  CONNECTIONS_PER_SEC,
  HandshakeBudget,
  MAX_PENDING_INCOMING,
  MAX_PENDING_PER_HOST,
  MAX_PENDING_PER_NETWORK,
} from './handshake-budget.ts';

function budget(exempt = ''): { budget: HandshakeBudget; refused: number[] } {
  const refused: number[] = [];
  return {
    budget: new HandshakeBudget({
      isExempt: (host) => host === exempt,
      onRefused: (count) => refused.push(count),
    }),
    refused,
  };
}
const nothing = (): void => {};

describe('the budget of handshakes', () => {
  it('has so many places for an address, and gives them back', () => {
    const { budget: one } = budget();
    const gives = Array.from({ length: MAX_PENDING_PER_HOST }, () =>
      one.take(0, '203.0.113.5', nothing),
    );
    assert.ok(gives.every((give) => give !== undefined));
    assert.equal(one.take(0, '203.0.113.5', nothing), undefined);
    gives[0]!();
    gives[0]!();
    assert.equal(one.pendingCount, MAX_PENDING_PER_HOST - 1);
    assert.ok(one.take(0, '203.0.113.5', nothing));
    assert.equal(one.take(0, '203.0.113.5', nothing), undefined);
  });

  it('has so many places for a network: /24 and /48', () => {
    for (const host of [(i: number) => `203.0.113.${i}`, (i: number) => `2001:db8:1:${i}::1`]) {
      const { budget: one } = budget();
      for (let i = 1; i <= MAX_PENDING_PER_NETWORK; i += 1)
        assert.ok(one.take(0, host(i), nothing));
      assert.equal(one.take(0, host(200), nothing), undefined);
      assert.ok(one.take(0, '198.51.100.1', nothing));
    }
  });

  it('gives the place of the longest waiting to a new one when all are taken', () => {
    const { budget: one } = budget();
    const gone: number[] = [];
    for (let i = 0; i <= MAX_PENDING_INCOMING; i += 1) {
      assert.ok(one.take(0, `10.${i}.0.1`, () => gone.push(i)));
    }
    assert.deepEqual(gone, [0]);
    assert.equal(one.pendingCount, MAX_PENDING_INCOMING);
  });

  it('of 10,000 half-open connections of one host keeps few, says so once a minute, and others get in', () => {
    const { budget: one, refused } = budget();
    for (let i = 0; i < 10_000; i += 1) one.take(i, '203.0.113.5', nothing);
    assert.equal(one.pendingCount, MAX_PENDING_PER_HOST);
    assert.deepEqual(refused, [1]);
    assert.ok(one.take(10_000, '198.51.100.1', nothing));
    one.take(70_000, '203.0.113.5', nothing);
    assert.deepEqual(refused, [1, 10_000 - MAX_PENDING_PER_HOST]);
  });

  it('lets one address come so often, however quickly it is done with', () => {
    const { budget: one } = budget();
    const come = (nowMs: number): boolean => {
      const give = one.take(nowMs, '203.0.113.5', nothing);
      give?.();
      return give !== undefined;
    };
    for (let i = 0; i < CONNECTIONS_BURST; i += 1) assert.ok(come(0));
    assert.ok(!come(0));
    assert.ok(come(1_000 / CONNECTIONS_PER_SEC));
    assert.ok(!come(1_000 / CONNECTIONS_PER_SEC));
  });

  it('limits neither loopback nor what the user named', () => {
    const { budget: one } = budget('127.0.0.1');
    for (let i = 0; i < 100; i += 1) assert.ok(one.take(0, '127.0.0.1', nothing));
  });
});
