/** How often an address may ask, and that the table stays as it is whoever asks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SipHash } from '../../../lib/siphash.ts';
import { RequestGate } from './request-gate.ts';

function gate(countedAddressesMax = 64): RequestGate {
  const limits = { requestsPerAddressBurst: 5, requestsPerAddressPerSec: 2, countedAddressesMax };
  return new RequestGate(new SipHash(new Uint8Array(16)), limits);
}

/** How many of 20 requests get through. */
function allowed(one: RequestGate, nowMs: number, address: readonly number[]): number {
  let count = 0;
  for (let i = 0; i < 20; i += 1) if (one.allows(nowMs, Uint8Array.from(address))) count += 1;
  return count;
}

test('a burst, then so many a second, never more than a burst', () => {
  const one = gate();
  assert.equal(allowed(one, 0, [1, 2, 3, 4]), 5);
  assert.equal(allowed(one, 1_000, [1, 2, 3, 4]), 2);
  assert.equal(allowed(one, 1_400, [1, 2, 3, 4]), 0);
  assert.equal(allowed(one, 1_500, [1, 2, 3, 4]), 1);
  assert.equal(allowed(one, 1e9, [1, 2, 3, 4]), 5);
});

test('addresses do not pay for each other; an IPv6 /64 is one address', () => {
  const one = gate();
  const v6 = (prefix: number, host: number): number[] => [0x20, prefix, ...Array(13).fill(0), host];
  assert.equal(allowed(one, 0, [1, 2, 3, 4]), 5);
  assert.equal(allowed(one, 0, [1, 2, 3, 5]), 5);
  assert.equal(allowed(one, 0, v6(1, 1)), 5);
  assert.equal(allowed(one, 0, v6(1, 2)), 0);
  assert.equal(allowed(one, 0, v6(2, 1)), 5);
});

test('in a full table the one that asked longest ago is forgotten', () => {
  const one = gate(4);
  for (let host = 1; host <= 4; host += 1) assert.equal(allowed(one, host, [1, 2, 3, host]), 5);
  assert.equal(allowed(one, 5, [1, 2, 3, 1]), 0, 'all four are known, and the first asked again');
  assert.equal(allowed(one, 6, [1, 2, 3, 9]), 5, 'a newcomer takes the place of the second');
  assert.equal(allowed(one, 7, [1, 2, 3, 1]), 0);
  assert.equal(allowed(one, 8, [1, 2, 3, 2]), 5, 'which was forgotten');
});

test('a clock that goes back gives nothing', () => {
  const one = gate();
  assert.equal(allowed(one, 10_000, [1, 2, 3, 4]), 5);
  assert.equal(allowed(one, 0, [1, 2, 3, 4]), 0);
});
