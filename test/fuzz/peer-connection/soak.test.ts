/**
 * One long life of a swarm core: what peers make it remember does not grow with time.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Rng } from '../../../src/lib/rng.ts';
import { Choices } from './choices.ts';
import { live } from './moves.ts';

/** About as many steps as a hundred common lives have. */
const LIFE_BYTES = 800_000;
/** What the heap may differ by without anybody growing. */
const NOISE_BYTES = 1_048_576;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

for (const seed of [1, 2, 3, 4]) {
  test(`a life of ${LIFE_BYTES} bytes needs no more memory at its end than in its middle (seed ${seed})`, () => {
    const samples: number[] = [];
    const steps = live(new Choices(new Rng(seed).bytes(LIFE_BYTES)), {
      onStep: (step) => {
        if (step % 20_000 === 0) samples.push(heapBytes());
      },
    });
    assert.ok(steps > 100_000, `${steps} steps`);
    const growth = samples.at(-1)! - samples[samples.length >> 1]!;
    assert.ok(growth < NOISE_BYTES, `${growth} bytes more`);
  });
}
