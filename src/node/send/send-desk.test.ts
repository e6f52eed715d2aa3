/**
 * Several offers and receivers of one node at a time, over real channels.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { TestBed } from '../../../test/support/cli-child.ts';
import { meet, openParty, type Party, someKeys } from '../../../test/support/parties.ts';
import {
  decodePairWord,
  encodeKnock,
  encodePairWord,
  GuessBudget,
  type PairWord,
  RECEIVE_SERVICE,
  type SendKeys,
} from '../../protocol/send/index.ts';
import { Contacts } from '../contacts.ts';
import { walkSource } from '../transfer-source.ts';
import { type Knock, waitForKnocks } from './knocks.ts';
import { CodeKeeper, proveCode } from './pairing.ts';
import { Receiver } from './receiver.ts';
import { SendDesk } from './send-desk.ts';
import { Sender } from './sender.ts';
import { textSource } from './sources.ts';

const NEVER = new AbortController().signal;

/** Somebody who knows the other one, and has files for it. */
class Person {
  readonly bed: TestBed;
  readonly party: Party;
  readonly contacts: Contacts;
  readonly #abort = new AbortController();
  readonly #knocks: AsyncGenerator<Knock>;

  constructor(bed: TestBed, party: Party) {
    this.bed = bed;
    this.party = party;
    this.contacts = new Contacts(party.node.home);
    this.#knocks = waitForKnocks(party.channels, this.contacts, this.#abort.signal);
  }

  /** Begins to offer a file to a contact. */
  async offer(to: Person, name: string, content: string): Promise<Sender> {
    const { node, channels } = this.party;
    const file = join(this.bed.dir(`from-${name}`), name);
    writeFileSync(file, content);
    const sender = new Sender({
      node,
      channels,
      source: await walkSource(file),
      to: to.party.peerId,
    });
    await sender.start();
    return sender;
  }

  async knock(): Promise<Knock> {
    return (await this.#knocks.next()).value;
  }

  receiver(dir: string): Receiver {
    const { node, channels } = this.party;
    return new Receiver({ node, channels, dir: this.bed.dir(dir) });
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#knocks.return(undefined);
  }
}

async function twoPeople(bed: TestBed): Promise<[Person, Person]> {
  const people = [
    new Person(bed, await openParty(bed)),
    new Person(bed, await openParty(bed)),
  ] as const;
  people[0].contacts.add('other', people[1].party.peerId);
  people[1].contacts.add('other', people[0].party.peerId);
  await meet(people[0].party, people[1].party);
  return [...people];
}

describe('several transfers between the same two nodes', () => {
  it('run at once, both ways; one that nobody answers holds up none', async () => {
    await using bed = new TestBed();
    const [ana, ben] = await twoPeople(bed);
    const receiving = (async () => [await ben.knock(), await ben.knock(), await ben.knock()])();
    const back = ana.knock();
    const senders = [
      await ana.offer(ben, 'ignored.txt', 'nobody answers'),
      await ana.offer(ben, 'one.txt', 'one'.repeat(50_000)),
      await ana.offer(ben, 'two.txt', 'two'.repeat(70_000)),
      await ben.offer(ana, 'back.txt', 'back'),
    ];
    const knocks = await receiving;
    const receivers = knocks.map(() => ben.receiver('to'));
    const offers = await Promise.all(
      knocks.map(({ channel, nonce }, i) => receivers[i]!.take(channel, nonce)),
    );
    const names = offers.map(({ name }) => name);
    assert.deepEqual(names.toSorted(), ['ignored.txt', 'one.txt', 'two.txt']);
    const ignored = names.indexOf('ignored.txt');
    const outcomes = await Promise.all(
      offers.map(async (offer, i) => {
        return i === ignored ? undefined : await receivers[i]!.fetch(offer, NEVER);
      }),
    );
    const { channel, nonce } = await back;
    const there = ana.receiver('back');
    await there.fetch(await there.take(channel, nonce), NEVER);
    const digests = await Promise.all(senders.slice(1).map((each) => each.completed()));
    for (const outcome of outcomes) {
      assert.ok(outcome === undefined || digests.some(({ sha256 }) => sha256 === outcome.sha256));
    }
    for (const [name, text] of [
      ['one.txt', 'one'.repeat(50_000)],
      ['two.txt', 'two'.repeat(70_000)],
    ] as const) {
      assert.equal(readFileSync(join(bed.root, 'to', name), 'utf8'), text);
    }
    assert.equal(readFileSync(join(bed.root, 'back', 'back.txt'), 'utf8'), 'back');
    for (const each of [...senders, ...receivers, there]) await each.close();
    await Promise.all([ana.close(), ben.close()]);
  });

  it('a contact that knocks for an offer that is being taken is heard once, and has eight at most', async () => {
    await using bed = new TestBed();
    const [ana, ben] = await twoPeople(bed);
    const channel = ana.party.channels.channel(ben.party.peerId)!;
    const first = ben.knock();
    const say = (nonce: number): Promise<Uint8Array> =>
      channel.request(RECEIVE_SERVICE, encodeKnock(new Uint8Array(16).fill(nonce)));
    await say(0);
    const { nonce, done } = await first;
    assert.deepEqual(nonce, new Uint8Array(16));
    const second = ben.knock();
    await say(0);
    for (let i = 1; i < 8; i += 1) await say(i);
    await assert.rejects(say(8), /too many offers wait/);
    await say(7);
    assert.equal((await second).nonce[0], 1, 'not the first again');
    done();
    await say(8);
    await ben.close();
  });

  it('a path that is being sent already is offered anew, with words of its own, and goes on with the first ones later', async () => {
    await using bed = new TestBed();
    const { node, channels } = await openParty(bed);
    const file = join(bed.dir('from'), 'shared.txt');
    writeFileSync(file, 'for two people');
    const source = await walkSource(file);
    const [one, other] = [
      new Sender({ node, channels, source }),
      new Sender({ node, channels, source }),
    ];
    assert.notEqual(one.code, other.code);
    await one.close();
    await other.close();
    const again = new Sender({ node, channels, source });
    assert.equal(again.code, one.code);
    await again.close();
    const messages = [await textSource(node.home, 'hello'), await textSource(node.home, 'hello')];
    messages[0]!.remove();
    assert.equal(
      readFileSync(join(messages[1]!.source.dir, messages[1]!.source.topName), 'utf8'),
      'hello',
    );
    messages[1]!.remove();
  });
});

/** A party that answers for codes; what came of each. */
function keepCodes({ channels, peerId }: Party, all: readonly SendKeys[]): GuessBudget[] {
  return all.map((keys, i) => {
    const budget = new GuessBudget();
    let receiver: string | undefined;
    const keeper = new CodeKeeper({
      ownId: peerId,
      budget,
      nonce: new Uint8Array(16).fill(i),
      keysOf: () => keys,
      onBudget: () => {},
      onPaired: (who) => {
        receiver = who;
      },
    });
    SendDesk.of(channels).code({ keeper, admits: (who) => who === (receiver ?? who) });
    return budget;
  });
}

describe('several codes of one node', () => {
  it('are told apart by the hint, so that no guess at another one is spent', async () => {
    await using bed = new TestBed();
    const [sender, receiver] = [await openParty(bed), await openParty(bed)];
    const codes = [someKeys(), someKeys(), someKeys()];
    const budgets = keepCodes(sender, codes);
    const channel = await meet(receiver, sender);
    for (const [i, keys] of codes.entries()) {
      const nonce = await proveCode(channel, receiver.peerId, keys);
      assert.deepEqual(nonce, new Uint8Array(16).fill(i));
    }
    assert.deepEqual(
      budgets.map(({ left }) => left),
      [10, 10, 10],
    );
  });

  it('are taken in turn, the newest first, by a receiver whose hint is missing; a wrong one counts as a guess', async () => {
    await using bed = new TestBed();
    const [sender, receiver] = [await openParty(bed), await openParty(bed)];
    const codes = [someKeys(), someKeys()];
    const [old, young] = keepCodes(sender, codes);
    const channel = await meet(receiver, sender);
    // As a program of the first version speaks.
    const silent = Object.assign(Object.create(channel), {
      peerId: channel.peerId,
      binding: channel.binding,
      request: (service: string, payload: Uint8Array) => {
        const word = decodePairWord(payload);
        assert.ok(word.ok);
        const { hint: _, ...rest } = word.value as PairWord & { kind: 'share' };
        return channel.request(service, encodePairWord(rest));
      },
    });
    const prove = (keys: SendKeys): Promise<Uint8Array> => proveCode(silent, receiver.peerId, keys);
    await assert.rejects(prove(codes[0]!), /wrong code/);
    assert.deepEqual([old!.left, young!.left], [10, 9]);
    assert.deepEqual(await prove(codes[0]!), new Uint8Array(16));
    assert.deepEqual([old!.left, young!.left], [10, 9]);
  });

  it('with a hint that fits none, somebody guesses at one of them all the same', async () => {
    await using bed = new TestBed();
    const [sender, guesser] = [await openParty(bed), await openParty(bed)];
    const [old, young] = keepCodes(sender, [someKeys(), someKeys()]);
    const channel = await meet(guesser, sender);
    await assert.rejects(proveCode(channel, guesser.peerId, someKeys()), /wrong code/);
    assert.deepEqual([old!.left, young!.left], [10, 9]);
  });
});
