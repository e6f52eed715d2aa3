/**
 * Messages of the key exchange: any bytes, read alone, and one in 64 by both roles in each of their states.
 * @module
 */
import { concatBytes, equalBytes } from '../../src/lib/bytes.ts';
import { crc32c } from '../../src/lib/crc32c.ts';
import type { Rng } from '../../src/lib/rng.ts';
import { CpaceParty, decodePakeMessage, encodePakeMessage } from '../../src/protocol/pake/index.ts';

/** Chosen by the bytes themselves, so that an input replays alone; a run costs 4 ms of curve arithmetic. */
const RUN_EVERY = 64;

function party(role: 'initiator' | 'responder'): CpaceParty {
  return new CpaceParty({
    role,
    password: Uint8Array.of(1),
    channel: Uint8Array.of(2),
    session: Uint8Array.of(3),
    random: new Uint8Array(32).fill(role === 'initiator' ? 4 : 5),
  });
}

const first = party('initiator').start();
const answer = party('responder').handle(first);
if (!answer.ok) throw new Error(answer.message);
const second = answer.value.message!;
const initiator = party('initiator');
initiator.start();
const proof = initiator.handle(second);
if (!proof.ok) throw new Error(proof.message);
const third = proof.value.message!;

function fuzz(bytes: Uint8Array): void {
  const message = decodePakeMessage(bytes);
  if (message.ok && !equalBytes(encodePakeMessage(message.value), bytes)) {
    throw new Error('expected a message to have one form');
  }
  if (crc32c(bytes) % RUN_EVERY !== 0) return;
  const responder = party('responder');
  const step = responder.handle(bytes);
  if (!message.ok && step.ok) throw new Error('expected bytes that are no message to be refused');
  if (step.ok === responder.isOver)
    throw new Error('expected a fault, and only a fault, to end it');
  const waiting = party('initiator');
  waiting.start();
  refuse(waiting, bytes, 'an initiator without the share of the other');
  const late = party('responder');
  late.handle(first);
  const end = late.handle(bytes);
  if (end.ok && !equalBytes(bytes, third)) throw new Error('expected the one right confirmation');
  refuse(late, third, 'one that is over');
}

/** Nothing that comes first can end with a key. */
function refuse(one: CpaceParty, bytes: Uint8Array, what: string): void {
  const step = one.handle(bytes);
  if (step.ok && step.value.confirmed !== undefined) throw new Error(`expected no key of ${what}`);
}

/** Messages of the right form, with associated data of any length around the bounds. */
function generate(rng: Rng): Uint8Array {
  if (rng.below(4) === 0) return concatBytes(Uint8Array.of(2), rng.bytes(63 + rng.below(3)));
  const share = rng.below(2) === 0 ? first.slice(2, 34) : rng.bytes(32);
  const lengths = [0, 1, 127, 128, 1_023, 1_024, 1_025];
  const associated = rng.bytes(lengths[rng.below(lengths.length)]!);
  return encodePakeMessage({ type: 'share', share, associated });
}

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'pake',
  seeds: [
    first,
    second,
    third,
    encodePakeMessage({ type: 'share', share: new Uint8Array(32), associated: new Uint8Array(0) }),
  ],
  run: fuzz,
  generate,
};
