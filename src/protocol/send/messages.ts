/**
 * What sender and receiver say to each other on a control channel, as bencoded dictionaries; `q` names the kind, unknown keys are ignored.
 *
 * The receiver asks, the sender answers: first it proves that it has the code (service `pair`), then it asks for the offer, accepts it, and at the end asks for
 * the digest (service `send`). A sender that knows its receiver knocks first (service `receive`). docs/protocol/send-transfer.md has every byte.
 * Bounds: those of a control frame. Not here: who may ask, the files themselves.
 * @module
 */
import { fail, ok, type Result } from '../../lib/errors.ts';
import { printableLine } from '../../lib/printable.ts';
import { type BencodeDict, decodeDict, type Encodable, encode } from '../bencode/index.ts';
import { PAIR_HINT_BYTES } from './code.ts';
import { MAX_MANIFEST_BYTES, type Manifest, type ManifestKind } from './manifest.ts';
import { TRANSFER_NONCE_BYTES } from './manifest-info.ts';

// Specification constants

/** Names of the services. */
export const PAIR_SERVICE = 'pair';
export const SEND_SERVICE = 'send';
export const RECEIVE_SERVICE = 'receive';
const DIGEST_BYTES = 32;
const KINDS: readonly ManifestKind[] = ['files', 'text', 'stream'];

// Implementation limits
/** Characters of a name in an offer that are read. */
const MAX_NAME_CHARACTERS = 255;

/** Codes of failed Results of this file. */
export type SendMessageErrorCode =
  /** Words of a sender or receiver that are none. */
  'ERR_SEND_MESSAGE';

/** What a receiver says first, with what the key exchange wants to say. */
export type PairWord =
  /** The hour whose keys it uses; the hint (`pairHint`) tells a sender with several codes which it is about, and may be missing. */
  | {
      readonly kind: 'share';
      readonly hour: number;
      readonly message: Uint8Array;
      readonly hint?: Uint8Array | undefined;
    }
  | { readonly kind: 'confirm'; readonly message: Uint8Array };

/** What a receiver asks of an offer, which is named by its nonce. */
export interface SendWord {
  /**
   * `offer`: what is it? `accept`: serve it. `decline`: it is not wanted. `come`: open a connection for the data to me, I cannot.
   * `digest`: what is its digest? `again`: it was another one here, all is fetched again. `done`: all is here and right.
   */
  readonly kind: 'offer' | 'accept' | 'decline' | 'come' | 'digest' | 'again' | 'done';
  /** 16 bytes. */
  readonly nonce: Uint8Array;
}

/** An offer at a glance; the manifest follows on a connection of its own. */
export interface OfferWord {
  readonly contentKind: ManifestKind;
  /** For showing: files go by the manifest's. */
  readonly name: string;
  readonly totalBytes: number;
  readonly fileCount: number;
  /** Of the manifest: its length, and SHA-256, 32 bytes. */
  readonly manifestBytes: number;
  readonly manifestHash: Uint8Array;
}

export function encodePairWord(word: PairWord): Uint8Array {
  const { kind: q, message: m } = word;
  if (word.kind === 'confirm') return encode({ m, q });
  const { hour: h, hint: c } = word;
  return encode({ ...(c && { c }), h, m, q });
}

export function decodePairWord(bytes: Uint8Array): Result<PairWord, SendMessageErrorCode> {
  return read(bytes, (dict) => {
    const [kind, message, hour] = [dict.text('q'), dict.bytes('m')?.slice(), dict.int('h')];
    if (message === undefined) return undefined;
    if (kind === 'confirm') return { kind, message };
    const isShare = kind === 'share' && hour !== undefined && hour >= 0 && hour < 2 ** 32;
    if (!isShare) return undefined;
    const hint = dict.bytes('c')?.slice();
    return { kind, hour, message, ...(hint?.length === PAIR_HINT_BYTES && { hint }) };
  });
}

/** The answer to `confirm`: the sender's own confirmation, and the nonce of its offer. */
export function encodePaired(message: Uint8Array, nonce: Uint8Array): Uint8Array {
  return encode({ m: message, n: nonce });
}

export function decodePaired(
  bytes: Uint8Array,
): Result<{ readonly message: Uint8Array; readonly nonce: Uint8Array }, SendMessageErrorCode> {
  return read(bytes, (dict) => {
    const [message, nonce] = [dict.bytes('m')?.slice(), nonceIn(dict)];
    return message && nonce && { message, nonce };
  });
}

const SEND_KINDS: readonly SendWord['kind'][] = [
  'offer',
  'accept',
  'decline',
  'come',
  'digest',
  'again',
  'done',
];

export function encodeSendWord({ kind, nonce }: SendWord): Uint8Array {
  return encode({ n: nonce, q: kind });
}

export function decodeSendWord(bytes: Uint8Array): Result<SendWord, SendMessageErrorCode> {
  return read(bytes, (dict) => {
    const [said, nonce] = [dict.text('q'), nonceIn(dict)];
    const kind = SEND_KINDS.find((one) => one === said);
    return kind && nonce && { kind, nonce };
  });
}

/** A sender's knock at a receiver that it knows. */
export function encodeKnock(nonce: Uint8Array): Uint8Array {
  return encode({ n: nonce });
}

export function decodeKnock(bytes: Uint8Array): Result<Uint8Array, SendMessageErrorCode> {
  return read(bytes, nonceIn);
}

/** What an offer says of a manifest: its name as it is shown, so that both ends compare the same. */
export function offerOf(
  manifest: Manifest,
): Pick<OfferWord, 'contentKind' | 'name' | 'totalBytes' | 'fileCount'> {
  const files = manifest.entries.filter((entry) => entry.kind === 'file');
  return {
    contentKind: manifest.kind,
    name: shownName(manifest.name),
    totalBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    fileCount: files.length,
  };
}

export function encodeOffer(offer: OfferWord): Uint8Array {
  const dict: { [key: string]: Encodable } = {
    f: offer.fileCount,
    h: offer.manifestHash,
    k: offer.contentKind,
    l: offer.manifestBytes,
    s: offer.totalBytes,
    t: offer.name,
  };
  return encode(dict);
}

export function decodeOffer(bytes: Uint8Array): Result<OfferWord, SendMessageErrorCode> {
  return read(bytes, (dict) => {
    const said = dict.text('k');
    const contentKind = KINDS.find((kind) => kind === said);
    const [name, manifestHash] = [dict.text('t'), dict.bytes('h')?.slice()];
    const [fileCount = -1, manifestBytes = -1, totalBytes = -1] = [
      dict.int('f'),
      dict.int('l'),
      dict.int('s'),
    ];
    const isCounted = fileCount >= 0 && totalBytes >= 0 && manifestBytes > 0;
    if (contentKind === undefined || name === undefined || !isCounted) return undefined;
    if (manifestHash?.length !== DIGEST_BYTES || manifestBytes > MAX_MANIFEST_BYTES)
      return undefined;
    const shown = shownName(name);
    return { contentKind, name: shown, totalBytes, fileCount, manifestBytes, manifestHash };
  });
}

/** A pair of surrogates may be cut at the bound. */
function shownName(name: string): string {
  return printableLine(name.slice(0, MAX_NAME_CHARACTERS).toWellFormed());
}

/** The answer to `digest`: 32 bytes, or nothing when the sender is not so far; ask again. */
export function encodeDigest(digest: Uint8Array | undefined): Uint8Array {
  return encode(digest === undefined ? {} : { d: digest });
}

export function decodeDigest(
  bytes: Uint8Array,
): Result<{ readonly digest: Uint8Array | undefined }, SendMessageErrorCode> {
  return read(bytes, (dict) => {
    const digest = dict.bytes('d')?.slice();
    return digest === undefined || digest.length === DIGEST_BYTES ? { digest } : undefined;
  });
}

function nonceIn(dict: BencodeDict): Uint8Array | undefined {
  const nonce = dict.bytes('n');
  return nonce?.length === TRANSFER_NONCE_BYTES ? nonce.slice() : undefined;
}

function read<T>(
  bytes: Uint8Array,
  of: (dict: BencodeDict) => T | undefined,
): Result<T, SendMessageErrorCode> {
  const dict = decodeDict(bytes);
  const value = dict.ok ? of(dict.value) : undefined;
  return value === undefined
    ? fail('ERR_SEND_MESSAGE', 'expected a word of the protocol for sending, got something else')
    : ok(value);
}
