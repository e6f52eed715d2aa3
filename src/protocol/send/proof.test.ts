import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { peerIdOf } from '../identity/index.ts';
import { CpaceParty } from '../pake/index.ts';
import { keysOf, pakeChannel } from './code.ts';
import { GuessBudget, MAX_WRONG_GUESSES } from './guesses.ts';

/** One end of a channel, as TLS tells of it: who is there, and 32 bytes that both ends of one channel share. */
interface End {
  readonly own: Uint8Array;
  readonly remote: Uint8Array;
  readonly exporter: Uint8Array;
  readonly code: number;
}

const id = (number: number): Uint8Array => peerIdOf(new Uint8Array(32).fill(number + 2));
const exporter = (number: number): Uint8Array => new Uint8Array(32).fill(number);
const START_MS = 1_780_000_000_000;
let nextRandom = 1;

function party(role: 'initiator' | 'responder', { own, remote, exporter, code }: End): CpaceParty {
  const { pakePassword } = keysOf(new Uint8Array(32).fill(code), 495_000);
  const channel = role === 'initiator' ? pakeChannel(own, remote) : pakeChannel(remote, own);
  nextRandom += 1;
  const random = new Uint8Array(32).fill(nextRandom);
  return new CpaceParty({ role, password: pakePassword, channel, session: exporter, random });
}

/** A receiver tries at a sender; messages pass as they are. @returns whether each end believes the other. */
function attempt(
  budget: GuessBudget,
  nowMs: number,
  receiver: End,
  sender: End,
): { receiver: boolean; sender: boolean } {
  const begun = budget.begin(nowMs, sender.remote);
  if (!begun.ok) return { receiver: false, sender: false };
  const [a, b] = [party('initiator', receiver), party('responder', sender)];
  const shareB = b.handle(a.start());
  assert(shareB.ok);
  const proofA = a.handle(shareB.value.message!);
  assert(proofA.ok);
  const proofB = b.handle(proofA.value.message!);
  if (!proofB.ok) {
    budget.fail(begun.value);
    return { receiver: false, sender: false };
  }
  const isFree = budget.succeed(nowMs, begun.value).ok;
  if (!isFree) return { receiver: false, sender: false };
  return { receiver: a.handle(proofB.value.message!).ok, sender: true };
}

describe('proving a code', () => {
  const right = { own: id(1), remote: id(2), exporter: exporter(1), code: 7 };
  const atSender = { own: id(2), remote: id(1), exporter: exporter(1), code: 7 };

  it('binds it to the receiver who has it', () => {
    const budget = new GuessBudget();
    assert.deepEqual(attempt(budget, START_MS, right, atSender), { receiver: true, sender: true });
    assert(budget.isBoundTo(START_MS, id(1)));
    assert.equal(budget.left, MAX_WRONG_GUESSES);
  });

  it('fails for somebody in the middle of two channels who passes on every message, and costs a guess', () => {
    const budget = new GuessBudget();
    const middle = id(3);
    const deceived = { ...right, remote: middle };
    const wires = { ...atSender, remote: middle, exporter: exporter(2) };
    assert.deepEqual(attempt(budget, START_MS, deceived, wires), {
      receiver: false,
      sender: false,
    });
    assert.equal(budget.left, MAX_WRONG_GUESSES - 1);
  });

  it('fails when either end sees another peer id, even in one channel', () => {
    for (const [a, b] of [
      [{ ...right, remote: id(4) }, atSender],
      [right, { ...atSender, remote: id(4) }],
      [{ ...right, own: id(2), remote: id(1) }, atSender],
    ] as const) {
      const outcome = attempt(new GuessBudget(), START_MS, a, b);
      assert.deepEqual(outcome, { receiver: false, sender: false });
    }
  });

  it('fails with another code, and ten wrong ones make the right one worthless', () => {
    const budget = new GuessBudget();
    let nowMs = START_MS;
    for (let code = 100; code < 100 + MAX_WRONG_GUESSES; code += 1, nowMs += 1_000) {
      const outcome = attempt(budget, nowMs, { ...right, code }, atSender);
      assert.deepEqual(outcome, { receiver: false, sender: false });
    }
    assert(budget.isDead);
    assert.deepEqual(attempt(budget, nowMs, right, atSender), { receiver: false, sender: false });
  });
});
