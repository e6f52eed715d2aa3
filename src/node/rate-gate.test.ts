import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../test/simulation/clock.ts';
import { GateChain, RateGate, type Wake } from './rate-gate.ts';

const BLOCK = 16_384;

/** A peer that is sent to: `depth` blocks are asked for at a time, and asked for again `pauseMs` after they came. */
class Peer {
  sentBytes = 0;
  readonly #chain: GateChain;
  readonly #clock: VirtualClock;
  readonly #depth: number;
  readonly #pauseMs: number;
  #asked: number;
  readonly wake: Wake = () => this.#pump();

  constructor(chain: GateChain, clock: VirtualClock, depth: number, pauseMs: number) {
    this.#chain = chain;
    this.#clock = clock;
    this.#depth = depth;
    this.#pauseMs = pauseMs;
    this.#asked = depth;
    this.#pump();
  }

  /** As the send queue does it: as many whole blocks as are allowed, one at least. */
  #pump(): void {
    while (this.#asked > 0) {
      const allowance = this.#chain.available(this.wake);
      if (allowance <= 0) return;
      const count = Math.min(this.#asked, 64, Math.max(1, Math.ceil(allowance / BLOCK)));
      this.#asked -= count;
      this.sentBytes += count * BLOCK;
      this.#chain.spend(this.wake, count * BLOCK + 500);
    }
    this.#clock.after(this.#pauseMs, () => {
      this.#asked = this.#depth;
      this.#pump();
    });
  }
}

test('no limit: everything may go, and spending costs nothing', () => {
  const gate = new RateGate(0);
  const wake = (): void => {};
  gate.spend(wake, 1e12);
  assert.equal(gate.isUnlimited, true);
  assert.equal(gate.available(wake), Number.POSITIVE_INFINITY);
});

test('in debt nothing may go until the limit is lifted, which wakes each waiter once', () => {
  const gate = new RateGate(1);
  let count = 0;
  const wake = (): void => {
    count += 1;
  };
  gate.spend(wake, 1e6);
  assert.equal(gate.available(wake), 0);
  gate.wait(wake);
  gate.wait(wake);
  gate.setRate(0);
  assert.equal(count, 1);
  gate.setRate(0);
  assert.equal(count, 1, 'a wake is for one wait');
});

test('who was forgotten is not woken', () => {
  const gate = new RateGate(1);
  const woken: string[] = [];
  const first = (): number => woken.push('first');
  gate.spend(first, 1e6);
  gate.wait(first);
  gate.wait(() => woken.push('second'));
  gate.forget(first);
  gate.setRate(0);
  assert.deepEqual(woken, ['second']);
});

test('the timer wakes who waits, and one may wait again while being woken', async () => {
  const gate = new RateGate(1e9);
  await new Promise<void>((resolve) => {
    gate.wait(() => gate.wait(resolve));
  });
  gate.wait(() => assert.fail('closed gates wake nobody'));
  gate.close();
});

test('shares of busy peers are within 10 %, whether they ask for a thousand blocks at a time or for two', () => {
  const clock = new VirtualClock();
  const chain = new GateChain([new RateGate(1_000_000, clock)]);
  const peers = [1_000, 2, 1_000, 2, 64].map((depth) => new Peer(chain, clock, depth, 1));
  clock.run(120_000);
  const mean = peers.reduce((sum, { sentBytes }) => sum + sentBytes, 0) / peers.length;
  assert.ok(mean * peers.length > 0.9 * 120e6, 'the rate is used');
  for (const { sentBytes } of peers) {
    assert.ok(Math.abs(sentBytes - mean) < mean * 0.1, `${sentBytes} of a mean of ${mean}`);
  }
});

test('a peer that asks for one block now and then gets it at once, beside peers with deep queues', () => {
  const clock = new VirtualClock();
  const chain = new GateChain([new RateGate(1_000_000, clock)]);
  const deep = [1, 2, 3].map(() => new Peer(chain, clock, 1_000, 1));
  const modest = new Peer(chain, clock, 1, 400);
  clock.run(120_000);
  // A fair quarter would be 30 MB; it wants 41 KB/s, and waits for a turn of each of the others at most.
  assert.ok(modest.sentBytes > 0.85 * (120_000 / 400) * BLOCK, `${modest.sentBytes}`);
  assert.ok(deep.every(({ sentBytes }) => sentBytes > 30e6));
});

test("a torrent's limit binds its own peers, what it leaves goes to the others, and all stay below the node's", () => {
  const clock = new VirtualClock();
  const node = new RateGate(1_000_000, clock);
  const slow = new GateChain([node]);
  slow.add(new RateGate(100_000, clock));
  const other = new GateChain([node]);
  const bound = [1, 2].map(() => new Peer(slow, clock, 100, 1));
  const free = [1, 2].map(() => new Peer(other, clock, 100, 1));
  clock.run(60_000);
  const [a, b] = bound.map(({ sentBytes }) => sentBytes) as [number, number];
  assert.ok(a + b <= 60 * 100_000 + 2 * BLOCK + 25_000 && a + b > 60 * 85_000, `${a + b}`);
  assert.ok(Math.abs(a - b) < (a + b) * 0.1, `${a} and ${b}`);
  const [c, d] = free.map(({ sentBytes }) => sentBytes) as [number, number];
  assert.ok(a + b + c + d <= 60e6 + 250_000 + 4 * BLOCK);
  assert.ok(c + d > 60 * 850_000, `${c + d}`);
  assert.ok(Math.abs(c - d) < (c + d) * 0.1, `${c} and ${d}`);
});
