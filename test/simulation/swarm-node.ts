/**
 * A production swarm core on a simulated host: the shell that `src/node/swarm-service.ts` is on real sockets, in virtual time.
 *
 * Control bytes are the core's own; blocks are descriptors that take as long as their bytes would. `mischief` bends what a peer sends.
 * @module
 */
import { Bitfield } from '../../src/lib/bitfield.ts';
import { concatBytes, equalBytes } from '../../src/lib/bytes.ts';
import type { Rng } from '../../src/lib/rng.ts';
import { SendAhead } from '../../src/plane/send-ahead.ts';
import { parseInfo } from '../../src/protocol/metainfo/index.ts';
import {
  BLOCK_BYTES,
  decodeHandshake,
  encodeHandshake,
  type Handshake,
  makePeerId,
  makeReserved,
  PIECE_HEADER_BYTES,
} from '../../src/protocol/peer-wire/index.ts';
import {
  type Deadline,
  Swarm,
  type SwarmEvent,
  type SwarmOptions,
  type SwarmOutput,
} from '../../src/protocol/swarm/index.ts';
import { nodeCrypto } from '../support/node-crypto.ts';
import type { Timer, VirtualClock } from './clock.ts';
import { SimDisk } from './disk.ts';
import type { Address, Host, StreamEnd } from './network.ts';
import { type Chunk, type Link, LinkBooks, splitMessages, Violation } from './swarm-link.ts';
import { SimStore } from './swarm-store.ts';
import type { SimTorrent } from './swarm-torrent.ts';

/** Port that every peer listens on. */
export const PEER_PORT = 6_881;
/** As in the real shell: a block that takes longer gives way to another copy. */
const TRICKLE_MS = 1_000;
/** Time of a disk fault before the torrent tries again. */
const RETRY_MS = 5_000;

/** Ways to misbehave or to be limited. */
export interface Mischief {
  /** Share of blocks served whose bytes are wrong, 0 … 1. */
  readonly corruptShare?: number;
  /** Takes requests and never answers. */
  readonly isSilent?: boolean;
  /** Changes a control message on its way out; undefined swallows it. Without length prefix. */
  readonly bend?: (message: Uint8Array) => Uint8Array | undefined;
  /** Hears nothing of this type of message. */
  readonly isDeafTo?: number;
}

/** What a peer is made from. */
export interface SimPeerOptions {
  readonly host: Host<Chunk>;
  readonly rng: Rng;
  readonly torrent: SimTorrent;
  /** Pieces on disk at the start: 'all', 'none' (default) or some. */
  readonly have?: 'all' | 'none' | Iterable<number>;
  /** True: only the info-hashes are known. */
  readonly isMagnet?: boolean;
  /** The info-hashes that a magnet names; default all. */
  readonly knows?: 'v1' | 'v2' | 'both';
  /** v2: the torrent file had no piece layers. */
  readonly isWithoutLayers?: boolean;
  readonly maxPeers?: number;
  /** False: no peer exchange. */
  readonly usesPeerExchange?: boolean;
  readonly isSequential?: boolean;
  /** 0 (not wanted) … 7; default 4 for all. */
  readonly priorityOf?: (piece: number) => number;
  /** Blocks of a part of a piece, default 64 as in the real store. */
  readonly partBlocks?: number;
  readonly openLimit?: number;
  readonly fast?: boolean;
  readonly mischief?: Mischief;
  /** Choking, limits and the like. */
  readonly core?: Pick<SwarmOptions, 'choking' | 'isExempt' | 'standingOf' | 'uploadSlots'>;
}

/** A peer of one torrent. */
export class SimPeer {
  readonly options: SimPeerOptions;
  readonly host: Host<Chunk>;
  readonly disk: SimDisk;
  readonly swarm: Swarm;
  readonly links = new Map<number, Link>();
  readonly events: SwarmEvent[] = [];
  readonly peerId: Uint8Array;
  completedMs: number | undefined;
  /** False after `leave` or `crash`. */
  isRunning = true;
  isPaused = false;
  torrent: SimTorrent | undefined;
  readonly #clock: VirtualClock;
  readonly #rng: Rng;
  readonly #closedIds = new Set<number>();
  readonly #mischief: Mischief;
  #infoHashV1: Uint8Array | undefined;
  #infoHashV2: Uint8Array | undefined;
  #store: SimStore | undefined;
  #nextId = 0;
  #timer: Timer | undefined;
  #timerMs = 0;
  #retry: Timer | undefined;

  constructor(options: SimPeerOptions) {
    const { host, rng, torrent } = options;
    this.options = options;
    this.host = host;
    this.#clock = host.network.clock;
    this.#rng = rng;
    this.#mischief = options.mischief ?? {};
    this.disk = new SimDisk(this.#clock, rng.fork());
    this.peerId = makePeerId(rng, '0.1.0');
    const knows = options.knows ?? 'both';
    this.#infoHashV1 = knows === 'v2' ? undefined : torrent.info.infoHashV1;
    this.#infoHashV2 = knows === 'v1' ? undefined : torrent.info.infoHashV2;
    this.swarm = new Swarm(this.#clock.nowMs, {
      peerId: this.peerId,
      crypto: nodeCrypto,
      rng: rng.fork(),
      clientName: 'Simulated',
      listenPort: PEER_PORT,
      usesPeerExchange: options.usesPeerExchange ?? true,
      ...(this.#infoHashV1 === undefined ? {} : { infoHashV1: this.#infoHashV1 }),
      ...(this.#infoHashV2 === undefined ? {} : { infoHashV2: this.#infoHashV2 }),
      ...(options.maxPeers === undefined ? {} : { maxPeers: options.maxPeers }),
      ...options.core,
    });
    host.listen(PEER_PORT, (end) => this.#accept(end));
    if (options.isMagnet !== true) this.#activate(torrent);
    // Peers do not tick in step.
    this.#timer = this.#clock.after(rng.float() * 500, () => this.#tick());
  }

  get name(): string {
    return this.host.name;
  }

  get address(): Address {
    return { host: this.host.ip, port: PEER_PORT };
  }

  get isComplete(): boolean {
    return this.swarm.isComplete;
  }

  /** The disk failed and was not tried again yet. */
  get isDiskBroken(): boolean {
    return this.#retry !== undefined;
  }

  isOnDisk(piece: number): boolean {
    const isPad = this.torrent?.layout.isAllPad(piece) === true;
    return isPad || this.#store?.written.has(piece) === true;
  }

  /** Bytes that came and are not on disk. */
  get backlogBytes(): number {
    return this.#store?.backlogBytes ?? 0;
  }

  /** Another program takes these pieces away. */
  steal(pieces: Iterable<number>): void {
    for (const piece of pieces) this.#store?.steal(piece);
  }

  /** Pieces on disk, for a restart. */
  get have(): number[] {
    return [...(this.swarm.have ?? [])];
  }

  addPeers(peers: Iterable<SimPeer>): void {
    const addresses = [...peers].filter((peer) => peer !== this).map((peer) => peer.address);
    this.swarm.addPeers(this.#clock.nowMs, addresses, 'tracker');
    this.drain();
  }

  /** Changes what is wanted. */
  select(priorityOf: (piece: number) => number): void {
    this.swarm.setPriorities(priorityOf);
    this.drain();
  }

  /** Says when pieces are needed. */
  setDeadlines(deadlines: readonly Deadline[]): void {
    this.swarm.setDeadlines(this.#clock.nowMs, deadlines);
    this.drain();
  }

  /** A piece is gone from the disk. */
  losePiece(piece: number): void {
    this.#store?.written.delete(piece);
    this.swarm.losePiece(this.#clock.nowMs, piece);
    this.drain();
  }

  pause(): void {
    this.isPaused = true;
    this.swarm.pause();
    this.drain();
  }

  resume(): void {
    this.isPaused = false;
    if (this.isDiskBroken || !this.isRunning) return;
    this.swarm.resume();
    this.drain();
  }

  /** Says goodbye. */
  leave(): void {
    this.swarm.stop(this.#clock.nowMs);
    this.drain();
    this.#end();
  }

  /** Vanishes. */
  crash(): void {
    this.#end();
  }

  #end(): void {
    this.isRunning = false;
    this.#timer?.cancel();
    this.#retry?.cancel();
    if (this.#store !== undefined) this.#store.isClosed = true;
    this.links.clear();
    this.host.crash();
  }

  #activate(torrent: SimTorrent): void {
    const { info } = torrent;
    const { options } = this;
    this.torrent = torrent;
    this.#infoHashV1 = info.infoHashV1;
    this.#infoHashV2 = info.infoHashV2;
    const have = new Bitfield(info.pieceCount);
    if (options.have === 'all') have.fill();
    else if (options.have !== 'none') for (const piece of options.have ?? []) have.add(piece);
    this.#store = new SimStore({
      torrent,
      disk: this.disk,
      partBlocks: options.partBlocks ?? 64,
      onPiece: (piece, isCorrupt, isFault) => this.#onPiece(piece, isCorrupt, isFault),
    });
    for (const piece of have) this.#store.written.add(piece);
    const layers = options.isWithoutLayers === true ? new Map() : torrent.layers;
    const known = options.isMagnet === true ? new Map<string, Uint8Array>() : layers;
    this.swarm.setTorrent(this.#clock.nowMs, info, known, have);
    this.swarm.setOpenLimit(options.openLimit ?? 256);
    this.swarm.setSequential(options.isSequential ?? false);
    this.swarm.setPriorities(options.priorityOf ?? (() => 4));
    this.drain();
  }

  // Connections

  #handshake(infoHash: Uint8Array): Chunk {
    const reserved = makeReserved({
      fast: this.options.fast ?? true,
      extension: true,
      v2: this.#infoHashV2 !== undefined,
    });
    const bytes = encodeHandshake({ reserved, infoHash, peerId: this.peerId });
    return { type: 'bytes', bytes };
  }

  #isOurs(infoHash: Uint8Array): boolean {
    return [this.#infoHashV1, this.#infoHashV2].some(
      (ours) => ours !== undefined && equalBytes(ours.subarray(0, 20), infoHash),
    );
  }

  #accept(end: StreamEnd<Chunk>): void {
    this.#awaitHandshake(end, undefined, (handshake) => {
      if (!this.#isOurs(handshake.infoHash) || !this.swarm.admits(this.#clock.nowMs, end.remote))
        return false;
      const hasV2Bit = (handshake.reserved[7]! & 0x10) !== 0;
      const upgraded = hasV2Bit ? this.#infoHashV2?.subarray(0, 20) : undefined;
      end.send(this.#handshake(upgraded ?? handshake.infoHash), 68);
      return true;
    });
  }

  #dial(dial: number, address: Address): void {
    this.host.dial(
      address,
      (end) => {
        if (!this.isRunning) {
          end.close();
          return;
        }
        end.send(this.#handshake((this.#infoHashV1 ?? this.#infoHashV2!).subarray(0, 20)), 68);
        this.#awaitHandshake(end, dial, (handshake) => this.#isOurs(handshake.infoHash));
      },
      () => this.#dialFailed(dial),
    );
  }

  #dialFailed(dial: number): void {
    if (!this.isRunning) return;
    this.swarm.handleDialFailed(this.#clock.nowMs, dial);
    this.drain();
  }

  /** Connects with a web seed, as its shell does. @param address what it is called in the core. @returns tells whether it is connected still. */
  connectWebSeed(to: Address, address: Address): () => boolean {
    let isOver = false;
    let end: StreamEnd<Chunk> | undefined;
    const over = (): void => {
      isOver = true;
    };
    this.host.dial(
      to,
      (opened) => {
        end = opened;
        const infoHash = (this.#infoHashV1 ?? this.#infoHashV2!).subarray(0, 20);
        opened.send(this.#handshake(infoHash), 68);
        this.#awaitHandshake(opened, undefined, () => true, address);
      },
      over,
    );
    return () => !isOver && end?.isClosed !== true;
  }

  #awaitHandshake(
    end: StreamEnd<Chunk>,
    dial: number | undefined,
    accepts: (handshake: Handshake) => boolean,
    webSeed?: Address,
  ): void {
    const abandon = (): void => {
      timeout.cancel();
      if (dial !== undefined) this.#dialFailed(dial);
    };
    const timeout = this.#clock.after(10_000, () => {
      end.close();
      abandon();
    });
    end.handlers = {
      onChunk: (chunk) => {
        const decoded = chunk.type === 'bytes' ? decodeHandshake(chunk.bytes) : undefined;
        if (decoded?.ok !== true || !this.isRunning || !accepts(decoded.value)) {
          end.close();
          abandon();
          return;
        }
        timeout.cancel();
        this.#adopt(end, dial, decoded.value, webSeed);
      },
      onClosed: abandon,
    };
  }

  #adopt(
    end: StreamEnd<Chunk>,
    dial: number | undefined,
    handshake: Handshake,
    webSeed?: Address,
  ): void {
    const id = this.#nextId;
    this.#nextId += 1;
    const isFast = (this.options.fast ?? true) && (handshake.reserved[7]! & 0x04) !== 0;
    const link: Link = {
      id,
      end,
      books: new LinkBooks(this, end.remote.host, isFast),
      queue: [],
      isReading: false,
      ahead: new SendAhead(),
      heldBytes: 0,
      block: undefined,
    };
    this.links.set(id, link);
    end.handlers = {
      onChunk: (chunk) => this.#onChunk(link, chunk),
      onDrain: () => this.#drained(link),
      onClosed: () => this.#onClosed(link),
    };
    // A core that is always fast plays a slow one when it believes that the other is slow.
    if (!isFast) handshake.reserved[7]! &= ~0x04;
    this.swarm.handleConnected(this.#clock.nowMs, {
      id,
      address: webSeed ?? end.remote,
      isIncoming: dial === undefined && webSeed === undefined,
      isWebSeed: webSeed !== undefined,
      ...(dial === undefined ? {} : { dial }),
      ...handshake,
    });
    this.drain();
  }

  #onClosed(link: Link): void {
    if (!this.links.delete(link.id)) return;
    this.#loseBlock(link);
    this.swarm.handleClosed(this.#clock.nowMs, link.id, 'closed by the peer');
    this.drain();
  }

  #loseBlock(link: Link): void {
    const { block } = link;
    if (block?.isStoring === true) this.#store?.abandon(block.piece, block.begin / BLOCK_BYTES);
    link.block = undefined;
  }

  // What comes

  #onChunk(link: Link, chunk: Chunk): void {
    const now = this.#clock.nowMs;
    if (chunk.type === 'bytes') {
      for (const message of splitMessages(chunk.bytes)) {
        if (!this.links.has(link.id)) return;
        if (this.#mischief.isDeafTo === message[0] && message.length > 0) continue;
        link.books.received(message);
        this.swarm.handleMessage(now, link.id, message);
      }
    } else if (chunk.type === 'block-start') {
      const { piece, begin, length } = chunk;
      const isStoring =
        this.swarm.isExpected(link.id, piece, begin, length) &&
        (this.#store?.begin(piece, begin / BLOCK_BYTES) === true ||
          this.#takeBlockOver(piece, begin));
      link.block = { piece, begin, length, isStoring, startedMs: now };
      return;
    } else if (link.block !== undefined) {
      const { piece, begin, length, isStoring } = link.block;
      link.books.receivedBlock(piece, begin, length);
      // A fault may have ended the piece meanwhile.
      const isStored = isStoring && this.#store?.isFilling(piece, begin / BLOCK_BYTES) === true;
      this.swarm.handleBlock(now, link.id, { piece, begin, length }, isStored);
      if (isStored) this.#store?.complete(piece, begin / BLOCK_BYTES, chunk.isCorrupt);
      link.block = undefined;
    }
    this.drain();
    if (this.#store?.isBehind !== true || link.end.isPaused) return;
    link.end.pause();
    this.swarm.handleReading(this.#clock.nowMs, link.id, false);
    this.#store.whenCaughtUp(() => {
      this.swarm.handleReading(this.#clock.nowMs, link.id, true);
      link.end.resume();
    });
  }

  /** A block that trickles in gives way to another copy. */
  #takeBlockOver(piece: number, begin: number): boolean {
    for (const { block } of this.links.values()) {
      if (block?.isStoring !== true || block.piece !== piece || block.begin !== begin) continue;
      if (this.#clock.nowMs - block.startedMs < TRICKLE_MS) return false;
      this.#store?.abandon(piece, begin / BLOCK_BYTES);
      block.isStoring = false;
      return this.#store?.begin(piece, begin / BLOCK_BYTES) === true;
    }
    return false;
  }

  #onPiece(piece: number, isCorrupt: boolean, isFault: boolean): void {
    const now = this.#clock.nowMs;
    if (isFault) {
      this.swarm.handlePiece(now, piece, { isFault: true });
      this.swarm.pause();
      this.#retry?.cancel();
      this.#retry = this.#clock.after(RETRY_MS, () => {
        this.#retry = undefined;
        if (this.isPaused) return;
        this.swarm.resume();
        this.drain();
      });
    } else {
      this.swarm.handlePiece(now, piece, this.torrent!.outcomeOf(piece, isCorrupt));
      if (isCorrupt && this.swarm.have!.has(piece)) throw new Violation('accepted a corrupt piece');
    }
    this.drain();
  }

  // What goes

  /** Does what the core asks for. */
  drain(): void {
    const now = this.#clock.nowMs;
    for (let output = this.swarm.poll(now); output !== undefined; output = this.swarm.poll(now)) {
      this.#act(output);
    }
    for (const link of this.links.values()) this.#pump(link);
    if (this.isRunning && this.swarm.nextTimeoutMs < this.#timerMs) this.#arm();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timerMs = this.swarm.nextTimeoutMs;
    const atMs = Math.max(this.#timerMs, this.#clock.nowMs + 1);
    this.#timer = this.#clock.at(atMs, () => this.#tick());
  }

  #act(output: SwarmOutput): void {
    if ('id' in output && this.#closedIds.has(output.id)) {
      throw new Violation(`${this.name}: ${output.type} after close of connection ${output.id}`);
    }
    switch (output.type) {
      case 'transmit':
        this.#transmit(output.id, output.bytes);
        return;
      case 'serve':
        this.links.get(output.id)?.queue.push(...output.ranges);
        return;
      case 'unserve':
        this.#unserve(output.id, output.piece, output.begin, output.length);
        return;
      case 'unserve-all': {
        const link = this.links.get(output.id);
        if (link !== undefined) link.queue = [];
        return;
      }
      case 'dial':
        this.#dial(output.dial, output.address);
        return;
      case 'close':
        this.#close(output.id);
        return;
      case 'digest':
        this.#store!.digest(output.piece, (digests) => {
          this.swarm.handleDigests(this.#clock.nowMs, output.piece, digests);
          this.drain();
        });
        return;
      case 'event':
        this.#onEvent(output.event);
        return;
    }
  }

  #transmit(id: number, bytes: Uint8Array): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    link.books.sent(bytes);
    const { bend } = this.#mischief;
    if (bend === undefined) {
      link.end.send({ type: 'bytes', bytes }, bytes.length);
      return;
    }
    for (const message of splitMessages(bytes)) {
      const bent = bend(message);
      if (bent === undefined) continue;
      const prefix = new Uint8Array(4);
      new DataView(prefix.buffer).setUint32(0, bent.length);
      link.end.send({ type: 'bytes', bytes: concatBytes(prefix, bent) }, bent.length + 4);
    }
  }

  #unserve(id: number, piece: number, begin: number, length: number): void {
    const queue = this.links.get(id)?.queue ?? [];
    for (let at = 0; at < queue.length; at += 3) {
      if (queue[at] !== piece || queue[at + 1] !== begin || queue[at + 2] !== length) continue;
      queue.splice(at, 3);
      return;
    }
  }

  #close(id: number): void {
    this.#closedIds.add(id);
    const link = this.links.get(id);
    if (link === undefined) return;
    this.links.delete(id);
    this.#loseBlock(link);
    link.end.close();
    this.swarm.handleClosed(this.#clock.nowMs, id, 'closed here');
  }

  /** Sends waiting blocks while the stream takes them; a read comes before each. */
  #pump(link: Link): void {
    if (this.#mischief.isSilent === true || link.isReading || link.queue.length === 0) return;
    if (link.end.queuedBytes >= link.ahead.limitBytes) return;
    link.isReading = true;
    const length = link.queue[2]!;
    this.disk.read(length, (fault, isRotten) => {
      link.isReading = false;
      if (!this.links.has(link.id)) return;
      if (link.queue.length > 0) this.#sendHead(link, fault !== undefined, isRotten);
      this.drain();
    });
  }

  #drained(link: Link): void {
    const { queuedBytes } = link.end;
    const sentBytes = Math.max(0, link.heldBytes - queuedBytes);
    link.ahead.sent(this.#clock.nowMs, sentBytes, queuedBytes === 0);
    link.heldBytes = queuedBytes;
    this.#pump(link);
  }

  #sendHead(link: Link, isFault: boolean, isRotten: boolean): void {
    const [piece, begin, length] = link.queue.splice(0, 3) as [number, number, number];
    const gone = this.#store?.findStolen(piece) ?? [];
    if (isFault || gone.length > 0) {
      this.swarm.handleServeFailed(link.id, { piece, begin, length });
      for (const each of gone) this.swarm.losePiece(this.#clock.nowMs, each);
      return;
    }
    this.swarm.handleServed(this.#clock.nowMs, link.id, 1, length);
    link.books.sentBlock(piece, begin, length);
    const isCorrupt = isRotten || this.#rng.float() < (this.#mischief.corruptShare ?? 0);
    if (link.end.queuedBytes === 0) link.ahead.begin(this.#clock.nowMs);
    link.end.send({ type: 'block-start', piece, begin, length }, PIECE_HEADER_BYTES + 4);
    link.end.send({ type: 'block-end', isCorrupt }, length);
    link.heldBytes = link.end.queuedBytes;
  }

  #onEvent(event: SwarmEvent): void {
    this.events.push(event);
    if (event.type === 'complete') this.completedMs ??= this.#clock.nowMs;
    if (event.type !== 'metadata') return;
    const parsed = parseInfo(event.infoBytes, nodeCrypto);
    if (!parsed.ok) throw new Violation(`${this.name}: metadata does not parse`);
    const { torrent } = this.options;
    if (!equalBytes(parsed.value.infoBytes, torrent.info.infoBytes)) {
      throw new Violation(`${this.name}: took metadata of something else`);
    }
    // The files are checked meanwhile.
    this.#clock.after(20, () => {
      if (this.isRunning) this.#activate(torrent);
    });
  }

  #tick(): void {
    this.#timerMs = Number.POSITIVE_INFINITY;
    this.swarm.handleTimeout(this.#clock.nowMs);
    this.drain();
  }
}
