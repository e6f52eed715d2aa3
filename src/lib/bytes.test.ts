import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromBase32,
  fromHex,
  fromLatin1,
  readU16,
  readU32,
  toHex,
  toLatin1,
  writeU16,
  writeU32,
} from './bytes.ts';

const byteStrings = fc.uint8Array({ maxLength: 40 });

test('integers are big-endian, unsigned, and read as they were written', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.nat(9), (value, at) => {
      const bytes = new Uint8Array(at + 4);
      writeU32(bytes, at, value);
      assert.equal(readU32(bytes, at), value);
      assert.equal(Buffer.from(bytes).readUInt32BE(at), value);
      writeU16(bytes, at, value);
      assert.equal(readU16(bytes, at), value & 0xffff);
    }),
  );
});

test('integers past either end are refused', () => {
  const bytes = new Uint8Array(5);
  for (const at of [-1, 2, 5]) {
    assert.throws(() => readU32(bytes, at), RangeError);
    assert.throws(() => writeU32(bytes, at, 0), RangeError);
  }
  for (const at of [-1, 4]) {
    assert.throws(() => readU16(bytes, at), RangeError);
    assert.throws(() => writeU16(bytes, at, 0), RangeError);
  }
  assert.deepEqual(bytes, new Uint8Array(5));
});

test('equality and order are those of Buffer', () => {
  fc.assert(
    fc.property(byteStrings, byteStrings, (a, b) => {
      assert.equal(equalBytes(a, b), Buffer.from(a).equals(b));
      assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b));
      assert.equal(equalBytes(a, a.slice()), true);
    }),
  );
  assert.ok(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0)) < 0, 'a prefix comes first');
});

test('joining gives a new string with all bytes', () => {
  fc.assert(
    fc.property(fc.array(byteStrings), (parts) => {
      assert.deepEqual(concatBytes(...parts), Uint8Array.from(parts.flatMap((part) => [...part])));
    }),
  );
});

test('hexadecimal is read in either case, and nothing else is', () => {
  fc.assert(
    fc.property(byteStrings, (bytes) => {
      const text = toHex(bytes);
      assert.equal(text, Buffer.from(bytes).toString('hex'));
      assert.deepEqual(fromHex(text), bytes);
      assert.deepEqual(fromHex(text.toUpperCase()), bytes);
    }),
  );
  for (const text of ['0', '0g', ' 00', '00\n', '0x00', '-1']) {
    assert.equal(fromHex(text), undefined, JSON.stringify(text));
  }
});

test('base32 is read as in the examples of RFC 4648 section 10', () => {
  for (const [text, expected] of [
    ['', ''],
    ['MY', 'f'],
    ['MZXQ', 'fo'],
    ['MZXW6', 'foo'],
    ['MZXW6YQ', 'foob'],
    ['mzxw6ytb', 'fooba'],
    ['MZXW6YTBOI', 'foobar'],
  ] as const) {
    assert.deepEqual(fromBase32(text), fromLatin1(expected));
  }
  for (const text of ['M1', 'MZXW6===', 'M Y', 'MÝ']) assert.equal(fromBase32(text), undefined);
});

test('latin-1 texts are lossless, long ones too', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9000, size: 'max' }), (bytes) => {
      assert.deepEqual(fromLatin1(toLatin1(bytes)), bytes);
    }),
    { numRuns: 30 },
  );
});
