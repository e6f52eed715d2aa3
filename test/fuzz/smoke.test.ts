import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FuzzFailure, inputsOf, makeInput, runTarget, shrink } from './driver.ts';
import { loadTargets } from './targets.ts';

/** Enough to notice a broken target; `npm run test:fuzz` does the long runs. */
const COUNT = 3000;

for (const [name, target] of await loadTargets()) {
  const count = Math.max(inputsOf(target, COUNT), target.seeds.length);
  test(`fuzz ${name}: ${count} inputs`, () => {
    const report = runTarget(target, { count, seed: 1 });
    assert.equal(report.count, count);
  });
}

test('a bug is reported with the command that replays it, and the replay finds it again', () => {
  const target = {
    name: 'planted',
    seeds: [Uint8Array.of(1, 2, 3, 4)],
    run(bytes: Uint8Array): void {
      if (bytes.length > 6) throw new Error('too long for the planted bug');
    },
  };
  let failure: FuzzFailure | undefined;
  try {
    runTarget(target, { count: 1000, seed: 7 });
  } catch (error) {
    if (error instanceof FuzzFailure) failure = error;
  }
  assert.ok(failure !== undefined);
  const index = Number(/--from (\d+)/.exec(failure.message)?.[1]);
  assert.match(
    failure.message,
    /node --expose-gc test\/fuzz\/run\.ts planted --seed 7 --from \d+ --count 1/,
  );
  assert.deepEqual(makeInput(target, 7, index), failure.input);
  assert.throws(() => runTarget(target, { count: 1, seed: 7, from: index }), FuzzFailure);
  assert.equal(shrink(target, failure.input).length, 7, 'nothing can be taken out of it any more');
});
