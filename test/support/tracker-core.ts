/**
 * A tracker without I/O for tests, and clients that ask it by HTTP and UDP.
 * @module
 */
import assert from 'node:assert/strict';
import { fromLatin1, readU32, toLatin1, writeU16, writeU32 } from '../../src/lib/bytes.ts';
import { parseIp } from '../../src/lib/ip-address.ts';
import { Rng } from '../../src/lib/rng.ts';
import { BencodeDict, decodeDict } from '../../src/protocol/bencode/index.ts';
import { percentEncode } from '../../src/protocol/tracker/index.ts';
import {
  TrackerCore,
  type TrackerCoreOptions,
  UDP_REPLY_LENGTH_MAX,
} from '../../src/protocol/tracker/server/index.ts';

export const HASH: Uint8Array = fromLatin1('infohash-infohash-01');
export const PEER_ID: Uint8Array = fromLatin1('-XX0001-peerpeerpeer');

/** Parameters that differ from those of a leech at port 6881; undefined leaves one out. */
export type Parameters = Readonly<Record<string, string | number | undefined>>;

/** Fields of a UDP announce that differ from those of a leech at port 6881. */
export interface UdpFields {
  readonly infoHash?: Uint8Array;
  readonly left?: number;
  readonly event?: number;
  readonly ip?: string;
  readonly wanted?: number;
  readonly port?: number;
  /** Bytes from 98 on. */
  readonly options?: Uint8Array;
}

/** A tracker and the moment it lives in. */
export class TestCore {
  readonly core: TrackerCore;
  nowMs = 1_000_000;

  constructor(options: Partial<TrackerCoreOptions> = {}) {
    const secret = new Uint8Array(16).fill(3);
    this.core = new TrackerCore({ secret, rng: new Rng(1), ...options });
  }

  /** GETs a target. @returns the bencoded answer. */
  get(target: string, from = '203.0.113.1', isForwarded = false): BencodeDict {
    const { body } = this.core.handleHttp(this.nowMs, target, parseIp(from)!, isForwarded);
    const decoded = decodeDict(body);
    assert.ok(decoded.ok, 'an answer is a bencoded dictionary');
    return decoded.value;
  }

  announce(parameters: Parameters = {}, from?: string, isForwarded = false): BencodeDict {
    return this.get(announceTarget(parameters), from, isForwarded);
  }

  /** Sends a datagram. @returns the answer; undefined: none. */
  send(bytes: Uint8Array, from = '203.0.113.1'): Uint8Array | undefined {
    const out = new Uint8Array(UDP_REPLY_LENGTH_MAX);
    const length = this.core.handleUdp(this.nowMs, bytes, parseIp(from)!, out);
    return length === 0 ? undefined : out.subarray(0, length);
  }

  connect(from?: string): Uint8Array {
    return this.send(connectRequest(), from)!.slice(8, 16);
  }

  announceUdp(fields: UdpFields = {}, from?: string): Uint8Array {
    const reply = this.send(announceRequest(this.connect(from), fields), from);
    assert.ok(reply !== undefined, 'an announce with a valid connection id is answered');
    return reply;
  }

  scrapeUdp(hashes: readonly Uint8Array[], from?: string): Uint8Array {
    const bytes = new Uint8Array(16 + 20 * hashes.length);
    bytes.set(this.connect(from));
    writeU32(bytes, 8, 2);
    writeU32(bytes, 12, 99);
    for (const [index, hash] of hashes.entries()) bytes.set(hash, 16 + 20 * index);
    return this.send(bytes, from)!;
  }
}

/** Path and query of an announce. */
export function announceTarget(parameters: Parameters = {}, path = '/announce'): string {
  const all: Parameters = {
    info_hash: percentEncode(HASH),
    peer_id: percentEncode(PEER_ID),
    port: 6881,
    uploaded: 0,
    downloaded: 0,
    left: 100,
    ...parameters,
  };
  const pairs = Object.entries(all).filter(([, value]) => value !== undefined);
  return `${path}?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`;
}

export function connectRequest(transactionId = 0x1234): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set([0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80]);
  writeU32(bytes, 12, transactionId);
  return bytes;
}

export function announceRequest(connectionId: Uint8Array, fields: UdpFields = {}): Uint8Array {
  const { options = new Uint8Array(0), left = 100, ip } = fields;
  const bytes = new Uint8Array(98 + options.length);
  bytes.set(connectionId);
  writeU32(bytes, 8, 1);
  writeU32(bytes, 12, 99);
  bytes.set(fields.infoHash ?? HASH, 16);
  bytes.set(PEER_ID, 36);
  writeU32(bytes, 68, left);
  writeU32(bytes, 80, fields.event ?? 0);
  if (ip !== undefined) bytes.set(parseIp(ip)!, 84);
  writeU32(bytes, 92, fields.wanted ?? -1);
  writeU16(bytes, 96, fields.port ?? 6881);
  bytes.set(options, 98);
  return bytes;
}

/** The 32-bit words of an answer. */
export function words(bytes: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, index) => readU32(bytes, index * 4));
}

/** The reason of a refusal by HTTP. */
export function reasonOf(reply: BencodeDict): string {
  return toLatin1(reply.bytes('failure reason') ?? new Uint8Array(0));
}

/** The text of a refusal by UDP. */
export function errorOf(reply: Uint8Array): string {
  assert.equal(readU32(reply, 0), 3);
  return toLatin1(reply.subarray(8));
}

/** "host port" of each dictionary of the original form. */
export function peerDicts(reply: BencodeDict): BencodeDict[] {
  return (reply.list('peers') ?? []).filter((entry) => entry instanceof BencodeDict);
}
