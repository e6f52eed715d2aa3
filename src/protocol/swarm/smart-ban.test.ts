import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Giver, MAX_JUDGED_BLOCKS, SmartBan } from './smart-ban.ts';

function giver(id: number): Giver {
  return { id, address: { host: `10.0.0.${id}`, port: 1 }, peerId: new Uint8Array(20).fill(id) };
}

/** Digests of blocks, each 32 times one number. */
function digests(...blocks: readonly number[]): Uint8Array {
  return new Uint8Array(32 * blocks.length).map((_, at) => blocks[at >> 5]!);
}

test('whoever sent a block that differs from the right one is guilty, in whichever copy it was', () => {
  const evidence = new SmartBan();
  const [one, two, three] = [giver(1), giver(2), giver(3)];
  evidence.record(5, [one, two, undefined, one], digests(10, 66, 12, 13));
  evidence.record(5, [three, one, undefined, two], digests(77, 11, 12, 13));
  assert.equal(evidence.has(5), true);
  assert.deepEqual(
    evidence
      .judge(5, digests(10, 11, 12, 13))
      .map(({ id }) => id)
      .sort(),
    [2, 3],
  );
  assert.equal(evidence.has(5), false);
  assert.deepEqual(evidence.judge(5, digests(0, 0, 0, 0)), [], 'the record ended');
});

test('a block that nobody is known for, or beyond the right digests, blames nobody', () => {
  const evidence = new SmartBan();
  evidence.record(0, [undefined, giver(1)], digests(66, 67));
  assert.deepEqual(evidence.judge(0, digests(1)), []);
});

test('evidence is bounded: the oldest pieces are forgotten, and of one piece the oldest copies', () => {
  const evidence = new SmartBan();
  const count = 4096;
  const givers = Array.from({ length: count }, () => giver(1));
  const bad = digests(...givers.map(() => 66));
  for (let piece = 0; piece < 40; piece += 1) evidence.record(piece, givers, bad);
  assert.equal(evidence.pieceCount, MAX_JUDGED_BLOCKS / count);
  assert.equal(evidence.has(0), false);
  assert.equal(evidence.has(39), true);
  for (let copy = 0; copy < 9; copy += 1) evidence.record(39, [giver(copy)], digests(66));
  assert.deepEqual(
    evidence.judge(39, digests(1)).map(({ id }) => id),
    [5, 6, 7, 8],
  );
});

test('givers that left are remembered until their number is used again, 256 of them', () => {
  const evidence = new SmartBan();
  for (let id = 0; id < 300; id += 1) evidence.depart(giver(id));
  assert.equal(evidence.departed(43), undefined);
  assert.equal(evidence.departed(44)?.id, 44);
  evidence.arrive(44);
  assert.equal(evidence.departed(44), undefined);
});
