/**
 * What goes into an Announcer and what comes out of it.
 * @module
 */
import type { Rng } from '../../lib/rng.ts';
import { HASHES_MAX } from './constants.ts';
import { checkOption, type TrackerFaultCode } from './errors.ts';
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
  /** True: this tracker was told `completed` for this hash, by an earlier announcer maybe; it is never told again. */
  readonly isCompletedTold?: (trackerUrl: string, infoHash: Uint8Array) => boolean;
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
  /** A tracker accepted `completed`: to be remembered, so that it is never told again. */
  | { readonly type: 'completed'; readonly trackerUrl: string; readonly infoHash: Uint8Array }
  /** BEP 24: where the tracker sees us. */
  | { readonly type: 'external-address'; readonly trackerUrl: string; readonly address: string }
  /** BEP 27: a private torrent changed its tracker; all peers known so far must be dropped. Comes before the new peers. */
  | { readonly type: 'switch'; readonly fromUrl: string; readonly toUrl: string };

/** Refuses what no announcer can work with. @throws AppError ERR_TRACKER_BAD_OPTION. */
export function checkOptions(options: AnnouncerOptions): void {
  const { hashes, peerId, port, numWant } = options;
  checkOption(hashes.length >= 1 && hashes.length <= HASHES_MAX, 'hashes', '1 or 2', hashes.length);
  for (const hash of hashes)
    checkOption(hash.length === 20, 'hashes', '20 bytes each', hash.length);
  checkOption(peerId.length === 20, 'peerId', '20 bytes', peerId.length);
  checkOption(Number.isInteger(port) && port >= 0 && port <= 65_535, 'port', '0 … 65535', port);
  if (numWant !== undefined)
    checkOption(Number.isInteger(numWant), 'numWant', 'an integer', numWant);
}
