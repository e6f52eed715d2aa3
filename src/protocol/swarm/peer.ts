/**
 * One connection of a torrent, as the core remembers it. Everything in here is bounded by constants.ts.
 * @module
 */
import type { Bitfield } from '../../lib/bitfield.ts';
import {
  type Capabilities,
  MessageWriter,
  PeerExtensions,
  parseReserved,
} from '../peer-wire/index.ts';
import { Conduct } from './conduct.ts';
import { hostKeyOf } from './peer-list.ts';
import { RateMeter, RequestPipeline } from './pipeline.ts';
import type { RefusedPieces } from './refused-pieces.ts';
import { RequestQueue } from './request-queue.ts';
import type { ConnectedPeer, PeerAddress, PeerOrigin } from './types.ts';

/** A peer. Fields are grouped by who sets them. */
export class Peer {
  readonly id: number;
  readonly address: PeerAddress;
  /** What it is counted under: its host, on loopback with the port. */
  readonly hostKey: string;
  readonly isIncoming: boolean;
  /** An HTTP server: long runs of pieces suit it. */
  readonly isWebSeed: boolean;
  readonly dial: number | undefined;
  readonly source: PeerOrigin;
  readonly peerId: Uint8Array;
  readonly capabilities: Capabilities;
  readonly connectedAtMs: number;
  /** True when both ends speak v2 on this connection. */
  readonly isV2: boolean;

  // What it has
  /** Undefined until the metadata is known and its bitfield was read. */
  has: Bitfield | 'seed' | undefined;
  /** What came before the metadata: a bitfield, have-all or have-none, and HAVEs. */
  early: Uint8Array | 'all' | 'none' | undefined;
  earlyHaves: number[] = [];
  /** True once a message came after which bitfield and its kin are illegal. */
  isBitfieldDue = true;
  /** Wanted pieces it has; it is interesting above 0. */
  wantedCount = 0;

  // Choking and interest, both directions
  amChoking = true;
  amInterested = false;
  peerChoking = true;
  peerInterested = false;
  readonly allowedFastFrom: Set<number> = new Set<number>();
  readonly allowedFastTo: Set<number> = new Set<number>();

  // Downloading
  readonly requests: RequestQueue = new RequestQueue();
  readonly pipeline: RequestPipeline;
  lastBlockMs: number;
  /** Nothing is read from it: our disk or our limit is the slow one, and its silence is ours. */
  isHeldBack = false;
  unrequestedBlocks = 0;
  /** Rejects while unchoked. */
  refusals = 0;
  /** Undefined until it refuses a piece. */
  refused: RefusedPieces | undefined;
  /** Bytes of its blocks in pieces that passed their hash. */
  verifiedBytes = 0;
  snubs = 0;
  /** Pieces it had when its bitfield came. */
  firstShown = 0;
  /** A piece with blocks of it and of others failed: it gets pieces of its own until one is good. */
  isOnParole = false;

  // Uploading: triples of piece, begin, length that were not handed to the socket
  uploads: number[] = [];
  readonly uploadMeter: RateMeter;
  /** Since when it waits for a slot. */
  waitingSinceMs: number;
  /** When its slot began; undefined while we choke it. */
  unchokedAtMs: number | undefined;
  /** Served while choked (BEP 6). */
  allowedFastBytes = 0;
  /** It was told of every piece; false for one that came while super seeding. */
  isToldAll = true;

  // Manners
  readonly conduct: Conduct;

  // Extensions
  readonly extensions: PeerExtensions = new PeerExtensions();
  client = '';
  metadataBytes = 0;
  isUploadOnly = false;
  listenPort: number | undefined;
  hasToldDhtPort = false;
  /** Addresses that are not dialled while this connection lasts: they lead to the same peer. */
  readonly doors: PeerAddress[] = [];
  /** We offered `ut_pex` to it. */
  isOfferedExchange = false;
  metadataRequests = 0;
  metadataServed = 0;
  metadataRejectedMs: number = Number.NEGATIVE_INFINITY;
  hashRequests = 0;
  /** Hash requests that were given up, by root and index: their answers may still come. */
  readonly lateHashes: Set<string> = new Set<string>();
  /** Requests for leaf hashes that it has not answered, given up or not. */
  leafRequests = 0;
  /** Ranges of leaf hashes it was given or waits for. */
  leafServes = 0;
  /** It said that it has not the hashes of these roots. */
  readonly hashRejects: Set<string> = new Set<string>();

  // Time
  lastReceivedMs: number;
  lastSentMs: number;
  readonly out: MessageWriter = new MessageWriter();

  constructor(nowMs: number, connected: ConnectedPeer, canV2: boolean, source: PeerOrigin) {
    this.id = connected.id;
    this.address = connected.address;
    this.hostKey = hostKeyOf(connected.address);
    this.isIncoming = connected.isIncoming;
    this.isWebSeed = connected.isWebSeed === true;
    this.dial = connected.dial;
    this.source = source;
    this.peerId = connected.peerId;
    this.capabilities = parseReserved(connected.reserved);
    this.isV2 = canV2;
    this.connectedAtMs = nowMs;
    this.pipeline = new RequestPipeline(nowMs);
    this.uploadMeter = new RateMeter(nowMs);
    this.conduct = new Conduct(nowMs);
    this.waitingSinceMs = nowMs;
    this.lastBlockMs = nowMs;
    this.lastReceivedMs = nowMs;
    this.lastSentMs = nowMs;
  }

  get isSeed(): boolean {
    return this.has === 'seed' || this.has?.isFull === true;
  }

  /** How many pieces it shows. */
  shownPieces(pieceCount: number): number {
    return this.has === 'seed' ? pieceCount : (this.has?.count ?? 0);
  }

  /** Where it listens: the address that was dialled, or its host with the port that it told. */
  get listenAddress(): PeerAddress | undefined {
    if (this.dial !== undefined) return this.address;
    if (this.listenPort === undefined) return undefined;
    return { host: this.address.host, port: this.listenPort };
  }

  hasPiece(piece: number): boolean {
    return this.has === 'seed' || this.has?.has(piece) === true;
  }
}
