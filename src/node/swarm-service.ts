/**
 * Runs the core of one torrent on real sockets and disks: read → handle → drain → arm one timer.
 *
 * It owns the torrent's connections, its piece store and what the core asks for; what is on disk and what it means to the user is `torrent.ts`.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import { nodeCrypto, randomSeed } from '../io/crypto.ts';
import type { ByteConnection, Endpoint } from '../io/tcp.ts';
import type { Bitfield } from '../lib/bitfield.ts';
import { equalBytes } from '../lib/bytes.ts';
import { Rng } from '../lib/rng.ts';
import type { JobResult } from '../plane/disk-jobs.ts';
import type { DiskPool } from '../plane/disk-pool.ts';
import type { DiskFault, FileTable } from '../plane/file-table.ts';
import type { BlockTarget } from '../plane/framer.ts';
import { cutSegments } from '../plane/geometry.ts';
import { PieceStore } from '../plane/piece-store.ts';
import type { SendCache, SendSource } from '../plane/send-cache.ts';
import { SendQueue } from '../plane/send-queue.ts';
import type { SlabPool } from '../plane/slab-pool.ts';
import type { Info } from '../protocol/metainfo/index.ts';
import { encodeHandshake, type Handshake, makeReserved } from '../protocol/peer-wire/index.ts';
import {
  type PeerSource,
  Swarm,
  type SwarmEvent,
  type SwarmOutput,
} from '../protocol/swarm/index.ts';
import type { DialGate } from './dial-gate.ts';
import { Dials } from './dials.ts';
import type { Outlet } from './outlet.ts';
import { type LinkOwner, PeerLink } from './peer-link.ts';
import type { NeededPiece } from './playback.ts';
import type { Wake } from './rate-gate.ts';
import type { TorrentGeometry } from './storage.ts';
import { type LinkWakes, type NodeGates, type RateLimits, TorrentGates } from './torrent-gates.ts';
import type { WebSeedConnection } from './web-seed-connection.ts';
import { type WebSeedPlan, type WebSeedStatus, WebSeeds } from './web-seeds.ts';

// Specification constants
const BLOCK_BYTES = 16_384;
/** Of a `piece` message, its length prefix included. */
const BLOCK_HEADER_BYTES = 13;

// Implementation limits
/** A block that takes longer than this to arrive gives way when another peer sends it too. */
const TRICKLE_MS = 1_000;

/** What all torrents of a node share. */
export interface NodePlane extends NodeGates {
  readonly pool: SlabPool;
  readonly disk: DiskPool;
  readonly sendCache: SendCache;
  readonly dialGate: DialGate;
  /** False: the reach policy forbids dialling this address. */
  readonly mayDial: (host: string) => boolean;
  /** What former meetings say of a host: -1 (bad) … 1 (good), 0 for a stranger. */
  readonly standingOf: (host: string) => number;
  /** True: the limits of connections for an address and its network don't count here. */
  readonly isExempt: (host: string) => boolean;
}

/** Options of a SwarmService. */
export interface SwarmServiceOptions {
  readonly plane: NodePlane;
  readonly infoHashV1?: Uint8Array;
  readonly infoHashV2?: Uint8Array;
  readonly peerId: Uint8Array;
  readonly clientName: string;
  readonly listenPort?: number;
  /** UDP port of the DHT node, when there is one. */
  readonly dhtPort?: number;
  readonly localHost?: string;
  readonly maxPeers?: number;
  /** False: peers are neither told of others nor believed about them. Default true. */
  readonly usesPeerExchange?: boolean;
  /** False: no metadata is asked for, taken or served (BEP 9). Default true. */
  readonly usesMetadataExchange?: boolean;
  /** Which incoming connections are answered; default: all. */
  readonly admits?: ((connection: ByteConnection) => boolean) | undefined;
  /** Another way to connect than by TCP. */
  readonly connect?:
    | ((address: Endpoint, signal: AbortSignal) => Promise<ByteConnection>)
    | undefined;
  /** Default: none. */
  readonly webSeeds?: WebSeedPlan;
  readonly onEvent: (event: SwarmEvent) => void;
  readonly onDiskFault: (fault: DiskFault) => void;
}

/** A running torrent core. */
export class SwarmService implements LinkOwner {
  readonly swarm: Swarm;
  readonly #options: SwarmServiceOptions;
  readonly #plane: NodePlane;
  #infoHashV1: Uint8Array | undefined;
  #infoHashV2: Uint8Array | undefined;
  readonly #links = new Map<number, PeerLink>();
  readonly #wakes = new WeakMap<PeerLink, LinkWakes>();
  readonly #dials: Dials;
  readonly #pumps = new Set<SendQueue>();
  readonly #gates: TorrentGates;
  #nextId = 0;
  #store: PieceStore | undefined;
  #active: { readonly geometry: TorrentGeometry; readonly storage: number } | undefined;
  #source: SendSource | undefined;
  #webSeeds: WebSeeds | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerMs: number = Number.POSITIVE_INFINITY;
  #isDraining = false;
  #isStopped = false;
  /** No connections until `wake`. */
  #isResting = false;

  constructor(options: SwarmServiceOptions) {
    this.#options = options;
    this.#plane = options.plane;
    this.#gates = new TorrentGates(options.plane);
    this.#infoHashV1 = options.infoHashV1;
    this.#infoHashV2 = options.infoHashV2;
    this.#dials = new Dials({
      dialGate: options.plane.dialGate,
      mayDial: options.plane.mayDial,
      localHost: options.localHost,
      connect: options.connect,
      greeting: () => this.#greeting(),
      isWanted: () => !this.#isStopped && !this.#isResting,
      adopt: (link, handshake) => this.#answered(link, handshake),
      onFailed: (dial, reason) => {
        this.swarm.handleDialFailed(monotonicMs(), dial, reason);
        this.drain();
      },
    });
    this.swarm = new Swarm(monotonicMs(), {
      peerId: options.peerId,
      crypto: nodeCrypto,
      rng: new Rng(randomSeed()),
      clientName: options.clientName,
      isExempt: options.plane.isExempt,
      standingOf: ({ host }) => options.plane.standingOf(host),
      usesPeerExchange: options.usesPeerExchange ?? true,
      usesMetadataExchange: options.usesMetadataExchange ?? true,
      ...(options.infoHashV1 === undefined ? {} : { infoHashV1: options.infoHashV1 }),
      ...(options.infoHashV2 === undefined ? {} : { infoHashV2: options.infoHashV2 }),
      ...(options.listenPort === undefined ? {} : { listenPort: options.listenPort }),
      ...(options.dhtPort === undefined ? {} : { dhtPort: options.dhtPort }),
      ...(options.maxPeers === undefined ? {} : { maxPeers: options.maxPeers }),
    });
  }

  /** Starts the clock; nothing is dialled before addresses are added. */
  start(): void {
    this.#tick();
  }

  /** The files are ready: data may flow. */
  activate(options: {
    readonly info: Info;
    readonly layers: ReadonlyMap<string, Uint8Array>;
    readonly have: Bitfield;
    readonly geometry: TorrentGeometry;
    readonly storage: number;
    readonly files: FileTable;
    readonly priorityOf: (piece: number) => number;
    readonly isSequential: boolean;
  }): void {
    const { pool, disk } = this.#plane;
    this.#infoHashV1 = options.info.infoHashV1;
    this.#infoHashV2 = options.info.infoHashV2;
    this.#active = { geometry: options.geometry, storage: options.storage };
    this.#source = { files: options.files, geometry: options.geometry };
    this.#store = new PieceStore({
      geometry: options.geometry,
      pool,
      disk,
      storage: options.storage,
      handlers: { onPiece: (piece, result) => this.#onPiece(piece, result) },
    });
    this.swarm.setTorrent(monotonicMs(), options.info, options.layers, options.have);
    this.swarm.setOpenLimit(this.#store.openLimit);
    this.swarm.setSequential(options.isSequential);
    this.swarm.setPriorities(options.priorityOf);
    for (const link of this.#links.values()) this.#equip(link);
    const { webSeeds } = this.#options;
    if (webSeeds !== undefined) {
      this.#webSeeds = new WebSeeds(webSeeds, options, (connection) =>
        this.#adoptWebSeed(connection),
      );
    }
    this.drain();
    this.pulse(monotonicMs());
  }

  /** Web seeds are connected while something is wanted; call it about once a second. */
  pulse(nowMs: number): void {
    if (this.#isStopped || this.#isResting || this.swarm.isComplete) return;
    this.#webSeeds?.connect(nowMs);
  }

  get webSeeds(): readonly WebSeedStatus[] {
    return this.#webSeeds?.status ?? [];
  }

  /** For reading on this machine, also while it rests; undefined before the files are checked, and after the end. */
  get source(): SendSource | undefined {
    return this.#isStopped ? undefined : this.#source;
  }

  /** For uploads by another way than to peers; undefined while there are none to be. */
  get outlet(): Outlet | undefined {
    const { have } = this.swarm;
    if (this.#source === undefined || have === undefined) return undefined;
    if (this.#isResting || this.#isStopped) return undefined;
    return {
      source: this.#source,
      have,
      available: (wake) => this.#gates.upload.available(wake),
      sent: (wake, dataBytes) => this.#sentElsewhere(wake, dataBytes),
      forget: (wake) => this.#gates.upload.forget(wake),
      failed: (fault) => this.#options.onDiskFault(fault),
    };
  }

  #sentElsewhere(wake: Wake, dataBytes: number): void {
    if (this.#gates.isCharging) this.#gates.charge(this.#gates.upload, wake, dataBytes);
    else this.#gates.upload.spend(wake, dataBytes);
    this.swarm.countUpload(monotonicMs(), dataBytes);
  }

  /** Pieces that are being filled and had bytes in a file that is not as it was: what came of them may be gone. */
  giveUpOpen(isHit: (piece: number) => boolean): void {
    for (const piece of this.#store?.giveUpOpen(isHit) ?? []) {
      this.swarm.handlePiece(monotonicMs(), piece, { isFault: true });
    }
  }

  /** Somebody else who reads the torrent's files met a fault. */
  reportFault(fault: DiskFault): void {
    this.#options.onDiskFault(fault);
  }

  /** Limits of this torrent, besides those of the node. */
  setLimits(limits: RateLimits): void {
    this.#gates.setLimits(limits);
    const { uploadBytesPerSec: upload } = limits;
    if (upload !== undefined) this.swarm.setUploadLimit(upload);
  }

  /** When pieces are needed, in place of what was said before. */
  setDeadlines(needs: readonly NeededPiece[]): void {
    const nowMs = monotonicMs();
    const deadlines = needs.map(({ piece, inMs }) => ({ piece, dueMs: nowMs + inMs }));
    this.swarm.setDeadlines(nowMs, deadlines);
    this.drain();
  }

  /** Drops every peer and address (BEP 27). */
  forgetPeers(): void {
    this.swarm.forgetPeers(monotonicMs());
    this.drain();
  }

  /** The metadata says that the torrent is private. */
  setPrivate(): void {
    this.swarm.setPrivate(monotonicMs());
    this.drain();
  }

  addPeers(addresses: readonly Endpoint[], source: Exclude<PeerSource, 'pex'>): void {
    this.swarm.addPeers(monotonicMs(), addresses, source);
    this.drain();
  }

  /** Ends every connection; data that is being written still counts. */
  disconnect(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#dials.close();
    this.swarm.stop(monotonicMs());
    this.drain();
    for (const link of this.#links.values()) link.close('stopped');
  }

  /** Ends every connection and refuses new ones, until `wake`. */
  rest(): void {
    if (this.#isResting) return;
    this.#isResting = true;
    this.#dials.abort();
    this.swarm.stop(monotonicMs());
    this.drain();
  }

  /** Connections may be made again. */
  wake(): void {
    if (!this.#isResting || this.#isStopped) return;
    this.#isResting = false;
    this.swarm.restart(monotonicMs());
    this.drain();
  }

  /** After `disconnect`, and after the disk answered: gives memory and files back. */
  close(): void {
    this.#store?.close();
    this.#gates.close();
    if (this.#source === undefined) return;
    this.#plane.sendCache.forget(this.#source);
    this.#source.files.close();
  }

  /** Speaks over a connection that was made elsewhere, as the end that begins. */
  join(connection: ByteConnection): void {
    const link = new PeerLink({
      connection,
      isIncoming: false,
      onHandshake: (itself, handshake) => this.#answered(itself, handshake),
      onAbandoned: () => {},
    });
    if (this.#isStopped || this.#isResting) link.close('stopped');
    else link.write(this.#greeting());
  }

  /** Takes over an incoming link whose handshake names this torrent. @returns undefined to refuse it. */
  accept(link: PeerLink, handshake: Handshake): LinkOwner | undefined {
    if (this.#isStopped || this.#isResting) return undefined;
    if (this.#options.admits?.(link.connection) === false) return undefined;
    if (!this.swarm.admits(monotonicMs(), link.connection.remote)) return undefined;
    const hasV2Bit = (handshake.reserved[7]! & 0x10) !== 0;
    const upgraded = hasV2Bit ? this.#infoHashV2?.subarray(0, 20) : undefined;
    link.write(this.#handshake(upgraded ?? handshake.infoHash));
    return this.#adopt(link, handshake);
  }

  // LinkOwner

  onMessage(link: PeerLink, bytes: Uint8Array): void {
    this.swarm.handleMessage(link.readAtMs, link.id, bytes);
  }

  onRequests(link: PeerLink, bytes: Uint8Array): void {
    this.swarm.handleRequests(link.readAtMs, link.id, bytes);
  }

  onBlockStart(
    link: PeerLink,
    piece: number,
    begin: number,
    length: number,
  ): BlockTarget | undefined {
    if (!this.swarm.isExpected(link.id, piece, begin, length)) return undefined;
    const store = this.#store;
    const block = begin / BLOCK_BYTES;
    let target = store?.begin(piece, block);
    if (target === undefined && this.#takeBlockOver(link, piece, begin)) {
      target = store?.begin(piece, block);
    }
    if (target !== undefined) link.opening = target.opening;
    return target;
  }

  /** A block has one writer at a time: one that trickles in gives way to another copy. @returns true when it did. */
  #takeBlockOver(link: PeerLink, piece: number, begin: number): boolean {
    if (this.#store?.isFilling(piece, begin / BLOCK_BYTES) !== true) return false;
    for (const other of this.#links.values()) {
      if (!other.isStoring || other.piece !== piece || other.begin !== begin) continue;
      if (link.readAtMs - other.blockStartedMs < TRICKLE_MS) return false;
      this.#store.abandon(piece, begin / BLOCK_BYTES, other.opening);
      other.dropBlock();
      return true;
    }
    return false;
  }

  onBlockEnd(link: PeerLink): void {
    const { piece, begin, length, isStoring } = link;
    if (!this.#plane.countsOverhead && !this.#gates.download.isUnlimited) {
      this.#gates.download.spend(this.#wakesOf(link).resume, length);
    }
    // A fault of the disk may have ended the piece that the block began in, and the core may have asked for the block anew.
    const isStored = isStoring && this.#store?.isCurrent(piece, link.opening) === true;
    // The core first: it settles the piece's state before its last part can go to disk.
    this.swarm.handleBlock(link.readAtMs, link.id, { piece, begin, length }, isStored);
    if (isStoring) this.#store?.complete(piece, begin / BLOCK_BYTES, link.opening);
  }

  onBlockLost(link: PeerLink): void {
    if (link.isStoring) {
      this.#store?.abandon(link.piece, link.begin / BLOCK_BYTES, link.opening);
    }
  }

  onReadDone(link: PeerLink): void {
    this.drain();
    const { download, isCharging } = this.#gates;
    const { resume } = this.#wakesOf(link);
    if (isCharging) this.#gates.charge(download, resume, link.readBytes);
    if (this.#plane.disk.isBehind) {
      this.#setReading(link, false);
      this.#plane.disk.whenCaughtUp(resume);
    } else if (!download.isUnlimited && !link.isClosed && download.available(resume) <= 0) {
      this.#setReading(link, false);
    }
  }

  #setReading(link: PeerLink, isReading: boolean): void {
    this.swarm.handleReading(monotonicMs(), link.id, isReading);
    if (isReading) link.connection.resume();
    else link.connection.pause();
  }

  #transmit(id: number, bytes: Uint8Array): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    link.write(bytes);
    // Messages are never held back, only paid for: they are small, and what they say is worth most when it is fresh.
    if (this.#gates.isCharging)
      this.#gates.charge(this.#gates.upload, this.#wakesOf(link).pump, bytes.length);
  }

  onClosed(link: PeerLink, reason: string): void {
    this.#links.delete(link.id);
    const wakes = this.#wakesOf(link);
    this.#gates.upload.forget(wakes.pump);
    this.#gates.download.forget(wakes.resume);
    this.swarm.handleClosed(monotonicMs(), link.id, reason);
    this.drain();
  }

  /** Does what the core asks for. */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    const now = monotonicMs();
    for (let output = this.swarm.poll(now); output !== undefined; output = this.swarm.poll(now)) {
      this.#act(output);
    }
    this.#isDraining = false;
    if (this.swarm.nextTimeoutMs < this.#timerMs) this.#arm(now);
    for (const queue of this.#pumps) {
      this.#pumps.delete(queue);
      queue.pump();
    }
  }

  #act(output: SwarmOutput): void {
    switch (output.type) {
      case 'transmit':
        this.#transmit(output.id, output.bytes);
        return;
      case 'serve': {
        const queue = this.#links.get(output.id)?.queue;
        if (queue === undefined) return;
        queue.push(output.ranges);
        this.#pumps.add(queue);
        return;
      }
      case 'unserve':
        this.#links.get(output.id)?.queue?.cancel(output.piece, output.begin, output.length);
        return;
      case 'unserve-all':
        this.#links.get(output.id)?.queue?.clear();
        return;
      case 'dial':
        if (!this.#isStopped) this.#dials.begin(output.dial, output.address);
        return;
      case 'close':
        this.#links.get(output.id)?.close(output.reason);
        return;
      case 'digest':
        this.#digest(output.piece);
        return;
      case 'event':
        if (output.event.type === 'peer-banned') this.#webSeeds?.discard(output.event.address.host);
        this.#options.onEvent(output.event);
        return;
    }
  }

  #digest(piece: number): void {
    const { disk } = this.#plane;
    const { geometry, storage } = this.#active!;
    const lengthBytes = geometry.wantedBytes(piece);
    const segments = cutSegments(geometry.segments(piece), 0, lengthBytes);
    disk.submit(disk.idlest(), { kind: 'blocks', storage, lengthBytes, segments }, (result) => {
      if (this.#isStopped) return;
      if (result.fault !== undefined) this.#options.onDiskFault(result.fault);
      this.swarm.handleDigests(monotonicMs(), piece, result.blockDigests);
      this.drain();
    });
  }

  #isOurs(infoHash: Uint8Array): boolean {
    return [this.#infoHashV1, this.#infoHashV2].some(
      (ours) => ours !== undefined && equalBytes(ours.subarray(0, 20), infoHash),
    );
  }

  /** Our handshake where we speak first. */
  #greeting(): Uint8Array {
    return this.#handshake((this.#infoHashV1 ?? this.#infoHashV2!).subarray(0, 20));
  }

  /** The answer to our greeting. */
  #answered(link: PeerLink, handshake: Handshake): LinkOwner | undefined {
    return this.#isOurs(handshake.infoHash) ? this.#adopt(link, handshake) : undefined;
  }

  #handshake(infoHash: Uint8Array): Uint8Array {
    const reserved = makeReserved({
      fast: true,
      extension: true,
      dht: this.#options.dhtPort !== undefined && !this.swarm.isPrivate,
      v2: this.#infoHashV2 !== undefined,
    });
    return encodeHandshake({ reserved, infoHash, peerId: this.#options.peerId });
  }

  #adoptWebSeed(connection: WebSeedConnection): void {
    new PeerLink({
      connection,
      isIncoming: false,
      onHandshake: (link, handshake) => this.#adopt(link, handshake, true),
      onAbandoned: () => {},
    });
  }

  #adopt(link: PeerLink, handshake: Handshake, isWebSeed = false): LinkOwner {
    while (this.#links.has(this.#nextId)) this.#nextId = (this.#nextId + 1) % 65_536;
    link.id = this.#nextId;
    this.#nextId = (this.#nextId + 1) % 65_536;
    this.#links.set(link.id, link);
    this.#equip(link);
    this.swarm.handleConnected(link.readAtMs, {
      id: link.id,
      address: link.connection.remote,
      isIncoming: link.isIncoming,
      isWebSeed,
      ...(link.dial === undefined ? {} : { dial: link.dial }),
      ...handshake,
    });
    return this;
  }

  #wakesOf(link: PeerLink): LinkWakes {
    let wakes = this.#wakes.get(link);
    if (wakes === undefined) {
      const resume = (): void => this.#setReading(link, true);
      wakes = { pump: () => link.queue?.pump(), resume };
      this.#wakes.set(link, wakes);
    }
    return wakes;
  }

  #equip(link: PeerLink): void {
    if (this.#source === undefined || link.queue !== undefined) return;
    const { sendCache } = this.#plane;
    const { pump } = this.#wakesOf(link);
    const queue = new SendQueue(sendCache, this.#source, link, {
      allowance: () => this.#gates.upload.available(pump),
      onSent: (dataBytes, blockCount) => {
        if (this.#gates.isCharging) {
          this.#gates.charge(this.#gates.upload, pump, dataBytes + blockCount * BLOCK_HEADER_BYTES);
        } else this.#gates.upload.spend(pump, dataBytes);
        this.swarm.handleServed(monotonicMs(), link.id, blockCount, dataBytes);
      },
      onFault: (piece, begin, length, fault) => {
        this.swarm.handleServeFailed(link.id, { piece, begin, length });
        this.#options.onDiskFault(fault);
        queueMicrotask(() => this.drain());
      },
    });
    link.queue = queue;
  }

  #onPiece(piece: number, result: JobResult): void {
    this.swarm.handlePiece(monotonicMs(), piece, {
      ...(result.v1 === undefined ? {} : { v1: result.v1 }),
      ...(result.v2 === undefined ? {} : { v2: result.v2 }),
      isFault: result.fault !== undefined,
    });
    if (result.fault !== undefined) this.#options.onDiskFault(result.fault);
    this.drain();
  }

  #tick(): void {
    if (this.#isStopped) return;
    const now = monotonicMs();
    this.#timerMs = Number.POSITIVE_INFINITY;
    this.swarm.handleTimeout(now);
    this.drain();
  }

  /** The core may want to be called earlier than it did. */
  #arm(nowMs: number): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timerMs = this.swarm.nextTimeoutMs;
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, this.#timerMs - nowMs));
  }
}
