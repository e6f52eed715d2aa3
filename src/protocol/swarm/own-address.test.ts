import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp, parseIp } from '../../lib/ip-address.ts';
import { OwnAddresses } from './own-address.ts';

function seen(own: OwnAddresses, by: string): string | undefined {
  const ip = own.seenBy(parseIp(by)!);
  return ip === undefined ? undefined : formatIp(ip);
}

test('what most networks say is believed; one network has one vote, however many peers it has', () => {
  const own = new OwnAddresses();
  assert.equal(seen(own, '198.51.100.1'), undefined);
  assert.equal(own.vote('198.51.100.1', parseIp('203.0.113.5')!), true);
  assert.equal(own.vote('198.51.101.1', parseIp('203.0.113.5')!), false);
  for (let i = 1; i < 50; i += 1) own.vote(`192.0.2.${i}`, parseIp('6.6.6.6')!);
  assert.equal(seen(own, '1.2.3.4'), '203.0.113.5');
  own.vote('198.51.100.9', parseIp('203.0.113.6')!);
  own.vote('198.51.101.9', parseIp('203.0.113.6')!);
  assert.equal(seen(own, '1.2.3.4'), '203.0.113.6');
});

test('a word counts for addresses of its own kind only', () => {
  const own = new OwnAddresses();
  assert.equal(own.vote('192.168.1.2', parseIp('203.0.113.5')!), false);
  assert.equal(own.vote('198.51.100.1', parseIp('192.168.1.3')!), false);
  assert.equal(own.vote('198.51.100.1', parseIp('2001:db8::1')!), false);
  assert.equal(own.vote('192.168.1.2', parseIp('192.168.1.3')!), true);
  assert.equal(seen(own, '10.0.0.1'), '192.168.1.3');
  assert.equal(seen(own, '198.51.100.1'), undefined);
});

test('old votes are forgotten', () => {
  const own = new OwnAddresses();
  own.vote('198.51.100.1', parseIp('203.0.113.5')!);
  for (let i = 0; i < 32; i += 1) own.vote(`198.18.${i}.1`, parseIp(`203.0.113.${100 + i}`)!);
  // Of as many addresses with one vote each, the first that is still remembered.
  assert.equal(seen(own, '198.51.100.1'), '203.0.113.100');
});
