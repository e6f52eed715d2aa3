/**
 * Which addresses a peer may name, by where it is itself.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mayName } from './hearsay.ts';

const SPEAKERS = {
  global: '198.51.100.7',
  'global v6': '2001:db8::7',
  private: '192.168.1.7',
  'private v6': 'fd00::7',
  loopback: '127.0.0.1',
  'link-local': '169.254.3.7',
} as const;
type Speaker = keyof typeof SPEAKERS;

const EVERYBODY = Object.keys(SPEAKERS) as Speaker[];
const NOBODY: Speaker[] = [];

/** Address → who may name it. */
const TABLE: readonly (readonly [host: string, by: readonly Speaker[]])[] = [
  ['203.0.113.9', EVERYBODY],
  ['1.1.1.1', EVERYBODY],
  ['2001:db8::9', EVERYBODY],
  ['2a00:1450::1', EVERYBODY],
  ['127.0.0.1', ['loopback']],
  ['127.255.255.254', ['loopback']],
  ['::1', ['loopback']],
  ['::ffff:127.0.0.1', ['loopback']],
  ['10.0.0.1', ['private', 'private v6']],
  ['172.16.0.1', ['private', 'private v6']],
  ['172.31.255.1', ['private', 'private v6']],
  ['192.168.1.1', ['private', 'private v6']],
  ['100.64.0.1', ['private', 'private v6']],
  ['::ffff:192.168.1.1', ['private', 'private v6']],
  ['fd12:3456::1', ['private', 'private v6']],
  ['169.254.169.254', ['link-local']],
  ['fe80::1', NOBODY],
  ['0.0.0.0', NOBODY],
  ['0.1.2.3', NOBODY],
  ['::', NOBODY],
  ['224.0.0.251', NOBODY],
  ['239.192.152.143', NOBODY],
  ['240.0.0.1', NOBODY],
  ['255.255.255.255', NOBODY],
  ['ff02::1', NOBODY],
  // An IPv4 address inside an IPv6 one: compatible, NAT64, 6to4, Teredo.
  ['::127.0.0.1', NOBODY],
  ['64:ff9b::7f00:1', NOBODY],
  ['2002:7f00:1::1', NOBODY],
  ['2002:a00:1::1', NOBODY],
  ['2002:c000:204::1', EVERYBODY],
  ['2001:0:7f00:1::', NOBODY],
  // Not handed out by IANA.
  ['4000::1', NOBODY],
  ['localhost', NOBODY],
  ['example.org', NOBODY],
  ['', NOBODY],
];

describe('mayName', () => {
  for (const [host, by] of TABLE) {
    it(`${host || 'an empty host'}: ${by.length === EVERYBODY.length ? 'everybody' : by.join(', ') || 'nobody'}`, () => {
      const may = EVERYBODY.filter((name) => mayName(SPEAKERS[name], { host, port: 6881 }));
      assert.deepEqual(may, by);
    });
  }

  it('no port but 1 … 65535', () => {
    for (const [port, isFine] of [
      [0, false],
      [1, true],
      [65_535, true],
      [65_536, false],
      [-1, false],
      [1.5, false],
    ] as const) {
      assert.equal(mayName('198.51.100.7', { host: '203.0.113.9', port }), isFine, `${port}`);
    }
  });
});
