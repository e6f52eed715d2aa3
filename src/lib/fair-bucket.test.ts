import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FairBucket } from './fair-bucket.ts';

const BLOCK = 16_384;

interface Busy {
  readonly name: string;
  /** Tokens of each spend. */
  readonly step: number;
  readonly beginsMs: number;
  passed: number;
}

/** Clients that always want more, for `lengthMs`; one call of `tick` a millisecond, as a shell's timer does it. */
function run(
  bucket: FairBucket<Busy>,
  clients: readonly Busy[],
  lengthMs: number,
  passed: (atMs: number, amount: number) => void = () => {},
): void {
  const pump = (nowMs: number, client: Busy): void => {
    while (bucket.allowance(nowMs, client) > 0) {
      bucket.spend(nowMs, client, client.step);
      client.passed += client.step;
      passed(nowMs, client.step);
    }
    bucket.wait(client);
  };
  for (let nowMs = 0; nowMs < lengthMs; nowMs += 1) {
    for (const client of clients) if (client.beginsMs === nowMs) pump(nowMs, client);
    for (let next = bucket.take(nowMs); next !== undefined; next = bucket.take(nowMs)) {
      pump(nowMs, next);
    }
  }
}

function busy(name: string, step: number, beginsMs = 0): Busy {
  return { name, step, beginsMs, passed: 0 };
}

test('without a rate nobody waits long: everybody in line is taken, first come first', () => {
  const bucket = new FairBucket<string>(0, 0, BLOCK);
  bucket.spend(0, 'a', 1e12);
  assert.equal(bucket.allowance(0, 'a'), Number.POSITIVE_INFINITY);
  bucket.wait('a');
  bucket.wait('b');
  bucket.wait('a');
  assert.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0)], ['a', 'b', undefined]);
});

test('who waits keeps others from overtaking, and its grant lets it go', () => {
  const bucket = new FairBucket<string>(10_000, 0, 1_000, 2_000);
  bucket.spend(0, 'a', 2_000);
  assert.equal(bucket.allowance(0, 'a'), 0);
  bucket.wait('a');
  assert.equal(bucket.take(99), undefined);
  assert.equal(bucket.waitMs(99), 1);
  assert.equal(bucket.allowance(100, 'b'), 0, 'there is something, but a was here first');
  assert.equal(bucket.take(100), 'a');
  assert.equal(bucket.allowance(100, 'a'), 1_000);
  assert.equal(bucket.allowance(100, 'b'), 1_000, 'nobody waits any more');
});

test('a grant that nobody uses gives way to the next after a while, and who is forgotten never comes up', () => {
  const bucket = new FairBucket<string>(10_000, 0, 1_000, 1_500);
  for (const name of ['a', 'b', 'c']) bucket.wait(name);
  assert.equal(bucket.take(0), 'a');
  assert.equal(bucket.take(0), undefined, 'what is left is promised');
  assert.equal(bucket.waitMs(0), 100);
  bucket.forget('b');
  assert.equal(bucket.take(100), 'c');
  assert.equal(bucket.waitMs(100), Number.POSITIVE_INFINITY);
});

test('shares of clients that are always busy are within 10 %, whatever their steps, and late comers get no more', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100_000, max: 20_000_000 }),
      fc.array(fc.integer({ min: 100, max: 4 * BLOCK }), { minLength: 2, maxLength: 12 }),
      fc.nat({ max: 5_000 }),
      (rate, steps, lateMs) => {
        const bucket = new FairBucket<Busy>(rate, 0, BLOCK);
        const clients = steps.map((step, index) =>
          busy(`${index}`, step, index === 0 ? lateMs : 0),
        );
        // Long enough for everybody to have many turns after the last one came.
        const largest = Math.max(BLOCK, ...steps);
        const lengthMs = lateMs + Math.ceil((largest * steps.length * 60_000) / rate);
        let before: number[] = [];
        const early = lateMs + Math.ceil((largest * steps.length * 10_000) / rate);
        run(bucket, clients, lengthMs, (atMs) => {
          if (before.length === 0 && atMs >= early) before = clients.map(({ passed }) => passed);
        });
        const shares = clients.map(({ passed }, index) => passed - before[index]!);
        const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
        for (const share of shares) {
          assert.ok(Math.abs(share - mean) <= mean * 0.1, `${share} of a mean of ${mean}`);
        }
      },
    ),
    { numRuns: 30 },
  );
});

test('over any window no more passes than rate × time + burst + one step beyond a grant', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10_000, max: 5_000_000 }),
      fc.array(fc.integer({ min: 1, max: 2 * BLOCK }), { minLength: 1, maxLength: 8 }),
      (rate, steps) => {
        const bucket = new FairBucket<Busy>(rate, 0, BLOCK);
        const burst = Math.max(rate / 4, BLOCK);
        const clients = steps.map((step, index) => busy(`${index}`, step, index * 37));
        const atMs: number[] = [];
        const sums: number[] = [0];
        run(bucket, clients, 2_000, (nowMs, amount) => {
          atMs.push(nowMs);
          sums.push(sums.at(-1)! + amount);
        });
        const step = Math.max(...steps);
        // Every window at once: what passed before its start, less what the rate allows, is least at the worst start.
        let least = Number.POSITIVE_INFINITY;
        for (const [index, ms] of atMs.entries()) {
          const allowed = (rate * ms) / 1000;
          least = Math.min(least, sums[index]! - allowed);
          assert.ok(sums[index + 1]! - allowed - least <= burst + step + 1);
        }
      },
    ),
    { numRuns: 30 },
  );
});

test('the rate is used up: as long as somebody waits, nothing is lost', () => {
  const bucket = new FairBucket<Busy>(1_000_000, 0, BLOCK);
  const clients = [busy('deep', 4 * BLOCK), busy('shallow', 1_000)];
  run(bucket, clients, 10_000);
  const sum = clients[0]!.passed + clients[1]!.passed;
  assert.ok(sum >= 10_000_000 && sum <= 10_000_000 + 250_000 + 4 * BLOCK, `${sum}`);
});
