import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DialGate } from './dial-gate.ts';

test('no more dials than the limit are under way, and the others come in their turn', () => {
  const gate = new DialGate(2);
  const begun: number[] = [];
  const ends = [1, 2, 3, 4].map((number) => gate.enter(() => begun.push(number)));
  assert.deepEqual(begun, [1, 2]);
  assert.deepEqual([gate.active, gate.waiting], [2, 2]);
  ends[1]!();
  assert.deepEqual(begun, [1, 2, 3]);
  ends[1]!();
  assert.deepEqual(begun, [1, 2, 3], 'a dial ends once');
  ends[0]!();
  assert.deepEqual(begun, [1, 2, 3, 4]);
  for (const end of ends) end();
  assert.deepEqual([gate.active, gate.waiting], [0, 0]);
});

test('whoever gives up while waiting is not begun', () => {
  const gate = new DialGate(1);
  const begun: number[] = [];
  const ends = [1, 2, 3].map((number) => gate.enter(() => begun.push(number)));
  ends[1]!();
  ends[0]!();
  assert.deepEqual(begun, [1, 3]);
});
