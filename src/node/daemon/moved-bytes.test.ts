import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MovedBytes } from './moved-bytes.ts';

test('the sum keeps what a torrent moved that is gone, and counts one that begins again anew', () => {
  const moved = new MovedBytes();
  const [one, two] = [{}, {}];
  moved.look(one, { downloadedBytes: 10, uploadedBytes: 1 });
  moved.look(two, { downloadedBytes: 5, uploadedBytes: 2 });
  moved.look(one, { downloadedBytes: 12, uploadedBytes: 1 });
  assert.deepEqual(moved.total, { downloadedBytes: 17, uploadedBytes: 3 });
  // Two is removed, one paused and resumed.
  moved.look({}, { downloadedBytes: 3, uploadedBytes: 0 });
  assert.deepEqual(moved.total, { downloadedBytes: 20, uploadedBytes: 3 });
});
