/**
 * Everything the core of one torrent knows. The handlers in `handle/` and the modules beside this file work on it; `swarm.ts` is its face.
 *
 * Life: without metadata only ut_metadata runs; `setTorrent` makes it active; `isPaused` stops requests, not the connections.
 * @module
 */
import { Bitfield } from '../../lib/bitfield.ts';
import { equalBytes, toHex } from '../../lib/bytes.ts';
import type { Crypto } from '../../lib/ports.ts';
import type { Rng } from '../../lib/rng.ts';
import { HashTree, type Info, PieceLayout, VERSION_TRAITS } from '../metainfo/index.ts';
import type { HashRange } from '../peer-wire/index.ts';
import { priorityOf } from './admission.ts';
import { Choker, DEFAULT_SLOTS } from './choker.ts';
import { ShunList } from './conduct.ts';
import { DEFAULT_MAX_PEERS } from './constants.ts';
import { Deadlines } from './deadlines.ts';
import { GivenLedger } from './given-ledger.ts';
import type { LeafRequest } from './leaf-hashes.ts';
import type { MetadataExchange } from './metadata-exchange.ts';
import { NetworkLimits } from './network-limits.ts';
import { OwnAddresses } from './own-address.ts';
import type { Peer } from './peer.ts';
import type { PeerExchange } from './peer-exchange.ts';
import { PeerList } from './peer-list.ts';
import { PiecePicker } from './picker.ts';
import { DEFAULT_PRIORITY } from './picker-limits.ts';
import { RateMeter } from './pipeline.ts';
import { SlotTuner } from './slot-tuner.ts';
import { SmartBan } from './smart-ban.ts';
import type { SuperSeeding } from './super-seeding.ts';
import type { PeerAddress, SwarmEvent, SwarmOptions, SwarmOutput, SwarmTotals } from './types.ts';

/** What is known once the metadata is. */
export class Torrent {
  readonly info: Info;
  readonly layout: PieceLayout;
  readonly picker: PiecePicker;
  readonly deadlines: Deadlines;
  readonly have: Bitfield;
  /** v2: piece layers of files larger than a piece, by hex of the root. */
  readonly trees: Map<string, HashTree> = new Map<string, HashTree>();
  /** v2: trees with hashes still to come. */
  missingTrees: HashTree[] = [];
  /** v2: hash requests under way, by root and index. */
  readonly hashRequests: Map<string, { readonly peer: Peer; readonly askedMs: number }> = new Map<
    string,
    { readonly peer: Peer; readonly askedMs: number }
  >();
  /** Who gave the blocks of pieces that failed. */
  readonly smartBan: SmartBan = new SmartBan();
  /** What each host was given. */
  readonly ledger: GivenLedger;
  /** Pieces whose blocks are being digested by the data plane. */
  readonly digesting: Set<number> = new Set<number>();
  /** v2: requests for the leaf hashes of failed pieces, by piece. */
  readonly leafRequests: Map<number, LeafRequest> = new Map<number, LeafRequest>();
  /** v2: peers that wait for leaf hashes. */
  leafServes: { readonly peer: Peer; readonly piece: number; readonly range: HashRange }[] = [];
  /** v2-only pieces whose hash is not known: they are not asked for yet. */
  readonly #locked: Bitfield;
  /** What the user wants; the picker gets 0 instead while a piece is locked. */
  readonly #priorities: Uint8Array;
  #lockedWanted = 0;

  constructor(
    info: Info,
    have: Bitfield,
    layers: ReadonlyMap<string, Uint8Array>,
    crypto: Crypto,
    rng: Rng,
  ) {
    this.info = info;
    this.layout = new PieceLayout(info);
    this.ledger = new GivenLedger(info.pieceLengthBytes);
    this.have = have;
    const layout = this.layout;
    this.picker = new PiecePicker({
      pieceCount: info.pieceCount,
      blockCount: (piece) => Math.max(1, layout.blockCount(piece)),
      isPadBlock: (piece, block) => layout.isPadBlock(piece, block),
      rng,
    });
    this.deadlines = new Deadlines(this.picker);
    this.#locked = new Bitfield(info.pieceCount);
    this.#priorities = new Uint8Array(info.pieceCount).fill(DEFAULT_PRIORITY);
    for (let piece = 0; piece < info.pieceCount; piece += 1) {
      if (layout.isAllPad(piece)) have.add(piece);
    }
    for (const piece of have) this.picker.markHave(piece);
    if (VERSION_TRAITS[info.version].hasV2) this.#plantTrees(layers, crypto);
  }

  /** Wanted pieces that are not had, those whose hash is not known yet included. */
  get wantedLeft(): number {
    return this.picker.wantedLeft + this.#lockedWanted;
  }

  /** @param priority 0 (unwanted) … 7 (first). */
  setPriority(piece: number, priority: number): void {
    const before = this.#priorities[piece]!;
    this.#priorities[piece] = priority;
    if (!this.#locked.has(piece)) this.picker.setPriority(piece, priority);
    else this.#lockedWanted += Number(priority > 0) - Number(before > 0);
  }

  isWanted(piece: number): boolean {
    return this.#priorities[piece]! > 0;
  }

  /** The hashes of these pieces of a tree's file are known now. */
  unlock(tree: HashTree, first: number, count: number): void {
    const root = toHex(tree.root);
    for (const [index, file] of this.info.files.entries()) {
      if (file.piecesRoot === undefined || toHex(file.piecesRoot) !== root) continue;
      const start = this.layout.filePieces(index).first + first;
      for (let piece = start; piece < start + count; piece += 1) {
        if (!this.#locked.delete(piece)) continue;
        if (this.#priorities[piece]! > 0) this.#lockedWanted -= 1;
        this.picker.setPriority(piece, this.#priorities[piece]!);
      }
    }
    if (tree.isComplete) this.missingTrees = this.missingTrees.filter((other) => other !== tree);
  }

  /** The piece layers that are known whole, by hex of the root. */
  layers(): Map<string, Uint8Array> {
    const layers = new Map<string, Uint8Array>();
    for (const [root, tree] of this.trees) {
      if (tree.layer !== undefined) layers.set(root, tree.layer);
    }
    return layers;
  }

  /** v2: the root a piece must have; undefined while unknown, or in v1. */
  expectedV2(piece: number): Uint8Array | undefined {
    if (!VERSION_TRAITS[this.info.version].hasV2) return undefined;
    const file = this.info.files[this.layout.fileIndexV2(piece)]!;
    if (file.lengthBytes <= this.info.pieceLengthBytes) return file.piecesRoot;
    if (file.piecesRoot === undefined) return undefined;
    return this.trees.get(toHex(file.piecesRoot))?.hash(this.layout.pieceInFileV2(piece));
  }

  /** v2: the root of the file that a piece belongs to. */
  rootV2(piece: number): Uint8Array | undefined {
    if (!VERSION_TRAITS[this.info.version].hasV2) return undefined;
    return this.info.files[this.layout.fileIndexV2(piece)]!.piecesRoot;
  }

  /** v2: a piece of the first file with this root. @param pieceInFile from 0. */
  pieceOfRoot(root: Uint8Array, pieceInFile: number): number | undefined {
    const index = this.info.files.findIndex(
      (file) => file.piecesRoot !== undefined && equalBytes(file.piecesRoot, root),
    );
    if (index < 0) return undefined;
    const { first, count } = this.layout.filePieces(index);
    return pieceInFile < count ? first + pieceInFile : undefined;
  }

  #plantTrees(layers: ReadonlyMap<string, Uint8Array>, crypto: Crypto): void {
    const { info } = this;
    for (const [index, file] of info.files.entries()) {
      if (file.piecesRoot === undefined || file.lengthBytes <= info.pieceLengthBytes) continue;
      const root = toHex(file.piecesRoot);
      const { first, count } = this.layout.filePieces(index);
      const layer = layers.get(root);
      if (!this.trees.has(root)) {
        const tree = new HashTree(crypto, file.piecesRoot, count, info.pieceLengthBytes, layer);
        this.trees.set(root, tree);
        if (layer === undefined) this.missingTrees.push(tree);
      }
      if (layer === undefined && !VERSION_TRAITS[info.version].hasV1) this.#lock(first, count);
    }
  }

  #lock(first: number, count: number): void {
    for (let piece = first; piece < first + count; piece += 1) {
      if (this.have.has(piece) || !this.#locked.add(piece)) continue;
      this.#lockedWanted += 1;
      this.picker.setPriority(piece, 0);
    }
  }
}

/** The state of one torrent's core. */
export class SwarmState {
  readonly options: SwarmOptions;
  readonly crypto: Crypto;
  readonly rng: Rng;
  readonly maxPeers: number;
  readonly peers: Map<number, Peer> = new Map<number, Peer>();
  readonly list: PeerList;
  readonly shunned: ShunList = new ShunList();
  readonly limits: NetworkLimits;
  readonly ownAddresses: OwnAddresses = new OwnAddresses();
  /** Connections that others made. */
  incomingCount = 0;
  /** Hosts of the dials under way, which count in `limits`. */
  readonly dialHosts: Map<number, string> = new Map<number, string>();
  /** When the order of dials may be changed next, as our own address did; infinite: it need not. */
  nextRankMs: number = Number.POSITIVE_INFINITY;
  lastRankMs: number = Number.NEGATIVE_INFINITY;
  readonly choker: Choker;
  /** Undefined: the number of slots was given. */
  readonly tuner: SlotTuner | undefined;
  /** 0: unlimited. */
  uploadLimitBytesPerSec = 0;
  superSeeding: SuperSeeding | undefined;
  /** What hosts did before counts when slots are given. */
  readonly remembers: boolean;
  readonly totals: SwarmTotals = {
    downloadedBytes: 0,
    uploadedBytes: 0,
    wastedBytes: 0,
    failedPieces: 0,
  };
  /** Of the uploaded bytes, those that went to no peer. */
  otherUploadedBytes = 0;
  outputs: SwarmOutput[] = [];
  /** Outputs before this were polled. */
  outputsHead = 0;
  /** Peers with something to send or room for requests. */
  readonly dirty: Set<Peer> = new Set<Peer>();
  /** Blocks that may be asked for, of all peers together, before they are counted again. */
  requestRoom = 0;
  /** Peers that owe blocks which timed out. */
  readonly lapsed: Set<Peer> = new Set<Peer>();
  /** Peers that could take more requests than there were. */
  readonly hungry: Set<Peer> = new Set<Peer>();
  readonly downloadMeter: RateMeter;
  readonly uploadMeter: RateMeter;
  torrent: Torrent | undefined;
  metadata: MetadataExchange | undefined;
  exchange!: PeerExchange;
  isPaused = false;
  isDialling = true;
  /** BEP 27: no peer exchange, no DHT, nobody who was found that way. */
  isPrivate = false;
  wasComplete = false;
  areLayersTold = false;
  /** When housekeeping is due; Infinity while there is nothing to time (housekeeping.ts). */
  nextTickMs: number = Number.POSITIVE_INFINITY;
  lastTickMs = 0;
  /** Peers with HAVEs that wait for something else to go with. */
  readonly held: Set<Peer> = new Set<Peer>();
  nextHaveMs: number = Number.POSITIVE_INFINITY;
  /** When an address that waits may be dialled. */
  nextDialMs: number = Number.POSITIVE_INFINITY;

  constructor(nowMs: number, options: SwarmOptions) {
    this.options = options;
    this.crypto = options.crypto;
    this.rng = options.rng;
    this.maxPeers = options.maxPeers ?? DEFAULT_MAX_PEERS;
    this.limits = new NetworkLimits((host) => this.isExempt(host));
    this.list = new PeerList(
      options.rng.fork(),
      (address) => priorityOf(this, address),
      (address) => this.standingOf(address),
    );
    const slots = (options.uploadSlots ?? DEFAULT_SLOTS) + 1;
    const { remembers = true, ...choking } = options.choking ?? {};
    this.remembers = remembers;
    this.choker = new Choker({ rng: options.rng.fork(), slots, ...choking });
    this.tuner = options.uploadSlots === undefined ? new SlotTuner(slots) : undefined;
    this.downloadMeter = new RateMeter(nowMs);
    this.uploadMeter = new RateMeter(nowMs);
  }

  /** The info dictionary as it is given to peers (BEP 9); undefined when there is none to give. */
  get infoToServe(): Uint8Array | undefined {
    const info = this.torrent?.info;
    const isServed = this.options.usesMetadataExchange !== false;
    if (info === undefined || !isServed || VERSION_TRAITS[info.version].isUnhashed)
      return undefined;
    return info.infoBytes;
  }

  /** Every wanted piece is had. */
  get isComplete(): boolean {
    return this.torrent !== undefined && this.torrent.wantedLeft === 0;
  }

  /** Every piece is had. */
  get isSeed(): boolean {
    return this.torrent?.have.isFull === true;
  }

  /** Limits by host are no business of this machine's own programs, nor of what the user named. */
  isExempt(host: string): boolean {
    return this.options.isExempt?.(host) ?? (host.startsWith('127.') || host === '::1');
  }

  /** What former meetings say of whoever is there: -1 (bad) … 1 (good), 0 for a stranger. */
  standingOf(address: PeerAddress): number {
    return this.options.standingOf?.(address) ?? 0;
  }

  emit(event: SwarmEvent): void {
    this.outputs.push({ type: 'event', event });
  }

  /** More can be asked for: whoever went away with less than it could take is served again. */
  feedHungry(): void {
    for (const peer of this.hungry) this.dirty.add(peer);
    this.hungry.clear();
  }
}
