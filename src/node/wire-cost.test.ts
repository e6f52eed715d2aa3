import assert from 'node:assert/strict';
import { test } from 'node:test';
import { returnBytes, wireBytes } from './wire-cost.ts';

test('a header for every segment begun, an acknowledgement for every two', () => {
  assert.deepEqual([0, 1, 1_448, 1_449, 16_397].map(wireBytes), [0, 53, 1_500, 1_553, 17_021]);
  assert.deepEqual([0, 1, 2_896, 2_897].map(returnBytes), [0, 52, 52, 104]);
});
