/** BEP 12, multitracker: order of processing, one test per sentence and example. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../../src/lib/rng.ts';
import { VirtualTrackers } from '../support/virtual-trackers.ts';

const [A, B, C] = ['a', 'b', 'c'].map((name) => `http://${name}.example/announce`) as [
  string,
  string,
  string,
];
const INTERVAL_MS = 1_800_000;

test('"The tiers of announces will be processed sequentially"', () => {
  const world = new VirtualTrackers({ tiers: [[A], [B], [C]] });
  for (const url of [A, B, C]) world.script(url, 'unreachable');
  world.start();
  assert.deepEqual(world.log, ['a started', 'b started', 'c started']);
});

test('"all URLs in each tier must be checked before the client goes on to the next tier."', () => {
  for (let seed = 0; seed < 10; seed += 1) {
    const world = new VirtualTrackers({ tiers: [[A, B], [C]], rng: new Rng(seed) });
    for (const url of [A, B]) world.script(url, 'unreachable');
    world.start();
    assert.deepEqual(world.log.slice(0, 2).sort(), ['a started', 'b started']);
    assert.equal(world.log[2], 'c started');
  }
});

test('"the list will be shuffled when first read, and then parsed in order."', () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 200; seed += 1) {
    const world = new VirtualTrackers({ tiers: [[A, B, C]], rng: new Rng(seed) });
    for (const url of [A, B, C]) world.script(url, 'unreachable');
    world.start();
    const first = world.log.splice(0, 3).join();
    orders.add(first);
    world.advance(17_000);
    assert.equal(world.log.slice(3, 6).join(), first);
  }
  assert.equal(orders.size, 6);
});

test('"if a connection with a tracker is successful, it will be moved to the front of the tier."', () => {
  const world = new VirtualTrackers({ tiers: [[A, B, C]] });
  for (const url of [A, B]) world.script(url, 'unreachable');
  world.start();
  const first = world.announces.length;
  world.advance(INTERVAL_MS);
  assert.deepEqual(world.log.slice(first), ['c none']);
});

test('"first try tracker1, then if that cannot be reached, try backup1 … On the next announce, repeat in the same order."', () => {
  const world = new VirtualTrackers({ tiers: [[A], [B], [C]] });
  world.script(A, 'unreachable');
  world.script(B, 'unreachable');
  world.start();
  world.advance(INTERVAL_MS);
  assert.deepEqual(world.log, [
    'a started',
    'b started',
    'c started',
    'a started',
    'b started',
    'c none',
  ]);
});

test('"If later neither tracker2 nor tracker1 can be reached, but tracker3 responds, then the list will be changed to: tracker3,tracker2,tracker1"', () => {
  const world = new VirtualTrackers({ tiers: [[A, B, C]] });
  for (const url of [A, B, C]) world.script(url, 'unreachable');
  world.start();
  const order = world.announces.map(({ url }) => url);
  const [first, second, third] = order as [string, string, string];
  const round = (reachable: string): string[] => {
    for (const url of order) world.script(url, url === reachable ? {} : 'unreachable');
    const before = world.announces.length;
    world.advance(INTERVAL_MS);
    return world.announces.slice(before).map(({ url }) => url);
  };
  assert.deepEqual(round(second), [first, second]);
  assert.deepEqual(round(third), [second, first, third]);
  assert.deepEqual(round(first), [third, second, first]);
});

test('"Both trackers 1 and 2 will be tried on each announce … before the client tries to reach backup1."', () => {
  const world = new VirtualTrackers({ tiers: [[A, B], [C]] });
  for (const url of [A, B]) world.script(url, 'silence');
  world.start();
  world.advance(30_000);
  assert.deepEqual(world.log.slice(0, 2).sort(), ['a started', 'b started']);
  assert.equal(world.log[2], 'c started');
});
