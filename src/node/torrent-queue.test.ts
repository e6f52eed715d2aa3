import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueFacts } from './queue-plan.ts';
import { type Queueable, TorrentQueue } from './torrent-queue.ts';

/** A torrent that does as it is told. */
class Fake implements Queueable {
  readonly name: string;
  kind: 'download' | 'seed' = 'download';
  isSlow = false;
  isOut = false;
  isRunning = false;

  constructor(name: string) {
    this.name = name;
  }

  queueFacts(): QueueFacts | undefined {
    const { kind, isRunning, isSlow } = this;
    return this.isOut ? undefined : { kind, isRunning, runningMs: 0, isSlow, seeds: 0, leeches: 0 };
  }

  setQueued(isQueued: boolean): void {
    this.isRunning = !isQueued;
  }
}

function rig(
  count: number,
  maxActiveDownloads: number,
): [TorrentQueue<Fake>, Fake[], () => string] {
  const queue = new TorrentQueue<Fake>({ maxActiveDownloads });
  const all = Array.from({ length: count }, (_, index) => new Fake('abcdef'[index]!));
  for (const torrent of all) queue.add(torrent);
  queue.pulse(0);
  const running = (): string => {
    const names = queue.order.filter(({ isRunning }) => isRunning).map(({ name }) => name);
    return names.join('');
  };
  return [queue, all, running];
}

test('the next one starts when one completes, fails, is slow or leaves', () => {
  const [queue, [a, b, c, d], running] = rig(6, 1);
  assert.equal(running(), 'a');
  a!.kind = 'seed';
  queue.pulse(1);
  assert.equal(running(), 'ab', 'a seeds on');
  b!.isOut = true;
  b!.isRunning = false;
  queue.pulse(2);
  assert.equal(running(), 'ac');
  c!.isSlow = true;
  queue.pulse(3);
  assert.equal(running(), 'acd');
  queue.remove(4, d!);
  assert.equal(running(), 'ace');
});

test('of many that become ready one after the other all are looked at now and then, and with the pulse', () => {
  const [queue, all, running] = rig(6, 200);
  const crowd = Array.from({ length: 120 }, () => new Fake('x'));
  const looks = { count: 0 };
  all[0]!.queueFacts = function (): QueueFacts | undefined {
    looks.count += 1;
    return Fake.prototype.queueFacts.call(this);
  };
  for (const torrent of crowd) queue.add(torrent);
  for (let ms = 1; ms <= 120; ms += 1) queue.ready(ms);
  assert.equal(looks.count, 2, 'at 50 and 100 ms: the last look was at 0');
  queue.add(new Fake('y'));
  queue.ready(121);
  assert.ok(!running().includes('y'));
  queue.pulse(1_000);
  assert.ok(running().includes('y'));
});

test('the order can be changed, and who comes to the front runs at once', () => {
  const [queue, [a, b, c, d], running] = rig(4, 1);
  const order = (): string => queue.order.map(({ name }) => name).join('');
  queue.move(1, d!, 'top');
  assert.deepEqual([order(), running()], ['dabc', 'd']);
  queue.move(2, d!, 'down');
  assert.deepEqual([order(), running()], ['adbc', 'a']);
  queue.move(3, a!, 'bottom');
  assert.deepEqual([order(), running()], ['dbca', 'd']);
  queue.move(4, b!, 'up');
  queue.move(5, b!, 'up');
  assert.deepEqual([order(), running()], ['bdca', 'b']);
  assert.equal(queue.move(6, new Fake('x'), 'up'), false);
  assert.equal(queue.move(7, c!, 'down'), true);
  assert.equal(order(), 'bdac');
});

test('a limit that is lifted lets all go', () => {
  const [queue, , running] = rig(3, 0);
  assert.equal(running(), '');
  queue.setLimits(1, { maxActiveDownloads: Number.POSITIVE_INFINITY });
  assert.equal(running(), 'abc');
});
