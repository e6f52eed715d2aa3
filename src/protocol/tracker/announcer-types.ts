/**
 * What goes into an Announcer and what comes out of it.
 * @module
 */
import type { Rng } from '../../lib/rng.ts';
import type { TrackerFaultCode } from './errors.ts';
import type { AnnouncePolicy } from './lanes.ts';
import type { PeerAddress } from './reply.ts';

/** What an Announcer is made of. */
export interface AnnouncerOptions {
  /** Tracker URLs by tier (BEP 12); doubles and all beyond TRACKERS_MAX are ignored, unusable ones show in `status`. */
  readonly tiers: readonly (readonly string[])[];
  /** One or two of 20 bytes: the v1 info-hash, the truncated v2 one. */
  readonly hashes: readonly Uint8Array[];
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Where we listen, 0 … 65535. */
  readonly port: number;
  /** Shuffles tiers, draws the key and the UDP transaction ids. */
  readonly rng: Rng;
  /** Default: one tracker at a time, as BEP 12 says; private torrents always do that. */
  readonly announceTo?: AnnouncePolicy;
  /** BEP 27. Default false. */
  readonly isPrivate?: boolean;
  /** Peers wanted a reply, default 200. */
  readonly numWant?: number;
  /** 32 bits, the same for all announcers (one a listen address) of a torrent; default drawn. */
  readonly key?: number;
  /** Published addresses (BEP 7 discourages them), HTTP only. */
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** What the announces tell about the transfer. */
export interface TransferStats {
  /** Since the session of the torrent started. */
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  /** undefined: unknown, as the metadata has not arrived. */
  readonly leftBytes: number | undefined;
  /** BEP 21: all that is wanted is there, but not the whole torrent. Default false. */
  readonly isPartialSeed?: boolean;
}

/** What `poll` hands out. */
export type AnnouncerOutput =
  /** GET this and answer with handleHttpReply or handleFailure. */
  | {
      readonly type: 'http';
      readonly requestId: number;
      readonly url: string;
      /** The URL as the torrent has it: a policy judges this one. */
      readonly trackerUrl: string;
      readonly timeoutMs: number;
      readonly maxBytes: number;
    }
  /** Send this; the reply carries requestId in its bytes 4 … 7 (see udpTransactionId) and must come from where it was sent. */
  | {
      readonly type: 'udp';
      readonly requestId: number;
      readonly trackerUrl: string;
      readonly host: string;
      readonly port: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly type: 'peers';
      readonly trackerUrl: string;
      readonly infoHash: Uint8Array;
      readonly peers: readonly PeerAddress[];
    }
  | {
      readonly type: 'warning';
      readonly trackerUrl: string;
      readonly infoHash: Uint8Array;
      readonly message: string;
    }
  | {
      readonly type: 'failure';
      readonly trackerUrl: string;
      readonly infoHash: Uint8Array;
      readonly code: TrackerFaultCode;
      readonly message: string;
    }
  /** BEP 27: a private torrent changed its tracker; all peers known so far must be dropped. Comes before the new peers. */
  | { readonly type: 'switch'; readonly fromUrl: string; readonly toUrl: string };
