/**
 * Announce URLs and replies of HTTP trackers.
 * Spec: BEP 3 (trackers), 7 (peers6, key), 21 (paused), 23 (compact), 24 (external ip), 31 (retry in).
 * Bounds: replies of 1 MiB, 2,000 peers, texts of 512 bytes, tracker ids of 256. Not here: scrape (scrape-codec.ts); HTTP itself, which the shell speaks.
 * @module
 */

import { fail, ok, type Result } from '../../lib/errors.ts';
import { formatIp, parseIp } from '../../lib/ip-address.ts';
import { decodeUtf8 } from '../../lib/utf8.ts';
import { BencodeDict, type BencodeValue, decodePrefix } from '../bencode/index.ts';
import {
  HOST_LENGTH_MAX,
  REPLY_DEPTH_MAX,
  REPLY_LENGTH_MAX,
  TRACKER_ID_LENGTH_MAX,
  TRACKER_TEXT_LENGTH_MAX,
} from './constants.ts';
import type { TrackerFaultCode } from './errors.ts';
import { type AnnounceReply, PeerCollector, type RefusalReply } from './reply.ts';

/** What an announce tells: BEP 3's events, BEP 21's `paused`, or a regular announce. */
export type AnnounceEvent = 'none' | 'started' | 'completed' | 'stopped' | 'paused';

/** The fields of an HTTP announce; byte counts are 0 … 2^53-1. */
export interface HttpAnnounce {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  readonly leftBytes: number;
  readonly event: AnnounceEvent;
  /** 32 bits, the same in all announces of a torrent. */
  readonly key: number;
  readonly numWant: number;
  /** As the tracker gave it. */
  readonly trackerId?: Uint8Array;
  /** BEP 7 discourages these two: only for an address that the user published. */
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** The URL to GET: `trackerUrl` (without fragment) with our parameters behind its own query. */
export function buildAnnounceUrl(trackerUrl: string, announce: HttpAnnounce): string {
  const query = [
    `info_hash=${percentEncode(announce.infoHash)}`,
    `peer_id=${percentEncode(announce.peerId)}`,
    `port=${announce.port}`,
    `uploaded=${announce.uploadedBytes}`,
    `downloaded=${announce.downloadedBytes}`,
    `left=${announce.leftBytes}`,
    'compact=1',
    `numwant=${announce.numWant}`,
    `key=${(announce.key >>> 0).toString(16).toUpperCase().padStart(8, '0')}`,
  ];
  if (announce.event !== 'none') query.push(`event=${announce.event}`);
  if (announce.ipv4 !== undefined) query.push(`ipv4=${encodeURIComponent(announce.ipv4)}`);
  if (announce.ipv6 !== undefined) query.push(`ipv6=${encodeURIComponent(announce.ipv6)}`);
  if (announce.trackerId !== undefined) {
    query.push(`trackerid=${percentEncode(announce.trackerId)}`);
  }
  const joint = !trackerUrl.includes('?') ? '?' : /[?&]$/.test(trackerUrl) ? '' : '&';
  return trackerUrl + joint + query.join('&');
}

/** Percent-encodes raw bytes: all but the unreserved letters of RFC 3986 section 2.3. */
export function percentEncode(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += ENCODED[byte]!;
  return text;
}

const ENCODED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const letter = String.fromCharCode(byte);
  if (/[A-Za-z0-9._~-]/.test(letter)) return letter;
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/**
 * Parses the body of an HTTP reply.
 * @param status of the response: a body with a failure reason counts whatever it is, other statuses than 2xx are faults.
 */
export function parseHttpReply(
  status: number,
  body: Uint8Array,
): Result<AnnounceReply | RefusalReply, TrackerFaultCode> {
  const isSuccess = status >= 200 && status < 300;
  if (body.length > REPLY_LENGTH_MAX) {
    return fail(
      'ERR_TRACKER_REPLY_TOO_LARGE',
      `tracker reply: expected at most ${REPLY_LENGTH_MAX} bytes, got ${body.length}`,
    );
  }
  // Bytes behind the dictionary (a line end, mostly) do no harm.
  const decoded = decodePrefix(body, { maxDepth: REPLY_DEPTH_MAX });
  const value = decoded.ok ? decoded.value.value : undefined;
  const reply = value instanceof BencodeDict ? value : undefined;
  const reason = reply?.bytes('failure reason');
  if (reply !== undefined && reason !== undefined) {
    const retryInMs = parseRetryIn(reply);
    return ok({ type: 'refusal', reason: clipText(reason), ...optional('retryInMs', retryInMs) });
  }
  if (!isSuccess) {
    return fail('ERR_TRACKER_HTTP_STATUS', `tracker reply: expected status 200, got ${status}`);
  }
  if (!decoded.ok) return malformed(decoded.message);
  if (reply === undefined) return malformed('expected a dictionary, got another value');
  return parseAnnounce(reply);
}

function parseAnnounce(reply: BencodeDict): Result<AnnounceReply, TrackerFaultCode> {
  const collector = new PeerCollector();
  const compact = reply.bytes('peers');
  const list = reply.list('peers');
  if (compact !== undefined) collector.addCompact(compact, 4);
  else if (list !== undefined) addPeerDicts(collector, list);
  else if (reply.get('peers') !== undefined) return malformed('expected peers as string or list');
  const compact6 = reply.bytes('peers6');
  if (compact6 !== undefined) collector.addCompact(compact6, 16);
  const warning = reply.bytes('warning message');
  const trackerId = reply.bytes('tracker id');
  const external = reply.bytes('external ip');
  return ok({
    type: 'announce',
    peers: collector.peers,
    ...optional('intervalMs', secondsToMs(count(reply, 'interval'))),
    ...optional('minIntervalMs', secondsToMs(count(reply, 'min interval'))),
    ...optional('seeds', count(reply, 'complete')),
    ...optional('leeches', count(reply, 'incomplete')),
    ...optional('warning', warning === undefined ? undefined : clipText(warning)),
    ...optional(
      'externalAddress',
      external?.length === 4 || external?.length === 16 ? formatIp(external) : undefined,
    ),
    // A cut tracker id would be a wrong one: too long is as good as none.
    ...optional(
      'trackerId',
      trackerId !== undefined && trackerId.length <= TRACKER_ID_LENGTH_MAX
        ? trackerId.slice()
        : undefined,
    ),
  });
}

/** The dictionary form of BEP 3; entries that are not peers are dropped, the rest of the list still counts. */
function addPeerDicts(collector: PeerCollector, list: readonly BencodeValue[]): void {
  for (const entry of list) {
    if (collector.isFull) return;
    if (!(entry instanceof BencodeDict)) continue;
    const ip = entry.bytes('ip');
    const port = entry.int('port');
    if (ip === undefined || port === undefined || ip.length > HOST_LENGTH_MAX) continue;
    const text = decodeUtf8(ip);
    const address = parseIp(text);
    if (address !== undefined) collector.add(formatIp(address), port);
    else if (/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text)) collector.add(text, port);
  }
}

/** BEP 31: a positive number of minutes, in its examples a string, or "never". */
function parseRetryIn(reply: BencodeDict): number | 'never' | undefined {
  const bytes = reply.bytes('retry in');
  const text = bytes === undefined ? undefined : decodeUtf8(bytes.subarray(0, 16));
  if (text === 'never') return 'never';
  const minutes = text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
  const value = minutes ?? count(reply, 'retry in');
  return value === undefined || value === 0 ? undefined : value * 60_000;
}

/** A count or time of a reply: absent when it is no integer or negative. */
function count(reply: BencodeDict, key: string): number | undefined {
  const value = reply.int(key);
  return value !== undefined && value >= 0 ? value : undefined;
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function clipText(bytes: Uint8Array): string {
  return decodeUtf8(bytes.subarray(0, TRACKER_TEXT_LENGTH_MAX));
}

/** `{ [key]: value }`, or nothing when there is no value: exact optional properties can't hold undefined. */
function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function malformed(what: string): { ok: false; code: TrackerFaultCode; message: string } {
  return fail('ERR_TRACKER_REPLY_MALFORMED', `tracker reply: ${what}`);
}
