/**
 * What sender and receiver say to each other: any bytes, read as each kind of word, and dictionaries whose fields are right or nearly so.
 * @module
 */
import { deepStrictEqual } from 'node:assert';
import { fromLatin1 } from '../../src/lib/bytes.ts';
import type { Result } from '../../src/lib/errors.ts';
import type { Rng } from '../../src/lib/rng.ts';
import { type Encodable, encode } from '../../src/protocol/bencode/index.ts';
import {
  decodeDigest,
  decodeKnock,
  decodeOffer,
  decodePaired,
  decodePairWord,
  decodeSendWord,
  encodeDigest,
  encodeKnock,
  encodeOffer,
  encodePaired,
  encodePairWord,
  encodeSendWord,
  MAX_MANIFEST_BYTES,
  offerOf,
} from '../../src/protocol/send/index.ts';

/** What is read is written and read as the same. */
function again<T>(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => Result<T>,
  write: (value: T) => Uint8Array,
): T | undefined {
  const read = decode(bytes);
  if (!read.ok) return undefined;
  deepStrictEqual(decode(write(read.value)), read);
  return read.value;
}

function fuzz(bytes: Uint8Array): void {
  const pair = again(bytes, decodePairWord, encodePairWord);
  if (pair?.kind === 'share' && !(pair.hour >= 0 && pair.hour < 2 ** 32)) {
    throw new Error(`hour ${pair.hour}`);
  }
  const paired = again(bytes, decodePaired, ({ message, nonce }) => encodePaired(message, nonce));
  const word = again(bytes, decodeSendWord, encodeSendWord);
  const knock = again(bytes, decodeKnock, encodeKnock);
  for (const nonce of [paired?.nonce, word?.nonce, knock]) {
    if (nonce !== undefined && nonce.length !== 16) throw new Error('expected a nonce');
  }
  const digest = again(bytes, decodeDigest, (said) => encodeDigest(said.digest));
  if (digest?.digest !== undefined && digest.digest.length !== 32) throw new Error('no digest');
  const offer = decodeOffer(bytes);
  if (!offer.ok) return;
  const { name, totalBytes, fileCount, manifestBytes, manifestHash } = offer.value;
  const isBounded = name.length <= 255 && manifestBytes > 0 && manifestBytes <= MAX_MANIFEST_BYTES;
  if (!isBounded || manifestHash.length !== 32) throw new Error('expected bounds to hold');
  for (const count of [totalBytes, fileCount]) {
    if (!Number.isSafeInteger(count) || count < 0)
      throw new Error(`expected a count, got ${count}`);
  }
  if (!name.isWellFormed()) throw new Error('expected a name that is text');
  again(bytes, decodeOffer, encodeOffer);
  offered(name);
  for (const one of NAMES) offered(one);
}

/** What a receiver compares a manifest with is what its offer said, whatever its name holds. */
function offered(name: string): void {
  const entry = { kind: 'file', path: [], sizeBytes: 5, mode: 0o600, mtimeMs: 0 } as const;
  const said = offerOf({ kind: 'files', name, entries: [entry] });
  const read = decodeOffer(
    encodeOffer({ ...said, manifestBytes: 1, manifestHash: new Uint8Array(32) }),
  );
  if (!read.ok || read.value.name !== said.name) throw new Error(`expected ${said.name}`);
}

const WORDS = ['share', 'confirm', 'offer', 'accept', 'decline', 'come', 'digest', 'again', 'done'];
const NUMBERS = [-1, 0, 1, 495_000, 2 ** 26, 2 ** 26 + 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
const NAMES = [
  'album',
  '../x',
  '\u{1f985}'.repeat(128),
  `a${'\u{1f985}'.repeat(127)}`,
  '\u202e',
  '',
];

function generate(rng: Rng): Uint8Array {
  const near = (length: number): Uint8Array =>
    rng.bytes(rng.below(8) === 0 ? length + rng.below(3) - 1 : length);
  const number = (): number => NUMBERS[rng.below(NUMBERS.length)]!;
  const dict: { [key: string]: Encodable } = {
    d: near(32),
    f: number(),
    h: rng.below(2) === 0 ? number() : near(32),
    k: ['files', 'text', 'stream', 'other'][rng.below(4)]!,
    l: number(),
    m: rng.bytes(rng.below(100)),
    n: near(16),
    q: WORDS[rng.below(WORDS.length)]!,
    s: number(),
    t: NAMES[rng.below(NAMES.length)]!,
  };
  if (rng.below(4) === 0) delete dict[Object.keys(dict)[rng.below(10)]!];
  return encode(dict);
}

const NONCE = new Uint8Array(16).fill(7);

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'send-messages',
  seeds: [
    encodePairWord({ kind: 'share', hour: 495_000, message: new Uint8Array(35).fill(1) }),
    encodePairWord({ kind: 'confirm', message: new Uint8Array(65).fill(2) }),
    encodePaired(new Uint8Array(65).fill(2), NONCE),
    encodeSendWord({ kind: 'offer', nonce: NONCE }),
    encodeKnock(NONCE),
    encodeDigest(undefined),
    encodeDigest(new Uint8Array(32)),
    encodeOffer({
      contentKind: 'files',
      name: 'album',
      totalBytes: 9,
      fileCount: 3,
      manifestBytes: 300,
      manifestHash: new Uint8Array(32),
    }),
    fromLatin1('de'),
  ],
  run: fuzz,
  generate,
};
