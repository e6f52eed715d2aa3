/** BEP 7, IPv6, and BEP 24, external address: what a tracker does of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../src/lib/bytes.ts';
import { TestCore } from '../support/tracker-core.ts';

test('"the tracker MAY add another key to the response; peers6 … 18 bytes are used"', () => {
  const tracker = new TestCore();
  assert.equal(tracker.announce({}, '203.0.113.1').bytes('peers6'), undefined);
  tracker.announce({ port: 0x1ae2 }, '2001:db8::5');
  const reply = tracker.announce({}, '203.0.113.2');
  assert.equal(toHex(reply.bytes('peers')!), 'cb0071011ae1');
  assert.equal(toHex(reply.bytes('peers6')!), '20010db8000000000000000000000005'.concat('1ae2'));
});

test("a list that is full has peers of the asker's own family", () => {
  const tracker = new TestCore();
  for (let i = 1; i < 60; i += 1) {
    tracker.announce({}, `203.0.113.${i}`);
    tracker.announce({}, `2001:db8:0:${i}::1`);
  }
  const v6 = tracker.announce({}, '2001:db8:0:99::1');
  assert.deepEqual([v6.bytes('peers')!.length, v6.bytes('peers6')!.length], [0, 50 * 18]);
  const v4 = tracker.announce({}, '203.0.113.99');
  assert.deepEqual([v4.bytes('peers')!.length, v4.bytes('peers6')], [50 * 6, undefined]);
});

test('"&ipv4= and &ipv6= … allow an attacker to announce a victim\'s IP address": they are not read', () => {
  const tracker = new TestCore();
  tracker.announce({ ipv4: '198.51.100.1', ipv6: '2001:db8::bad' }, '127.0.0.1');
  const reply = tracker.announce({ port: 1 }, '127.0.0.1');
  assert.equal(toHex(reply.bytes('peers')!), '7f0000011ae1');
  assert.equal(reply.bytes('peers6'), undefined);
});

test('BEP 24: "external ip … the IPv4 address as a 32 bit binary or … the IPv6 address as a 128 bit binary"', () => {
  const tracker = new TestCore();
  assert.equal(toHex(tracker.announce({}, '203.0.113.1').bytes('external ip')!), 'cb007101');
  const v6 = tracker.announce({}, '2001:db8::1').bytes('external ip')!;
  assert.equal(toHex(v6), '20010db8000000000000000000000001');
});

test('an IPv4 address in IPv6 form is the IPv4 address', () => {
  const tracker = new TestCore();
  tracker.announce({}, '::ffff:203.0.113.1');
  assert.equal(tracker.core.store.v4.size, 1);
});
