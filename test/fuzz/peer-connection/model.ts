/**
 * What a peer connection may look like from outside, written down without the core: who has and wants what, who owes whom an answer.
 *
 * It reads the messages of both directions, and complains of each thing that the core must never do. Rules: README.md of the swarm core.
 * @module
 */
import { equalBytes } from '../../../src/lib/bytes.ts';
import { parseIp } from '../../../src/lib/ip-address.ts';
import {
  allowedFastSet,
  BLOCK_BYTES,
  DONT_HAVE_EXTENSION,
  decodeDontHave,
  decodeExtendedHandshake,
  decodeMessage,
  decodeMetadataMessage,
  decodePex,
  type HashRange,
  METADATA_EXTENSION,
  type Message,
  PEX_EXTENSION,
  PeerExtensions,
} from '../../../src/protocol/peer-wire/index.ts';
import { nodeCrypto } from '../../support/node-crypto.ts';
import type { FuzzTorrent } from './torrents.ts';

/** Requests a peer queues when it does not say. */
const DEFAULT_REQQ = 250;
/** Requests older than this may have been given up, and one more may be tried. */
const PATIENCE_MS = 20_000;

/** The core broke a rule. */
export class Violation extends Error {
  override readonly name: string = 'Violation';
}

/** What is true of the torrent here. */
export class TorrentModel {
  readonly torrent: FuzzTorrent;
  /** The metadata was given to the core. */
  isKnown = false;
  isPaused = false;
  readonly have = new Set<number>();
  /** Had and lost again: a HAVE that was written before may still leave. */
  readonly lost = new Set<number>();
  readonly priorities: number[];
  /** v2-only pieces whose hash is not known yet. */
  readonly locked = new Set<number>();
  /** Blocks that are there of pieces that are not had: `piece:block`. */
  readonly stored = new Set<string>();
  /** Pieces whose bad copy is being looked at. */
  readonly digesting = new Set<number>();

  constructor(torrent: FuzzTorrent) {
    this.torrent = torrent;
    this.priorities = new Array<number>(torrent.info.pieceCount).fill(4);
  }

  /** It is asked for when somebody has it. */
  wants(piece: number): boolean {
    return this.priorities[piece]! > 0 && !this.have.has(piece) && !this.locked.has(piece);
  }

  /** Everything that was received of a piece is lost. */
  forget(piece: number): void {
    const { layout } = this.torrent;
    for (let block = 0; block < layout.blockCount(piece); block += 1) {
      this.stored.delete(`${piece}:${block}`);
    }
  }
}

interface OwedBlock {
  readonly askedMs: number;
  /** Cancelled, or its piece was given up. */
  isLapsed: boolean;
}

/** How a connection was made. */
export interface Introduction {
  readonly id: number;
  readonly host: string;
  readonly isFast: boolean;
  readonly hasExtension: boolean;
  readonly isV2: boolean;
}

/** One connection, as a witness between both ends sees it. */
export class ConnectionModel {
  readonly who: Introduction;
  readonly #model: TorrentModel;
  #allowedToPeer: Set<number> | undefined;
  // What the peer told
  readonly #peerHas = new Set<number>();
  #isPeerSeed = false;
  /** It claimed pieces that do not exist. */
  claimsBeyond = false;
  isPeerChoking = true;
  readonly #allowedByPeer = new Set<number>();
  /** Pieces that it refused while it allowed requests: the core asks others for a while. */
  readonly refused = new Set<number>();
  reqq = DEFAULT_REQQ;
  readonly #peerExtensions = new PeerExtensions();
  // What the core told
  amChoking = true;
  amInterested = false;
  readonly ourExtensions = new PeerExtensions();
  readonly claimed = new Set<number>();
  // Debts
  /** Requests of the peer without an answer: `piece:begin:length` → how many. */
  readonly owedToPeer = new Map<string, number>();
  /** Requests of the core without an answer: `piece:begin`. */
  readonly owedToUs = new Map<string, OwedBlock>();
  /** Hash requests of the peer without an answer. */
  owedHashes = 0;
  /** Metadata requests of the peer without an answer. */
  owedMetadata = 0;
  /** Hash and metadata requests of the core, oldest first. */
  readonly askedHashes: HashRange[] = [];
  readonly askedMetadata: number[] = [];

  constructor(who: Introduction, model: TorrentModel) {
    this.who = who;
    this.#model = model;
  }

  peerHas(piece: number): boolean {
    return this.#isPeerSeed || this.#peerHas.has(piece);
  }

  get isPeerSeed(): boolean {
    const { pieceCount } = this.#model.torrent.info;
    return this.#isPeerSeed || this.#peerHas.size === pieceCount;
  }

  /** The core must be interested in this peer. */
  get isInteresting(): boolean {
    const model = this.#model;
    if (!model.isKnown || model.isPaused) return false;
    for (let piece = 0; piece < model.priorities.length; piece += 1) {
      if (model.wants(piece) && this.peerHas(piece)) return true;
    }
    return false;
  }

  /** Pieces that the peer may have while it is choked. */
  mayHaveChoked(piece: number): boolean {
    this.#allowedToPeer ??= this.#computeAllowed();
    return this.#allowedToPeer.has(piece);
  }

  #computeAllowed(): Set<number> {
    const ip = parseIp(this.who.host);
    const { info } = this.#model.torrent;
    const hash = info.infoHashV1 ?? info.infoHashV2!.subarray(0, 20);
    if (!this.who.isFast || ip?.length !== 4) return new Set();
    return new Set(allowedFastSet(nodeCrypto, ip, hash, info.pieceCount));
  }

  // From the peer, before the core sees it

  received(bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes);
    if (!decoded.ok) return;
    const message = decoded.value;
    switch (message.type) {
      case 'bitfield':
        this.#receivedBitfield(message.bytes);
        return;
      case 'have-all':
        this.#isPeerSeed = true;
        return;
      case 'have':
        if (message.piece >= this.#model.priorities.length) this.claimsBeyond = true;
        else this.#peerHas.add(message.piece);
        this.refused.delete(message.piece);
        return;
      case 'choke':
        this.isPeerChoking = true;
        // BEP 3: a choke ends what was asked for. BEP 6: each request still gets its answer.
        if (!this.who.isFast) this.owedToUs.clear();
        return;
      case 'unchoke':
        this.isPeerChoking = false;
        return;
      case 'allowed-fast':
        this.#allowedByPeer.add(message.piece);
        return;
      case 'request':
        count(this.owedToPeer, `${message.piece}:${message.begin}:${message.length}`, 1);
        return;
      case 'cancel':
        // With BEP 6 its request still gets its answer.
        if (!this.who.isFast) this.dropOwed(message.piece, message.begin, message.length);
        return;
      case 'reject':
        this.#receivedReject(message.piece, message.begin);
        return;
      case 'hash-request':
        this.owedHashes += 1;
        return;
      case 'extended':
        this.#receivedExtended(message.id, message.payload);
        return;
      default:
        return;
    }
  }

  /** Of a request that was cancelled, or of a piece that was given up, it is the answer that was hoped for. */
  #receivedReject(piece: number, begin: number): void {
    const key = `${piece}:${begin}`;
    const owed = this.owedToUs.get(key);
    this.owedToUs.delete(key);
    if (owed === undefined || owed.isLapsed) return;
    if (this.isPeerChoking) this.#allowedByPeer.delete(piece);
    else this.refused.add(piece);
  }

  receivedBlock(piece: number, begin: number): void {
    this.owedToUs.delete(`${piece}:${begin}`);
  }

  /** A piece is begun anew: what is owed of it does not count any more. */
  giveUp(piece: number): void {
    for (const [key, owed] of this.owedToUs) {
      if (key.startsWith(`${piece}:`)) owed.isLapsed = true;
    }
  }

  /** A request of the peer needs no answer. */
  dropOwed(piece: number, begin: number, length: number): void {
    count(this.owedToPeer, `${piece}:${begin}:${length}`, -1);
  }

  /** The peer takes messages of this extension. */
  takes(extension: string): boolean {
    return this.#peerExtensions.idOf(extension) !== undefined;
  }

  /** The core was told that a piece is gone here. */
  lose(piece: number): void {
    // Who cannot be told learns it from a reject, and of the piece again when it is back.
    if (!this.takes(DONT_HAVE_EXTENSION)) this.claimed.delete(piece);
  }

  #receivedLoss(piece: number): void {
    if (this.#isPeerSeed) {
      this.#isPeerSeed = false;
      for (let each = 0; each < this.#model.priorities.length; each += 1) this.#peerHas.add(each);
    }
    this.#peerHas.delete(piece);
    this.#allowedByPeer.delete(piece);
    // BEP 6: a request is answered nevertheless.
    if (this.who.isFast) this.giveUp(piece);
    else {
      for (const key of this.owedToUs.keys()) {
        if (key.startsWith(`${piece}:`)) this.owedToUs.delete(key);
      }
    }
  }

  #receivedBitfield(bytes: Uint8Array): void {
    const { length } = this.#model.priorities;
    for (let piece = 0; piece < bytes.length * 8; piece += 1) {
      if ((bytes[piece >> 3]! & (0x80 >> (piece & 7))) === 0) continue;
      if (piece < length) this.#peerHas.add(piece);
      else this.claimsBeyond = true;
    }
    if (bytes.length !== Math.ceil(length / 8)) this.claimsBeyond = true;
  }

  #receivedExtended(id: number, payload: Uint8Array): void {
    if (id === 0) {
      const handshake = decodeExtendedHandshake(payload);
      if (!handshake.ok) return;
      this.reqq = handshake.value.reqq ?? this.reqq;
      this.#peerExtensions.apply(handshake.value.extensions);
      return;
    }
    if (id === this.ourExtensions.idOf(DONT_HAVE_EXTENSION)) {
      const piece = decodeDontHave(payload);
      if (piece.ok) this.#receivedLoss(piece.value);
      return;
    }
    if (id !== this.ourExtensions.idOf(METADATA_EXTENSION)) return;
    const message = decodeMetadataMessage(payload);
    if (message.ok && message.value.type === 'request' && this.takes(METADATA_EXTENSION)) {
      this.owedMetadata += 1;
    }
  }

  // From the core

  sent(nowMs: number, message: Message): void {
    switch (message.type) {
      case 'request':
        this.#sentRequest(nowMs, message.piece, message.begin, message.length);
        return;
      case 'cancel':
        this.#sentCancel(message.piece, message.begin);
        return;
      case 'reject':
        if (!this.who.isFast) this.complain('rejects without BEP 6');
        this.#answered('reject', message.piece, message.begin, message.length);
        return;
      case 'choke':
      case 'unchoke':
        if (this.amChoking === (message.type === 'choke'))
          this.complain(`says ${message.type} twice`);
        this.amChoking = message.type === 'choke';
        if (this.amChoking && !this.who.isFast) this.owedToPeer.clear();
        return;
      case 'interested':
      case 'not-interested':
        if (this.amInterested === (message.type === 'interested')) {
          this.complain(`says ${message.type} twice`);
        }
        this.amInterested = message.type === 'interested';
        return;
      case 'extended':
        this.#sentExtended(message.id, message.payload);
        return;
      case 'hash-request':
        if (!this.who.isV2) this.complain('asks for hashes on a v1 connection');
        this.askedHashes.push({ ...message, root: message.root.slice() });
        return;
      case 'hashes':
      case 'hash-reject':
        this.owedHashes -= 1;
        if (this.owedHashes < 0) this.complain('answers a hash request that was not made');
        return;
      default:
        this.#sentClaim(message);
    }
  }

  /** A block was handed to the socket. */
  sentBlock(piece: number, begin: number, length: number): void {
    this.mustBeServable(piece);
    this.#answered('block', piece, begin, length);
  }

  /** A block that the core has served. */
  mustBeServable(piece: number): void {
    if (!this.#model.have.has(piece)) this.complain(`serves piece ${piece}, which it has not`);
    if (this.amChoking && !this.mayHaveChoked(piece)) {
      this.complain(`serves piece ${piece} while it chokes`);
    }
  }

  #sentClaim(message: Message): void {
    const { have, lost, torrent } = this.#model;
    const claim = (piece: number): void => {
      const isHad = have.has(piece);
      if (!isHad && !lost.has(piece)) this.complain(`claims piece ${piece}, which it has not`);
      // Whoever cannot be told of a loss may be told of the piece again.
      if (isHad || this.takes(DONT_HAVE_EXTENSION)) this.claimed.add(piece);
    };
    if (message.type === 'have') {
      if (this.claimed.has(message.piece)) this.complain(`claims piece ${message.piece} twice`);
      claim(message.piece);
    } else if (message.type === 'have-all') {
      for (let piece = 0; piece < torrent.info.pieceCount; piece += 1) claim(piece);
    } else if (message.type === 'bitfield') {
      for (let piece = 0; piece < torrent.info.pieceCount; piece += 1) {
        if ((message.bytes[piece >> 3]! & (0x80 >> (piece & 7))) !== 0) claim(piece);
      }
    } else if (message.type === 'allowed-fast') {
      if (!this.mayHaveChoked(message.piece)) this.complain(`allows piece ${message.piece}`);
      if (!have.has(message.piece))
        this.complain(`allows piece ${message.piece} without having it`);
    }
  }

  #sentRequest(nowMs: number, piece: number, begin: number, length: number): void {
    const model = this.#model;
    const { layout, info } = model.torrent;
    const block = begin / BLOCK_BYTES;
    const what = `block ${block} of piece ${piece}`;
    if (!model.isKnown) this.complain(`asks for ${what} before the metadata`);
    if (piece >= info.pieceCount || !Number.isInteger(block) || block >= layout.blockCount(piece)) {
      this.complain(`asks for ${what}, which does not exist`);
    }
    if (layout.blockBytes(piece, block) !== length) this.complain(`asks for a cut of ${what}`);
    if (layout.isPadBlock(piece, block)) this.complain(`asks for padding, ${what}`);
    if (model.have.has(piece)) this.complain(`asks for ${what}, which it has`);
    if (!model.wants(piece)) this.complain(`asks for ${what}, which is not wanted`);
    if (model.stored.has(`${piece}:${block}`)) this.complain(`asks for ${what}, which is there`);
    if (model.digesting.has(piece)) this.complain(`asks for ${what}, which is evidence`);
    if (model.isPaused) this.complain(`asks for ${what} while it is paused`);
    if (!this.amInterested) this.complain(`asks for ${what} without interest`);
    if (!this.peerHas(piece)) this.complain(`asks for ${what}, which the peer has not`);
    if (this.isPeerChoking && !(this.who.isFast && this.#allowedByPeer.has(piece))) {
      this.complain(`asks for ${what} while choked`);
    }
    const key = `${piece}:${begin}`;
    if (this.owedToUs.has(key)) this.complain(`asks again for ${what}, which is owed`);
    this.#checkReqq(nowMs, what);
    this.owedToUs.set(key, { askedMs: nowMs, isLapsed: false });
  }

  #checkReqq(nowMs: number, what: string): void {
    let waiting = 0;
    let isLost = true;
    for (const { askedMs, isLapsed } of this.owedToUs.values()) {
      if (isLapsed) continue;
      waiting += 1;
      if (nowMs - askedMs <= PATIENCE_MS) isLost = false;
    }
    if (waiting >= this.reqq && !isLost) {
      this.complain(`asks for ${what} beyond reqq ${this.reqq}: ${waiting} are waiting`);
    }
  }

  #sentCancel(piece: number, begin: number): void {
    const key = `${piece}:${begin}`;
    const owed = this.owedToUs.get(key);
    if (owed === undefined) this.complain(`cancels ${key}, which it did not ask for`);
    if (this.who.isFast) owed!.isLapsed = true;
    else this.owedToUs.delete(key);
  }

  #sentExtended(id: number, payload: Uint8Array): void {
    if (!this.who.hasExtension) this.complain('sends an extension message without BEP 10');
    if (id === 0) {
      const handshake = decodeExtendedHandshake(payload);
      if (!handshake.ok) this.complain('extension handshake does not parse');
      else this.ourExtensions.apply(handshake.value.extensions);
      return;
    }
    const name = [METADATA_EXTENSION, PEX_EXTENSION, DONT_HAVE_EXTENSION].find(
      (each) => this.#peerExtensions.idOf(each) === id,
    );
    if (name === undefined) this.complain(`sends extension ${id}, which the peer did not name`);
    if (name === PEX_EXTENSION && !decodePex(payload).ok) this.complain('peer exchange is garbled');
    if (name === DONT_HAVE_EXTENSION) this.#sentLoss(payload);
    if (name !== METADATA_EXTENSION) return;
    const message = decodeMetadataMessage(payload);
    if (!message.ok) this.complain(`metadata message does not parse: ${message.message}`);
    else if (message.value.type === 'request') this.askedMetadata.push(message.value.piece);
    else {
      this.owedMetadata -= 1;
      if (this.owedMetadata < 0) this.complain('answers a metadata request that was not made');
      if (message.value.type === 'data' && !this.#isOurMetadata(message.value)) {
        this.complain('sends wrong metadata');
      }
    }
  }

  #sentLoss(payload: Uint8Array): void {
    const piece = decodeDontHave(payload);
    if (!piece.ok) this.complain('lt_donthave is garbled');
    else if (this.#model.have.has(piece.value))
      this.complain(`lost piece ${piece.value}, which it has`);
    else this.claimed.delete(piece.value);
  }

  #isOurMetadata({ piece, data }: { piece: number; data: Uint8Array }): boolean {
    const { infoBytes } = this.#model.torrent.info;
    return equalBytes(data, infoBytes.subarray(piece * BLOCK_BYTES, (piece + 1) * BLOCK_BYTES));
  }

  #answered(how: string, piece: number, begin: number, length: number): void {
    const key = `${piece}:${begin}:${length}`;
    if (!this.owedToPeer.has(key)) this.complain(`answers ${key} by ${how} unasked or twice`);
    count(this.owedToPeer, key, -1);
  }

  /** @throws Violation */
  complain(what: string): never {
    throw new Violation(`to connection ${this.who.id}: ${what}`);
  }
}

/** Changes a count in a map; none is absent. */
export function count(map: Map<string, number>, key: string, change: number): void {
  const value = (map.get(key) ?? 0) + change;
  if (value > 0) map.set(key, value);
  else map.delete(key);
}
