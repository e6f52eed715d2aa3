import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromLatin1, toLatin1 } from '../../lib/bytes.ts';
import {
  BencodeDict,
  type BencodeValue,
  decode,
  decodeDict,
  decodePrefix,
  type Encodable,
  encode,
  raw,
} from './index.ts';

function decodeText(text: string, options = {}): BencodeValue {
  const result = decode(fromLatin1(text), options);
  assert.ok(result.ok, `${text}: ${result.ok ? '' : result.message}`);
  return result.value;
}

function codeOf(text: string, options = {}): string {
  const result = decode(fromLatin1(text), options);
  return result.ok ? 'ok' : result.code;
}

function dictOf(text: string): BencodeDict {
  const value = decodeText(text);
  assert.ok(value instanceof BencodeDict);
  return value;
}

/** A value as plain data that deepEqual can compare. */
function plain(value: BencodeValue): unknown {
  if (value instanceof BencodeDict) {
    return new Map([...value.entries()].map(([key, inner]) => [key, plain(inner)]));
  }
  if (Array.isArray(value)) return value.map(plain);
  return value instanceof Uint8Array ? toLatin1(value) : value;
}

test('malformed bytes are named by code', () => {
  const cases: [text: string, code: string][] = [
    ['', 'ERR_BENCODE_TRUNCATED'],
    ['i', 'ERR_BENCODE_TRUNCATED'],
    ['i-', 'ERR_BENCODE_TRUNCATED'],
    ['i12', 'ERR_BENCODE_TRUNCATED'],
    ['ie', 'ERR_BENCODE_INTEGER'],
    ['i-e', 'ERR_BENCODE_INTEGER'],
    ['i-0e', 'ERR_BENCODE_INTEGER'],
    ['i-01e', 'ERR_BENCODE_INTEGER'],
    ['i00e', 'ERR_BENCODE_INTEGER'],
    ['i03e', 'ERR_BENCODE_INTEGER'],
    ['i+1e', 'ERR_BENCODE_INTEGER'],
    ['i 1e', 'ERR_BENCODE_INTEGER'],
    ['i1.5e', 'ERR_BENCODE_INTEGER'],
    ['i--1e', 'ERR_BENCODE_INTEGER'],
    [`i${'1'.repeat(129)}e`, 'ERR_BENCODE_INTEGER'],
    ['1', 'ERR_BENCODE_TRUNCATED'],
    ['4:abc', 'ERR_BENCODE_TRUNCATED'],
    ['9999999999:a', 'ERR_BENCODE_TRUNCATED'],
    ['99999999999:a', 'ERR_BENCODE_LENGTH'],
    ['18446744073709551616:a', 'ERR_BENCODE_LENGTH'],
    ['00:', 'ERR_BENCODE_LENGTH'],
    ['01:a', 'ERR_BENCODE_LENGTH'],
    ['-1:a', 'ERR_BENCODE_SYNTAX'],
    ['1a', 'ERR_BENCODE_SYNTAX'],
    ['x', 'ERR_BENCODE_SYNTAX'],
    ['e', 'ERR_BENCODE_SYNTAX'],
    ['l', 'ERR_BENCODE_TRUNCATED'],
    ['li1e', 'ERR_BENCODE_TRUNCATED'],
    ['d', 'ERR_BENCODE_TRUNCATED'],
    ['d1:a', 'ERR_BENCODE_TRUNCATED'],
    ['d1:ae', 'ERR_BENCODE_SYNTAX'],
    ['di1ei2ee', 'ERR_BENCODE_SYNTAX'],
    ['dlei1ee', 'ERR_BENCODE_SYNTAX'],
    ['d1:ai1e1:ai2ee', 'ERR_BENCODE_DUPLICATE_KEY'],
    ['d1:bi1e1:ai2e1:bi3ee', 'ERR_BENCODE_DUPLICATE_KEY'],
    ['i1ei2e', 'ERR_BENCODE_TRAILING'],
    ['lee', 'ERR_BENCODE_TRAILING'],
  ];
  for (const [text, code] of cases) assert.equal(codeOf(text), code, text);
});

test('a message says where, what was expected and what came', () => {
  const result = decode(fromLatin1('d1:ai1e1:ai2ee'));
  assert.ok(!result.ok);
  assert.equal(result.message, 'byte 10: expected each key once, got "a" again');
});

test('integers are numbers while safe, and exact bigints beyond', () => {
  assert.equal(decodeText('i0e'), 0);
  assert.equal(decodeText('i-42e'), -42);
  assert.equal(decodeText('i9007199254740991e'), Number.MAX_SAFE_INTEGER);
  assert.equal(decodeText('i-9007199254740991e'), Number.MIN_SAFE_INTEGER);
  assert.equal(decodeText('i9007199254740992e'), 9_007_199_254_740_992n);
  assert.equal(decodeText('i18446744073709551616e'), 18_446_744_073_709_551_616n);
  assert.equal(dictOf('d1:ai9007199254740992ee').int('a'), undefined);
});

test('unsorted keys are accepted unless sorted ones are required, and are reported at every level', () => {
  const text = 'd1:bi1e1:ad1:xi1e1:yi2eee';
  assert.equal(codeOf(text), 'ok');
  assert.equal(codeOf(text, { requireSortedKeys: true }), 'ERR_BENCODE_UNSORTED_KEYS');
  assert.equal(dictOf(text).hasSortedKeys, false);
  assert.equal(dictOf(text).dict('a')!.hasSortedKeys, true);
  assert.equal(dictOf('d1:ald1:zi1e1:yi2eeee').hasSortedKeys, false);
  assert.equal(dictOf('d0:i0e1:ai1e2:aai2e1:bi3ee').hasSortedKeys, true);
});

test('depth, tokens and bytes are bounded', () => {
  assert.equal(codeOf('l'.repeat(100) + 'e'.repeat(100)), 'ok');
  assert.equal(codeOf('l'.repeat(101) + 'e'.repeat(101)), 'ERR_BENCODE_DEPTH');
  assert.equal(codeOf('lleleee', { maxDepth: 1 }), 'ERR_BENCODE_DEPTH');
  assert.equal(codeOf('li1ei2ee', { maxTokens: 3 }), 'ok');
  assert.equal(codeOf('li1ei2ee', { maxTokens: 2 }), 'ERR_BENCODE_TOO_LARGE');
  assert.equal(codeOf('3:abc', { maxBytes: 5 }), 'ok');
  assert.equal(codeOf('3:abc', { maxBytes: 4 }), 'ERR_BENCODE_TOO_LARGE');
  assert.equal(codeOf('l'.repeat(1_000_000), { maxDepth: 2_000_000 }), 'ERR_BENCODE_TRUNCATED');
});

test('a dictionary gives values by type, and nothing for another type', () => {
  const dict = dictOf('d1:ad1:xi1ee1:bi7e1:cl1:p1:qe1:d2:\xc3\xa9e');
  assert.equal(dict.int('b'), 7);
  assert.equal(dict.int('c'), undefined);
  assert.equal(dict.text('d'), 'é');
  assert.deepEqual(dict.latin1List('c'), ['p', 'q']);
  assert.equal(dictOf('d1:cl1:pi1eee').latin1List('c'), undefined);
  assert.equal(dict.dict('a')!.int('x'), 1);
  assert.equal(dict.dict('b'), undefined);
  assert.equal(dict.list('a'), undefined);
  assert.equal(dict.bytes('b'), undefined);
  assert.equal(dict.get('nothing'), undefined);
  assert.equal(dict.has('a'), true);
  assert.equal(dict.has('nothing'), false);
  assert.equal(dict.size, 4);
  assert.equal(dict.firstKey, 'a');
  assert.deepEqual([...dict.keys()], ['a', 'b', 'c', 'd']);
});

test('raw slices and byte strings are views of the source', () => {
  const source = fromLatin1('d4:infod1:bi1e1:ai2ee3:str3:abce');
  const result = decodeDict(source);
  assert.ok(result.ok);
  assert.equal(toLatin1(result.value.rawSlice('info')!), 'd1:bi1e1:ai2ee');
  assert.equal(toLatin1(result.value.rawSlice('str')!), '3:abc');
  assert.equal(result.value.rawSlice('none'), undefined);
  assert.equal(result.value.bytes('str')!.buffer, source.buffer);
  assert.equal(result.value.raw.length, source.length);
});

test('large dictionaries answer from an index', () => {
  const entries = Array.from({ length: 1000 }, (_, i): [string, number] => [`key${i}`, i]);
  const decoded = decodeDict(encode(Object.fromEntries(entries)));
  assert.ok(decoded.ok);
  for (const [key, value] of entries) assert.equal(decoded.value.int(key), value);
  assert.equal(decoded.value.get('key1000'), undefined);
});

test('a prefix is decoded with the number of its bytes', () => {
  const result = decodePrefix(fromLatin1('d8:msg_typei1eexxxx'));
  assert.ok(result.ok);
  assert.equal(result.value.lengthBytes, 15);
});

test('decodeDict says what came instead of a dictionary', () => {
  const result = decodeDict(fromLatin1('3:abc'));
  assert.deepEqual(result, {
    ok: false,
    code: 'ERR_BENCODE_TYPE',
    message: 'expected a dictionary, got a string',
  });
});

test('the encoder sorts keys by raw bytes and takes every kind of value', () => {
  const value: Encodable = {
    b: [1, -2, 0, -0, 3n, 'é'],
    a: Uint8Array.of(1, 255),
    skipped: undefined,
    é: raw(fromLatin1('le')),
    m: new Map<string, Encodable>([
      ['\xff', 1],
      ['', 2],
    ]),
  };
  assert.equal(
    toLatin1(encode(value)),
    'd1:a2:\x01\xff1:bli1ei-2ei0ei0ei3e2:\xc3\xa9e1:md0:i2e1:\xffi1ee2:\xc3\xa9lee',
  );
});

test('the encoder refuses what bencode cannot say, and says where it is', () => {
  const cycle: Encodable[] = [];
  cycle.push(cycle);
  const values: [value: unknown, found: RegExp][] = [
    [1.5, /\$: .* got the number 1\.5/],
    [Number.NaN, /NaN/],
    [2 ** 53, /9007199254740992/],
    [{ a: [true] }, /\$\.a\.0: .* got boolean true/],
    [[null], /\$\.0: .* got object null/],
    [[undefined], /got undefined/],
    [new Date(0), /class Date/],
    [new Map([['Ā', 1]]), /beyond latin-1/],
    [cycle, /cycle/],
  ];
  for (const [value, found] of values) {
    assert.throws(
      () => encode(value as Encodable),
      (error: Error & { code?: string }) =>
        error.code === 'ERR_BENCODE_UNENCODABLE' && found.test(error.message),
    );
  }
});

const latin1 = fc.uint8Array({ maxLength: 12 }).map(toLatin1);
const { tree } = fc.letrec<{ tree: Encodable; leaf: Encodable }>((tie) => ({
  leaf: fc.oneof(fc.maxSafeInteger(), fc.bigInt(), fc.uint8Array({ maxLength: 20 })),
  tree: fc.oneof(
    { maxDepth: 5 },
    tie('leaf'),
    fc.array(tie('tree'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(latin1, tie('tree')), { selector: ([key]) => key, maxLength: 20 })
      .map((entries) => new Map(entries)),
  ),
}));

function plainOf(value: Encodable): unknown {
  if (value instanceof Uint8Array) return toLatin1(value);
  if (Array.isArray(value)) return value.map(plainOf);
  if (value instanceof Map) {
    const entries = [...value.entries()].map(([key, inner]): [string, unknown] => [
      key,
      plainOf(inner),
    ]);
    return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

test('property: decoding what was encoded gives it back, and encoding that again the same bytes', () => {
  fc.assert(
    fc.property(tree, (value) => {
      const bytes = encode(value);
      const decoded = decode(bytes, { requireSortedKeys: true });
      assert.ok(decoded.ok);
      // Bigints beyond 128 digits are not generated.
      assert.deepEqual(plain(decoded.value), plainOf(value));
      assert.deepEqual(encode(decoded.value), bytes);
    }),
    { numRuns: 300 },
  );
});

test('property: arbitrary bytes decode or fail, and what decodes with sorted keys is canonical', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'ilde0123:-a'), { maxLength: 40 }), (letters) => {
      const bytes = fromLatin1(letters.join(''));
      const decoded = decode(bytes, { requireSortedKeys: true });
      if (decoded.ok) assert.deepEqual(encode(decoded.value), bytes);
    }),
    { numRuns: 3000 },
  );
});
