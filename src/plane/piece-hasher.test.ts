import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { pieceRootV2 } from '../../test/support/torrents.ts';
import { toHex } from '../lib/bytes.ts';
import { Rng } from '../lib/rng.ts';
import { PieceHasher } from './piece-hasher.ts';

const BLOCK = 16_384;

test('known digests of "abc"', () => {
  const abc = Buffer.from('abc');
  const hasher = new PieceHasher({ v1Bytes: 3, v2Bytes: 3, leafWidth: 1 });
  hasher.updateV1(abc);
  hasher.updateV2(abc, 0);
  const digests = hasher.finish();
  // FIPS 180-4 examples.
  assert.equal(toHex(digests.v1!), 'a9993e364706816aba3e25717850c26c9cd0d89d');
  assert.equal(
    toHex(digests.v2!),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('what was not asked for is not there', () => {
  const none = new PieceHasher({ v1Bytes: 0, v2Bytes: 0, leafWidth: 0 });
  none.updateV1(new Uint8Array(5));
  none.updateV2(new Uint8Array(5), 0);
  assert.deepEqual(none.finish(), {});
  assert.equal(none.isOrdered, false);
});

test('a piece in parts of whole blocks, in any order for v2, has the digests of the whole', () => {
  const shapes = fc.record({
    v2Bytes: fc.integer({ min: 1, max: 6 * BLOCK }),
    padBytes: fc.nat(2 * BLOCK),
    widerBy: fc.nat(2),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(shapes, ({ v2Bytes, padBytes, widerBy, seed }) => {
      const rng = new Rng(seed);
      const data = rng.bytes(v2Bytes);
      const blocks = Math.ceil(v2Bytes / BLOCK);
      const leafWidth = 2 ** (Math.ceil(Math.log2(blocks)) + widerBy);
      const hasher = new PieceHasher({ v1Bytes: v2Bytes + padBytes, v2Bytes, leafWidth });
      for (let at = 0; at < v2Bytes; ) {
        const part = data.subarray(at, at + 1 + rng.below(2 * BLOCK));
        assert.equal(hasher.nextByte, at);
        hasher.updateV1(part);
        at += part.length;
      }
      for (const block of rng.shuffle([...Array(blocks).keys()])) {
        // With the zeros that follow in memory: they are beyond the data and do not count.
        const bytes = Buffer.alloc(BLOCK);
        bytes.set(data.subarray(block * BLOCK, (block + 1) * BLOCK));
        hasher.updateV2(bytes, block * BLOCK);
      }
      const { v1, v2 } = hasher.finish();
      const whole = createHash('sha1').update(data).update(Buffer.alloc(padBytes)).digest();
      assert.equal(toHex(v1!), toHex(whole));
      assert.equal(toHex(v2!), toHex(pieceRootV2(data, leafWidth)));
    }),
    { numRuns: 60 },
  );
});
