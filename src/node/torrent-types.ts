/**
 * What a torrent tells the outside: its options, states, events and results.
 * @module
 */
import type { ByteConnection } from '../io/tcp.ts';
import type { AppError } from '../lib/errors.ts';
import type { FileLook } from '../plane/file-table.ts';
import type { Info, Magnet, Metainfo } from '../protocol/metainfo/index.ts';
import type { PeerOrigin, PeerStatus } from '../protocol/swarm/index.ts';
import type { TrackerStatus } from '../protocol/tracker/index.ts';
import type { Rename } from './renames.ts';
import type { ShareAction, ShareLimits, ShareReason } from './share-limits.ts';
import type { WebSeedStatus } from './web-seeds.ts';

/** v1 of 20 bytes, v2 of 32. */
export interface InfoHashes {
  readonly infoHashV1?: Uint8Array;
  readonly infoHashV2?: Uint8Array;
}

/** What a torrent is made from. */
export type TorrentSource =
  | {
      readonly kind: 'metainfo';
      readonly metainfo: Metainfo;
      /** It was fetched from a public address: its trackers must be public too. Default false. */
      readonly isFromPublic?: boolean;
    }
  | { readonly kind: 'magnet'; readonly magnet: Magnet; readonly isFromPublic?: boolean };

/** A swarm among peers who know each other's ids. */
export interface SecureSwarm {
  /** May this peer join? */
  readonly admits: (peerId: string) => boolean;
  /** Peer ids to dial, "12D3KooW…". */
  readonly peers: readonly string[];
}

/** Options of `PeerNode.add`. */
export interface AddOptions {
  readonly source: TorrentSource;
  /** Folder that holds, or will hold, the torrent's top name. */
  readonly dir: string;
  /** Peers to dial first, "host:port" or "[v6]:port". */
  readonly peers?: readonly string[];
  /** Download only files that match one of these: a glob or part of the path below the top name. Default: all. */
  readonly select?: readonly string[];
  /** Of each file by its index in `info.files`, 0 (not wanted) to 7 (first), in place of `select`. Default: what `setFilePriorities` said in an earlier run, then 4. */
  readonly priorities?: readonly number[];
  /** Files and folders that are called otherwise on disk, one after the other. Default: none. */
  readonly renames?: readonly Rename[];
  /** Pieces in order. Default false: rarest first. */
  readonly isSequential?: boolean;
  /** False: neither trackers, peer exchange, DHT nor local discovery. Default true. */
  readonly isDiscovering?: boolean;
  /** False: peers are neither told of others nor believed about them. Default: the node's; never done in private torrents. */
  readonly usesPeerExchange?: boolean;
  /** 'download' fetches what is missing; 'seed' needs every file to be there and right; 'look' finds peers and asks for nothing. Default 'download'. */
  readonly mode?: 'download' | 'seed' | 'look';
  /** The files were hashed just now to make the torrent: no check. Default false. */
  readonly isFresh?: boolean;
  /** Bytes a second of this torrent, besides the limits of the node. Default 0: unlimited. */
  readonly downloadLimitBytesPerSec?: number;
  readonly uploadLimitBytesPerSec?: number;
  /** When a seed has given enough, and what happens then. Default: never. */
  readonly shareLimits?: ShareLimits;
  /** How long earlier runs seeded, which counts for the limit of time. Default 0. */
  readonly seededSeconds?: number;
  /** Of a magnet: the info dictionary that an earlier run received. Default: that of the resume data. */
  readonly infoBytes?: Uint8Array;
  /** Trackers to use besides the torrent's own, one tier. */
  readonly trackers?: readonly string[];
  /** All trackers by tier, in place of the torrent's own and of `trackers`; changed at any time by `discovery.setTrackers`. */
  readonly tiers?: readonly (readonly string[])[];
  /** Web seeds to use besides the torrent's own: URLs of HTTP or HTTPS. */
  readonly webSeeds?: readonly string[];
  /** False: no web seeds at all. Default true. */
  readonly usesWebSeeds?: boolean;
  /** Which incoming connections may join; to all others it is as if there were no such torrent. Default: all. */
  readonly admits?: (connection: ByteConnection) => boolean;
  /** Only over channels: with whom, and who is dialled. Nothing is announced or asked in public then. Default: in the open, with everybody. */
  readonly secure?: SecureSwarm;
  /** False: it runs at once, whatever the node's queue says. Default true. */
  readonly usesQueue?: boolean;
  /** False: it keeps no resume data. Default true. */
  readonly isRemembered?: boolean;
  /** What the SHA-256 of all files together must be (docs/protocol/send-transfer.md), 32 bytes: until it was found so, nothing is complete or seeded. */
  readonly sha256?: Uint8Array;
  /** How each file must look whenever it is read: another size or time ends the torrent. Default: a file may change, and what is right of it counts. */
  readonly looks?: readonly FileLook[];
}

/** Where a torrent is in its life; README.md of this folder draws the transitions. */
export type TorrentState =
  | 'metadata'
  | 'checking'
  | 'downloading'
  | 'seeding'
  /** Waits for its turn in the node's queue. */
  | 'queued'
  | 'paused'
  | 'error'
  | 'stopped';

/** What a finished download amounts to. */
export interface Summary {
  /** Lower-case hex. */
  readonly infoHashV1?: string;
  readonly infoHashV2?: string;
  readonly name: string;
  /** Bytes of the wanted pieces. */
  readonly bytes: number;
  /** From adding the torrent to the last verified piece on disk. */
  readonly seconds: number;
  readonly bytesPerSec: number;
  /** Received twice, unasked, or in pieces that failed. */
  readonly wastedBytes: number;
  /** Peers that gave data. */
  readonly peers: number;
}

/** A torrent at a glance. */
export interface TorrentStatus {
  readonly state: TorrentState;
  readonly name: string;
  readonly pieceCount: number;
  readonly havePieces: number;
  /** Bytes of wanted pieces, had or not; 0 before the metadata. */
  readonly wantedBytes: number;
  readonly doneBytes: number;
  readonly downloadBytesPerSec: number;
  readonly uploadBytesPerSec: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly wastedBytes: number;
  readonly failedPieces: number;
  readonly peers: readonly PeerStatus[];
  readonly trackers: readonly TrackerStatus[];
  readonly webSeeds: readonly WebSeedStatus[];
  readonly error?: string;
}

/** Events of a Torrent; each carries one object. */
export interface TorrentEvents {
  /** The state changed. */
  state: [{ readonly state: TorrentState }];
  /** The metadata is known. */
  metadata: [{ readonly info: Info }];
  /** Bytes checked of what is on disk. */
  checking: [{ readonly doneBytes: number; readonly totalBytes: number }];
  /** A piece was verified and is on disk. */
  piece: [{ readonly piece: number }];
  'piece-failed': [{ readonly piece: number; readonly peers: readonly string[] }];
  /** These pieces are not on disk any more, or are to be fetched again. */
  'pieces-lost': [{ readonly pieces: readonly number[] }];
  complete: [Summary];
  /** What is wanted of the files changed: priorities by index, as `filePriorities`. */
  priorities: [{ readonly priorities: readonly number[] }];
  /** The seed has given enough; `action` follows. */
  'share-limit': [{ readonly reason: ShareReason; readonly action: ShareAction }];
  'peer-connected': [{ readonly address: string; readonly source: PeerOrigin }];
  /** A peer that was named could not be connected. */
  'peer-failed': [
    { readonly address: string; readonly source: PeerOrigin; readonly reason: string },
  ];
  'peer-closed': [{ readonly address: string; readonly reason: string }];
  'peer-banned': [{ readonly address: string; readonly reason: string }];
  /** A tracker did not answer, refused or warned. */
  'tracker-problem': [{ readonly url: string; readonly message: string }];
  /** The disk or the torrent itself fails; it is tried again unless `isFinal`. */
  problem: [{ readonly error: AppError; readonly isFinal: boolean }];
}
