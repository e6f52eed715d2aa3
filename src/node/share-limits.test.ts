import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reachedLimit, ShareWatch } from './share-limits.ts';

const NOTHING = { uploadedBytes: 0, sizeBytes: 1_000, seedingMs: 0, idleMs: 0 };

test('each limit by itself, and the first of several', () => {
  assert.equal(reachedLimit({}, { ...NOTHING, uploadedBytes: 1e9, seedingMs: 1e9 }), undefined);
  assert.equal(reachedLimit({ ratio: 1.5 }, { ...NOTHING, uploadedBytes: 1_499 }), undefined);
  assert.equal(reachedLimit({ ratio: 1.5 }, { ...NOTHING, uploadedBytes: 1_500 }), 'ratio');
  assert.equal(reachedLimit({ seedingSeconds: 2 }, { ...NOTHING, seedingMs: 1_999 }), undefined);
  assert.equal(
    reachedLimit({ seedingSeconds: 2 }, { ...NOTHING, seedingMs: 2_000 }),
    'seeding-time',
  );
  assert.equal(reachedLimit({ idleSeconds: 2 }, { ...NOTHING, idleMs: 2_000 }), 'idle-time');
  const all = { ratio: 9, seedingSeconds: 9, idleSeconds: 1 };
  assert.equal(reachedLimit(all, { ...NOTHING, seedingMs: 5_000, idleMs: 1_000 }), 'idle-time');
  assert.equal(reachedLimit({ seedingSeconds: 0 }, NOTHING), 'seeding-time', 'zero: at once');
});

test('times count while it seeds only, and somebody who takes ends an idle time', () => {
  const watch = new ShareWatch({ idleSeconds: 10 });
  assert.equal(watch.observe(0, true, 0, 100), undefined);
  assert.equal(watch.observe(9_000, true, 0, 100), undefined);
  assert.equal(watch.observe(9_500, true, 50, 100), undefined, 'a byte went');
  assert.equal(watch.observe(19_000, false, 50, 100), undefined);
  assert.equal(watch.observe(90_000, true, 50, 100), undefined, 'the pause does not count');
  assert.equal(watch.observe(99_000, true, 50, 100), undefined);
  assert.equal(watch.observe(100_000, true, 50, 100), 'idle-time');
});

test('a limit strikes once, until limits are set anew', () => {
  const watch = new ShareWatch({ ratio: 1 });
  assert.equal(watch.observe(0, true, 100, 100), 'ratio');
  assert.equal(watch.observe(1, true, 200, 100), undefined);
  watch.set({ ratio: 3 });
  assert.equal(watch.observe(2, true, 299, 100), undefined);
  assert.equal(watch.observe(3, true, 300, 100), 'ratio');
  watch.set(undefined);
  assert.equal(watch.observe(4, true, 900, 100), undefined);
});
