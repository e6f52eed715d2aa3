/**
 * Address records: what a peer tells the DHT of where it can be reached, as the value of a mutable item (BEP 44) under its identity's own key.
 *
 * The item's salt, ADDRESS_SALT, names the purpose. The value is one bencoded byte string, this record: version (1), flags, time in milliseconds since 1970
 * (6 bytes), the number of addresses and each of them, the number of relays and each: its public key and its address (`peer-address.ts`). Big-endian.
 * Strict: each record has one form; no flag that is not known, nothing behind the end, nothing twice. At most MAX_RECORD_BYTES of the 1,000 that BEP 44 allows.
 * The DHT checks the signature; a record is a hint all the same, since only the owner of the key can answer a dial.
 * Not here: the bencoded string, the sequence number, when it is put (src/node/address-publisher.ts).
 * @module
 */
import { concatBytes, readU16, readU32, writeU16, writeU32 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import { KEY_BYTES, MAX_PEER_ADDRESSES, MAX_RELAYS } from './constants.ts';
import type { IdentityErrorCode } from './errors.ts';
import {
  decodePeerAddress,
  encodePeerAddress,
  formatPeerAddress,
  type PeerAddress,
  peerAddressOf,
  type RelayHint,
  scopeOf,
} from './peer-address.ts';
import { formatPeerId, peerIdOf, publicKeyIn } from './peer-id.ts';

// Specification constants
/** Salt of the item: the purpose that the key signs it for. */
export const ADDRESS_SALT: Uint8Array = encodeUtf8('starling/addr');
const VERSION = 1;
/** It relays for its contacts. */
const FLAG_RELAY = 1;
/** It does not know of an address that strangers can dial: a relay is the likelier way. */
const FLAG_HIDDEN = 2;
const KNOWN_FLAGS = FLAG_RELAY | FLAG_HIDDEN;
/** Version, flags, time. */
const HEAD_BYTES = 8;
const MAX_TIME_MS = 2 ** 48 - 1;
const ADDRESS_BYTES = 19;
/** Longest record: both counts, eight addresses of IPv6, four relays at one. */
export const MAX_RECORD_BYTES: number =
  HEAD_BYTES + 2 + MAX_PEER_ADDRESSES * ADDRESS_BYTES + MAX_RELAYS * (KEY_BYTES + ADDRESS_BYTES);

/** What a peer tells of itself. */
export interface AddressRecord {
  /** When it was made; milliseconds since 1970. */
  readonly timeMs: number;
  /** 0 … 8; none: it wants to be forgotten. */
  readonly addresses: readonly PeerAddress[];
  /** 0 … 4. */
  readonly relays: readonly RelayHint[];
  /** It relays for its contacts. */
  readonly isRelay: boolean;
  /** It knows of no address of its own that strangers can dial. */
  readonly isHidden: boolean;
}

/** Writes a record. @throws RangeError for what no record can hold. */
export function encodeAddressRecord(record: AddressRecord): Uint8Array {
  const { timeMs, addresses, relays } = record;
  if (!Number.isSafeInteger(timeMs) || timeMs < 0 || timeMs > MAX_TIME_MS) {
    throw new RangeError(`time: expected 0 to ${MAX_TIME_MS} ms, got ${timeMs}`);
  }
  const head = new Uint8Array(HEAD_BYTES);
  head[0] = VERSION;
  head[1] = (record.isRelay ? FLAG_RELAY : 0) | (record.isHidden ? FLAG_HIDDEN : 0);
  writeU16(head, 2, Math.floor(timeMs / 2 ** 32));
  writeU32(head, 4, timeMs);
  const bytes = concatBytes(
    head,
    Uint8Array.of(addresses.length),
    ...addresses.map(encodePeerAddress),
    Uint8Array.of(relays.length),
    ...relays.map(encodeRelay),
  );
  // What is written must be read: counts, and nothing twice.
  const read = decodeAddressRecord(bytes);
  if (!read.ok) throw new RangeError(`address record: ${read.message}`);
  return bytes;
}

/** Reads a record. */
export function decodeAddressRecord(bytes: Uint8Array): Result<AddressRecord, IdentityErrorCode> {
  if (bytes.length < HEAD_BYTES + 2 || bytes.length > MAX_RECORD_BYTES) {
    return wrong(`${HEAD_BYTES + 2} to ${MAX_RECORD_BYTES} bytes`, `${bytes.length}`);
  }
  if (bytes[0] !== VERSION) return wrong(`version ${VERSION}`, `${bytes[0]}`);
  const flags = bytes[1]!;
  if ((flags & ~KNOWN_FLAGS) !== 0) return wrong('flags that are known', `${flags}`);
  const timeMs = readU16(bytes, 2) * 2 ** 32 + readU32(bytes, 4);
  const addresses = readList(bytes, HEAD_BYTES, MAX_PEER_ADDRESSES, readAddress);
  if (addresses === undefined) return wrong('addresses that can be dialled, each once', 'others');
  const relays = readList(bytes, addresses.end, MAX_RELAYS, readRelay);
  if (relays === undefined) return wrong('relays with a key and an address, each once', 'others');
  if (relays.end !== bytes.length) {
    return wrong('its end there', `${bytes.length - relays.end} bytes more`);
  }
  const isRelay = (flags & FLAG_RELAY) !== 0;
  const isHidden = (flags & FLAG_HIDDEN) !== 0;
  return ok({ timeMs, addresses: addresses.all, relays: relays.all, isRelay, isHidden });
}

/** Which addresses may be told. */
export interface PublishRule {
  /** Those of private networks, too: for a DHT of one's own. Default false. */
  readonly includesPrivate?: boolean;
  /** Nothing leaves this machine but to hosts that were named: loopback may be told, too. Default false. */
  readonly isOffline?: boolean;
}

/**
 * Of the addresses that a node knows of itself, those that a record tells: global ones first, each once, at most eight, IPv6 and IPv4 in turns.
 * Never what leads nowhere from elsewhere; private ones only when asked for, loopback only offline.
 */
export function publishableAddresses(
  candidates: Iterable<{ readonly host: string; readonly port: number }>,
  { includesPrivate = false, isOffline = false }: PublishRule = {},
): PeerAddress[] {
  const ranks = { global: 0, private: includesPrivate ? 1 : -1, loopback: isOffline ? 2 : -1 };
  const found = new Map<string, { readonly address: PeerAddress; readonly rank: number }>();
  for (const { host, port } of candidates) {
    const address = peerAddressOf(host, port);
    const rank = address && (ranks[scopeOf(address) as keyof typeof ranks] ?? -1);
    if (address === undefined || rank === undefined || rank < 0) continue;
    found.set(formatPeerAddress(address), { address, rank });
  }
  const ordered = [0, 1, 2].flatMap((rank) => {
    const same = [...found.values()].filter((one) => one.rank === rank);
    const [six, four] = [true, false].map((isSix) =>
      same.filter(({ address }) => address.host.includes(':') === isSix),
    );
    const turns = Array.from({ length: Math.max(six!.length, four!.length) }, (_, index) => index);
    return turns.flatMap((index) => [six![index], four![index]].flatMap((one) => one ?? []));
  });
  return ordered.slice(0, MAX_PEER_ADDRESSES).map(({ address }) => address);
}

function encodeRelay({ peerId, address }: RelayHint): Uint8Array {
  const key = publicKeyIn(peerId);
  if (!key.ok) throw new RangeError(`relay: ${key.message}`);
  return concatBytes(key.value, encodePeerAddress(address));
}

interface Read<T> {
  readonly value: T;
  readonly key: string;
  readonly end: number;
}

function readAddress(bytes: Uint8Array, at: number): Read<PeerAddress> | undefined {
  const read = decodePeerAddress(bytes, at);
  return read && { value: read.address, key: formatPeerAddress(read.address), end: read.end };
}

function readRelay(bytes: Uint8Array, at: number): Read<RelayHint> | undefined {
  const key = bytes.subarray(at, at + KEY_BYTES);
  const read = readAddress(bytes, at + KEY_BYTES);
  if (read === undefined) return undefined;
  const peerId = peerIdOf(key);
  if (!publicKeyIn(peerId).ok) return undefined;
  const value = { peerId, address: read.value };
  return { value, key: `${formatPeerId(peerId)}@${read.key}`, end: read.end };
}

/** A count and as many things, none twice. */
function readList<T>(
  bytes: Uint8Array,
  from: number,
  most: number,
  readOne: (bytes: Uint8Array, at: number) => Read<T> | undefined,
): { readonly all: readonly T[]; readonly end: number } | undefined {
  const count = bytes[from] ?? most + 1;
  if (count > most) return undefined;
  const all = new Map<string, T>();
  let end = from + 1;
  for (let left = count; left > 0; left -= 1) {
    const read = readOne(bytes, end);
    if (read === undefined || all.has(read.key)) return undefined;
    all.set(read.key, read.value);
    end = read.end;
  }
  return { all: [...all.values()], end };
}

function wrong(expected: string, got: string): Result<never, IdentityErrorCode> {
  return fail('ERR_ADDRESS_RECORD', `expected ${expected}, got ${got}`);
}
