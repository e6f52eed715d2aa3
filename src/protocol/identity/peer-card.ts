/**
 * Cards: an identity as a link that can be handed over, with hints of a name, addresses and relays.
 *
 * Form: `starling://peer/<peer id>?a=HOST:PORT&r=<peer id>@HOST:PORT&n=NAME`; `a` and `r` may come several times. Nothing of it is signed: the peer id alone
 * is what the link vouches for, since only its owner can answer a dial; the rest may be old or wrong, and costs no more than a dial that fails.
 * Strict: a known parameter that is malformed, doubled or beyond its bound makes the whole link none. Unknown ones are ignored.
 * Bounds: MAX_CARD_CHARACTERS, MAX_PEER_ADDRESSES, MAX_RELAYS.
 * @module
 */
import { fail, ok, type Result } from '../../lib/errors.ts';
import { MAX_CARD_CHARACTERS, MAX_PEER_ADDRESSES, MAX_RELAYS } from './constants.ts';
import type { IdentityErrorCode } from './errors.ts';
import {
  formatPeerAddress,
  type PeerAddress,
  parsePeerAddress,
  type RelayHint,
} from './peer-address.ts';
import { formatPeerId, parsePeerId } from './peer-id.ts';
import { parsePeerName } from './peer-name.ts';

// Specification constants
const PREFIX = 'starling://peer/';

/** What a card says. */
export interface PeerCard {
  /** 38 bytes. */
  readonly peerId: Uint8Array;
  /** What its owner goes by: a proposal, not a proof. */
  readonly name?: string;
  /** 0 … 8. */
  readonly addresses: readonly PeerAddress[];
  /** 0 … 4. */
  readonly relays: readonly RelayHint[];
}

type Parsed<T> = Result<T, IdentityErrorCode>;

interface Draft {
  name?: string;
  readonly addresses: Map<string, PeerAddress>;
  readonly relays: Map<string, RelayHint>;
}

/** True for a text that is meant as a card, right or wrong. */
export function isCard(text: string): boolean {
  return text.trim().slice(0, PREFIX.length).toLowerCase() === PREFIX;
}

/** The link. @throws RangeError for more than a card can hold, or a name that is none. */
export function formatPeerCard({ peerId, name, addresses, relays }: PeerCard): string {
  const parts = [
    ...addresses.map((address) => `a=${formatPeerAddress(address)}`),
    ...relays.map((relay) => `r=${formatRelay(relay)}`),
    ...(name === undefined ? [] : [`n=${encodeURIComponent(name)}`]),
  ];
  const query = parts.length === 0 ? '' : `?${parts.join('&')}`;
  const text = `${PREFIX}${formatPeerId(peerId)}${query}`;
  const read = parsePeerCard(text);
  if (read.ok) return text;
  throw new RangeError(`card: ${read.message}`);
}

/** Reads a link, with white space around it. */
export function parsePeerCard(text: string): Parsed<PeerCard> {
  if (text.length > MAX_CARD_CHARACTERS) {
    return wrong(`at most ${MAX_CARD_CHARACTERS} characters`, `${text.length}`);
  }
  if (!isCard(text)) return wrong(`a link that begins with ${PREFIX}`, shown(text));
  const rest = text.trim().slice(PREFIX.length);
  const question = rest.indexOf('?');
  const peerId = parsePeerId(question < 0 ? rest : rest.slice(0, question));
  if (!peerId.ok) return peerId;
  const draft: Draft = { addresses: new Map(), relays: new Map() };
  const query = question < 0 ? '' : rest.slice(question + 1);
  for (const parameter of query === '' ? [] : query.split('&')) {
    const fault = readParameter(draft, parameter);
    if (fault !== undefined) return fault;
  }
  return ok({
    peerId: peerId.value,
    addresses: [...draft.addresses.values()],
    relays: [...draft.relays.values()],
    ...(draft.name === undefined ? {} : { name: draft.name }),
  });
}

function readParameter(draft: Draft, parameter: string): Parsed<never> | undefined {
  const equals = parameter.indexOf('=');
  const value = decodePercent(parameter.slice(equals + 1));
  if (equals < 1 || value === undefined) return wrong('parameters as NAME=VALUE', shown(parameter));
  switch (parameter.slice(0, equals)) {
    case 'a': {
      const address = parsePeerAddress(value);
      return address === undefined
        ? wrong('an IP address and port as a', shown(value))
        : add(draft.addresses, formatPeerAddress(address), address, MAX_PEER_ADDRESSES);
    }
    case 'r': {
      const relay = parseRelay(value);
      return relay === undefined
        ? wrong('PEER-ID@IP:PORT as r', shown(value))
        : add(draft.relays, formatRelay(relay), relay, MAX_RELAYS);
    }
    case 'n':
      return readName(draft, value);
    default:
      return undefined;
  }
}

function readName(draft: Draft, value: string): Parsed<never> | undefined {
  const name = parsePeerName(value);
  if (!name.ok) return name;
  if (draft.name !== undefined) return wrong('one name', 'two');
  draft.name = name.value;
  return undefined;
}

function add<T>(
  all: Map<string, T>,
  key: string,
  value: T,
  most: number,
): Parsed<never> | undefined {
  if (all.has(key)) return wrong('each address once', `${key} twice`);
  if (all.size >= most) return wrong(`at most ${most} of a kind`, 'more');
  all.set(key, value);
  return undefined;
}

function formatRelay({ peerId, address }: RelayHint): string {
  return `${formatPeerId(peerId)}@${formatPeerAddress(address)}`;
}

function parseRelay(text: string): RelayHint | undefined {
  const at = text.indexOf('@');
  const peerId = parsePeerId(text.slice(0, Math.max(0, at)));
  const address = parsePeerAddress(text.slice(at + 1));
  return peerId.ok && address !== undefined ? { peerId: peerId.value, address } : undefined;
}

/** @returns undefined for a malformed escape. */
function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function wrong(expected: string, got: string): Parsed<never> {
  return fail('ERR_PEER_CARD', `expected ${expected}, got ${got}`);
}
