/**
 * Reads the datagrams of clients.
 * Spec: BEP 15 (announce, scrape), 41 (options). Bounds: SCRAPE_HASHES_MAX, REQUEST_TARGET_LENGTH_MAX of URL data.
 * Not here: connection ids, which are checked before anything else is read.
 * @module
 */
import { readU16, readU32 } from '../../../lib/bytes.ts';
import { SCRAPE_HASHES_MAX, UDP_OPTION_URL_DATA } from '../constants.ts';
import {
  PEERS_WANTED_DEFAULT,
  PEERS_WANTED_MAX,
  REQUEST_TARGET_LENGTH_MAX,
  UDP_ANNOUNCE_LENGTH,
  UDP_HEADER_LENGTH,
  UDP_OPTION_END,
  UDP_OPTION_NOP,
} from './constants.ts';

/** BEP 15: the numbers of the events; others count as none. */
const EVENTS = ['none', 'completed', 'started', 'stopped'] as const;

/** An announce; the byte strings are parts of the datagram. */
export interface UdpAnnounceRequest {
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  /** 0 … 65535. */
  readonly port: number;
  readonly isSeed: boolean;
  readonly event: (typeof EVENTS)[number];
  /** 0 … PEERS_WANTED_MAX. */
  readonly wanted: number;
  /** Undefined: the sender's is meant. */
  readonly claimedAddress: Uint8Array | undefined;
}

/** @param bytes UDP_ANNOUNCE_LENGTH or more. */
export function readUdpAnnounce(bytes: Uint8Array): UdpAnnounceRequest {
  const wanted = readU32(bytes, 92) | 0;
  return {
    infoHash: bytes.subarray(16, 36),
    peerId: bytes.subarray(36, 56),
    isSeed: readU32(bytes, 64) === 0 && readU32(bytes, 68) === 0,
    event: EVENTS[readU32(bytes, 80)] ?? 'none',
    claimedAddress: readU32(bytes, 84) === 0 ? undefined : bytes.subarray(84, 88),
    wanted: wanted < 0 ? PEERS_WANTED_DEFAULT : Math.min(wanted, PEERS_WANTED_MAX),
    port: readU16(bytes, 96),
  };
}

/** Path and query that the client's URL has (BEP 41), as latin-1; '' when there are no options. */
export function readUrlData(bytes: Uint8Array): string {
  let text = '';
  let at = UDP_ANNOUNCE_LENGTH;
  while (at < bytes.length && text.length < REQUEST_TARGET_LENGTH_MAX) {
    const type = bytes[at]!;
    if (type === UDP_OPTION_END) break;
    if (type === UDP_OPTION_NOP) {
      at += 1;
      continue;
    }
    const end = at + 2 + (bytes[at + 1] ?? 0);
    // An option that is cut off is none.
    if (end > bytes.length) break;
    if (type === UDP_OPTION_URL_DATA) text += String.fromCharCode(...bytes.subarray(at + 2, end));
    at = end;
  }
  return text;
}

/** Info-hashes of a scrape, as parts of the datagram. @param bytes UDP_HEADER_LENGTH or more. */
export function readUdpScrape(bytes: Uint8Array): Uint8Array[] {
  const count = Math.min(Math.floor((bytes.length - UDP_HEADER_LENGTH) / 20), SCRAPE_HASHES_MAX);
  return Array.from({ length: count }, (_, index) => {
    const at = UDP_HEADER_LENGTH + index * 20;
    return bytes.subarray(at, at + 20);
  });
}
