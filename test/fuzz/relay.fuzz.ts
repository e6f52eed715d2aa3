/**
 * What is said to a relay and by it, and the first bytes of a connection that is to be passed on: any bytes, and words with a field that is wrong.
 * @module
 */
import { deepStrictEqual } from 'node:assert';
import { concatBytes, equalBytes, fromLatin1 } from '../../src/lib/bytes.ts';
import type { Rng } from '../../src/lib/rng.ts';
import { encode } from '../../src/protocol/bencode/index.ts';
import {
  decodeRelayWord,
  encodePreface,
  encodeRelayWord,
  PREFACE_BYTES,
  readPreface,
  renewalMs,
} from '../../src/protocol/relay/index.ts';

const PREFACE = fromLatin1('STARLING-RELAY/1\n');
const PEER_ID_BYTES = 38;
const TOKEN_BYTES = 32;
const TIMER_MOST_MS = 2 ** 31 - 1;

function fuzz(bytes: Uint8Array): void {
  preface(bytes);
  const word = decodeRelayWord(bytes);
  if (!word.ok) {
    if (word.message.length > 200) throw new Error('expected a sentence');
    return;
  }
  const { value } = word;
  if ('token' in value && value.token.length !== TOKEN_BYTES) throw new Error('another token');
  if ('peerId' in value && value.peerId.length !== PEER_ID_BYTES) throw new Error('another id');
  if (value.kind === 'reserved') {
    if (!(value.lastsMs > 0 && value.leftBytes >= 0)) throw new Error('expected what is left');
    // Neither a flood of renewals nor a timer that overflows.
    const waitMs = renewalMs(value.lastsMs);
    if (!(waitMs >= 10_000 && waitMs < TIMER_MOST_MS)) throw new Error(`renewed in ${waitMs} ms`);
  }
  const written = encodeRelayWord(value);
  const again = decodeRelayWord(written);
  deepStrictEqual(again, word);
}

function preface(bytes: Uint8Array): void {
  const read = readPreface(bytes);
  const shown = Math.min(bytes.length, PREFACE.length);
  const isRight = equalBytes(bytes.subarray(0, shown), PREFACE.subarray(0, shown));
  if (read?.ok === false && isRight) throw new Error('expected a preface to be taken');
  if (read?.ok !== false && !isRight) throw new Error('expected another to be refused at once');
  if (read?.ok !== true) return;
  if (
    bytes.length < PREFACE_BYTES ||
    !equalBytes(encodePreface(read.value), bytes.subarray(0, PREFACE_BYTES))
  ) {
    throw new Error('expected the token as it came');
  }
}

const NUMBERS = [-1, 0, 1, 2, 20_000, 3_600_000, 2 ** 31, 2 ** 32, 2 ** 53 - 1];

function generate(rng: Rng): Uint8Array {
  if (rng.below(6) === 0) {
    return concatBytes(encodePreface(rng.bytes(32)), rng.bytes(rng.below(4)));
  }
  const q = ['reserve', 'reserved', 'connect', 'token', 'incoming', 'other'][rng.below(6)]!;
  const near = (length: number): Uint8Array =>
    rng.bytes(rng.below(8) === 0 ? length + rng.below(3) - 1 : length);
  const number = (): number => NUMBERS[rng.below(NUMBERS.length)]!;
  return encode({ b: number(), k: near(32), p: near(38), q, t: number() });
}

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'relay',
  seeds: [
    encodeRelayWord({ kind: 'reserve' }),
    encodeRelayWord({ kind: 'reserved', lastsMs: 3_600_000, leftBytes: 20 * 1024 ** 3 }),
    encodeRelayWord({ kind: 'connect', peerId: new Uint8Array(38) }),
    encodeRelayWord({ kind: 'token', token: new Uint8Array(32) }),
    encodeRelayWord({ kind: 'incoming', token: new Uint8Array(32), peerId: new Uint8Array(38) }),
    encodePreface(new Uint8Array(32)),
  ],
  run: fuzz,
  generate,
};
