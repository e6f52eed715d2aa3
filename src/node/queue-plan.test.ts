import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { needOf, PaceWatch, planQueue, type QueueFacts } from './queue-plan.ts';

const HOUR_MS = 3_600_000;
const NO_LIMITS = {
  maxActiveDownloads: Number.POSITIVE_INFINITY,
  maxActiveSeeds: Number.POSITIVE_INFINITY,
};

function download(change: Partial<QueueFacts> = {}): QueueFacts {
  return {
    kind: 'download',
    isRunning: false,
    runningMs: 0,
    isSlow: false,
    seeds: 0,
    leeches: 0,
    ...change,
  };
}

function seed(seeds: number, leeches: number, change: Partial<QueueFacts> = {}): QueueFacts {
  return download({ kind: 'seed', seeds, leeches, ...change });
}

const running = { isRunning: true, runningMs: HOUR_MS };

test('downloads run in the order of the queue, whoever ran before', () => {
  const limits = { ...NO_LIMITS, maxActiveDownloads: 2 };
  const plan = planQueue([download(), download(), download(running)], limits);
  assert.deepEqual(plan, [true, true, false]);
});

test('a slow download lets the next one start beside it, up to twice the limit', () => {
  const limits = { ...NO_LIMITS, maxActiveDownloads: 1 };
  const slow = download({ ...running, isSlow: true });
  assert.deepEqual(planQueue([slow, download(), download()], limits), [true, true, false]);
  assert.deepEqual(planQueue([slow, slow, download()], limits), [true, true, false]);
  assert.deepEqual(
    planQueue([download(), slow], limits),
    [true, false],
    'places are for those in front',
  );
});

test('seeds run by need: leeches without a seed first, then leeches for each seed', () => {
  const limits = { ...NO_LIMITS, maxActiveSeeds: 2 };
  const plan = planQueue([seed(5, 5), seed(0, 1), seed(1, 3), seed(0, 0)], limits);
  assert.deepEqual(plan, [false, true, true, false]);
  assert.ok(needOf({ seeds: 0, leeches: 1 }) > needOf({ seeds: 1, leeches: 100 }));
});

test('a running seed stays among equals and for half an hour, and gives way to one that is needed more', () => {
  const limits = { ...NO_LIMITS, maxActiveSeeds: 1 };
  assert.deepEqual(planQueue([seed(1, 1), seed(1, 1, running)], limits), [false, true]);
  assert.deepEqual(planQueue([seed(0, 0), seed(0, 0, running)], limits), [false, true]);
  assert.deepEqual(planQueue([seed(1, 2), seed(1, 1, running)], limits), [true, false]);
  const young = seed(1, 1, { isRunning: true, runningMs: 60_000 });
  assert.deepEqual(planQueue([seed(1, 2), young], limits), [false, true]);
});

test('without limits all run; with them never more than said, and no place is left empty', () => {
  const fact = fc.record({
    kind: fc.constantFrom('download' as const, 'seed' as const),
    isRunning: fc.boolean(),
    runningMs: fc.nat({ max: HOUR_MS }),
    isSlow: fc.boolean(),
    seeds: fc.nat({ max: 20 }),
    leeches: fc.nat({ max: 20 }),
  });
  const most = fc.nat({ max: 10 });
  fc.assert(
    fc.property(fc.array(fact, { maxLength: 30 }), most, most, (facts, downloads, seeds) => {
      assert.ok(planQueue(facts, NO_LIMITS).every((runs) => runs));
      const plan = planQueue(facts, { maxActiveDownloads: downloads, maxActiveSeeds: seeds });
      const chosen = (kind: string, runs: boolean): QueueFacts[] =>
        facts.filter((each, index) => each.kind === kind && plan[index] === runs);
      assert.equal(
        chosen('seed', true).length,
        Math.min(seeds, facts.filter(({ kind }) => kind === 'seed').length),
      );
      const down = chosen('download', true);
      const counted = down.filter((each) => !(each.isRunning && each.isSlow)).length;
      assert.ok(down.length <= 2 * downloads && counted <= downloads);
      if (chosen('download', false).length > 0) {
        assert.ok(counted === downloads || down.length === 2 * downloads);
      }
    }),
  );
});

test('a download is slow when it has moved next to nothing for a minute; a new start gives it another', () => {
  const watch = new PaceWatch();
  assert.equal(watch.observe(0, 0), false);
  assert.equal(watch.observe(59_000, 0), false);
  assert.equal(watch.observe(60_000, 0), true);
  assert.equal(watch.observe(61_000, 100_000), false);
  assert.equal(watch.observe(120_000, 100_000), false);
  assert.equal(watch.observe(180_000, 100_000), true);
  watch.reset();
  assert.equal(watch.observe(181_000, 100_000), false);
});
