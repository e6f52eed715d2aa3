/**
 * The datagrams of the UDP tracker protocol.
 * Spec: BEP 15, BEP 41 (URL data). Bounds: 2,000 peers a reply; error texts are cut at 512 bytes. Not here: scrape.
 * @module
 */
import { readU32, writeU16, writeU32 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.ts';
import {
  TRACKER_TEXT_LENGTH_MAX,
  UDP_ACTION_ANNOUNCE,
  UDP_ACTION_CONNECT,
  UDP_ACTION_ERROR,
  UDP_OPTION_DATA_LENGTH_MAX,
  UDP_OPTION_URL_DATA,
  UDP_PROTOCOL_ID,
} from './constants.ts';
import type { TrackerFaultCode } from './errors.ts';
import { type AnnounceReply, PeerCollector, type RefusalReply } from './reply.ts';

/** BEP 15 names no number for BEP 21's `paused`, so a partial seed sends `none` here. */
const EVENT_CODES = { none: 0, completed: 1, started: 2, stopped: 3, paused: 0 } as const;
const ANNOUNCE_LENGTH = 98;

/** The fields of a UDP announce request; byte counts are 0 … 2^53-1. */
export interface UdpAnnounce {
  /** 8 bytes of a connect reply. */
  readonly connectionId: Uint8Array;
  readonly transactionId: number;
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly downloadedBytes: number;
  readonly leftBytes: number;
  readonly uploadedBytes: number;
  readonly event: keyof typeof EVENT_CODES;
  /** 32 bits, the same in all announces of a torrent. */
  readonly key: number;
  /** Peers wanted; -1: the tracker's default. */
  readonly numWant: number;
  readonly port: number;
  /** Path and query of the tracker's URL (BEP 41), '' when there is none. */
  readonly urlData: string;
}

/** A reply that names one of our transactions. */
export type UdpReply =
  | { readonly type: 'connect'; readonly connectionId: Uint8Array }
  | AnnounceReply
  | RefusalReply;

/** A connect request: 16 bytes. */
export function encodeUdpConnect(transactionId: number): Uint8Array {
  const bytes = new Uint8Array(16);
  writeU32(bytes, 0, UDP_PROTOCOL_ID[0]);
  writeU32(bytes, 4, UDP_PROTOCOL_ID[1]);
  writeU32(bytes, 8, UDP_ACTION_CONNECT);
  writeU32(bytes, 12, transactionId);
  return bytes;
}

/** An announce request: 98 bytes, followed by the URL data option when there is any. */
export function encodeUdpAnnounce(announce: UdpAnnounce): Uint8Array {
  const options = encodeUrlData(announce.urlData);
  const bytes = new Uint8Array(ANNOUNCE_LENGTH + options.length);
  bytes.set(announce.connectionId, 0);
  writeU32(bytes, 8, UDP_ACTION_ANNOUNCE);
  writeU32(bytes, 12, announce.transactionId);
  bytes.set(announce.infoHash, 16);
  bytes.set(announce.peerId, 36);
  writeU64(bytes, 56, announce.downloadedBytes);
  writeU64(bytes, 64, announce.leftBytes);
  writeU64(bytes, 72, announce.uploadedBytes);
  writeU32(bytes, 80, EVENT_CODES[announce.event]);
  // Bytes 84 … 87, our address, stay 0: the tracker takes the source address, and IPv6 has no room here.
  writeU32(bytes, 88, announce.key);
  writeU32(bytes, 92, announce.numWant);
  writeU16(bytes, 96, announce.port);
  bytes.set(options, ANNOUNCE_LENGTH);
  return bytes;
}

/**
 * The transaction a datagram claims to answer, or undefined when it can't be a tracker's reply.
 * A shared socket finds the owner of a datagram with it.
 */
export function udpTransactionId(bytes: Uint8Array): number | undefined {
  return bytes.length >= 8 && readU32(bytes, 0) <= UDP_ACTION_ERROR ? readU32(bytes, 4) : undefined;
}

/**
 * Parses a reply. The caller has matched the transaction.
 * @param addressLengthBytes of the datagram's family: 4 (stride 6) or 16 (stride 18).
 */
export function parseUdpReply(
  bytes: Uint8Array,
  addressLengthBytes: 4 | 16,
): Result<UdpReply, TrackerFaultCode> {
  if (bytes.length < 8) return malformed(`expected at least 8 bytes, got ${bytes.length}`);
  const action = readU32(bytes, 0);
  if (action === UDP_ACTION_ERROR) {
    const reason = decodeUtf8(bytes.subarray(8, 8 + TRACKER_TEXT_LENGTH_MAX)).replace(/\0+$/, '');
    return ok({ type: 'refusal', reason });
  }
  if (action === UDP_ACTION_CONNECT) {
    if (bytes.length < 16) return malformed(`expected 16 bytes to connect, got ${bytes.length}`);
    return ok({ type: 'connect', connectionId: bytes.slice(8, 16) });
  }
  if (action !== UDP_ACTION_ANNOUNCE) return malformed(`expected action 0, 1 or 3, got ${action}`);
  if (bytes.length < 20) return malformed(`expected 20 bytes to announce, got ${bytes.length}`);
  const collector = new PeerCollector();
  collector.addCompact(bytes.subarray(20), addressLengthBytes);
  return ok({
    type: 'announce',
    peers: collector.peers,
    intervalMs: readU32(bytes, 8) * 1000,
    leeches: readU32(bytes, 12),
    seeds: readU32(bytes, 16),
  });
}

/** BEP 41: data longer than 255 bytes is cut into several options, which the tracker joins again. */
function encodeUrlData(urlData: string): Uint8Array {
  const data = encodeUtf8(urlData);
  const bytes: number[] = [];
  for (let at = 0; at < data.length; at += UDP_OPTION_DATA_LENGTH_MAX) {
    const part = data.subarray(at, at + UDP_OPTION_DATA_LENGTH_MAX);
    bytes.push(UDP_OPTION_URL_DATA, part.length, ...part);
  }
  return Uint8Array.from(bytes);
}

function writeU64(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, Math.floor(value / 0x1_0000_0000));
  writeU32(bytes, at + 4, value % 0x1_0000_0000);
}

function malformed(what: string): { ok: false; code: TrackerFaultCode; message: string } {
  return fail('ERR_TRACKER_REPLY_MALFORMED', `UDP tracker reply: ${what}`);
}
