/**
 * Magnet links: reading and writing.
 *
 * Spec: BEP 9 ("magnet URI format"), BEP 52 (`urn:btmh`, a multihash), BEP 53 (`so`), BEP 19 (`ws`), BEP 46 (`xs=urn:btpk:`, `s`).
 * Unknown parameters and other kinds of `xt` are ignored; parameters may be numbered (`tr.1`). A malformed info-hash, peer or selection is
 * an error, because going on would fetch something else than was meant; a tracker or web seed of no known scheme is left out.
 * Bounds: 64 KiB of text, 200 trackers, 200 web seeds, 200 peers, 262,144 selected files.
 * @module
 */
import { equalBytes, fromBase32, fromHex, toHex } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.ts';
import type { MagnetErrorCode } from './errors.ts';
import type { Magnet, PublicationLink } from './types.ts';

// Specification constants

const PREFIX = 'magnet:?';
const V1_URN = 'urn:btih:';
const V2_URN = 'urn:btmh:';
/** Multihash header of SHA-256: code 0x12, 32 bytes. */
const SHA256_MULTIHASH = '1220';
const KEY_URN = 'urn:btpk:';
const KEY_BYTES = 32;
/** BEP 44: most bytes of a salt. */
const MAX_SALT_BYTES = 64;

// Implementation limits

const MAX_TEXT_LENGTH = 65_536;
const MAX_TRACKERS = 200;
const MAX_WEB_SEEDS = 200;
const MAX_PEERS = 200;
const MAX_SELECTED = 262_144;
const MAX_NAME_LENGTH = 1024;
const MAX_HOST_LENGTH = 255;

/** What a magnet link is written from: a Magnet with all but the info-hashes optional. */
export type MagnetParts = Partial<Magnet>;

type Parsed<T> = Result<T, MagnetErrorCode>;

/** A Magnet while its parameters are read. */
interface Draft {
  infoHashV1?: Uint8Array;
  infoHashV2?: Uint8Array;
  displayName?: string;
  trackers: string[];
  webSeeds: string[];
  peers: { host: string; port: number }[];
  selectOnly?: number[];
  /** BEP 46: hexadecimal digits as they came; other kinds of links use these names, too. */
  publicKey?: string;
  salt?: string;
}

/** Parses a magnet link that names a torrent, with white space around it and `&amp;` from HTML accepted. */
export function parseMagnet(text: string): Parsed<Magnet> {
  const read = readMagnet(text);
  if (!read.ok) return read;
  const { publicKey, salt: _, ...magnet } = read.value;
  if (magnet.infoHashV1 === undefined && magnet.infoHashV2 === undefined) {
    return fail(
      'ERR_MAGNET_NO_INFO_HASH',
      publicKey === undefined
        ? `expected xt=${V1_URN}… or xt=${V2_URN}…, got a link without either`
        : `expected xt=${V1_URN}… or xt=${V2_URN}…, got a link to the newest version of something (xs=${KEY_URN}…): get and follow find the torrent behind it`,
    );
  }
  return ok(magnet);
}

/** Parses a magnet link that names a publisher, whose newest torrent is meant (BEP 46). */
export function parsePublicationLink(text: string): Parsed<PublicationLink> {
  const read = readMagnet(text);
  if (!read.ok) return read;
  const { displayName, trackers, peers } = read.value;
  const publicKey = fromHex(read.value.publicKey ?? '');
  if (publicKey?.length !== KEY_BYTES) {
    return fail(
      'ERR_MAGNET_PUBLIC_KEY',
      `expected xs=${KEY_URN} and 64 hexadecimal digits, got ${shown(read.value.publicKey)}`,
    );
  }
  const salt = fromHex(read.value.salt ?? '');
  if (salt === undefined || salt.length > MAX_SALT_BYTES) {
    return fail(
      'ERR_MAGNET_SALT',
      `expected at most ${2 * MAX_SALT_BYTES} hexadecimal digits as s, got ${shown(read.value.salt)}`,
    );
  }
  const name = displayName === undefined ? {} : { displayName };
  return ok({ publicKey, salt, trackers, peers, ...name });
}

function shown(digits: string | undefined): string {
  return digits === undefined ? 'a link without it' : JSON.stringify(digits.slice(0, 160));
}

function readMagnet(text: string): Parsed<Draft> {
  if (text.length > MAX_TEXT_LENGTH) {
    return fail(
      'ERR_MAGNET_TOO_LONG',
      `expected a magnet link of at most ${MAX_TEXT_LENGTH} characters, got ${text.length}`,
    );
  }
  const link = text.trim();
  if (link.slice(0, PREFIX.length).toLowerCase() !== PREFIX) {
    return fail(
      'ERR_MAGNET_NOT_A_MAGNET',
      `expected a link that begins with ${PREFIX}, got ${JSON.stringify(link.slice(0, 40))}`,
    );
  }
  const draft: Draft = { trackers: [], webSeeds: [], peers: [] };
  for (const parameter of link.slice(PREFIX.length).split(/&(?:amp;)?/)) {
    const equals = parameter.indexOf('=');
    if (equals < 0) continue;
    // Parameters may be numbered: xt.1, tr.2 …
    const key = parameter
      .slice(0, equals)
      .toLowerCase()
      .replace(/\.\d+$/, '');
    const fault = readParameter(draft, key, parameter.slice(equals + 1));
    if (fault !== undefined) return fault;
  }
  return ok(draft);
}

type Fault = Extract<Parsed<never>, { ok: false }>;

function readParameter(draft: Draft, key: string, value: string): Fault | undefined {
  switch (key) {
    case 'xt':
      return readTopic(draft, unescapePercent(value));
    case 'xs':
      readSource(draft, unescapePercent(value));
      return undefined;
    case 's':
      draft.salt ??= unescapePercent(value);
      return undefined;
    case 'dn':
      draft.displayName ??= unescapePercent(value.replaceAll('+', ' ')).slice(0, MAX_NAME_LENGTH);
      return undefined;
    case 'tr':
      addUrl(draft.trackers, unescapePercent(value), /^(?:https?|udp|wss?):\/\//i, MAX_TRACKERS);
      return undefined;
    case 'ws':
      addUrl(draft.webSeeds, unescapePercent(value), /^https?:\/\//i, MAX_WEB_SEEDS);
      return undefined;
    case 'x.pe':
      return readPeer(draft, unescapePercent(value));
    case 'so':
      return readSelection(draft, unescapePercent(value));
    default:
      return undefined;
  }
}

function addUrl(urls: string[], value: string, schemes: RegExp, limit: number): void {
  const url = value.trim();
  if (schemes.test(url) && urls.length < limit && !urls.includes(url)) urls.push(url);
}

function readTopic(draft: Draft, topic: string): Fault | undefined {
  const urn = topic.slice(0, V1_URN.length).toLowerCase();
  const value = topic.slice(V1_URN.length);
  if (urn === V1_URN) {
    const hash = value.length === 32 ? fromBase32(value) : fromHex(value);
    if (hash?.length !== 20) {
      return infoHashFault(`40 hexadecimal or 32 base32 digits after ${V1_URN}`, value);
    }
    if (draft.infoHashV1 !== undefined && !equalBytes(draft.infoHashV1, hash)) {
      return infoHashFault('one torrent', 'two different btih');
    }
    draft.infoHashV1 = hash;
  } else if (urn === V2_URN) {
    const hash = fromHex(value.slice(SHA256_MULTIHASH.length));
    if (!value.startsWith(SHA256_MULTIHASH) || hash?.length !== 32) {
      return infoHashFault(`${SHA256_MULTIHASH} and 64 hexadecimal digits after ${V2_URN}`, value);
    }
    if (draft.infoHashV2 !== undefined && !equalBytes(draft.infoHashV2, hash)) {
      return infoHashFault('one torrent', 'two different btmh');
    }
    draft.infoHashV2 = hash;
  }
  return undefined;
}

/** Other kinds of exact sources are ignored. */
function readSource(draft: Draft, source: string): void {
  if (source.slice(0, KEY_URN.length).toLowerCase() !== KEY_URN) return;
  draft.publicKey ??= source.slice(KEY_URN.length);
}

function infoHashFault(expected: string, found: string): Fault {
  return fail(
    'ERR_MAGNET_INFO_HASH',
    `expected ${expected}, got ${JSON.stringify(found.slice(0, 80))}`,
  );
}

/** `host:port`, `a.b.c.d:port` or `[ipv6]:port` (BEP 9). */
function readPeer(draft: Draft, value: string): Fault | undefined {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/?#@]+)):(\d{1,5})$/.exec(value);
  const host = parts?.[1] ?? parts?.[2] ?? '';
  const port = Number(parts?.[3]);
  const isBracketed = parts?.[1] !== undefined;
  const isValidHost = host.length <= MAX_HOST_LENGTH && (!isBracketed || host.includes(':'));
  if (parts === null || !isValidHost || port < 1 || port > 65_535) {
    return fail(
      'ERR_MAGNET_PEER',
      `expected host:port or [ipv6]:port as x.pe, got ${JSON.stringify(value.slice(0, 80))}`,
    );
  }
  if (draft.peers.length === MAX_PEERS) return undefined;
  if (!draft.peers.some((peer) => peer.host === host && peer.port === port)) {
    draft.peers.push({ host, port });
  }
  return undefined;
}

/** Indices and inclusive ranges, as `0,2,4,6-8` (BEP 53). */
function readSelection(draft: Draft, value: string): Fault | undefined {
  const selected = new Set<number>(draft.selectOnly);
  for (const part of value.split(',')) {
    const range = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(part);
    const first = Number(range?.[1]);
    const last = range?.[2] === undefined ? first : Number(range[2]);
    if (range === null || last < first || last - first >= MAX_SELECTED) {
      return selectionFault(value);
    }
    for (let index = first; index <= last; index += 1) selected.add(index);
    if (selected.size > MAX_SELECTED) return selectionFault(value);
  }
  draft.selectOnly = [...selected].sort((a, b) => a - b);
  return undefined;
}

function selectionFault(value: string): Fault {
  return fail(
    'ERR_MAGNET_SELECT_ONLY',
    `expected indices and ranges like 0,2,6-8 of at most ${MAX_SELECTED} files as so, got ${JSON.stringify(value.slice(0, 80))}`,
  );
}

/** Percent-decodes to UTF-8; a stray percent sign stays as it is. */
function unescapePercent(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = encodeUtf8(text);
  let at = 0;
  for (let from = 0; from < bytes.length; from += 1) {
    const high = bytes[from] === 0x25 ? hexDigit(bytes[from + 1]) : -1;
    const low = high < 0 ? -1 : hexDigit(bytes[from + 2]);
    if (low >= 0) from += 2;
    bytes[at] = low < 0 ? bytes[from]! : high * 16 + low;
    at += 1;
  }
  return decodeUtf8(bytes.subarray(0, at));
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Percent-encodes all but the unreserved characters of RFC 3986, and `keep`. */
function escapePercent(text: string, keep = ''): string {
  let escaped = '';
  for (const byte of encodeUtf8(text)) {
    const letter = String.fromCharCode(byte);
    if (byte < 0x80 && (/[A-Za-z0-9\-._~]/.test(letter) || keep.includes(letter)))
      escaped += letter;
    else escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

/**
 * Writes a magnet link: info-hashes as hexadecimal, then dn, tr, ws, x.pe, so.
 * @param magnet with at least one info-hash, or the link names nothing.
 */
export function formatMagnet(magnet: MagnetParts): string {
  const parameters: string[] = [];
  if (magnet.infoHashV1 !== undefined) {
    parameters.push(`xt=${V1_URN}${toHex(magnet.infoHashV1)}`);
  }
  if (magnet.infoHashV2 !== undefined) {
    parameters.push(`xt=${V2_URN}${SHA256_MULTIHASH}${toHex(magnet.infoHashV2)}`);
  }
  if (magnet.displayName !== undefined) parameters.push(`dn=${escapePercent(magnet.displayName)}`);
  for (const tracker of magnet.trackers ?? []) parameters.push(`tr=${escapePercent(tracker)}`);
  for (const seed of magnet.webSeeds ?? []) parameters.push(`ws=${escapePercent(seed)}`);
  for (const { host, port } of magnet.peers ?? []) {
    const shown = host.includes(':') ? `[${host}]` : host;
    parameters.push(`x.pe=${escapePercent(`${shown}:${port}`, ':')}`);
  }
  if (magnet.selectOnly !== undefined && magnet.selectOnly.length > 0) {
    parameters.push(`so=${formatSelection(magnet.selectOnly)}`);
  }
  return PREFIX + parameters.join('&');
}

/** Writes a link to the newest torrent of a publisher (BEP 46). */
export function formatPublicationLink(link: PublicationLink): string {
  const parameters = [`xs=${KEY_URN}${toHex(link.publicKey)}`];
  if (link.salt.length > 0) parameters.push(`s=${toHex(link.salt)}`);
  const { displayName, trackers, peers } = link;
  const rest = formatMagnet({
    ...(displayName === undefined ? {} : { displayName }),
    trackers,
    peers,
  });
  if (rest.length > PREFIX.length) parameters.push(rest.slice(PREFIX.length));
  return PREFIX + parameters.join('&');
}

/** Ascending indices with runs of three and more as ranges. */
function formatSelection(indices: readonly number[]): string {
  const sorted = [...new Set(indices)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; at += 1) {
    const first = sorted[at]!;
    while (sorted[at + 1] === sorted[at]! + 1) at += 1;
    const last = sorted[at]!;
    if (last === first) parts.push(String(first));
    else parts.push(last === first + 1 ? `${first},${last}` : `${first}-${last}`);
  }
  return parts.join(',');
}
