import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressScope, formatIp, isSameSubnet, parseIp } from './ip-address.ts';

test('texts of RFC 5952', () => {
  const cases = [
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['[FE80::1%eth0]', 'fe80::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['192.0.2.1', '192.0.2.1'],
  ];
  for (const [text, canonical] of cases) assert.equal(formatIp(parseIp(text!)!), canonical);
});

test('what is no address', () => {
  const texts = [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '1.2.3.4 ',
    'a',
    ':',
    ':::',
    '1::2::3',
  ];
  texts.push(
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    '::1.2.3',
    '1.2.3.4::',
  );
  texts.push('localhost', '0x7f.1', '2130706433', '1'.repeat(100));
  for (const text of texts) assert.equal(parseIp(text), undefined, text);
});

test('scopes', () => {
  const cases: [string, string][] = [
    ['0.0.0.0', 'unspecified'],
    ['127.255.0.1', 'loopback'],
    ['10.1.1.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.32.0.1', 'global'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['169.254.1.1', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'multicast'],
    ['8.8.8.8', 'global'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['fe80::1', 'link-local'],
    ['fd00::1', 'private'],
    ['ff02::1', 'multicast'],
    ['2001:db8::1', 'global'],
  ];
  for (const [text, scope] of cases) assert.equal(addressScope(parseIp(text)!), scope, text);
});

test('subnets', () => {
  const same = (a: string, b: string): boolean => isSameSubnet(parseIp(a)!, parseIp(b)!);
  assert.ok(same('192.0.2.1', '192.0.2.255'));
  assert.ok(!same('192.0.2.1', '192.0.3.1'));
  assert.ok(same('2001:db8::1', '2001:db8::ffff:1:2:3'));
  assert.ok(!same('2001:db8::1', '2001:db8:0:1::1'));
  assert.ok(!same('192.0.2.1', '2001:db8::1'));
});

test('bytes survive text, and agree with node about what is an address', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.boolean(), (bytes, zeros) => {
      if (zeros) bytes.fill(0, bytes[0]! % 16, bytes[1]! % 16);
      const text = formatIp(bytes);
      assert.equal(isIP(text), 6);
      if (addressScope(bytes) !== 'unspecified' && !text.startsWith('::ffff:')) {
        assert.deepEqual(parseIp(text), bytes);
      }
    }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,20}$/)), (text) => {
      assert.equal(parseIp(text) !== undefined, isIP(text) !== 0);
    }),
    { numRuns: 2000 },
  );
});
