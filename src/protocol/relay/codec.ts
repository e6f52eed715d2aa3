/**
 * What is said to a relay and by it, on a control connection, as bencoded dictionaries; and the first bytes of a connection that is to be passed on.
 *
 * `q` names the kind; unknown keys are ignored. docs/protocol/relay.md has every byte.
 * @module
 */
import { concatBytes, equalBytes } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import { decodeDict, encode } from '../bencode/index.ts';
import { PEER_ID_BYTES } from '../identity/index.ts';
import { MIN_RENEWAL_MS, RELAY_PREFACE, RESERVATION_MS, TOKEN_BYTES } from './constants.ts';
import type { RelayErrorCode } from './errors.ts';

const PREFACE = encodeUtf8(RELAY_PREFACE);
/** Bytes of a preface with its token. */
export const PREFACE_BYTES: number = PREFACE.length + TOKEN_BYTES;

/** A word to a relay, or of it. */
export type RelayWord =
  /** To the relay: let others reach me through you. */
  | { readonly kind: 'reserve' }
  /** Its answer: milliseconds for which it holds, bytes that may still be passed on today. */
  | { readonly kind: 'reserved'; readonly lastsMs: number; readonly leftBytes: number }
  /** To the relay: connect me with this peer, 38 bytes. */
  | { readonly kind: 'connect'; readonly peerId: Uint8Array }
  /** Its answer, and its word to the other peer, who then knows who wants it. */
  | { readonly kind: 'token'; readonly token: Uint8Array }
  | { readonly kind: 'incoming'; readonly peerId: Uint8Array; readonly token: Uint8Array };

/** A word as bytes. */
export function encodeRelayWord(word: RelayWord): Uint8Array {
  switch (word.kind) {
    case 'reserve':
      return encode({ q: 'reserve' });
    case 'reserved':
      return encode({ b: word.leftBytes, q: 'reserved', t: word.lastsMs });
    case 'connect':
      return encode({ p: word.peerId, q: 'connect' });
    case 'token':
      return encode({ k: word.token, q: 'token' });
    case 'incoming':
      return encode({ k: word.token, p: word.peerId, q: 'incoming' });
  }
}

/** Reads a word. */
export function decodeRelayWord(bytes: Uint8Array): Result<RelayWord, RelayErrorCode> {
  const dict = decodeDict(bytes);
  if (!dict.ok) return wrong('no dictionary');
  const { value } = dict;
  const kind = value.text('q');
  const token = value.bytes('k');
  const peerId = value.bytes('p');
  const [lastsMs, leftBytes] = [value.int('t'), value.int('b')];
  const hasToken = token?.length === TOKEN_BYTES;
  const hasPeer = peerId?.length === PEER_ID_BYTES;
  switch (kind) {
    case 'reserve':
      return ok({ kind });
    case 'reserved':
      if (lastsMs === undefined || leftBytes === undefined || lastsMs < 1) break;
      return ok({ kind, lastsMs, leftBytes: Math.max(0, leftBytes) });
    case 'connect':
      if (hasPeer) return ok({ kind, peerId: peerId.slice() });
      break;
    case 'token':
      if (hasToken) return ok({ kind, token: token.slice() });
      break;
    case 'incoming':
      if (hasToken && hasPeer) return ok({ kind, peerId: peerId.slice(), token: token.slice() });
      break;
    default:
      break;
  }
  return wrong(JSON.stringify(kind ?? 'nothing').slice(0, 40));
}

/** When a reservation is asked for again: at half its time, whatever a relay says neither in a flood nor later than one that lasts RESERVATION_MS. */
export function renewalMs(lastsMs: number): number {
  return Math.min(Math.max(lastsMs / 2, MIN_RENEWAL_MS), RESERVATION_MS / 2);
}

function wrong(got: string): Result<never, RelayErrorCode> {
  return fail('ERR_RELAY_MESSAGE', `expected a word of the relay's protocol, got ${got}`);
}

/** What either end of a passed-on connection sends to the relay first. */
export function encodePreface(token: Uint8Array): Uint8Array {
  return concatBytes(PREFACE, token);
}

/** Reads the first bytes of a connection. @returns its token, or undefined while there are fewer than PREFACE_BYTES. */
export function readPreface(bytes: Uint8Array): Result<Uint8Array, RelayErrorCode> | undefined {
  const shown = Math.min(bytes.length, PREFACE.length);
  if (!equalBytes(bytes.subarray(0, shown), PREFACE.subarray(0, shown))) {
    return fail('ERR_RELAY_MESSAGE', 'expected the preface of a relayed connection, got another');
  }
  return bytes.length < PREFACE_BYTES ? undefined : ok(bytes.slice(PREFACE.length, PREFACE_BYTES));
}
