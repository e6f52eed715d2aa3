import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromHex } from '../../lib/bytes.ts';
import { formatIp } from '../../lib/ip-address.ts';
import { encode } from '../bencode/index.ts';
import { peerIdOf } from '../identity/index.ts';
import {
  CLOCK_TOLERANCE_MS,
  decodeRecord,
  encodeRecord,
  openRecord,
  RECORD_BYTES,
  type RecordEndpoint,
  type SenderRecord,
  sealRecord,
} from './rendezvous.ts';

const KEY = new Uint8Array(32).fill(1);
const NONCE = new Uint8Array(24).fill(2);
const ID = peerIdOf(new Uint8Array(32).fill(3));
const NOW_MS = 1_780_000_000_000;
const plain: SenderRecord = {
  peerId: ID,
  expiresAtMs: NOW_MS + 7_200_000,
  addresses: [
    { host: '192.0.2.7', port: 6_881 },
    { host: '2001:db8::7', port: 1 },
  ],
  relays: [{ peerId: ID, addresses: [{ host: '198.51.100.1', port: 65_535 }] }],
};

const v4 = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.nat({ max: 255 }), fc.nat({ max: 255 }))
  .map(([a, b, c]) => `${a}.${b}.${c}.9`);
const v6 = fc
  .uint8Array({ minLength: 14, maxLength: 14 })
  .map((rest) => formatIp(Uint8Array.of(0x20, 1, ...rest)));
const endpoint: fc.Arbitrary<RecordEndpoint> = fc.record({
  host: fc.oneof(v4, v6),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const peerId = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((key) => peerIdOf(Uint8Array.of(9, ...key.subarray(1, 31), 0x11)));
const record: fc.Arbitrary<SenderRecord> = fc.record({
  peerId,
  expiresAtMs: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
  addresses: fc.array(endpoint, { maxLength: 16 }),
  relays: fc.array(
    fc.record({ peerId, addresses: fc.array(endpoint, { minLength: 1, maxLength: 4 }) }),
    { maxLength: 4 },
  ),
});

describe("a sender's record", () => {
  it('is opened as it was sealed, and its length tells nothing', () => {
    fc.assert(
      fc.property(record, (one) => {
        const value = sealRecord(KEY, one, NONCE);
        assert.equal(value.length, 844);
        // A clone, as the objects of fast-check have no prototype.
        assert.deepEqual(openRecord(KEY, value, 0), { ok: true, value: structuredClone(one) });
      }),
    );
  });

  it('with everything at its most fits', () => {
    const six = { host: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', port: 65_535 };
    const relay = { peerId: ID, addresses: Array<RecordEndpoint>(4).fill(six) };
    const most: SenderRecord = {
      peerId: ID,
      expiresAtMs: 4_000_000_000_000,
      addresses: Array<RecordEndpoint>(16).fill(six),
      relays: [relay, relay, relay, relay],
    };
    assert.deepEqual(decodeRecord(encodeRecord(most)), { ok: true, value: most });
  });

  it('is not opened with another key, or when any bit of it changed', () => {
    const value = sealRecord(KEY, plain, NONCE);
    fc.assert(
      fc.property(fc.nat({ max: value.length * 8 - 1 }), (bit) => {
        const changed = value.slice();
        changed[bit >> 3]! ^= 1 << (bit & 7);
        const opened = openRecord(KEY, changed, NOW_MS);
        assert(!opened.ok && opened.code === 'ERR_SEND_RECORD_SEALED');
      }),
    );
    const other = openRecord(new Uint8Array(32).fill(9), value, NOW_MS);
    assert(!other.ok && other.code === 'ERR_SEND_RECORD_SEALED');
    for (const bytes of [new Uint8Array(0), encode(5), encode(new Uint8Array(839)), encode([])]) {
      assert(!openRecord(KEY, bytes, NOW_MS).ok);
    }
  });

  it('holds for an hour longer than it says: clocks differ', () => {
    const value = sealRecord(KEY, plain, NONCE);
    const endMs = plain.expiresAtMs + CLOCK_TOLERANCE_MS;
    assert(openRecord(KEY, value, endMs).ok);
    const late = openRecord(KEY, value, endMs + 1);
    assert(!late.ok && late.code === 'ERR_SEND_RECORD_EXPIRED');
  });

  it('has one form: bytes that are read are written again to the same', () => {
    const bytes = encodeRecord(plain);
    const change = fc.tuple(fc.nat({ max: 140 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const changed = bytes.slice();
        for (const [at, byte] of changes) changed[at] = byte;
        const read = decodeRecord(changed);
        if (read.ok) assert.deepEqual(encodeRecord(read.value), changed);
        else assert.equal(read.code, 'ERR_SEND_RECORD_MALFORMED');
      }),
      { numRuns: 2_000 },
    );
  });

  it('is refused with addresses of nobody, counts beyond the bounds, other versions, and bytes after its end', () => {
    // Version 0, time 1, key 9, count 41, family 42, address 43, port 47.
    const at = (place: number, ...bytes: number[]): Uint8Array => {
      const changed = encodeRecord({ ...plain, addresses: [plain.addresses[0]!], relays: [] });
      changed.set(bytes, place);
      return changed;
    };
    assert(decodeRecord(at(43, 10, 0, 0, 1)).ok);
    const mapped = fromHex('0600000000000000000000ffffc0000207')!;
    for (const bytes of [
      at(0, 2),
      at(1, 0xff),
      at(9, ...new Uint8Array(32)),
      at(41, 17),
      at(42, 5),
      at(43, 0, 0, 0, 0),
      at(43, 224, 0, 0, 1),
      at(47, 0, 0),
      at(49, 5),
      at(42, ...mapped, 0x1a, 0xe1),
      at(RECORD_BYTES - 1, 1),
      at(0).subarray(1),
    ]) {
      const read = decodeRecord(bytes);
      assert(!read.ok && read.code === 'ERR_SEND_RECORD_MALFORMED');
    }
  });

  it('is not written beyond the bounds', () => {
    const wrong: Partial<SenderRecord>[] = [
      { addresses: Array<RecordEndpoint>(17).fill(plain.addresses[0]!) },
      { addresses: [{ host: 'name.example', port: 1 }] },
      { addresses: [{ host: '192.0.2.1', port: 0 }] },
      { addresses: [{ host: '0.0.0.0', port: 1 }] },
      { relays: [{ peerId: ID, addresses: [] }] },
      { relays: Array(5).fill(plain.relays[0]!) },
      { peerId: new Uint8Array(38) },
      { expiresAtMs: -1 },
    ];
    for (const change of wrong) {
      assert.throws(() => encodeRecord({ ...plain, ...change }), RangeError);
    }
  });
});
