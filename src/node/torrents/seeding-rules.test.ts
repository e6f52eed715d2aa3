import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareLimitsFor } from './seeding-rules.ts';

const NONE = { ratio: 0, seconds: 0, idleSeconds: 0, action: 'pause' } as const;

test('each limit is that of the torrent, else of its category, else of the node', () => {
  const node = { ratio: 1, seconds: 60, idleSeconds: 30, action: 'pause' } as const;
  assert.deepEqual(shareLimitsFor({ ratio: 3 }, { ratio: 2, seedingSeconds: 90 }, node), {
    ratio: 3,
    seedingSeconds: 90,
    idleSeconds: 30,
    action: 'pause',
  });
});

test('null lifts a limit, whatever stands behind it', () => {
  assert.equal(shareLimitsFor({ ratio: null }, { ratio: 2 }, { ...NONE, ratio: 1 }), undefined);
  assert.equal(shareLimitsFor(undefined, { ratio: null }, { ...NONE, ratio: 1 }), undefined);
});

test('a node without limits seeds for ever, and a removal begins as a stop', () => {
  assert.equal(shareLimitsFor(undefined, undefined, NONE), undefined);
  const own = { ratio: 0, action: 'remove' } as const;
  assert.deepEqual(shareLimitsFor(own, { action: 'super-seed' }, NONE), {
    ratio: 0,
    action: 'stop',
  });
});
