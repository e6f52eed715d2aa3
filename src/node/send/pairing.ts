/**
 * Proving the code to each other inside a channel that is encrypted already, but whose other end is a stranger.
 *
 * CPace over the channel's binding and both peer ids: somebody who sits between two channels has two bindings, so what he passes on fits at neither end.
 * The sender keeps count of guesses (src/protocol/send/guesses.ts) and writes it down before it answers. Not here: finding each other.
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Result } from '../../lib/errors.ts';
import { CpaceParty, type PakeRole } from '../../protocol/pake/index.ts';
import {
  decodePaired,
  encodePaired,
  encodePairWord,
  type GuessBudget,
  PAIR_SERVICE,
  type PairWord,
  pairHint,
  pakeChannel,
  type SendKeys,
} from '../../protocol/send/index.ts';
import { RequestRefusal } from '../channel/control-link.ts';
import { idBytes } from '../channel/peer-ids.ts';
import type { Channel } from '../channel/types.ts';
import { nodeError } from '../errors.ts';

/** One party of the key exchange over a channel. @param receiver @param sender peer ids. */
function partyOver(
  channel: Channel,
  role: PakeRole,
  keys: SendKeys,
  receiver: string,
  sender: string,
): CpaceParty {
  return new CpaceParty({
    role,
    password: keys.pakePassword,
    channel: pakeChannel(idBytes(receiver), idBytes(sender)),
    session: channel.binding,
    random: new Uint8Array(randomBytes(32)),
  });
}

/**
 * The receiver's side. @param ownId its peer id. @returns the nonce of the sender's offer.
 * @throws {AppError} ERR_PEER_REFUSED when the sender knows no such code or takes no guess now; ERR_CODE when it did not prove the code.
 */
export async function proveCode(
  channel: Channel,
  ownId: string,
  keys: SendKeys,
): Promise<Uint8Array> {
  const { peerId } = channel;
  const party = partyOver(channel, 'initiator', keys, ownId, peerId);
  const hint = pairHint(keys);
  const share = encodePairWord({ kind: 'share', hour: keys.hour, message: party.start(), hint });
  const answered = party.handle(await channel.request(PAIR_SERVICE, share));
  const message = gotten(answered).message!;
  const confirm = encodePairWord({ kind: 'confirm', message });
  const paired = gotten(decodePaired(await channel.request(PAIR_SERVICE, confirm)));
  if (gotten(party.handle(paired.message)).confirmed === undefined) throw wrongCode('no proof');
  return paired.nonce;
}

/** What a sender does with its code. */
export interface CodeKeeperOptions {
  readonly ownId: string;
  readonly budget: GuessBudget;
  /** The keys of an hour that is served. */
  readonly keysOf: (hour: number) => SendKeys | undefined;
  readonly nonce: Uint8Array;
  /** The budget has something to say: to be written down and shown, before anything is answered. */
  readonly onBudget: () => void;
  /** This peer has the code. */
  readonly onPaired: (peerId: string) => void;
}

/** A receiver's first word. */
export type PairShare = Omit<Extract<PairWord, { kind: 'share' }>, 'kind'>;

interface Run {
  readonly party: CpaceParty;
  readonly guess: number;
}

/** The sender's side. */
export class CodeKeeper {
  readonly #options: CodeKeeperOptions;
  readonly #runs = new Map<Channel, Run>();

  constructor(options: CodeKeeperOptions) {
    this.#options = options;
  }

  /** A channel ended: a run on it was no guess, since nothing was learnt by it. */
  forget(channel: Channel): void {
    const run = this.#runs.get(channel);
    if (run === undefined) return;
    this.#runs.delete(channel);
    this.#options.budget.abandon(run.guess);
    this.#options.onBudget();
  }

  /** The hint of its code in an hour that is served. */
  hintOf(hour: number): Uint8Array | undefined {
    const keys = this.#options.keysOf(hour);
    return keys && pairHint(keys);
  }

  /** Answers a receiver's first word. @throws {RequestRefusal} */
  share(channel: Channel, { hour, message }: PairShare): Uint8Array {
    const { budget, keysOf, ownId, onBudget } = this.#options;
    const keys = keysOf(hour);
    if (keys === undefined) {
      throw new RequestRefusal('failed', 'the code is served for another hour: check the clocks');
    }
    // One whose place another connection took ends without a word.
    for (const one of [...this.#runs.keys()]) if (one === channel || one.isClosed) this.forget(one);
    const guess = budget.begin(Date.now(), idBytes(channel.peerId));
    onBudget();
    if (!guess.ok) throw new RequestRefusal('busy', guess.message);
    const party = partyOver(channel, 'responder', keys, channel.peerId, ownId);
    const step = party.handle(message);
    if (!step.ok) {
      budget.fail(guess.value);
      onBudget();
      throw new RequestRefusal('badRequest', step.message);
    }
    this.#runs.set(channel, { party, guess: guess.value });
    return step.value.message!;
  }

  /** Answers its second word. @throws {RequestRefusal} */
  confirm(channel: Channel, message: Uint8Array): Uint8Array {
    const { budget, nonce, onBudget, onPaired } = this.#options;
    const run = this.#runs.get(channel);
    if (run === undefined) throw new RequestRefusal('badRequest', 'no key exchange is under way');
    this.#runs.delete(channel);
    const step = run.party.handle(message);
    if (!step.ok) budget.fail(run.guess);
    const taken = step.ok ? budget.succeed(Date.now(), run.guess) : step;
    onBudget();
    if (!step.ok || !taken.ok) {
      throw new RequestRefusal('forbidden', step.ok && !taken.ok ? taken.message : 'wrong code');
    }
    onPaired(channel.peerId);
    return encodePaired(step.value.message!, nonce);
  }
}

function gotten<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw wrongCode(result.message);
}

function wrongCode(reason: string): Error {
  return nodeError('ERR_CODE', { reason });
}
