/**
 * Deadlines: whose blocks come first and from whom, what is asked twice, what is as before when there are none.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rigTorrent, SwarmRig } from '../../../test/support/swarm-rig.ts';
import { Rng } from '../../lib/rng.ts';
import { BLOCK_BYTES } from '../peer-wire/index.ts';
import { Deadlines, MAX_DEADLINES } from './deadlines.ts';
import { PiecePicker } from './picker.ts';

const PIECES = 256;

/** A seed that unchokes us. */
function addSeed(rig: SwarmRig): number {
  const id = rig.connect({ address: { host: `10.0.${rig.outputs.length % 200}.1`, port: 6881 } });
  rig.receive(id, (writer) => {
    writer.haveAll();
    writer.unchoke();
  });
  return id;
}

/** What a peer was asked for since this was looked at last. */
function asked(rig: SwarmRig, id: number): [number, number][] {
  return rig
    .said(id)
    .flatMap((message): [number, number][] =>
      message.type === 'request' ? [[message.piece, message.begin / BLOCK_BYTES]] : [],
    );
}

function cancelled(rig: SwarmRig, id: number): [number, number][] {
  return rig
    .said(id)
    .flatMap((message): [number, number][] =>
      message.type === 'cancel' ? [[message.piece, message.begin / BLOCK_BYTES]] : [],
    );
}

function give(rig: SwarmRig, id: number, [piece, block]: readonly [number, number]): void {
  const range = { piece, begin: block * BLOCK_BYTES, length: BLOCK_BYTES };
  const isStored = rig.swarm.isExpected(id, range.piece, range.begin, range.length);
  rig.swarm.handleBlock(rig.nowMs, id, range, isStored);
  rig.drain();
}

/** Gives all that it owes, and becomes known by it. @returns what it was asked for and owes. */
function serve(rig: SwarmRig, id: number, owes: [number, number][], afterMs: number) {
  rig.wait(afterMs);
  for (const block of owes) give(rig, id, block);
  return asked(rig, id);
}

function due(rig: SwarmRig, pieces: readonly number[], inMs: number): void {
  const deadlines = pieces.map((piece, i) => ({ piece, dueMs: rig.nowMs + inMs + 100 * i }));
  rig.swarm.setDeadlines(rig.nowMs, deadlines);
  rig.drain();
}

const piecesOf = (blocks: readonly (readonly [number, number])[]): number[] => [
  ...new Set(blocks.map(([piece]) => piece)),
];

test('pieces with a deadline come first, in the order of their times', () => {
  const rig = new SwarmRig({ info: rigTorrent(PIECES) });
  const id = addSeed(rig);
  const first = asked(rig, id);
  rig.swarm.setDeadlines(0, [
    { piece: 50, dueMs: 90_000 },
    { piece: 7, dueMs: 60_000 },
    { piece: 30, dueMs: 80_000 },
    { piece: 7, dueMs: 70_000 },
  ]);
  const next = serve(rig, id, first, 500);
  assert.deepEqual(piecesOf(next).slice(0, 3), [7, 30, 50]);
  assert.equal(next.filter(([piece]) => piece === 7).length, 2);
});

test('a peer that would be too late takes none while somebody faster has the piece, and all when alone', () => {
  const rig = new SwarmRig({ info: rigTorrent(PIECES) });
  const slow = addSeed(rig);
  const [slowFirst, ...slowRest] = asked(rig, slow);
  // One block in six seconds: a rate of less than 3 KB/s.
  rig.wait(6_000);
  give(rig, slow, slowFirst!);
  asked(rig, slow);
  const fast = addSeed(rig);
  let owed = asked(rig, fast);
  for (let i = 0; i < 3; i += 1) owed = serve(rig, fast, owed, 500);
  const wanted = [40, 41, 42].filter((piece) => !piecesOf(owed).includes(piece));
  due(rig, wanted, 4_000);
  give(rig, slow, slowRest[0]!);
  assert.deepEqual(
    asked(rig, slow).filter(([piece]) => wanted.includes(piece)),
    [],
  );
  rig.close(fast);
  give(rig, slow, slowRest[1]!);
  give(rig, slow, slowRest[2]!);
  assert(
    asked(rig, slow).some(([piece]) => wanted.includes(piece)),
    'it is the only one left',
  );
});

test('a peer that gave nothing yet is asked for one block with a deadline', () => {
  const rig = new SwarmRig({ info: rigTorrent(PIECES) });
  due(rig, [10, 11, 12, 13], 10_000);
  const id = addSeed(rig);
  const first = asked(rig, id);
  assert(first.length > 1);
  assert.deepEqual(
    first.filter(([piece]) => piece >= 10 && piece <= 13),
    [[10, 0]],
  );
});

/** A silent peer owes a block, and two good ones are there: each gives eight blocks twice a second. */
class Held {
  readonly rig = new SwarmRig({ info: rigTorrent(PIECES) });
  readonly silent = addSeed(this.rig);
  readonly block = asked(this.rig, this.silent)[0]!;
  readonly #owed = new Map<number, [number, number][]>();

  constructor() {
    for (let i = 0; i < 2; i += 1) {
      const id = addSeed(this.rig);
      this.#owed.set(id, asked(this.rig, id));
    }
    this.work(3);
  }

  isHeld([piece, block]: readonly [number, number]): boolean {
    return piece === this.block[0] && block === this.block[1];
  }

  /** @returns the good peers that were asked for the block; they do not give it. */
  work(rounds: number): number[] {
    const { rig } = this;
    const helpers: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      rig.wait(500);
      for (const [id, owed] of this.#owed) {
        for (const block of owed.splice(0, 8)) give(rig, id, block);
        const next = asked(rig, id).filter((block) => !this.isHeld(block) || !helpers.push(id));
        owed.push(...next);
      }
    }
    return helpers;
  }
}

test('a block that somebody will bring late is asked of one faster peer, and who loses gets a cancel', () => {
  const held = new Held();
  const { rig, silent, block } = held;
  rig.said(silent);
  due(rig, [block[0]], 5_000);
  const helpers = held.work(9);
  assert.equal(helpers.length, 1, 'two requesters in all');
  give(rig, helpers[0]!, block);
  assert.deepEqual(
    cancelled(rig, silent).filter((each) => held.isHeld(each)),
    [block],
  );
  // The other block of the piece was held too.
  assert.equal(rig.swarm.deadlineTotals!.doubledBlocks, 2);
  assert.equal(rig.swarm.deadlineTotals!.duplicateBytes, 0);
  give(rig, silent, block);
  assert.equal(rig.swarm.deadlineTotals!.duplicateBytes, BLOCK_BYTES);
});

test('without deadlines, and with one far away, no block is asked of a second peer', () => {
  const held = new Held();
  assert.deepEqual(held.work(2), []);
  due(held.rig, [held.block[0]], 600_000);
  assert.deepEqual(held.work(2), []);
});

function deadlinesOf(pieceCount: number): { picker: PiecePicker; deadlines: Deadlines } {
  const picker = new PiecePicker({ pieceCount, blockCount: () => 4, rng: new Rng(1) });
  return { picker, deadlines: new Deadlines(picker) };
}

const always = (): boolean => true;

test('the list is bounded, holds what is needed, and says what it cannot be', () => {
  const { deadlines } = deadlinesOf(1_000);
  const many = Array.from({ length: 1_000 }, (_, piece) => ({ piece, dueMs: 1_000 - piece }));
  deadlines.set(many, (piece) => piece !== 999);
  assert.equal(deadlines.list.length, MAX_DEADLINES);
  assert.deepEqual(deadlines.list[0], { piece: 998, dueMs: 2 });
  assert.throws(() => deadlines.set([{ piece: 1_000, dueMs: 0 }], always), /piece below 1000/);
  assert.throws(() => deadlines.set([{ piece: 0, dueMs: Number.NaN }], always), /and a time/);
});

test('some open pieces are kept for deadlines; the limit and the order are as before without any', () => {
  const { picker, deadlines } = deadlinesOf(100);
  deadlines.setOpenLimit(20);
  deadlines.setSequential(true);
  assert.deepEqual([picker.openLimit, picker.isSequential], [20, true]);
  deadlines.set([{ piece: 3, dueMs: 0 }], always);
  assert.deepEqual([picker.openLimit, picker.isSequential], [15, false]);
  deadlines.openReserve();
  assert.equal(picker.openLimit, 20);
  deadlines.closeReserve();
  deadlines.set([], always);
  assert.deepEqual([picker.openLimit, picker.isSequential], [20, true]);
  deadlines.setOpenLimit(1);
  deadlines.set([{ piece: 3, dueMs: 0 }], always);
  assert.equal(picker.openLimit, 1);
});

test('ordinary picks see all that a peer has but pieces with a deadline', () => {
  const { picker, deadlines } = deadlinesOf(20);
  deadlines.set([{ piece: 3, dueMs: 0 }], always);
  const seen = deadlines.without('seed');
  assert.equal(seen.count, 19);
  assert.equal(seen.has(3), false);
  const out: number[] = [];
  assert.equal(picker.pick(1, seen, 100, 'shared', out), 76);
  // The search failed; without deadlines it is made again.
  deadlines.set([], always);
  assert.equal(picker.pick(1, 'seed', 100, 'shared', out), 4);
  assert.equal(out[0], 3);
});

test('at most a twentieth of what came, or sixteen blocks, is asked for twice at a time', () => {
  const { picker, deadlines } = deadlinesOf(1_000);
  deadlines.set([{ piece: 0, dueMs: 0 }], always);
  let doubled = 0;
  for (; deadlines.mayDouble; doubled += 1) deadlines.double(0, doubled);
  assert.equal(doubled, 16);
  // All came, five of them twice: eleven more may be at stake.
  for (let block = 0; block < 16; block += 1) deadlines.count(0, block, BLOCK_BYTES);
  for (let block = 0; block < 5; block += 1) deadlines.count(0, block, BLOCK_BYTES);
  for (doubled = 0; deadlines.mayDouble; doubled += 1) deadlines.double(1, doubled);
  assert.equal(doubled, 11);
  assert.deepEqual(deadlines.totals, {
    receivedBytes: 21 * BLOCK_BYTES,
    duplicateBytes: 5 * BLOCK_BYTES,
    doubledBlocks: 27,
  });
  // None of them is owed by two peers in the picker: a new list forgets them.
  deadlines.set([{ piece: 0, dueMs: 0 }], always);
  assert(deadlines.mayDouble);
  assert.equal(picker.openCount, 0);
  // Of 1,000 blocks fifty may be.
  for (let block = 0; block < 979; block += 1) deadlines.count(2 + block, 0, BLOCK_BYTES);
  for (doubled = 0; deadlines.mayDouble; doubled += 1) deadlines.double(1, doubled);
  assert.equal(doubled, 45);
});
