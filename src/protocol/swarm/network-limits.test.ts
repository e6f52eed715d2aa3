import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PER_ADDRESS, MAX_PER_NETWORK, NetworkLimits } from './network-limits.ts';

function enterMany(limits: NetworkLimits, hosts: Iterable<string>): void {
  for (const host of hosts) limits.enter(host);
}

test('an address is full at its limit, and free again when one leaves', () => {
  const limits = new NetworkLimits(() => false);
  enterMany(limits, Array<string>(MAX_PER_ADDRESS).fill('198.51.100.1'));
  assert.match(limits.refusal('198.51.100.1')!, /its address/);
  assert.equal(limits.refusal('198.51.100.2'), undefined);
  limits.leave('198.51.100.1');
  assert.equal(limits.refusal('198.51.100.1'), undefined);
});

test('a /24 is full at its limit, its neighbour is not', () => {
  const limits = new NetworkLimits(() => false);
  enterMany(
    limits,
    Array.from({ length: MAX_PER_NETWORK }, (_, i) => `198.51.100.${i}`),
  );
  assert.match(limits.refusal('198.51.100.200')!, /its network/);
  assert.equal(limits.refusal('198.51.101.1'), undefined);
});

test('in IPv6 a /64 is one address and a /48 one network', () => {
  const limits = new NetworkLimits(() => false);
  enterMany(
    limits,
    Array.from({ length: MAX_PER_ADDRESS }, (_, i) => `2001:db8:1:1::${i}`),
  );
  assert.match(limits.refusal('2001:db8:1:1:ffff::1')!, /its address/);
  assert.equal(limits.refusal('2001:db8:1:2::1'), undefined);
  enterMany(
    limits,
    Array.from({ length: MAX_PER_NETWORK - MAX_PER_ADDRESS }, (_, i) => `2001:db8:1:${i + 2}::1`),
  );
  assert.match(limits.refusal('2001:db8:1:ffff::1')!, /its network/);
  assert.equal(limits.refusal('2001:db8:2::1'), undefined);
});

test('whatever the caller exempts has no limits, and counts for nobody else', () => {
  const limits = new NetworkLimits((host) => host === '192.168.1.1');
  enterMany(limits, Array<string>(100).fill('192.168.1.1'));
  assert.equal(limits.refusal('192.168.1.1'), undefined);
  assert.equal(limits.refusal('192.168.2.1'), undefined);
  enterMany(limits, Array<string>(100).fill('127.0.0.1'));
  assert.match(limits.refusal('127.0.0.1')!, /its address/);
});
