/**
 * Whoever has not the code, over real channels: guessers, and somebody in the middle.
 * @module
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { TestBed } from '../../../test/support/cli-child.ts';
import { meet, openParty, type Party, someKeys } from '../../../test/support/parties.ts';
import type { Argon2id } from '../../lib/ports.ts';
import {
  encodeSendWord,
  GuessBudget,
  hourOf,
  PAIR_SERVICE,
  SEND_SERVICE,
  type SendKeys,
} from '../../protocol/send/index.ts';
import { idBytes } from '../channel/peer-ids.ts';
import { walkSource } from '../transfer-source.ts';
import { CodeKeeper, proveCode } from './pairing.ts';
import { SendDesk } from './send-desk.ts';
import { SendState } from './send-state.ts';
import { Sender } from './sender.ts';

/** No guess comes as far as the code: its keys need not cost a second. */
const argon2id: Argon2id = async ({ bytes }) => randomBytes(bytes);

interface KeptCode {
  readonly keys: SendKeys;
  readonly nonce: Uint8Array;
  readonly budget: GuessBudget;
  readonly paired: string[];
}

/** Lets a party answer for a code. */
function keepCode({ channels, peerId }: Party, keys = someKeys()): KeptCode {
  const kept = { keys, nonce: randomBytes(16), budget: new GuessBudget(), paired: [] as string[] };
  const keeper = new CodeKeeper({
    ownId: peerId,
    budget: kept.budget,
    nonce: kept.nonce,
    keysOf: () => keys,
    onBudget: () => {},
    onPaired: (who) => kept.paired.push(who),
  });
  SendDesk.of(channels).code({ keeper, admits: () => true });
  channels.listen(({ type, channel }) => type === 'closed' && keeper.forget(channel));
  return kept;
}

describe('proving a code', () => {
  it('works between the two who have it', async () => {
    await using bed = new TestBed();
    const [sender, receiver] = [await openParty(bed), await openParty(bed)];
    const kept = keepCode(sender);
    const nonce = await proveCode(await meet(receiver, sender), receiver.peerId, kept.keys);
    assert.deepEqual(nonce, new Uint8Array(kept.nonce));
    assert.deepEqual(kept.paired, [receiver.peerId]);
  });

  it('fails at both ends when somebody in the middle passes on every word unchanged', async () => {
    await using bed = new TestBed();
    const [sender, middle, receiver] = [
      await openParty(bed),
      await openParty(bed),
      await openParty(bed),
    ];
    const kept = keepCode(sender);
    const onward = await meet(middle, sender);
    const words: Uint8Array[] = [];
    middle.channels.handle(PAIR_SERVICE, {
      admits: () => true,
      onRequest: async (_, { payload }) => {
        const answer = await onward.request(PAIR_SERVICE, payload);
        words.push(payload, answer);
        return answer;
      },
    });
    const channel = await meet(receiver, middle);
    await assert.rejects(proveCode(channel, receiver.peerId, kept.keys), /wrong code/);
    assert.deepEqual(kept.paired, []);
    assert.equal(kept.budget.left, 9, 'it was a guess');
    // The sender's half of the exchange passed, and nothing after it: neither its proof nor what names the offer.
    assert.equal(words.length, 2);
    assert.ok(words.every((word) => !Buffer.from(word).includes(kept.nonce)));
  });

  it('fails at the receiver when the other end says that all is well without a proof', async () => {
    await using bed = new TestBed();
    const [liar, receiver] = [await openParty(bed), await openParty(bed)];
    const kept = keepCode(liar);
    await assert.rejects(
      proveCode(await meet(receiver, liar), receiver.peerId, someKeys()),
      /wrong code/,
    );
    assert.deepEqual(kept.paired, []);
  });

  it('is no guess, and tells nothing, when the channel ends before the proof', async () => {
    await using bed = new TestBed();
    const [sender, guesser] = [await openParty(bed), await openParty(bed)];
    const kept = keepCode(sender);
    const channel = await meet(guesser, sender);
    const closed = new Promise<void>((resolve) => {
      sender.channels.listen(({ type }) => type === 'closed' && resolve());
    });
    const original = channel.request.bind(channel);
    const cut = Object.assign(Object.create(channel), {
      peerId: channel.peerId,
      binding: channel.binding,
      request: async (service: string, payload: Uint8Array) => {
        const answer = await original(service, payload);
        channel.close('enough');
        return answer;
      },
    });
    await assert.rejects(proveCode(cut, guesser.peerId, someKeys()));
    await closed;
    assert.equal(kept.budget.left, 10);
  });
});

describe('guessing at a sender', () => {
  it('is shown to it each time, at most one a second, and ends the code after ten in all, however often it is started again', async (context) => {
    await using bed = new TestBed();
    const clock = stoppedClock(context);
    const path = join(bed.dir('from'), 'secret.txt');
    writeFileSync(path, 'nobody reads this');
    const source = await walkSource(path);
    const home = bed.home();
    const left: number[] = [];
    const codes = new Set<string>();
    const open = async (): Promise<{ party: Party; sender: Sender }> => {
      const party = await openParty(bed, { home, isKnown: () => false });
      const { node, channels } = party;
      const sender = new Sender({ node, channels, source, argon2id });
      sender.on('wrong-guess', (guess) => left.push(guess.left));
      sender.on('paired', () => assert.fail('nobody has the code'));
      codes.add(sender.code!);
      await sender.start();
      return { party, sender };
    };
    /** A stranger each time: what it is told. */
    const guess = async (victim: Party): Promise<string> => {
      const guesser = await openParty(bed);
      const channel = await meet(guesser, victim);
      await assert.rejects(
        channel.request(SEND_SERVICE, encodeSendWord({ kind: 'offer', nonce: randomBytes(16) })),
        /not open to this peer/,
      );
      const failed = await proveCode(channel, guesser.peerId, someKeys()).catch((error) => error);
      await guesser.node.close();
      return (failed as Error).message;
    };
    const first = await open();
    assert.match(await guess(first.party), /wrong code/);
    assert.match(await guess(first.party), /one guess a second/);
    for (let i = 0; i < 3; i += 1) {
      clock.tick(1_000);
      assert.match(await guess(first.party), /wrong code/);
    }
    assert.deepEqual(left, [9, 8, 7, 6]);
    await first.sender.close();
    await first.party.node.close();
    const second = await open();
    assert.equal(second.sender.isResumed, true);
    const ended = assert.rejects(second.sender.completed(), { code: 'ERR_CODE_DEAD' });
    for (let i = 0; i < 6; i += 1) {
      clock.tick(1_000);
      assert.match(await guess(second.party), /wrong code/);
    }
    await ended;
    assert.deepEqual(left, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    assert.equal(codes.size, 1);
    // Nobody is let in any more, not even to guess.
    const late = await openParty(bed);
    await assert.rejects(meet(late, second.party), { code: 'ERR_CHANNEL' });
    await second.sender.close();
    const { node, channels } = second.party;
    const third = new Sender({ node, channels, source });
    assert.equal(third.isResumed, false);
    assert.ok(!codes.has(third.code!), 'a dead code is not used again');
    await third.close();
  });

  it('killed between the tenth guess and its end, a sender begins with another code', async () => {
    await using bed = new TestBed();
    const path = join(bed.dir('from'), 'secret.txt');
    writeFileSync(path, 'nobody reads this');
    const source = await walkSource(path);
    const { node, channels } = await openParty(bed);
    const state = new SendState(node.home, source, undefined);
    const offer = state.open(true);
    const budget = new GuessBudget();
    for (let i = 0; i < 10; i += 1) {
      assert.ok(budget.begin((i + 1) * 1_000, idBytes(channels.peerId)).ok);
    }
    state.save({ ...offer, guesses: budget.state });
    const again = new Sender({ node, channels, source });
    assert.notEqual(again.code, offer.code);
    assert.equal(again.isResumed, false);
  });
});

/** A clock of the calendar that goes when it is told to, in the middle of an hour. */
function stoppedClock({ mock }: TestContext): { tick(ms: number): void } {
  const HOUR_MS = 3_600_000;
  mock.timers.enable({ apis: ['Date'], now: (hourOf(Date.now()) + 0.5) * HOUR_MS });
  return { tick: (ms) => mock.timers.setTime(Date.now() + ms) };
}
