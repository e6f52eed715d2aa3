/**
 * Scrapes: how many seeds, leeches and past downloads a tracker counts, for several info-hashes at once.
 * Spec: BEP 48 (HTTP), BEP 15 (UDP). Bounds: SCRAPE_HASHES_MAX hashes a request, replies of REPLY_LENGTH_MAX. Not here: scrapes without hashes, which ask for all.
 * @module
 */
import { readU32, toLatin1, writeU32 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { decodeUtf8 } from '../../lib/utf8.ts';
import { BencodeDict, decodePrefix } from '../bencode/index.ts';
import {
  REPLY_DEPTH_MAX,
  REPLY_LENGTH_MAX,
  SCRAPE_HASHES_MAX,
  TRACKER_TEXT_LENGTH_MAX,
  UDP_ACTION_ERROR,
  UDP_ACTION_SCRAPE,
} from './constants.ts';
import type { TrackerFaultCode } from './errors.ts';
import { percentEncode } from './http-codec.ts';

/** What a tracker counts for one info-hash; absent: it did not say. */
export interface SwarmCounts {
  /** Active peers with the whole torrent. */
  readonly seeds?: number;
  /** Active peers without it. */
  readonly leeches?: number;
  /** Peers that ever completed it. */
  readonly downloads?: number;
}

/** A scrape reply: counts in the order of the hashes asked for; undefined for those the tracker does not know. */
export type ScrapeReply =
  | { readonly type: 'scrape'; readonly counts: readonly (SwarmCounts | undefined)[] }
  | { readonly type: 'refusal'; readonly reason: string };

/** The scrape URL of an HTTP announce URL; undefined: by BEP 48 there is none. */
export function scrapeUrl(announceUrl: string): string | undefined {
  const [, path, query] = /^([^?#]*)(.*)$/s.exec(announceUrl)!;
  const authorityEnd = path!.indexOf('/', path!.indexOf('//') + 2);
  // The last one: passkeys may stand before it or behind it.
  const at = path!.lastIndexOf('/announce');
  if (authorityEnd < 0 || at < authorityEnd || /^[a-z]/i.test(path!.slice(at + 9)))
    return undefined;
  return `${path!.slice(0, at)}/scrape${path!.slice(at + 9)}${query!.replace(/#.*$/s, '')}`;
}

/** The URL to GET. @param url of `scrapeUrl`. @param hashes of 20 bytes, 1 … SCRAPE_HASHES_MAX. */
export function buildScrapeUrl(url: string, hashes: readonly Uint8Array[]): string {
  const joint = !url.includes('?') ? '?' : /[?&]$/.test(url) ? '' : '&';
  return url + joint + hashes.map((hash) => `info_hash=${percentEncode(hash)}`).join('&');
}

/** Parses the body of an HTTP reply. @param hashes what was asked for. */
export function parseHttpScrape(
  status: number,
  body: Uint8Array,
  hashes: readonly Uint8Array[],
): Result<ScrapeReply, TrackerFaultCode> {
  if (body.length > REPLY_LENGTH_MAX) {
    const message = `scrape reply: expected at most ${REPLY_LENGTH_MAX} bytes, got ${body.length}`;
    return fail('ERR_TRACKER_REPLY_TOO_LARGE', message);
  }
  const decoded = decodePrefix(body, { maxDepth: REPLY_DEPTH_MAX });
  const value = decoded.ok ? decoded.value.value : undefined;
  const reply = value instanceof BencodeDict ? value : undefined;
  // BEP 48 writes the key with an underscore, BEP 3, which it refers to, with a space.
  const reason = reply?.bytes('failure_reason') ?? reply?.bytes('failure reason');
  if (reason !== undefined) {
    return ok({
      type: 'refusal',
      reason: decodeUtf8(reason.subarray(0, TRACKER_TEXT_LENGTH_MAX)),
    });
  }
  if (status < 200 || status >= 300) {
    return fail('ERR_TRACKER_HTTP_STATUS', `scrape reply: expected status 200, got ${status}`);
  }
  const files = reply?.dict('files');
  if (files === undefined) return malformed('expected a dictionary with the key files');
  const counts = hashes.map((hash) => {
    const dict = files.dict(toLatin1(hash));
    return dict === undefined ? undefined : readCounts(dict);
  });
  return ok({ type: 'scrape', counts });
}

function readCounts(dict: BencodeDict): SwarmCounts {
  const counts: { -readonly [K in keyof SwarmCounts]: SwarmCounts[K] } = {};
  const names = { complete: 'seeds', incomplete: 'leeches', downloaded: 'downloads' } as const;
  for (const [key, name] of Object.entries(names)) {
    const value = dict.int(key);
    if (value !== undefined && value >= 0) counts[name] = value;
  }
  return counts;
}

/** A UDP scrape request. @param hashes of 20 bytes, 1 … SCRAPE_HASHES_MAX. */
export function encodeUdpScrape(
  connectionId: Uint8Array,
  transactionId: number,
  hashes: readonly Uint8Array[],
): Uint8Array {
  const bytes = new Uint8Array(16 + 20 * hashes.length);
  bytes.set(connectionId, 0);
  writeU32(bytes, 8, UDP_ACTION_SCRAPE);
  writeU32(bytes, 12, transactionId);
  for (const [index, hash] of hashes.entries()) bytes.set(hash, 16 + 20 * index);
  return bytes;
}

/** Parses a UDP reply; the caller has matched the transaction. @param hashCount how many were asked for. */
export function parseUdpScrape(
  bytes: Uint8Array,
  hashCount: number,
): Result<ScrapeReply, TrackerFaultCode> {
  if (bytes.length < 8) return malformed(`expected at least 8 bytes, got ${bytes.length}`);
  const action = readU32(bytes, 0);
  if (action === UDP_ACTION_ERROR) {
    const text = decodeUtf8(bytes.subarray(8, 8 + TRACKER_TEXT_LENGTH_MAX));
    return ok({ type: 'refusal', reason: text.replace(/\0+$/, '') });
  }
  if (action !== UDP_ACTION_SCRAPE) return malformed(`expected action 2 or 3, got ${action}`);
  const counts: (SwarmCounts | undefined)[] = [];
  for (let index = 0; index < Math.min(hashCount, SCRAPE_HASHES_MAX); index += 1) {
    const at = 8 + 12 * index;
    counts.push(
      at + 12 > bytes.length
        ? undefined
        : {
            seeds: readU32(bytes, at),
            downloads: readU32(bytes, at + 4),
            leeches: readU32(bytes, at + 8),
          },
    );
  }
  return ok({ type: 'scrape', counts });
}

function malformed(what: string): { ok: false; code: TrackerFaultCode; message: string } {
  return fail('ERR_TRACKER_REPLY_MALFORMED', `scrape reply: ${what}`);
}
