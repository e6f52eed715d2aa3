import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined } from './joined-history.ts';

test('the past of the node leads to the first rate of the page, and no further', () => {
  const past = { atSec: [10, 20, 30], down: [1, 2, 3], up: [4, 5, 6] };
  const live = { atSec: [25, 26], down: [7, 8], up: [9, 0] };
  assert.deepEqual(joined(past, live), {
    atSec: [10, 20, 25, 26],
    down: [1, 2, 7, 8],
    up: [4, 5, 9, 0],
  });
  const nothing = { atSec: [], down: [], up: [] };
  assert.deepEqual(joined(past, nothing), past);
  assert.deepEqual(joined(nothing, live), live);
});
