/**
 * The message of the extension `ut_pex`: which peers its sender connected to, and which it left, since its last one.
 *
 * Spec: BEP 11. IPv4 contacts are 6 bytes each (`added`, `dropped`), IPv6 ones 18 (`added6`, `dropped6`), with one byte of flags for each added
 * contact (`added.f`, `added6.f`, optional). A list that is cut or has another number of flags is a fault; a message without any list, which is never
 * sent from here, is borne: aria2 1.36 sends it when it has nothing to tell.
 * Bounds: MAX_PEX_CONTACTS added and as many dropped in a message; more is a fault. Addresses come as they are: whether they may be believed is
 * for the swarm to say.
 * @module
 */
import { readU16, writeU16 } from '../../lib/bytes.ts';
import { ok, type Result } from '../../lib/errors.ts';
import { formatIp, parseIp } from '../../lib/ip-address.ts';
import { type BencodeDict, decodeDict, encode } from '../bencode/index.ts';
import { MAX_PEX_CONTACTS } from './constants.ts';
import { fault, type PeerWireErrorCode, peerWireError } from './errors.ts';

/** Name of the extension in the extension handshake. */
export const PEX_EXTENSION = 'ut_pex';

// Specification constants
/** What is known of an added contact, as bits of its flags. */
export const PEX_FLAG = {
  prefersEncryption: 0x01,
  /** A seed, or a partial seed (BEP 21). */
  uploadOnly: 0x02,
  utp: 0x04,
  holepunch: 0x08,
  /** The sender dialled it: it can be reached. */
  reachable: 0x10,
} as const;

/** An address of a peer. */
export interface PexEndpoint {
  /** Canonical text; an IPv4 address in IPv6 form becomes IPv4. */
  readonly host: string;
  /** 0 … 65535 as it came. */
  readonly port: number;
}

/** A peer that the sender is connected to. */
export interface PexContact extends PexEndpoint {
  /** Bits of PEX_FLAG; others are reserved. */
  readonly flags: number;
}

/** A decoded message; a contact of the one family stands before those of the other. */
export interface PexMessage {
  readonly added: readonly PexContact[];
  readonly dropped: readonly PexEndpoint[];
}

interface Family {
  readonly added: string;
  readonly flags: string;
  readonly dropped: string;
  readonly ipBytes: number;
}

const FAMILIES: readonly Family[] = [
  { added: 'added', flags: 'added.f', dropped: 'dropped', ipBytes: 4 },
  { added: 'added6', flags: 'added6.f', dropped: 'dropped6', ipBytes: 16 },
];

/**
 * The payload of a message.
 * @throws {AppError} ERR_PEER_WIRE_ARGUMENT when it would say nothing, which BEP 11 forbids, or a host is no IP address.
 */
export function encodePex(message: PexMessage): Uint8Array {
  const fields: Record<string, Uint8Array> = {};
  for (const { added, flags, dropped, ipBytes } of FAMILIES) {
    const news = message.added.filter(({ host }) => ipOf(host).length === ipBytes);
    const gone = message.dropped.filter(({ host }) => ipOf(host).length === ipBytes);
    if (news.length > 0) {
      fields[added] = compact(news, ipBytes);
      fields[flags] = Uint8Array.from(news, (contact) => contact.flags);
    }
    if (gone.length > 0) fields[dropped] = compact(gone, ipBytes);
  }
  if (Object.keys(fields).length === 0) {
    throw peerWireError('ERR_PEER_WIRE_ARGUMENT', {
      what: 'ut_pex',
      expected: 'at least one contact added or dropped',
      actual: 'none',
    });
  }
  return encode(fields);
}

function ipOf(host: string): Uint8Array {
  const ip = parseIp(host);
  if (ip !== undefined) return ip;
  throw peerWireError('ERR_PEER_WIRE_ARGUMENT', {
    what: 'host of a contact',
    expected: 'an IP address',
    actual: host,
  });
}

function compact(endpoints: readonly PexEndpoint[], ipBytes: number): Uint8Array {
  const bytes = new Uint8Array(endpoints.length * (ipBytes + 2));
  for (const [index, { host, port }] of endpoints.entries()) {
    const at = index * (ipBytes + 2);
    bytes.set(ipOf(host), at);
    writeU16(bytes, at + ipBytes, port);
  }
  return bytes;
}

/** Reads the payload of a message; ERR_PEX_MESSAGE when it is not as BEP 11 says. */
export function decodePex(payload: Uint8Array): Result<PexMessage, PeerWireErrorCode> {
  const decoded = decodeDict(payload, { maxDepth: 4, maxTokens: 64 });
  if (!decoded.ok) return wrong('a bencoded dictionary', decoded.message);
  const dict = decoded.value;
  const added: PexContact[] = [];
  const dropped: PexEndpoint[] = [];
  for (const family of FAMILIES) {
    const news = readList(dict, family.added, family.ipBytes);
    if (!news.ok) return news;
    const gone = readList(dict, family.dropped, family.ipBytes);
    if (!gone.ok) return gone;
    const flags = readFlags(dict, family.flags, news.value.length);
    if (!flags.ok) return flags;
    for (const [index, endpoint] of news.value.entries()) {
      added.push({ ...endpoint, flags: flags.value[index] ?? 0 });
    }
    dropped.push(...gone.value);
  }
  const most = Math.max(added.length, dropped.length);
  if (most > MAX_PEX_CONTACTS) return wrong(`at most ${MAX_PEX_CONTACTS} contacts`, `${most}`);
  return ok({ added, dropped });
}

function readList(
  dict: BencodeDict,
  key: string,
  ipBytes: number,
): Result<PexEndpoint[], PeerWireErrorCode> {
  if (!dict.has(key)) return ok([]);
  const bytes = dict.bytes(key);
  const size = ipBytes + 2;
  if (bytes === undefined || bytes.length % size !== 0 || bytes.length > size * MAX_PEX_CONTACTS) {
    const got = bytes === undefined ? 'another type' : `${bytes.length} bytes`;
    return wrong(`${key} of at most ${MAX_PEX_CONTACTS} contacts of ${size} bytes`, got);
  }
  const endpoints: PexEndpoint[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const text = formatIp(bytes.subarray(at, at + ipBytes));
    // Through `parseIp`, so that one address has one form.
    const host = ipBytes === 4 ? text : formatIp(parseIp(text)!);
    endpoints.push({ host, port: readU16(bytes, at + ipBytes) });
  }
  return ok(endpoints);
}

function readFlags(
  dict: BencodeDict,
  key: string,
  count: number,
): Result<Uint8Array, PeerWireErrorCode> {
  if (!dict.has(key)) return ok(new Uint8Array(0));
  const flags = dict.bytes(key);
  if (flags?.length === count) return ok(flags);
  const got = flags === undefined ? 'another type' : `${flags.length} bytes`;
  return wrong(`${key} of ${count} bytes`, got);
}

function wrong(expected: string, got: string): ReturnType<typeof fault<'ERR_PEX_MESSAGE'>> {
  return fault('ERR_PEX_MESSAGE', { expected, got });
}
