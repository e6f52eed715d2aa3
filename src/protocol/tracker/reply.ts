/**
 * What a tracker says, whichever protocol carried it, and the compact peer lists of both.
 * Spec: BEP 3, 7, 15, 23, 31. Bounds: 2,000 peers a reply.
 * @module
 */
import { readU16 } from '../../lib/bytes.ts';
import { formatIp } from '../../lib/ip-address.ts';
import { PEERS_PER_REPLY_MAX } from './constants.ts';

/** Where a peer listens. */
export interface PeerAddress {
  /** IP address in canonical text; from a dictionary reply (BEP 3) possibly a DNS name. */
  readonly host: string;
  /** 1 … 65535. */
  readonly port: number;
}

/** An accepted announce. Times are as the tracker said them, not yet clamped. */
export interface AnnounceReply {
  readonly type: 'announce';
  /** Without doubles, at most PEERS_PER_REPLY_MAX. */
  readonly peers: readonly PeerAddress[];
  readonly intervalMs?: number;
  readonly minIntervalMs?: number;
  /** Peers with the whole torrent. */
  readonly seeds?: number;
  /** Peers without the whole torrent. */
  readonly leeches?: number;
  readonly warning?: string;
  /** BEP 24: our address as the tracker sees it. */
  readonly externalAddress?: string;
  /** To be sent back with the next announces, at most TRACKER_ID_LENGTH_MAX bytes. */
  readonly trackerId?: Uint8Array;
}

/** A refused announce. */
export interface RefusalReply {
  readonly type: 'refusal';
  readonly reason: string;
  /** BEP 31: when to ask again; absent: the tracker didn't say. */
  readonly retryInMs?: number | 'never';
}

/** Collects the peers of a reply: drops port 0 and doubles, stops at the bound. */
export class PeerCollector {
  readonly peers: PeerAddress[] = [];
  readonly #seen = new Set<string>();

  get isFull(): boolean {
    return this.peers.length >= PEERS_PER_REPLY_MAX;
  }

  add(host: string, port: number): void {
    if (this.isFull || !Number.isInteger(port) || port < 1 || port > 65_535) return;
    const key = `${host} ${port}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.peers.push({ host, port });
  }

  /** Adds address-port pairs of 4 + 2 (BEP 23) or 16 + 2 bytes (BEP 7); a truncated last pair is ignored. */
  addCompact(bytes: Uint8Array, addressLengthBytes: 4 | 16): void {
    const stride = addressLengthBytes + 2;
    for (let at = 0; at + stride <= bytes.length && !this.isFull; at += stride) {
      const address = bytes.subarray(at, at + addressLengthBytes);
      this.add(formatIp(address), readU16(bytes, at + addressLengthBytes));
    }
  }
}
