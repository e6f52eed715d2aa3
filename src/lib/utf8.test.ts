import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

test('texts are encoded as the platform does, lone surrogates replaced', () => {
  // Code units; not `fc.string`, whose tables of all Unicode take longer to build than all else here.
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd7f0, max: 0xe00f }))),
      (units) => {
        const text = String.fromCharCode(...units);
        const bytes = encodeUtf8(text);
        assert.deepEqual(bytes, new TextEncoder().encode(text));
        assert.equal(decodeUtf8(bytes), text.toWellFormed());
      },
    ),
  );
});

test('any bytes are decoded as the platform does', () => {
  const likely = fc.constantFrom(
    0x41,
    0x80,
    0x9f,
    0xa0,
    0xbf,
    0xc0,
    0xc2,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(likely, fc.nat(255))), (list) => {
      const bytes = Uint8Array.from(list);
      assert.equal(decodeUtf8(bytes), decoder.decode(bytes));
    }),
    { numRuns: 2000 },
  );
});

for (const [title, hex, expected] of [
  ['an overlong slash', 'c0af', '\ufffd\ufffd'],
  ['a surrogate', 'eda080', '\ufffd\ufffd\ufffd'],
  ['above U+10FFFF', 'f4908080', '\ufffd\ufffd\ufffd\ufffd'],
  ['a truncated sequence and a letter', 'e282 41', '\ufffdA'],
  ['a byte order mark, which stays', 'efbbbf41', '\ufeffA'],
] as const) {
  test(`ill-formed and odd input: ${title}`, () => {
    assert.equal(decodeUtf8(Buffer.from(hex.replace(' ', ''), 'hex')), expected);
  });
}

test('long texts are joined whole', () => {
  const text = 'aж日😀'.repeat(5000);
  assert.equal(decodeUtf8(encodeUtf8(text)), text);
});
