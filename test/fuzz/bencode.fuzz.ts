/**
 * Bencode under fuzz: whatever decodes with sorted keys is canonical, and every accessor stays inside the source.
 * @module
 */
import assert from 'node:assert/strict';
import { fromLatin1 } from '../../src/lib/bytes.ts';
import {
  BencodeDict,
  type BencodeValue,
  decode,
  decodePrefix,
  encode,
} from '../../src/protocol/bencode/index.ts';
import type { FuzzTarget } from './driver.ts';

function visit(value: BencodeValue): void {
  if (Array.isArray(value)) value.forEach(visit);
  if (!(value instanceof BencodeDict)) return;
  let count = 0;
  for (const [key, inner] of value.entries()) {
    assert.ok(value.has(key));
    assert.ok(value.rawSlice(key)!.length > 0);
    value.int(key);
    value.text(key);
    value.latin1List(key);
    visit(inner);
    count += 1;
  }
  assert.equal(count, value.size);
}

export const target: FuzzTarget = {
  name: 'bencode',
  seeds: [
    'i0e',
    '4:spam',
    'd3:cow3:moo4:spaml1:a1:bee',
    'd1:ad1:bd1:cli1ei2ei-3eeee1:xi9007199254740993ee',
    'd8:msg_typei1e5:piecei0e10:total_sizei34256eexxxxxxxx',
    'd1:q4:ping1:t2:aa1:y1:q1:ad2:id20:abcdefghij0123456789ee',
  ].map(fromLatin1),
  run(bytes) {
    const loose = decode(bytes);
    if (loose.ok) visit(loose.value);
    const strict = decode(bytes, { requireSortedKeys: true });
    if (strict.ok) assert.deepEqual(encode(strict.value), bytes);
    const prefix = decodePrefix(bytes, { maxTokens: 1000, maxDepth: 10 });
    if (prefix.ok) assert.ok(prefix.value.lengthBytes <= bytes.length);
  },
};
