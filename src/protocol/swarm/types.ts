/**
 * What goes into the swarm core and what comes out.
 * @module
 */
import type { Crypto } from '../../lib/ports.ts';
import type { Rng } from '../../lib/rng.ts';
import type { ChokerOptions } from './choker.ts';

/** Where an address came from; 'lan' is local discovery, 'kept' an earlier run. */
export type PeerSource = 'given' | 'tracker' | 'magnet' | 'pex' | 'dht' | 'lan' | 'kept';

/** How a connection came about: the source of the address that was dialled, or otherwise. */
export type PeerOrigin = PeerSource | 'incoming' | 'web-seed';

/** A listening address at which a peer was met. */
export interface ProvenPeer extends PeerAddress {
  /** Block data both ways, bytes. */
  readonly movedBytes: number;
}

/** An address of a peer. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** How it is chosen whom to upload to. */
export interface ChokingOptions extends Pick<ChokerOptions, 'rules' | 'optimistic'> {
  /** False: nobody's past counts, neither what its host was given nor whether it gave anything; default true. */
  readonly remembers?: boolean;
}

/** Options of a Swarm. */
export interface SwarmOptions {
  /** 20 bytes; absent in v2-only torrents. */
  readonly infoHashV1?: Uint8Array;
  /** 32 bytes; absent in v1-only torrents. */
  readonly infoHashV2?: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly crypto: Crypto;
  readonly rng: Rng;
  /** TCP port to tell peers, when there is one. */
  readonly listenPort?: number;
  /** UDP port of the DHT node to tell peers that have one, too (BEP 5); default: none. */
  readonly dhtPort?: number;
  /** Name and version to tell peers. */
  readonly clientName: string;
  /** Connections at most, default 250. */
  readonly maxPeers?: number;
  /** False: peers are neither told of others nor believed about them (BEP 11). Default true; never done in private torrents. */
  readonly usesPeerExchange?: boolean;
  /** False: metadata is neither asked for, taken nor served (BEP 9). Default true; never done for what has no hashes. */
  readonly usesMetadataExchange?: boolean;
  /** Peers unchoked by rate, the optimistic one not counted; default: 4 (BEP 3) and more while the line has room for them. */
  readonly uploadSlots?: number;
  /** Rules for choosing whom to upload to; default: BEP 3's, and the peer that waited longest as the optimistic one. */
  readonly choking?: ChokingOptions;
  /** True for hosts that limits by address and the rule against overfed hosts don't apply to; default: loopback. */
  readonly isExempt?: (host: string) => boolean;
  /** What former meetings say of whoever is at an address: -1 (bad) … 1 (good), 0 for a stranger; default 0 for all. */
  readonly standingOf?: (address: PeerAddress) => number;
}

/** What a connection brought when its handshakes were exchanged. */
export interface ConnectedPeer {
  /** Number of the connection, unique among the open ones, 0 … 65535. */
  readonly id: number;
  readonly address: PeerAddress;
  readonly isIncoming: boolean;
  /** The number of the `dial` output that this answers. */
  readonly dial?: number;
  readonly reserved: Uint8Array;
  readonly peerId: Uint8Array;
  /** The 20 bytes of the handshake that the peer sent. */
  readonly infoHash: Uint8Array;
  /** An HTTP server (BEP 19) behind a shell that speaks for it; its address is no host's, and names it. */
  readonly isWebSeed?: boolean;
}

/** The digests of a piece that is on disk, or the reason why it is not. */
export interface PieceOutcome {
  readonly v1?: Uint8Array;
  readonly v2?: Uint8Array;
  /** The disk failed: the piece is to be fetched again once writing works. */
  readonly isFault?: boolean;
}

/** What came of a connection, for whoever keeps a reputation. */
export interface PeerRecord {
  /** Block data from it in pieces that passed their hash. */
  readonly verifiedBytes: number;
  /** Block data for it that its HAVEs account for. */
  readonly confirmedBytes: number;
  /** Times it was snubbed for silence, or refused many requests while it allowed them. */
  readonly brokenPromises: number;
}

/** Things worth telling. */
export type SwarmEvent =
  /** The info dictionary came from peers and has the right hash: parse it and call `setTorrent`. */
  | { readonly type: 'metadata'; readonly infoBytes: Uint8Array }
  | { readonly type: 'piece'; readonly piece: number }
  | {
      readonly type: 'piece-failed';
      readonly piece: number;
      readonly peers: readonly PeerAddress[];
    }
  /** Every wanted piece is had. */
  | { readonly type: 'complete' }
  /** v2: all piece layers are known. */
  | { readonly type: 'layers'; readonly layers: ReadonlyMap<string, Uint8Array> }
  /** Hybrid: a piece fits one hash and not the other; the torrent is stopped. */
  | { readonly type: 'inconsistent'; readonly piece: number }
  | {
      readonly type: 'peer-connected';
      readonly id: number;
      readonly address: PeerAddress;
      readonly source: PeerOrigin;
    }
  /** A dial came to nothing. */
  | {
      readonly type: 'dial-failed';
      readonly address: PeerAddress;
      readonly source: PeerSource;
      readonly reason: string;
    }
  /** A peer told the port of its DHT node. */
  | { readonly type: 'dht-node'; readonly address: PeerAddress }
  | {
      readonly type: 'peer-closed';
      readonly id: number;
      readonly address: PeerAddress;
      readonly reason: string;
      /** Block data it gave. */
      readonly downloadedBytes: number;
      readonly record: PeerRecord;
    }
  | { readonly type: 'peer-banned'; readonly address: PeerAddress; readonly reason: string };

/** What the shell has to do, drained by `poll` until undefined. */
export type SwarmOutput =
  | { readonly type: 'transmit'; readonly id: number; readonly bytes: Uint8Array }
  /** Send these blocks, triples of piece, begin and length; tell by `handleServed` when they are handed to the socket. */
  | { readonly type: 'serve'; readonly id: number; readonly ranges: readonly number[] }
  /** Take a `serve` back; it was answered otherwise. */
  | {
      readonly type: 'unserve';
      readonly id: number;
      readonly piece: number;
      readonly begin: number;
      readonly length: number;
    }
  /** Take back every `serve` of this peer. */
  | { readonly type: 'unserve-all'; readonly id: number }
  /** Connect, exchange handshakes, answer with `handleConnected` or `handleDialFailed`. */
  | { readonly type: 'dial'; readonly dial: number; readonly address: PeerAddress }
  /** Close the connection; no `handleClosed` is needed. */
  | { readonly type: 'close'; readonly id: number; readonly reason: string }
  /** Read this piece from disk and digest its blocks: answer with `handleDigests`. */
  | { readonly type: 'digest'; readonly piece: number }
  | { readonly type: 'event'; readonly event: SwarmEvent };

/** Counters since the core was made, in bytes of block data unless the name says otherwise. */
export interface SwarmTotals {
  downloadedBytes: number;
  uploadedBytes: number;
  /** Data that came twice, unasked, or in a piece that failed. */
  wastedBytes: number;
  failedPieces: number;
}

/** One connection, for people to look at. */
export interface PeerStatus {
  readonly id: number;
  readonly address: PeerAddress;
  readonly client: string;
  readonly source: PeerOrigin;
  readonly isIncoming: boolean;
  readonly isWebSeed: boolean;
  readonly isSeed: boolean;
  readonly downloadBytesPerSec: number;
  readonly uploadBytesPerSec: number;
  readonly amChoking: boolean;
  readonly amInterested: boolean;
  readonly isChokingUs: boolean;
  readonly isInterested: boolean;
  readonly isSnubbed: boolean;
  readonly pendingRequests: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
}
