/**
 * @module
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../io/crypto.ts';
import { toHex } from '../../lib/bytes.ts';
import { SecretBytes } from './secret-bytes.ts';

const secret = new Uint8Array(16).fill(3);

describe('SecretBytes', () => {
  it('gives the same bytes for the same secret, others for another one', () => {
    const take = (fill: number): string =>
      toHex(new SecretBytes(nodeCrypto, new Uint8Array(16).fill(fill)).bytes(20));
    assert.equal(take(3), take(3));
    assert.notEqual(take(3), take(4));
  });

  it('never gives the same bytes twice', () => {
    const bytes = new SecretBytes(nodeCrypto, secret);
    const seen = new Set(Array.from({ length: 10_000 }, () => toHex(bytes.take(8))));
    assert.equal(seen.size, 10_000);
  });

  it('lets a piece stand when further ones are taken', () => {
    const bytes = new SecretBytes(nodeCrypto, secret);
    const first = bytes.take(4);
    const before = toHex(first);
    for (let i = 0; i < 20; i += 1) bytes.take(20);
    assert.equal(toHex(first), before);
  });

  it('refuses a secret that could be tried out', () => {
    assert.throws(
      () => new SecretBytes(nodeCrypto, new Uint8Array(15)),
      /16 bytes or more, got 15/,
    );
  });
});
