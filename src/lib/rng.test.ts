import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from './rng.ts';

function draw(rng: Rng, count: number): number[] {
  return Array.from({ length: count }, () => rng.u32());
}

test('equal seeds give equal streams, others do not', () => {
  assert.deepEqual(draw(new Rng(7), 50), draw(new Rng(7), 50));
  assert.notDeepEqual(draw(new Rng(7), 5), draw(new Rng(8), 5));
  assert.deepEqual(
    draw(new Rng(-1), 5),
    draw(new Rng(2 ** 32 - 1), 5),
    'a seed counts modulo 2^32',
  );
});

test('a fork is a stream of its own', () => {
  const rng = new Rng(1);
  const fork = rng.fork();
  const taken = draw(fork, 20);
  const again = new Rng(1);
  assert.deepEqual(draw(again.fork(), 20), taken);
  assert.deepEqual(draw(rng, 5), draw(again, 5), 'drawing from a fork leaves its parent alone');
});

test('numbers stay in their ranges', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, limit) => {
      const rng = new Rng(seed);
      for (let i = 0; i < 20; i += 1) {
        const below = rng.below(limit);
        assert.ok(Number.isInteger(below) && below >= 0 && below < limit);
        const float = rng.float();
        assert.ok(float >= 0 && float < 1);
        const u32 = rng.u32();
        assert.ok(Number.isInteger(u32) && u32 >= 0 && u32 < 2 ** 32);
      }
    }),
  );
});

test('every value is about as frequent as any other', () => {
  const rng = new Rng(3);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i += 1) counts[rng.below(10)]! += 1;
  // Six standard deviations of 30 each.
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 180, String(counts));
});

test('shuffling keeps what is there, in place', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.integer()), (seed, items) => {
      const given = [...items];
      assert.equal(new Rng(seed).shuffle(given), given);
      assert.deepEqual(given.toSorted(), items.toSorted());
    }),
  );
});

test('bytes are as many as were asked for', () => {
  assert.equal(new Rng(1).bytes(0).length, 0);
  assert.equal(new Set(new Rng(1).bytes(5000)).size, 256);
});
