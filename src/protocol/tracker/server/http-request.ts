/**
 * Reads the target of a GET: announces and scrapes.
 * Spec: BEP 3 (trackers), 21 (paused), 23 (compact), 48 (scrape). BEP 7 discourages `ipv4` and `ipv6`, so they are not read.
 * Bounds: REQUEST_TARGET_LENGTH_MAX, QUERY_PARAMETERS_MAX, SCRAPE_HASHES_MAX. A parameter given twice counts once, the first.
 * @module
 */
import { fail, ok, type Result } from '../../../lib/errors.ts';
import { parseIp } from '../../../lib/ip-address.ts';
import { SCRAPE_HASHES_MAX } from '../constants.ts';
import { parseTrackerPath } from './access.ts';
import {
  PEERS_WANTED_DEFAULT,
  PEERS_WANTED_MAX,
  QUERY_PARAMETERS_MAX,
  REQUEST_TARGET_LENGTH_MAX,
} from './constants.ts';
import type { RequestFaultCode } from './errors.ts';

/** An announce as it was sent. */
export interface AnnounceRequest {
  readonly type: 'announce';
  readonly key: string;
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  /** 1 … 65535. */
  readonly port: number;
  readonly isSeed: boolean;
  readonly isPartialSeed: boolean;
  readonly event: 'none' | 'started' | 'completed' | 'stopped';
  /** 0 … PEERS_WANTED_MAX. */
  readonly wanted: number;
  readonly isCompact: boolean;
  /** In the dictionary form peers come without their ids. */
  readonly isWithoutPeerIds: boolean;
  /** The address that the client claims; names are not looked up. */
  readonly claimedAddress?: Uint8Array;
}

/** A scrape as it was sent. */
export interface ScrapeRequest {
  readonly type: 'scrape';
  readonly key: string;
  /** 1 … SCRAPE_HASHES_MAX. */
  readonly infoHashes: readonly Uint8Array[];
}

/** @param target path and query of the request line. */
export function parseHttpRequest(
  target: string,
): Result<AnnounceRequest | ScrapeRequest, RequestFaultCode> {
  if (target.length > REQUEST_TARGET_LENGTH_MAX) {
    return malformed(`expected at most ${REQUEST_TARGET_LENGTH_MAX} bytes, got ${target.length}`);
  }
  const at = target.indexOf('?');
  const path = parseTrackerPath(at < 0 ? target : target.slice(0, at));
  if (path === undefined) {
    return fail('ERR_TRACKER_PATH', 'expected /announce or /scrape, or the same behind a key');
  }
  const query = at < 0 ? '' : target.slice(at + 1);
  return path.action === 'announce' ? parseAnnounce(path.key, query) : parseScrape(path.key, query);
}

function parseScrape(key: string, query: string): Result<ScrapeRequest, RequestFaultCode> {
  const infoHashes: Uint8Array[] = [];
  for (const [name, value] of parametersOf(query)) {
    if (name !== 'info_hash') continue;
    const infoHash = decodePercent(value);
    if (infoHash?.length !== 20) return malformed(expected20('info_hash', infoHash));
    if (infoHashes.length < SCRAPE_HASHES_MAX) infoHashes.push(infoHash);
  }
  if (infoHashes.length === 0) {
    return malformed('expected info_hash: a scrape of all torrents is not served');
  }
  return ok({ type: 'scrape', key, infoHashes });
}

function parseAnnounce(key: string, query: string): Result<AnnounceRequest, RequestFaultCode> {
  const fields = new Map<string, string>();
  for (const [name, value] of parametersOf(query)) if (!fields.has(name)) fields.set(name, value);
  const infoHash = decodePercent(fields.get('info_hash') ?? '');
  if (infoHash?.length !== 20) return malformed(expected20('info_hash', infoHash));
  const peerId = decodePercent(fields.get('peer_id') ?? '');
  if (peerId?.length !== 20) return malformed(expected20('peer_id', peerId));
  const port = countOf(fields.get('port'));
  if (port === undefined || port < 1 || port > 65_535) {
    return malformed(`expected port from 1 to 65535, got ${shown(fields.get('port'))}`);
  }
  const leftText = fields.get('left');
  const left = countOf(leftText);
  if (leftText !== undefined && left === undefined) {
    return malformed(`expected left as a number of bytes, got ${shown(leftText)}`);
  }
  const event = fields.get('event') ?? '';
  const claimed = parseIp(decodeText(fields.get('ip') ?? ''));
  const isSeed = left === 0;
  return ok({
    type: 'announce',
    key,
    infoHash,
    peerId,
    port,
    isSeed,
    isPartialSeed: event === 'paused' && !isSeed,
    event: event === 'started' || event === 'completed' || event === 'stopped' ? event : 'none',
    wanted: wantedOf(fields.get('numwant')),
    isCompact: fields.get('compact') !== '0',
    isWithoutPeerIds: fields.get('no_peer_id') === '1',
    ...(claimed === undefined ? {} : { claimedAddress: claimed }),
  });
}

/** Names and values as they came, still encoded. */
function* parametersOf(query: string): Generator<readonly [string, string]> {
  let at = 0;
  for (let count = 0; count < QUERY_PARAMETERS_MAX && at < query.length; count += 1) {
    let end = query.indexOf('&', at);
    if (end < 0) end = query.length;
    const equals = query.indexOf('=', at);
    if (equals >= at && equals < end) {
      yield [query.slice(at, equals), query.slice(equals + 1, end)];
    }
    at = end + 1;
  }
}

/** Raw bytes of a percent-encoded text; a plus is a plus. @returns undefined for a broken escape or a letter beyond latin-1. */
export function decodePercent(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    let code = text.charCodeAt(at);
    if (code === 0x25) {
      const high = digitOf(text.charCodeAt(at + 1));
      const low = digitOf(text.charCodeAt(at + 2));
      if (high < 0 || low < 0) return undefined;
      code = high * 16 + low;
      at += 2;
    } else if (code > 0xff) {
      return undefined;
    }
    bytes[length++] = code;
  }
  return bytes.subarray(0, length);
}

/** -1: no hexadecimal digit; NaN, past the end, is none either. */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function decodeText(text: string): string {
  const bytes = decodePercent(text);
  return bytes === undefined ? '' : String.fromCharCode(...bytes.subarray(0, 64));
}

/** Of 64 bits: Transmission says 2^63-1 while it does not know. Beyond 2^53 the number is not exact, and need not be. */
function countOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,20}$/.test(text)) return undefined;
  return Number(text);
}

function wantedOf(text: string | undefined): number {
  return Math.min(countOf(text) ?? PEERS_WANTED_DEFAULT, PEERS_WANTED_MAX);
}

function expected20(name: string, got: Uint8Array | undefined): string {
  const what = got === undefined ? 'a broken escape' : `${got.length} bytes`;
  return `expected ${name} of 20 bytes, percent-encoded, got ${what}`;
}

function shown(text: string | undefined): string {
  return text === undefined ? 'none' : JSON.stringify(text.slice(0, 40));
}

function malformed(what: string): {
  ok: false;
  code: RequestFaultCode;
  message: string;
} {
  return fail('ERR_TRACKER_REQUEST_MALFORMED', what);
}
