/** SipHash: the vectors of its authors, and that the key and every byte count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SipHash } from './siphash.ts';

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index);

function hex(length: number): string {
  const hasher = new SipHash(KEY);
  hasher.hash(Uint8Array.from({ length }, (_, index) => index));
  const word = (value: number): string => value.toString(16).padStart(8, '0');
  return word(hasher.high) + word(hasher.low);
}

test("the paper's vector: key 00 … 0f, message 00 … 0e", () => {
  assert.equal(hex(15), 'a129ca6149be45e5');
});

test("vectors of the authors' program: the empty message, one byte, a whole block", () => {
  assert.equal(hex(0), '726fdb47dd0e0e31');
  assert.equal(hex(1), '74f839c593dc67fd');
  assert.equal(hex(8), '93f5f5799a932462');
});

test('another key and another byte give another hash; bytes behind `end` do not count', () => {
  const bytes = Uint8Array.from({ length: 24 }, (_, index) => index);
  const first = new SipHash(KEY).hash(bytes, 20);
  assert.notEqual(new SipHash(KEY.map((byte) => byte ^ 1)).hash(bytes, 20), first);
  for (let at = 0; at < 20; at += 1) {
    const changed = bytes.slice();
    changed[at] = changed[at]! ^ 0x80;
    assert.notEqual(new SipHash(KEY).hash(changed, 20), first);
  }
  assert.equal(new SipHash(KEY).hash(bytes.fill(9, 20), 20), first);
});

test('a key of another length is refused', () => {
  assert.throws(() => new SipHash(new Uint8Array(15)), /expected 16 bytes, got 15/);
});
