import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeEd25519 } from '../../io/crypto.ts';
import { concatBytes } from '../../lib/bytes.ts';
import { MAX_VALUE_BYTES } from '../dht/index.ts';
import {
  type AddressRecord,
  decodeAddressRecord,
  encodeAddressRecord,
  formatPeerAddress,
  MAX_RECORD_BYTES,
  type PeerAddress,
  peerAddressOf,
  peerIdOf,
  publishableAddresses,
} from './index.ts';

const idOf = (number: number): Uint8Array =>
  peerIdOf(nodeEd25519.publicKey(new Uint8Array(32).fill(number)));
const at = (host: string, port = 6881): PeerAddress => ({ host, port });
const RECORD: AddressRecord = {
  timeMs: 1_800_000_000_123,
  addresses: [at('192.0.2.7'), at('2001:db8::7', 1)],
  relays: [{ peerId: idOf(1), address: at('198.51.100.2', 65_535) }],
  isRelay: true,
  isHidden: false,
};

const address = fc
  .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => peerAddressOf(host, port))
  .filter((each) => each !== undefined);

describe('address records', () => {
  it('come back as they were written', () => {
    const record = fc.record({
      timeMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      addresses: fc.uniqueArray(address, { maxLength: 8, selector: formatPeerAddress }),
      relays: fc.uniqueArray(
        fc
          .tuple(fc.integer({ min: 1, max: 9 }).map(idOf), address)
          .map(([peerId, where]) => ({ peerId, address: where })),
        { maxLength: 4, selector: (each) => formatPeerAddress(each.address) },
      ),
      isRelay: fc.boolean(),
      isHidden: fc.boolean(),
    });
    fc.assert(
      fc.property(record, (written) => {
        const read = decodeAddressRecord(encodeAddressRecord(written));
        assert(read.ok);
        assert.deepEqual(read.value, { ...written });
      }),
      { numRuns: 60 },
    );
  });

  it('fit into an item of the DHT with room to spare', () => {
    assert(MAX_RECORD_BYTES + 4 <= MAX_VALUE_BYTES / 2);
    const most = {
      ...RECORD,
      addresses: Array.from({ length: 8 }, (_, index) => at('2001:db8::7', index + 1)),
      relays: Array.from({ length: 4 }, (_, index) => ({
        peerId: idOf(index),
        address: at('2001:db8::8'),
      })),
    };
    assert.equal(encodeAddressRecord(most).length, MAX_RECORD_BYTES);
    const more = { ...most, addresses: [...most.addresses, at('192.0.2.7')] };
    assert.throws(() => encodeAddressRecord(more), RangeError);
  });

  it('cut, longer, with bits that nobody knows, addresses that lead nowhere or anything twice are none', () => {
    const bytes = encodeAddressRecord(RECORD);
    assert(decodeAddressRecord(bytes).ok);
    for (let end = 0; end < bytes.length; end += 1) {
      assert(!decodeAddressRecord(bytes.subarray(0, end)).ok, `cut at ${end}`);
    }
    assert(!decodeAddressRecord(concatBytes(bytes, Uint8Array.of(0))).ok);
    const bent = (change: (copy: Uint8Array) => void): Uint8Array => {
      const copy = bytes.slice();
      change(copy);
      return copy;
    };
    // Head of 8, count, then family, four bytes, port.
    for (const [what, copy] of [
      ['version', bent((b) => b.fill(2, 0, 1))],
      ['flags', bent((b) => b.fill(4, 1, 2))],
      ['count', bent((b) => b.fill(9, 8, 9))],
      ['family', bent((b) => b.fill(5, 9, 10))],
      ['unspecified', bent((b) => b.fill(0, 10, 14))],
      ['multicast', bent((b) => b.fill(0xe0, 10, 11))],
      ['port', bent((b) => b.fill(0, 14, 16))],
      ['relay of no strict key', bent((b) => b.fill(0, 36, 68))],
    ] as const) {
      assert(!decodeAddressRecord(copy).ok, what);
    }
    const twice = { ...RECORD, addresses: [at('192.0.2.7'), at('192.0.2.7')] };
    assert.throws(() => encodeAddressRecord(twice), RangeError);
    for (const timeMs of [-1, 0.5, 2 ** 48, Number.NaN]) {
      assert.throws(() => encodeAddressRecord({ ...RECORD, timeMs }), RangeError);
    }
    for (const bad of [at('0.0.0.0'), at('192.0.2.7', 0), at('fe80::1'), at('example.org')]) {
      assert.throws(() => encodeAddressRecord({ ...RECORD, addresses: [bad] }), RangeError);
    }
  });
});

describe('the addresses that are told', () => {
  const hosts = [
    '127.0.0.1',
    '::1',
    '0.0.0.0',
    '10.0.0.1',
    'fd00::1',
    '169.254.1.1',
    'fe80::1',
    '224.0.0.1',
    '100.64.0.1',
    '198.51.100.1',
    '2001:db8::1',
    '198.51.100.1',
  ].map((host) => at(host));
  const told = (rule = {}): string[] => publishableAddresses(hosts, rule).map(({ host }) => host);

  it('are public ones alone, each once', () => {
    assert.deepEqual(told(), ['2001:db8::1', '198.51.100.1']);
  });

  it('are private ones too when that was asked for, and loopback offline alone', () => {
    const withPrivate = ['2001:db8::1', '198.51.100.1', 'fd00::1', '10.0.0.1', '100.64.0.1'];
    assert.deepEqual(told({ includesPrivate: true }), withPrivate);
    assert.deepEqual(told({ isOffline: true }), [
      '2001:db8::1',
      '198.51.100.1',
      '::1',
      '127.0.0.1',
    ]);
  });

  it('are at most eight, of both families', () => {
    const many = Array.from({ length: 20 }, (_, index) => [
      at(`198.51.100.${index + 1}`),
      at(`2001:db8::${index + 1}`),
    ]).flat();
    const some = publishableAddresses(many);
    assert.equal(some.length, 8);
    assert.equal(some.filter(({ host }) => host.includes(':')).length, 4);
    assert.deepEqual(publishableAddresses([at('198.51.100.1', 0), at('router.example')]), []);
  });
});
