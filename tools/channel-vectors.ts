/**
 * The test vectors of `docs/protocol/channel.md`, `relay.md` and of the words in `send-transfer.md`, made by the code; `tools/gen-docs.ts` writes them.
 * Bytes are hexadecimal. A refused one stands with the reason, for people.
 * @module
 */
import { concatBytes, fromLatin1, toHex } from '../src/lib/bytes.ts';
import {
  type Envelope,
  encodeBulkHeader,
  encodeFrame,
  type Frame,
  type Rival,
  takesPlace,
} from '../src/protocol/channel/index.ts';
import { formatPeerId, peerIdOf } from '../src/protocol/identity/index.ts';
import { encodePreface, encodeRelayWord, type RelayWord } from '../src/protocol/relay/index.ts';
import {
  encodeDigest,
  encodeKnock,
  encodeOffer,
  encodePaired,
  encodePairWord,
  encodeSendWord,
  type OfferWord,
  type PairWord,
  type SendWord,
} from '../src/protocol/send/index.ts';
import {
  CERTIFICATE_SECRET,
  CERTIFICATE_SERIAL,
  fixedCertificate,
  fixedKeyInfo,
  publicKeyOfSeed,
} from './fixed-certificate.ts';

const NOT_BEFORE_MS = Date.UTC(2026, 0, 1);
const NOT_AFTER_MS = Date.UTC(2045, 0, 1);

/** Bytes 0, 1, 2 … from a beginning, so that fields that are taken for each other show. */
function counting(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (from + at) & 0xff);
}

/** As JSON says it: bytes in hex. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

function text(value: unknown): string {
  return `${JSON.stringify(plain(value), undefined, 2)}\n`;
}

const ECHO: Envelope = { service: 'echo', version: 1 };
const COMMUNITY: Envelope = { service: 'chat-2', version: 255, community: counting(0x60, 32) };
const HELLO_ADDRESSES = [
  { host: '192.0.2.7', port: 6_881 },
  { host: '2001:db8::7', port: 51_413 },
];

const FRAMES: readonly Frame[] = [
  { kind: 'hello', hello: { instance: counting(1, 8), addresses: [] } },
  {
    kind: 'hello',
    hello: {
      instance: counting(0xf8, 8),
      addresses: HELLO_ADDRESSES,
      observed: { host: '198.51.100.20', port: 40_000 },
    },
  },
  { kind: 'message', envelope: ECHO, payload: fromLatin1('hello') },
  { kind: 'message', envelope: COMMUNITY, payload: new Uint8Array(0) },
  { kind: 'request', id: 1, timeoutMs: 15_000, envelope: ECHO, payload: fromLatin1('hello') },
  {
    kind: 'request',
    id: 0xffff_ffff,
    timeoutMs: 300_000,
    envelope: COMMUNITY,
    payload: counting(0, 3),
  },
  { kind: 'response', id: 1, payload: fromLatin1('hello') },
  { kind: 'response', id: 0xffff_ffff, payload: new Uint8Array(0) },
  { kind: 'refusal', id: 1, code: 3, message: '64 requests wait already' },
  { kind: 'ping', nonce: counting(0x20, 8) },
  { kind: 'pong', nonce: counting(0x20, 8) },
  { kind: 'bye', message: '' },
  { kind: 'bye', message: 'zurück' },
];

const withLength = (...bytes: number[]): Uint8Array =>
  Uint8Array.of(0, 0, 0, bytes.length, ...bytes);
const REFUSED_FRAMES: readonly { readonly why: string; readonly bytes: Uint8Array }[] = [
  { why: 'no kind', bytes: withLength() },
  { why: 'longer than 65,536 bytes', bytes: Uint8Array.of(0, 1, 0, 1, 2) },
  { why: 'kind 0', bytes: withLength(0) },
  { why: 'kind 9', bytes: withLength(9) },
  { why: 'a greeting without an instance', bytes: withLength(1, ...fromLatin1('d1:vi1ee')) },
  {
    why: 'a greeting of version 2',
    bytes: withLength(1, ...fromLatin1('d1:i8:123456781:vi2ee')),
  },
  { why: 'a message to a service without a name', bytes: withLength(2, 0, 1, 0) },
  { why: 'a message to the service "Echo"', bytes: withLength(2, 4, 0x45, 0x63, 0x68, 0x6f, 1, 0) },
  {
    why: 'a name of 33 characters',
    bytes: withLength(2, 33, ...new Uint8Array(33).fill(0x61), 1, 0),
  },
  { why: 'a community of 31 bytes', bytes: withLength(2, 1, 0x61, 1, 31, ...counting(0, 31)) },
  { why: 'an envelope that ends early', bytes: withLength(2, 1, 0x61, 1) },
  { why: 'a request without an envelope', bytes: withLength(3, 0, 0, 0, 1, 0, 0, 0, 1) },
  { why: 'a response without its number', bytes: withLength(4, 0, 0, 0) },
  { why: 'a refusal without a code', bytes: withLength(5, 0, 0, 0, 1, 0) },
  { why: 'a ping of 7 bytes', bytes: withLength(6, ...counting(0, 7)) },
];

function duplicates(): object[] {
  const [low, high] = [Uint8Array.of(1), Uint8Array.of(2)];
  const rival = (changes: Partial<Rival>): Rival => {
    return { isDialled: true, isRelayed: false, madeMs: 0, instance: counting(1, 8), ...changes };
  };
  const cases: readonly [string, Rival, Rival][] = [
    ['the other end was started again', rival({}), rival({ instance: counting(9, 8) })],
    ['dialled twice by the same end', rival({}), rival({ madeMs: 50 })],
    ['a direct one after a relayed one', rival({ isRelayed: true }), rival({ isDialled: false })],
    ['a relayed one after a direct one', rival({}), rival({ isRelayed: true })],
    ['dialled by both at once', rival({}), rival({ isDialled: false, madeMs: 10_000 })],
    ['dialled by the other end later', rival({}), rival({ isDialled: false, madeMs: 10_001 })],
  ];
  return cases.map(([name, old, fresh]) => ({
    case: name,
    old,
    fresh,
    atLowerId: takesPlace(low, high, old, fresh) ? 'fresh' : 'old',
    // The other end of both connections.
    atHigherId: takesPlace(high, low, other(old), other(fresh)) ? 'fresh' : 'old',
  }));
}

function other(rival: Rival): Rival {
  return { ...rival, isDialled: !rival.isDialled };
}

function certificate(): object {
  const seed = counting(0x80, 32);
  const peerId = peerIdOf(publicKeyOfSeed(seed));
  return {
    identitySeed: seed,
    identityPublicKey: publicKeyOfSeed(seed),
    peerIdBytes: peerId,
    peerId: formatPeerId(peerId),
    certificateSecretKey: CERTIFICATE_SECRET,
    keyInfo: fixedKeyInfo(),
    serial: CERTIFICATE_SERIAL,
    notBeforeMs: NOT_BEFORE_MS,
    notAfterMs: NOT_AFTER_MS,
    signedByTheIdentity: concatBytes(fromLatin1('libp2p-tls-handshake:'), fixedKeyInfo()),
    certificate: fixedCertificate(seed, NOT_BEFORE_MS, NOT_AFTER_MS),
  };
}

/** The text of docs/protocol/vectors/channel.json. */
export function channelVectors(): string {
  const headers = [
    { envelope: { service: 'send', version: 1 }, payload: new Uint8Array(0) },
    { envelope: COMMUNITY, payload: counting(0, 5) },
  ];
  return text({
    alpn: ['starling/control/1', 'starling/bulk/1', 'starling/bittorrent/1'],
    frames: FRAMES.map((frame) => ({ frame, bytes: encodeFrame(frame) })),
    refusedFrames: REFUSED_FRAMES,
    bulkHeaders: headers.map((header) => ({ header, bytes: encodeBulkHeader(header) })),
    refusedBulkHeaders: [
      { why: 'longer than 4,096 bytes', bytes: Uint8Array.of(0x10, 0x01) },
      { why: 'no envelope', bytes: Uint8Array.of(0, 0) },
    ],
    duplicates: duplicates(),
    certificate: certificate(),
  });
}

const TOKEN = counting(0x40, 32);
const RELAY_WORDS: readonly RelayWord[] = [
  { kind: 'reserve' },
  { kind: 'reserved', lastsMs: 3_600_000, leftBytes: 20 * 1024 ** 3 },
  { kind: 'connect', peerId: peerIdOf(publicKeyOfSeed(counting(1, 32))) },
  { kind: 'token', token: TOKEN },
  { kind: 'incoming', peerId: peerIdOf(publicKeyOfSeed(counting(2, 32))), token: TOKEN },
];

/** The text of docs/protocol/vectors/relay.json. */
export function relayVectors(): string {
  return text({
    words: RELAY_WORDS.map((word) => ({ word, bytes: encodeRelayWord(word) })),
    refusedWords: [
      { why: 'no dictionary', bytes: fromLatin1('le') },
      { why: 'no kind', bytes: fromLatin1('de') },
      { why: 'another kind', bytes: fromLatin1('d1:q4:helpe') },
      { why: 'connect without a peer', bytes: fromLatin1('d1:q7:connecte') },
      { why: 'a peer of 4 bytes', bytes: fromLatin1('d1:p4:12341:q7:connecte') },
      { why: 'a token of 3 bytes', bytes: fromLatin1('d1:k3:1231:q5:tokene') },
      { why: 'a reservation of no time', bytes: fromLatin1('d1:bi1e1:q8:reserved1:ti0ee') },
    ],
    preface: { token: TOKEN, bytes: encodePreface(TOKEN), ready: Uint8Array.of(1) },
  });
}

/** The text of docs/protocol/vectors/send-words.json. */
export function sendWordVectors(): string {
  const nonce = counting(0x10, 16);
  const pair: readonly PairWord[] = [
    { kind: 'share', hour: 495_000, message: Uint8Array.of(1, 32, ...counting(0xa0, 32), 0) },
    { kind: 'confirm', message: Uint8Array.of(2, ...counting(0, 64)) },
    {
      kind: 'share',
      hour: 495_000,
      message: Uint8Array.of(1, 32, ...counting(0xa0, 32), 0),
      hint: Uint8Array.of(0xca, 0xfe),
    },
  ];
  const kinds: readonly SendWord['kind'][] = [
    'offer',
    'accept',
    'decline',
    'come',
    'digest',
    'again',
    'done',
  ];
  const offer: OfferWord = {
    contentKind: 'files',
    name: 'album ö',
    totalBytes: 2 ** 40,
    fileCount: 3,
    manifestBytes: 400,
    manifestHash: counting(0xc0, 32),
  };
  const paired = { message: Uint8Array.of(2, ...counting(0x40, 64)), nonce };
  return text({
    pair: pair.map((word) => ({ word, bytes: encodePairWord(word) })),
    paired: { ...paired, bytes: encodePaired(paired.message, nonce) },
    send: kinds.map((kind) => ({ kind, nonce, bytes: encodeSendWord({ kind, nonce }) })),
    offer: { offer, bytes: encodeOffer(offer) },
    digest: [
      { digest: counting(0xe0, 32), bytes: encodeDigest(counting(0xe0, 32)) },
      { digest: null, bytes: encodeDigest(undefined) },
    ],
    knock: { nonce, bytes: encodeKnock(nonce) },
  });
}
