/**
 * One connection of a simulated peer: what travels on it, and the rules that every message has to keep.
 *
 * Rules: one answer to each request (BEP 6), none before it was asked; requests for blocks that exist, are no pads, that the other side
 * claimed, and only while it allows them; pieces are claimed when they are on disk; nothing follows a close; queues are bounded.
 * @module
 */
import { readU32 } from '../../src/lib/bytes.ts';
import type { SendAhead } from '../../src/plane/send-ahead.ts';
import {
  BLOCK_BYTES,
  decodeMessage,
  type Message,
  MessageWriter,
} from '../../src/protocol/peer-wire/index.ts';
import { OUR_DONT_HAVE_ID } from '../../src/protocol/swarm/connecting.ts';
import type { StreamEnd } from './network.ts';
import type { SimTorrent } from './swarm-torrent.ts';

// Implementation limits

/** Requests that may wait at a peer, its own bound with room for those on their way. */
const MAX_WAITING = 4_096;

/** What travels on a stream; a block is announced when its first byte comes and ends with its last. */
export type Chunk =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | {
      readonly type: 'block-start';
      readonly piece: number;
      readonly begin: number;
      readonly length: number;
    }
  | { readonly type: 'block-end'; readonly isCorrupt: boolean };

/** A rule was broken. */
export class Violation extends Error {
  override readonly name: string = 'Violation';
}

/** What a link needs to know of the peer it belongs to. */
export interface LinkWitness {
  readonly name: string;
  readonly torrent: SimTorrent | undefined;
  isOnDisk(piece: number): boolean;
}

/** Splits what was transmitted by length prefixes: a core must write whole messages. */
export function splitMessages(bytes: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = readU32(bytes, at);
    if (at + 4 + length > bytes.length) throw new Violation('transmitted a part of a message');
    messages.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return messages;
}

/** The messages that a test writes itself. */
export function written(write: (writer: MessageWriter) => void): Uint8Array {
  const writer = new MessageWriter();
  write(writer);
  return writer.take();
}

/** Keeps the books of one end of a connection and complains. */
export class LinkBooks {
  readonly #witness: LinkWitness;
  readonly #peer: string;
  readonly isFast: boolean;
  /** Requests of the other side without an answer, by block. */
  readonly #owedToPeer = new Map<string, number>();
  /** Our requests without an answer. */
  readonly #owedToUs = new Map<string, number>();
  readonly #peerHas = new Set<number>();
  readonly #allowedByPeer = new Set<number>();
  #isPeerSeed = false;
  isChokedByPeer = true;
  amInterested = false;

  constructor(witness: LinkWitness, peer: string, isFast: boolean) {
    this.#witness = witness;
    this.#peer = peer;
    this.isFast = isFast;
  }

  get owedToPeerCount(): number {
    return sum(this.#owedToPeer);
  }

  get owedToUsCount(): number {
    return sum(this.#owedToUs);
  }

  peerHas(piece: number): boolean {
    return this.#isPeerSeed || this.#peerHas.has(piece);
  }

  /** The core transmits these messages. */
  sent(bytes: Uint8Array): void {
    for (const raw of splitMessages(bytes)) {
      const decoded = decodeMessage(raw);
      if (!decoded.ok) this.#complain(`wrote a message that does not parse: ${decoded.message}`);
      else this.#sentOne(decoded.value);
    }
  }

  /** A block leaves for the other side. */
  sentBlock(piece: number, begin: number, length: number): void {
    if (!this.#witness.isOnDisk(piece)) this.#complain(`served piece ${piece}, which it has not`);
    this.#answer(this.#owedToPeer, 'block', piece, begin, length);
  }

  /** A message came, before the core sees it. @param bytes without its length prefix. */
  received(bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes);
    if (!decoded.ok) return;
    const message = decoded.value;
    const { torrent } = this.#witness;
    switch (message.type) {
      case 'request': {
        count(this.#owedToPeer, keyOf(message.piece, message.begin, message.length), 1);
        if (this.owedToPeerCount > MAX_WAITING) this.#complain('lets more requests wait than told');
        return;
      }
      case 'cancel':
        // Without BEP 6 a cancel has no answer, though a block may have left before.
        return;
      case 'choke':
        this.isChokedByPeer = true;
        if (!this.isFast) this.#owedToUs.clear();
        return;
      case 'unchoke':
        this.isChokedByPeer = false;
        return;
      case 'reject':
        count(this.#owedToUs, keyOf(message.piece, message.begin, message.length), -1);
        return;
      case 'allowed-fast':
        this.#allowedByPeer.add(message.piece);
        return;
      case 'have':
        this.#peerHas.add(message.piece);
        return;
      case 'have-all':
        this.#isPeerSeed = true;
        return;
      case 'bitfield':
        for (let piece = 0; piece < message.bytes.length * 8; piece += 1) {
          const isSet = (message.bytes[piece >> 3]! & (0x80 >> (piece & 7))) !== 0;
          if (isSet && piece < (torrent?.info.pieceCount ?? piece + 1)) this.#peerHas.add(piece);
        }
        return;
      case 'extended':
        if (message.id === OUR_DONT_HAVE_ID) this.#peerLost(readU32(message.payload, 0));
        return;
      default:
        return;
    }
  }

  #peerLost(piece: number): void {
    const count = this.#witness.torrent?.info.pieceCount ?? 0;
    if (this.#isPeerSeed) for (let other = 0; other < count; other += 1) this.#peerHas.add(other);
    this.#isPeerSeed = false;
    this.#peerHas.delete(piece);
    // Without BEP 6 what was asked for of it ends in silence.
    if (this.isFast) return;
    for (const key of this.#owedToUs.keys()) {
      if (key.startsWith(`${piece}:`)) this.#owedToUs.delete(key);
    }
  }

  /** A block came whole. */
  receivedBlock(piece: number, begin: number, length: number): void {
    count(this.#owedToUs, keyOf(piece, begin, length), -1);
  }

  #sentOne(message: Message): void {
    switch (message.type) {
      case 'request':
        this.#checkRequest(message.piece, message.begin, message.length);
        return;
      case 'reject':
        this.#answer(this.#owedToPeer, 'reject', message.piece, message.begin, message.length);
        return;
      case 'choke':
        if (!this.isFast) this.#owedToPeer.clear();
        return;
      case 'cancel':
        // Without BEP 6 nothing may come any more; with it, a block or a reject still does.
        if (!this.isFast)
          this.#owedToUs.delete(keyOf(message.piece, message.begin, message.length));
        return;
      case 'interested':
      case 'not-interested':
        if (this.amInterested === (message.type === 'interested')) {
          this.#complain(`said ${message.type} twice`);
        }
        this.amInterested = message.type === 'interested';
        return;
      case 'have':
        if (!this.#witness.isOnDisk(message.piece)) {
          this.#complain(`claimed piece ${message.piece}, which is not on disk`);
        }
        return;
      case 'have-all':
        this.#checkClaims(() => true);
        return;
      case 'bitfield':
        this.#checkClaims((piece) => (message.bytes[piece >> 3]! & (0x80 >> (piece & 7))) !== 0);
        return;
      default:
        return;
    }
  }

  #checkClaims(isClaimed: (piece: number) => boolean): void {
    const count = this.#witness.torrent?.info.pieceCount ?? 0;
    for (let piece = 0; piece < count; piece += 1) {
      if (isClaimed(piece) && !this.#witness.isOnDisk(piece)) {
        this.#complain(`claimed piece ${piece}, which is not on disk`);
      }
    }
  }

  #checkRequest(piece: number, begin: number, length: number): void {
    const layout = this.#witness.torrent?.layout;
    if (layout === undefined) this.#complain('asked for a block before the metadata');
    const block = begin / BLOCK_BYTES;
    const what = `block ${block} of piece ${piece}`;
    if (!Number.isInteger(block) || block >= layout!.blockCount(piece)) {
      this.#complain(`asked for ${what}, which does not exist`);
    }
    if (layout!.blockBytes(piece, block) !== length) this.#complain(`asked for a cut of ${what}`);
    if (layout!.isPadBlock(piece, block)) this.#complain(`asked for padding: ${what}`);
    if (!this.peerHas(piece)) this.#complain(`asked for ${what}, which the other has not`);
    if (this.isChokedByPeer && !this.#allowedByPeer.has(piece)) {
      this.#complain(`asked for ${what} while choked`);
    }
    if (this.#witness.isOnDisk(piece)) this.#complain(`asked for ${what}, which it has`);
    if (this.#owedToUs.has(keyOf(piece, begin, length))) this.#complain(`asked twice for ${what}`);
    count(this.#owedToUs, keyOf(piece, begin, length), 1);
  }

  #answer(
    owed: Map<string, number>,
    how: string,
    piece: number,
    begin: number,
    length: number,
  ): void {
    const key = keyOf(piece, begin, length);
    if (this.isFast && !owed.has(key)) this.#complain(`answered ${key} by ${how} unasked or twice`);
    count(owed, key, -1);
  }

  #complain(what: string): never {
    throw new Violation(`${this.#witness.name} → ${this.#peer}: ${what}`);
  }
}

/** A connection whose handshakes were exchanged. */
export interface Link {
  readonly id: number;
  readonly end: StreamEnd<Chunk>;
  readonly books: LinkBooks;
  /** Waiting `serve`s: triples of piece, begin, length. */
  queue: number[];
  isReading: boolean;
  /** How much its stream is given ahead, and what it held when that was looked at. */
  readonly ahead: SendAhead;
  heldBytes: number;
  /** The block that is arriving. */
  block:
    | {
        readonly piece: number;
        readonly begin: number;
        readonly length: number;
        isStoring: boolean;
        readonly startedMs: number;
      }
    | undefined;
}

function keyOf(piece: number, begin: number, length: number): string {
  return `${piece}:${begin}:${length}`;
}

function count(map: Map<string, number>, key: string, change: number): void {
  const value = (map.get(key) ?? 0) + change;
  if (value > 0) map.set(key, value);
  else map.delete(key);
}

function sum(map: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const value of map.values()) total += value;
  return total;
}
