import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Bitfield } from '../../lib/bitfield.ts';
import { Rng } from '../../lib/rng.ts';
import { type PeerPieces, type PickShare, PiecePicker, type PiecePickerOptions } from './picker.ts';

function make(pieceCount: number, options: Partial<PiecePickerOptions> = {}): PiecePicker {
  return new PiecePicker({ pieceCount, blockCount: () => 4, rng: new Rng(1), ...options });
}

function bits(size: number, ...pieces: number[]): Bitfield {
  const field = new Bitfield(size);
  for (const piece of pieces) field.add(piece);
  return field;
}

/** Picks and gives the pairs back as [piece, block]. */
function pick(
  picker: PiecePicker,
  peer: number,
  has: PeerPieces,
  count: number,
  wholePieces = false,
  allowed?: ReadonlySet<number>,
): [number, number][] {
  const out: number[] = [];
  const picked = picker.pick(peer, has, count, wholePieces ? 'whole' : 'shared', out, allowed);
  return Array.from({ length: picked }, (_, i) => [out[2 * i]!, out[2 * i + 1]!]);
}

/** Receives every block of a piece and verifies it. */
function complete(picker: PiecePicker, piece: number, blocks = 4): void {
  for (let block = 0; block < blocks; block += 1) picker.markReceived(0, piece, block, true);
  assert.equal(picker.isPieceComplete(piece), true);
  picker.markHave(piece);
}

describe('choice of new pieces', () => {
  it('takes the rarest piece first once four pieces are had', () => {
    const picker = make(10);
    const all = new Bitfield(10);
    all.fill();
    for (let i = 0; i < 3; i += 1) picker.addBitfield(all);
    for (const piece of [0, 1, 2, 3]) complete(picker, piece);
    picker.removeHave(7);
    picker.removeHave(7);
    picker.removeHave(5);
    assert.deepEqual(
      pick(picker, 1, all, 8).map(([piece]) => piece),
      [7, 7, 7, 7, 5, 5, 5, 5],
    );
  });

  it('follows HAVE messages that come after the order was built', () => {
    const picker = make(8);
    for (const piece of [0, 1, 2, 3]) complete(picker, piece);
    const all = new Bitfield(8);
    all.fill();
    picker.addBitfield(all);
    pick(picker, 1, bits(8), 1);
    for (const piece of [4, 5, 7]) picker.addHave(piece);
    assert.equal(picker.availability(6), 1);
    assert.equal(picker.availability(5), 2);
    assert.equal(pick(picker, 1, all, 1)[0]![0], 6);
  });

  it('puts a higher priority before rarity, and leaves out priority 0', () => {
    const picker = make(6);
    const all = new Bitfield(6);
    all.fill();
    picker.addBitfield(all);
    for (let i = 0; i < 3; i += 1) picker.addHave(2);
    picker.setPriority(2, 7);
    for (const piece of [0, 1, 3]) picker.setPriority(piece, 0);
    assert.equal(picker.wantedLeft, 3);
    const pieces = pick(picker, 1, all, 100).map(([piece]) => piece);
    assert.deepEqual(pieces.slice(0, 4), [2, 2, 2, 2]);
    assert.deepEqual(new Set(pieces), new Set([2, 4, 5]));
  });

  it('draws equally rare pieces in random order', () => {
    const firsts = new Set<number>();
    for (let seed = 0; seed < 40; seed += 1) {
      const picker = make(20, { rng: new Rng(seed) });
      for (const piece of [0, 1, 2, 3]) complete(picker, piece);
      firsts.add(pick(picker, 1, 'seed', 1)[0]![0]);
    }
    assert.ok(firsts.size > 8, `got only ${firsts.size} different first pieces`);
  });

  it('draws the first four pieces at random, however rare they are', () => {
    const firsts = new Set<number>();
    for (let seed = 0; seed < 60; seed += 1) {
      const picker = make(20, { rng: new Rng(seed) });
      const common = bits(20, ...Array.from({ length: 19 }, (_, i) => i));
      picker.addBitfield(common);
      picker.addSeed();
      firsts.add(pick(picker, 1, 'seed', 1)[0]![0]);
    }
    assert.ok(firsts.size > 8);
  });

  it('goes in order of index when sequential, around what the peer lacks', () => {
    const picker = make(6, { blockCount: () => 1 });
    picker.setSequential(true);
    const has = bits(6, 1, 2, 3, 4, 5);
    assert.deepEqual(
      pick(picker, 1, has, 3).map(([piece]) => piece),
      [1, 2, 3],
    );
    assert.deepEqual(
      pick(picker, 2, 'seed', 3).map(([piece]) => piece),
      [0, 4, 5],
    );
  });

  it('keeps priorities in sequential order', () => {
    const picker = make(6, { blockCount: () => 1 });
    picker.setSequential(true);
    picker.setPriority(4, 7);
    assert.deepEqual(
      pick(picker, 1, 'seed', 3).map(([piece]) => piece),
      [4, 0, 1],
    );
  });

  it('opens no more pieces than the limit, and completes those that are open', () => {
    const picker = make(10);
    picker.openLimit = 2;
    assert.equal(pick(picker, 1, 'seed', 100).length, 8);
    assert.equal(picker.openCount, 2);
    const [piece] = picker.openPieces();
    complete(picker, piece!);
    assert.equal(pick(picker, 1, 'seed', 100).length, 4);
  });

  it('picks only allowed pieces when told so', () => {
    const picker = make(10);
    const got = pick(picker, 1, 'seed', 100, false, new Set([3, 8]));
    assert.deepEqual(new Set(got.map(([piece]) => piece)), new Set([3, 8]));
    assert.equal(got.length, 8);
    assert.deepEqual(pick(picker, 2, bits(10, 1), 5, false, new Set([3, 99])), []);
  });

  it('finds a piece again for a peer that came up empty, when one becomes free', () => {
    const picker = make(2, { blockCount: () => 1 });
    const [[piece, block]] = pick(picker, 1, 'seed', 1) as [[number, number]];
    const has = bits(2, piece);
    assert.deepEqual(pick(picker, 2, has, 1), []);
    assert.deepEqual(pick(picker, 2, has, 1), []);
    picker.release(1, piece, block);
    assert.deepEqual(pick(picker, 2, has, 1), [[piece, block]]);
  });

  it('finds a piece that a peer announced after a fruitless search', () => {
    const picker = make(200, { blockCount: () => 1 });
    const has = bits(200, 7);
    picker.addBitfield(has);
    assert.deepEqual(pick(picker, 3, has, 5), [[7, 0]]);
    assert.deepEqual(pick(picker, 3, has, 5), []);
    has.add(9);
    picker.addHave(9, 3);
    assert.deepEqual(pick(picker, 3, has, 5), [[9, 0]]);
  });
});

describe('open pieces', () => {
  it('are completed before new ones are opened', () => {
    const picker = make(10);
    const [first] = pick(picker, 1, 'seed', 1);
    const more = pick(picker, 2, 'seed', 3);
    assert.deepEqual(new Set(more.map(([piece]) => piece)), new Set([first![0]]));
  });

  it('of a fast peer are left to it while there is other work', () => {
    const picker = make(3);
    const [mine] = pick(picker, 1, 'seed', 1, true);
    const others = pick(picker, 2, 'seed', 8);
    assert.equal(others.length, 8);
    assert.ok(others.every(([piece]) => piece !== mine![0]));
    assert.deepEqual(
      pick(picker, 2, 'seed', 1).map(([piece]) => piece),
      [mine![0]],
    );
    assert.deepEqual(
      pick(picker, 1, 'seed', 9, true).map(([piece]) => piece),
      [mine![0], mine![0]],
    );
  });

  it('of a fast peer that failed are shared', () => {
    const picker = make(5);
    const got = pick(picker, 1, 'seed', 2, true);
    picker.release(1, got[1]![0], got[1]![1]);
    assert.equal(pick(picker, 2, 'seed', 1)[0]![0], got[0]![0]);
  });

  it('of a fast peer that left are shared', () => {
    const picker = make(5);
    const [got] = pick(picker, 1, 'seed', 1, true);
    picker.markReceived(1, got![0], got![1]);
    picker.forgetPeer(1);
    assert.equal(pick(picker, 2, 'seed', 1)[0]![0], got![0]);
  });

  it('with fewer missing blocks come first', () => {
    const picker = make(8);
    picker.setSequential(false);
    const a = pick(picker, 1, bits(8, 0), 1);
    pick(picker, 1, bits(8, 1), 2);
    assert.deepEqual(a, [[0, 0]]);
    picker.markReceived(1, 1, 0);
    assert.equal(pick(picker, 3, bits(8, 0, 1), 1)[0]![0], 1);
  });

  it('go back to the order when their only request is released', () => {
    const picker = make(4);
    const [got] = pick(picker, 1, 'seed', 1);
    picker.release(1, got![0], got![1]);
    assert.equal(picker.openCount, 0);
    assert.equal(pick(picker, 2, 'seed', 100).length, 16);
  });

  it('whose priority fell to 0 are not filled further, until it rises', () => {
    const picker = make(1);
    pick(picker, 1, 'seed', 1);
    picker.setPriority(0, 0);
    assert.deepEqual(pick(picker, 1, 'seed', 9), []);
    assert.equal(picker.markReceived(1, 0, 0), 'first');
    picker.setPriority(0, 1);
    assert.equal(pick(picker, 1, 'seed', 9).length, 3);
  });
});

describe('the life of a block', () => {
  it('is received once, from a peer that owes it', () => {
    const picker = make(1);
    pick(picker, 1, 'seed', 2);
    assert.equal(picker.markReceived(2, 0, 0), 'unrequested');
    assert.equal(picker.markReceived(1, 0, 0), 'first');
    assert.equal(picker.markReceived(1, 0, 0), 'duplicate');
    assert.equal(picker.markReceived(1, 0, 3), 'unrequested');
    assert.equal(picker.markReceived(1, 0, 4), 'unrequested');
    assert.equal(picker.markReceived(1, 9, 0), 'unrequested');
    assert.equal(picker.blocksReceived(0), 1);
  });

  it('is accepted late after its request was released', () => {
    const picker = make(1);
    pick(picker, 1, 'seed', 1);
    picker.release(1, 0, 0);
    assert.equal(picker.markReceived(1, 0, 0), 'unrequested');
    assert.equal(picker.markReceived(1, 0, 0, true), 'first');
    assert.deepEqual(
      pick(picker, 2, 'seed', 9).map(([, block]) => block),
      [1, 2, 3],
    );
  });

  it('is free again after a release, and goes to another peer', () => {
    const picker = make(1);
    pick(picker, 1, 'seed', 4);
    picker.release(1, 0, 2);
    assert.deepEqual(picker.requesters(0, 2), []);
    assert.deepEqual(pick(picker, 2, 'seed', 4), [[0, 2]]);
    assert.deepEqual(picker.requesters(0, 2), [2]);
  });

  it('ends in a complete piece that is reset, its givers known before, or had', () => {
    const picker = make(1);
    pick(picker, 1, 'seed', 2);
    pick(picker, 2, 'seed', 2);
    for (const [peer, block] of [
      [1, 0],
      [1, 1],
      [2, 2],
      [2, 3],
    ] as const) {
      picker.markReceived(peer, 0, block);
    }
    assert.equal(picker.isPieceComplete(0), true);
    assert.deepEqual([...picker.givers(0)], [1, 1, 2, 2]);
    picker.resetPiece(0);
    assert.equal(picker.isPieceComplete(0), false);
    assert.equal(picker.blocksReceived(0), 0);
    assert.equal(pick(picker, 3, 'seed', 9).length, 4);
    complete(picker, 0);
    assert.equal(picker.hasPiece(0), true);
    assert.equal(picker.wantedLeft, 0);
    picker.markUnhave(0);
    assert.equal(picker.wantedLeft, 1);
  });

  it('is never asked for when it is padding', () => {
    const picker = make(2, { isPadBlock: (piece, block) => piece === 1 || block === 3 });
    const got = pick(picker, 1, 'seed', 9);
    assert.deepEqual(got, [
      [0, 0],
      [0, 1],
      [0, 2],
    ]);
    assert.deepEqual(picker.takeFilledByPads(), [1]);
    assert.deepEqual(picker.takeFilledByPads(), []);
    assert.equal(picker.isPieceComplete(1), true);
    for (const [piece, block] of got) picker.markReceived(1, piece, block);
    assert.equal(picker.isPieceComplete(0), true);
  });
});

describe('endgame', () => {
  it('begins when every wanted block is asked for or there', () => {
    const picker = make(1);
    pick(picker, 1, 'seed', 3);
    assert.equal(picker.isAllOwed, false);
    assert.equal(picker.pickEndgame(2, 'seed', 1, []), 0);
    pick(picker, 1, 'seed', 1);
    assert.equal(picker.isAllOwed, true);
  });

  it('begins early when no more pieces may be open', () => {
    const picker = make(3);
    picker.openLimit = 1;
    pick(picker, 1, 'seed', 3);
    assert.equal(picker.isAllOwed, false);
    pick(picker, 1, 'seed', 1);
    assert.equal(picker.isAllOwed, true);
    assert.equal(picker.pickEndgame(2, 'seed', 1, []), 1);
  });

  it('asks a peer for a block once, and at most three peers', () => {
    const picker = make(1, { blockCount: () => 1 });
    pick(picker, 1, 'seed', 1);
    assert.equal(picker.pickEndgame(1, 'seed', 5, []), 0);
    assert.equal(picker.pickEndgame(2, 'seed', 5, []), 1);
    assert.equal(picker.pickEndgame(2, 'seed', 5, []), 0);
    assert.equal(picker.pickEndgame(3, 'seed', 5, []), 1);
    assert.equal(picker.pickEndgame(4, 'seed', 5, []), 0);
    assert.deepEqual(picker.requesters(0, 0), [1, 2, 3]);
    picker.release(1, 0, 0);
    assert.deepEqual(picker.requesters(0, 0), [2, 3]);
    assert.equal(picker.markReceived(3, 0, 0), 'first');
    assert.deepEqual(picker.requesters(0, 0), []);
    assert.equal(picker.markReceived(2, 0, 0), 'duplicate');
  });

  it('prefers blocks that only one peer owes, and pieces that the peer has', () => {
    const picker = make(2, { blockCount: () => 2 });
    pick(picker, 1, 'seed', 4);
    const out: number[] = [];
    assert.equal(picker.pickEndgame(2, bits(2, 1), 9, out), 2);
    assert.deepEqual(out, [1, 1, 1, 0]);
    assert.equal(picker.pickEndgame(3, 'seed', 2, out), 2);
    assert.deepEqual([out[0], out[2]], [0, 0]);
  });
});

describe('late requesters', () => {
  it('are helped out, all of a block being late; the last block first', () => {
    const picker = make(1, { blockCount: () => 3 });
    pick(picker, 1, 'seed', 2);
    pick(picker, 2, 'seed', 1);
    const out: number[] = [];
    assert.equal(
      picker.pickEndgame(3, 'seed', 9, out, (peer) => peer === 1),
      2,
    );
    assert.deepEqual(out.slice(0, 4), [0, 1, 0, 0]);
    assert.equal(
      picker.pickEndgame(4, 'seed', 9, out, (peer) => peer === 1),
      0,
    );
    assert.equal(picker.pickEndgame(4, 'seed', 9, out), 3);
  });
});

describe('interest', () => {
  it('counts the wanted pieces of a peer', () => {
    const picker = make(20);
    const has = bits(20, 1, 9, 17);
    assert.equal(picker.countWanted(has), 3);
    assert.equal(picker.isInteresting(has), true);
    picker.setPriority(1, 0);
    complete(picker, 9);
    assert.equal(picker.countWanted(has), 1);
    assert.equal(picker.wantsPiece(17), true);
    assert.equal(picker.wantsPiece(9), false);
    complete(picker, 17);
    assert.equal(picker.isInteresting(has), false);
    assert.equal(picker.isInteresting('seed'), true);
    assert.equal(picker.countWanted('seed'), picker.wantedLeft);
  });
});

const PIECES = 12;
const PEERS = 5;
const SHARES: readonly PickShare[] = ['whole', 'alone', 'shared', 'shared', 'shared'];

/** What the picker should know, kept in the simplest way. */
class Model {
  readonly had = new Set<number>();
  readonly priority: number[] = new Array(PIECES).fill(4);
  readonly received = new Map<string, number>();
  readonly owed = new Map<string, Set<number>>();
  readonly has: Bitfield[];

  constructor(has: Bitfield[]) {
    this.has = has;
  }

  blockCount(piece: number): number {
    return 1 + (piece % 4);
  }

  blocks(piece: number): string[] {
    return Array.from({ length: this.blockCount(piece) }, (_, block) => `${piece}/${block}`);
  }

  isFull(piece: number): boolean {
    return this.blocks(piece).every((key) => this.received.has(key));
  }

  isFree(key: string): boolean {
    return !this.received.has(key) && (this.owed.get(key)?.size ?? 0) === 0;
  }

  wanted(): number[] {
    return [...Array(PIECES).keys()].filter((p) => this.priority[p]! > 0 && !this.had.has(p));
  }

  freeFor(peer: number): string[] {
    return this.wanted()
      .filter((piece) => this.has[peer]!.has(piece))
      .flatMap((piece) => this.blocks(piece))
      .filter((key) => this.isFree(key));
  }

  drop(piece: number): void {
    for (const key of this.blocks(piece)) {
      this.received.delete(key);
      this.owed.delete(key);
    }
  }
}

type Step = readonly [op: number, peer: number, piece: number, number: number];

function apply(picker: PiecePicker, model: Model, [op, peer, piece, number]: Step): void {
  const out = new Uint32Array(64);
  const block = number % model.blockCount(piece);
  const key = `${piece}/${block}`;
  switch (op) {
    case 0: {
      const free = new Set(model.freeFor(peer));
      const count = picker.pick(peer, model.has[peer]!, number, SHARES[peer]!, out);
      assert.equal(count, Math.min(number, free.size), 'pick finds what is free, up to the count');
      for (let i = 0; i < count; i += 1) {
        const picked = `${out[2 * i]}/${out[2 * i + 1]}`;
        assert.ok(free.delete(picked), `${picked} was free, wanted and at the peer`);
        model.owed.set(picked, new Set([peer]));
      }
      return;
    }
    case 1: {
      const expected =
        model.had.has(piece) || model.received.has(key)
          ? 'duplicate'
          : model.owed.get(key)?.has(peer)
            ? 'first'
            : 'unrequested';
      assert.equal(picker.markReceived(peer, piece, block), expected);
      if (expected === 'first') {
        model.received.set(key, peer);
        model.owed.delete(key);
      }
      return;
    }
    case 2:
      picker.release(peer, piece, block);
      model.owed.get(key)?.delete(peer);
      return;
    case 3:
      if (model.isFull(piece) && !model.had.has(piece)) {
        picker.markHave(piece);
        model.drop(piece);
        model.had.add(piece);
      }
      return;
    case 4: {
      const givers = model.blocks(piece).map((k) => model.received.get(k) ?? -1);
      const known = picker.givers(piece);
      if (known.length > 0) assert.deepEqual([...known], givers);
      picker.resetPiece(piece);
      model.drop(piece);
      return;
    }
    case 5:
      picker.setPriority(piece, number % 8);
      model.priority[piece] = number % 8;
      return;
    case 6:
      if (model.has[peer]!.add(piece)) picker.addHave(piece, peer);
      return;
    case 7:
      if (model.has[peer]!.delete(piece)) picker.removeHave(piece);
      return;
    case 8:
      picker.markUnhave(piece);
      model.had.delete(piece);
      return;
    default: {
      const open = model.wanted().flatMap((p) => model.blocks(p));
      const isEndgame = model.wanted().length > 0 && !open.some((k) => model.isFree(k));
      assert.equal(picker.isAllOwed, isEndgame);
      const count = picker.pickEndgame(peer, model.has[peer]!, number, out);
      if (!isEndgame) assert.equal(count, 0);
      for (let i = 0; i < count; i += 1) {
        const owed = model.owed.get(`${out[2 * i]}/${out[2 * i + 1]}`)!;
        assert.ok(owed.size >= 1 && owed.size < 3 && !owed.has(peer));
        assert.ok(model.has[peer]!.has(out[2 * i]!));
        owed.add(peer);
      }
    }
  }
}

function check(picker: PiecePicker, model: Model): void {
  assert.equal(picker.wantedLeft, model.wanted().length);
  assert.equal(picker.haveCount, model.had.size);
  const open = new Set(picker.openPieces());
  for (let piece = 0; piece < PIECES; piece += 1) {
    const availability = model.has.filter((has) => has.has(piece)).length;
    assert.equal(picker.availability(piece), availability);
    const touched = model.blocks(piece).some((key) => !model.isFree(key));
    assert.equal(
      open.has(piece),
      touched,
      `piece ${piece} is open exactly while it has a block in work`,
    );
    assert.equal(picker.isPieceComplete(piece), touched && model.isFull(piece));
    model.blocks(piece).forEach((key, block) => {
      assert.deepEqual(new Set(picker.requesters(piece, block)), model.owed.get(key) ?? new Set());
    });
  }
  for (const has of model.has) {
    const wanted = model.wanted().filter((piece) => has.has(piece));
    assert.equal(picker.countWanted(has), wanted.length);
  }
}

describe('against a naive model', () => {
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.integer({ min: 0, max: 9 }),
    fc.integer({ min: 0, max: PEERS - 1 }),
    fc.integer({ min: 0, max: PIECES - 1 }),
    fc.integer({ min: 0, max: 9 }),
  );

  for (const sequential of [false, true]) {
    it(`any sequence of operations agrees${sequential ? ', sequential' : ''}`, () => {
      fc.assert(
        fc.property(
          fc.integer(),
          fc.array(fc.array(fc.boolean(), { minLength: PIECES, maxLength: PIECES }), {
            minLength: PEERS,
            maxLength: PEERS,
          }),
          fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }),
          (seed, fields, steps) => {
            const has = fields.map((flags) => {
              return bits(PIECES, ...flags.flatMap((flag, piece) => (flag ? [piece] : [])));
            });
            const model = new Model(has);
            const picker = new PiecePicker({
              pieceCount: PIECES,
              blockCount: (piece) => model.blockCount(piece),
              rng: new Rng(seed),
            });
            picker.setSequential(sequential);
            for (const field of has) picker.addBitfield(field);
            for (const one of steps) apply(picker, model, one);
            check(picker, model);
          },
        ),
        { numRuns: 400 },
      );
    });
  }
});
