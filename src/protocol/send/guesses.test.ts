import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { peerIdOf } from '../identity/index.ts';
import {
  BOUND_MS,
  GUESS_INTERVAL_MS,
  GuessBudget,
  type GuessOutput,
  type GuessState,
  MAX_WRONG_GUESSES,
  readGuessState,
} from './guesses.ts';

const START_MS = 1_780_000_000_000;
const peer = (number: number): Uint8Array => peerIdOf(new Uint8Array(32).fill(number + 2));

function drain(budget: GuessBudget): GuessOutput[] {
  const outputs: GuessOutput[] = [];
  for (let next = budget.poll(); next !== undefined; next = budget.poll()) outputs.push(next);
  return outputs;
}
function begin(budget: GuessBudget, nowMs: number, who = peer(1)): number {
  const guess = budget.begin(nowMs, who);
  assert(guess.ok, guess.ok ? '' : guess.message);
  return guess.value;
}
/** As the program does at its next start. */
function restarted(budget: GuessBudget): GuessBudget {
  const read = readGuessState(JSON.parse(JSON.stringify(budget.state)));
  assert(read.ok);
  return new GuessBudget(read.value);
}
function codeOf(result: { ok: boolean; code?: string }): string | undefined {
  return result.ok ? undefined : result.code;
}

describe('GuessBudget', () => {
  it('lets one guess begin a second', () => {
    const budget = new GuessBudget();
    begin(budget, START_MS);
    const soon = budget.begin(START_MS + GUESS_INTERVAL_MS - 1, peer(2));
    assert.equal(codeOf(soon), 'ERR_SEND_GUESS_SOON');
    assert.equal(budget.left, MAX_WRONG_GUESSES - 1, 'it was not counted');
    begin(budget, START_MS + GUESS_INTERVAL_MS, peer(2));
  });

  it('counts a guess when it begins and has it written down first', () => {
    const budget = new GuessBudget();
    const guess = begin(budget, START_MS);
    assert.deepEqual(drain(budget), [
      { type: 'save', state: { version: 1, spent: 1, lastAtMs: START_MS, isOver: false } },
    ]);
    budget.fail(guess);
    assert.deepEqual(drain(budget), [
      { type: 'wrong-guess', peerId: peer(1), left: MAX_WRONG_GUESSES - 1 },
    ]);
  });

  it('is dead after ten wrong guesses, also for who would guess right', () => {
    const budget = new GuessBudget();
    for (let i = 0; i < MAX_WRONG_GUESSES; i += 1) {
      assert(!budget.isDead);
      budget.fail(begin(budget, START_MS + i * GUESS_INTERVAL_MS, peer(i)));
    }
    assert.deepEqual(drain(budget).at(-1), { type: 'dead' });
    assert(budget.isDead);
    const late = budget.begin(START_MS + 1e6, peer(1));
    assert.equal(codeOf(late), 'ERR_SEND_CODE_DEAD');
    assert.equal(codeOf(restarted(budget).begin(START_MS + 1e6, peer(1))), 'ERR_SEND_CODE_DEAD');
  });

  it('gives no new guesses to who makes the program start again', () => {
    let budget = new GuessBudget();
    let begun = 0;
    for (let i = 0; i < 30; i += 1) {
      if (budget.begin(START_MS + i * GUESS_INTERVAL_MS, peer(1)).ok) begun += 1;
      budget = restarted(budget);
    }
    assert.equal(begun, MAX_WRONG_GUESSES);
    assert(budget.isDead);
  });

  it('keeps the rate over a restart, and locks nobody out when the clock is set back', () => {
    const budget = new GuessBudget();
    budget.fail(begin(budget, START_MS));
    const soon = restarted(budget).begin(START_MS + 1, peer(1));
    assert.equal(codeOf(soon), 'ERR_SEND_GUESS_SOON');
    begin(restarted(budget), START_MS - 1e6);
  });

  it('takes back a guess that turned out right, and binds the code to who made it', () => {
    const budget = new GuessBudget();
    const guess = begin(budget, START_MS, peer(1));
    drain(budget);
    assert(budget.succeed(START_MS + 5, guess).ok);
    const outputs = drain(budget);
    assert.deepEqual(
      outputs.map(({ type }) => type),
      ['save', 'bound'],
    );
    for (const one of [budget, restarted(budget)]) {
      assert.equal(one.left, MAX_WRONG_GUESSES);
      assert(one.isBoundTo(START_MS + 6, peer(1)));
      assert(!one.isBoundTo(START_MS + 6, peer(2)));
      const other = one.begin(START_MS + 1e6, peer(2));
      assert.equal(codeOf(other), 'ERR_SEND_CODE_BOUND');
      begin(one, START_MS + 2e6, peer(1));
      assert.equal(one.left, MAX_WRONG_GUESSES, 'who knows the code already guesses nothing');
    }
  });

  it('binds to one of two who guess right at once', () => {
    const budget = new GuessBudget();
    const first = begin(budget, START_MS, peer(1));
    const second = begin(budget, START_MS + GUESS_INTERVAL_MS, peer(2));
    assert(budget.succeed(START_MS + 2_000, second).ok);
    assert.equal(codeOf(budget.succeed(START_MS + 2_001, first)), 'ERR_SEND_CODE_BOUND');
    assert(budget.isBoundTo(START_MS + 3_000, peer(2)));
  });

  it('does not count a run that ended before anything was learnt, but keeps to the rate', () => {
    const budget = new GuessBudget();
    budget.abandon(begin(budget, START_MS));
    assert.equal(budget.left, MAX_WRONG_GUESSES);
    assert.equal(codeOf(budget.begin(START_MS + 1, peer(1))), 'ERR_SEND_GUESS_SOON');
  });

  it('is over 24 hours after it was bound, or when the receiver has everything', () => {
    const bound = (): GuessBudget => {
      const budget = new GuessBudget();
      assert(budget.succeed(START_MS, begin(budget, START_MS)).ok);
      drain(budget);
      return budget;
    };
    const late = bound();
    assert.equal(late.nextTimeoutMs, START_MS + BOUND_MS);
    assert(late.isBoundTo(START_MS + BOUND_MS - 1, peer(1)));
    late.handleTimeout(START_MS + BOUND_MS);
    const done = bound();
    done.complete();
    for (const [budget, reason] of [
      [late, 'time'],
      [done, 'complete'],
    ] as const) {
      assert.deepEqual(drain(budget), [
        { type: 'save', state: budget.state },
        { type: 'over', reason },
      ]);
      assert(budget.isDead && !budget.isBoundTo(START_MS + 1, peer(1)));
      assert.equal(codeOf(budget.begin(START_MS + 2e8, peer(1))), 'ERR_SEND_CODE_OVER');
      assert.equal(budget.nextTimeoutMs, undefined);
    }
  });

  it('never lets more than ten guesses end wrong, whatever happens in what order', () => {
    const move = fc.record({
      what: fc.constantFrom('begin', 'fail', 'abandon', 'restart'),
      waitMs: fc.nat({ max: 3_000 }),
      who: fc.nat({ max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
        let budget = new GuessBudget();
        let running: number[] = [];
        let [nowMs, wrong, lost] = [START_MS, 0, 0];
        for (const { what, waitMs, who } of moves) {
          nowMs += waitMs;
          if (what === 'begin') {
            const guess = budget.begin(nowMs, peer(who));
            if (guess.ok) running.push(guess.value);
          } else if (what === 'restart') {
            budget = restarted(budget);
            lost += running.length;
            running = [];
          } else if (running.length > 0) {
            budget[what as 'fail' | 'abandon'](running.shift()!);
            if (what === 'fail') wrong += 1;
          }
          assert(wrong + lost + running.length <= MAX_WRONG_GUESSES);
          assert.equal(budget.state.spent, wrong + lost + running.length);
        }
      }),
    );
  });
});

describe('a stored state', () => {
  it('is read as it was written, and anything else is refused', () => {
    const state: GuessState = {
      version: 1,
      spent: 3,
      lastAtMs: 5,
      bound: { peerId: '00'.repeat(38), atMs: 6 },
      isOver: false,
    };
    assert.deepEqual(readGuessState(JSON.parse(JSON.stringify(state))), { ok: true, value: state });
    for (const wrong of [
      null,
      undefined,
      [],
      'x',
      {},
      { ...state, version: 2 },
      { ...state, spent: -1 },
      { ...state, spent: 11 },
      { ...state, spent: '3' },
      { ...state, lastAtMs: 0.5 },
      { ...state, isOver: 0 },
      { ...state, bound: null },
      { ...state, bound: { peerId: '00', atMs: 1 } },
      { ...state, bound: { peerId: '00'.repeat(38), atMs: -1 } },
    ]) {
      assert.equal(codeOf(readGuessState(wrong)), 'ERR_SEND_GUESS_STATE');
    }
  });
});
