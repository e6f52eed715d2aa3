/** BEP 52, "peer messages" that are not in BEP 3: each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeMessage,
  HASH_REQUEST_MAX_LENGTH,
  type HashRange,
  isServableHashRange,
  MessageWriter,
  makeReserved,
  parseReserved,
} from '../../src/protocol/peer-wire/index.ts';

const range: HashRange = {
  root: new Uint8Array(32).fill(5),
  baseLayer: 1,
  index: 512,
  length: 256,
  proofLayers: 9,
};

function payload(write: (writer: MessageWriter) => void): Uint8Array {
  const writer = new MessageWriter();
  write(writer);
  return writer.take().subarray(4);
}

describe('BEP 52 messages', () => {
  it('"21 - hash request", "22 - hashes", "23 - hash reject", "16 - reject"', () => {
    const hashes = new Uint8Array(64);
    assert.equal(payload((writer) => writer.hashRequest(range))[0], 21);
    assert.equal(payload((writer) => writer.hashes({ ...range, hashes }))[0], 22);
    assert.equal(payload((writer) => writer.hashReject(range))[0], 23);
    assert.equal(payload((writer) => writer.reject(0, 0, 1))[0], 16);
  });

  it('"\'hash request\' messages contain a pieces root, base layer, index, length, and proof layers."', () => {
    const bytes = payload((writer) => writer.hashRequest(range));
    assert.deepEqual(
      [...bytes],
      [21, ...range.root, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 9],
    );
    assert.deepEqual(decodeMessage(bytes), { ok: true, value: { type: 'hash-request', ...range } });
  });

  it('"Index MUST be a multiple of length, this includes zero."', () => {
    assert.equal(isServableHashRange({ ...range, index: 0 }), true);
    assert.equal(isServableHashRange({ ...range, index: 256 }), true);
    assert.equal(isServableHashRange({ ...range, index: 128 }), false);
  });

  it('"Length MUST be equal-to-or-greater-than two and a power of two."', () => {
    for (let length = 0; length <= 1024; length += 1) {
      const isPower = Number.isInteger(Math.log2(length)) && length >= 2;
      assert.equal(isServableHashRange({ ...range, index: 0, length }), isPower, `${length}`);
    }
  });

  it('"Length SHOULD NOT be greater than 512." (ours are not; larger ones are served)', () => {
    assert.equal(HASH_REQUEST_MAX_LENGTH, 512);
    assert.equal(isServableHashRange({ ...range, index: 0, length: 8192 }), true);
  });

  it('"\'hashes\' messages contain a pieces root, base layer, index, length, proof layers, and hashes."', () => {
    const hashes = new Uint8Array(96).fill(3);
    const bytes = payload((writer) => writer.hashes({ ...range, hashes }));
    assert.deepEqual(decodeMessage(bytes), {
      ok: true,
      value: { type: 'hashes', ...range, hashes },
    });
  });

  it("\"'hash reject' messages have the same payload as 'hash request' messages.\"", () => {
    const request = payload((writer) => writer.hashRequest(range));
    const reject = payload((writer) => writer.hashReject(range));
    assert.deepEqual(reject.subarray(1), request.subarray(1));
  });

  it('"\'reject\' messages have the same payload as request messages."', () => {
    const request = payload((writer) => writer.request(1, 2, 3));
    const reject = payload((writer) => writer.reject(1, 2, 3));
    assert.deepEqual(reject.subarray(1), request.subarray(1));
  });

  it('"the 4th most significant bit in the last byte of the reserved bitfield" marks the upgrade from v1 to v2', () => {
    assert.deepEqual([...makeReserved({ v2: true })], [0, 0, 0, 0, 0, 0, 0, 0x10]);
    assert.equal(parseReserved(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x10)).v2, true);
  });
});
