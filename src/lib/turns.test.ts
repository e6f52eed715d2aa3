import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

test('work of one key runs in order, past a failure; that of another does not wait; all is over when it says so', async () => {
  const turns = new Turns();
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.run('a', async () => {
    await gate.promise;
    done.push('a1');
    throw new Error('a1 fails');
  });
  const second = turns.run('a', async () => done.push('a2'));
  await turns.run('b', async () => done.push('b'));
  assert.deepEqual(done, ['b']);
  gate.resolve();
  await turns.settled();
  assert.deepEqual(done, ['b', 'a1', 'a2']);
  await assert.rejects(first, /a1 fails/);
  assert.equal(await second, 3);
});
