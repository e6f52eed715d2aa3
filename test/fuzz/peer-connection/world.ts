/**
 * A production swarm core between a shell and peers that a run makes up; after every step the whole of it is compared with the model.
 *
 * The shell keeps the grammar of use (README.md of the swarm core); the peers keep nothing. Bytes from peers pass through the production framer, whole
 * or cut; what the core transmits is decoded by the production codec.
 * @module
 */
import { Bitfield } from '../../../src/lib/bitfield.ts';
import { equalBytes } from '../../../src/lib/bytes.ts';
import { Rng } from '../../../src/lib/rng.ts';
import { Framer, type FrameSink } from '../../../src/plane/framer.ts';
import {
  BLOCK_BYTES,
  decodeMessage,
  MAX_MESSAGE_BYTES,
  MessageWriter,
  REQUEST_FRAME_BYTES,
} from '../../../src/protocol/peer-wire/index.ts';
import {
  type ConnectedPeer,
  type PeerAddress,
  type PieceOutcome,
  Swarm,
  type SwarmEvent,
  type SwarmOutput,
} from '../../../src/protocol/swarm/index.ts';
import { splitMessages } from '../../simulation/swarm-link.ts';
import { nodeCrypto } from '../../support/node-crypto.ts';
import type { Choices } from './choices.ts';
import { ConnectionModel, TorrentModel, Violation } from './model.ts';
import { Store } from './store.ts';
import { FUZZ_TORRENTS, type FuzzTorrent } from './torrents.ts';

/** Outputs of one input; more is a loop. */
const MAX_OUTPUTS = 2_000;
/** A block that arrives for longer gives way to another copy. */
const TRICKLE_MS = 1_000;
/** Where block data goes: nobody looks at it. */
const NOWHERE = Buffer.alloc(BLOCK_BYTES);
/** Why whoever said so much that changed nothing is closed, and from how many messages on (the allowance for them is as large). */
const CHATTER_REASON = 'sent too many messages that say nothing';
const CHATTER_BURST = 2_000;
/** Reasons to close that need no fault of the peer. */
const FAULTLESS = new Set([
  'connected already',
  'connected twice',
  'connected to itself',
  'banned',
  'misbehaved not long ago',
  'comes and goes too often',
  'too many connections',
  'too many connections with its address',
  'too many connections with its network',
  'gave way to a peer of higher priority',
  'not known from a tracker, as a private torrent demands',
  'silent for too long',
  'both only upload',
  'known from a tracker that is no longer used',
  'its address was forgotten meanwhile',
  'stopped',
  'gave way to a peer of higher priority',
  'too many connections with its address',
  'too many connections with its network',
]);

interface ArrivingBlock {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
  readonly startedMs: number;
  readonly isBad: boolean;
  /** The opening of its piece in the store; 0: it is thrown away. */
  opening: number;
}

/** A connection, with what the shell and the peer remember of it. */
export interface Connection {
  readonly id: number;
  readonly address: PeerAddress;
  readonly model: ConnectionModel;
  readonly framer: Framer;
  /** Blocks to send: triples of piece, begin, length. */
  queue: number[];
  /** The block that is arriving. */
  block: ArrivingBlock | undefined;
  /** Bytes of the peer that are still on their way. */
  tail: Uint8Array | undefined;
  /** The next block's data is wrong. */
  isBadNext: boolean;
  /** It broke the protocol, or bothered us enough to be closed. */
  isRude: boolean;
  messageCount: number;
}

export const OUR_PEER_ID: Uint8Array = new Uint8Array(20).fill(0x50);

/** One run's world. */
export class World {
  readonly torrent: FuzzTorrent;
  readonly model: TorrentModel;
  readonly swarm: Swarm;
  readonly store: Store;
  readonly maxPeers: number;
  /** Nobody breaks the protocol in this life. */
  readonly isPolite: boolean;
  /** Pieces with a deadline. */
  deadlined = new Set<number>();
  /** The core may open as many pieces as it likes. */
  isOpenLimited = false;
  /** BEP 16: pieces are told one at a time. */
  isSuperSeeding = false;
  readonly connections: Connection[] = [];
  readonly dials: { dial: number; address: PeerAddress }[] = [];
  readonly digests: number[] = [];
  /** Wrong blocks of pieces as they are on disk. */
  readonly onDisk = new Map<number, ReadonlySet<number>>();
  /** Info-hashes that a handshake may name. */
  infoHashV1: Uint8Array | undefined;
  infoHashV2: Uint8Array | undefined;
  hasMetadata = false;
  areLayersKnown: boolean;
  nowMs = 1_000;
  /** What happened, in words, when somebody wants to read it. */
  readonly story: string[] | undefined;
  readonly #guilty = new Set<string>();
  readonly #totals = { downloadedBytes: 0, uploadedBytes: 0, wastedBytes: 0, failedPieces: 0 };
  readonly #startHave: Bitfield;
  #nextId = 0;
  #isInconsistent = false;

  constructor(choices: Choices, story?: string[]) {
    this.story = story;
    this.torrent = FUZZ_TORRENTS[choices.below(FUZZ_TORRENTS.length)]!;
    this.model = new TorrentModel(this.torrent);
    this.store = new Store(this.torrent.layout);
    const { info } = this.torrent;
    const isMagnet = choices.oneIn(3);
    const isHybrid = info.version === 'hybrid';
    const knows = isMagnet && isHybrid ? choices.below(3) : 2;
    this.infoHashV1 = knows === 1 ? undefined : info.infoHashV1;
    this.infoHashV2 = knows === 0 ? undefined : info.infoHashV2;
    this.areLayersKnown = !isMagnet && !choices.oneIn(3);
    this.isPolite = choices.below(2) === 0;
    this.maxPeers = 2 + choices.below(8);
    this.#startHave = new Bitfield(info.pieceCount);
    const share = choices.below(5);
    for (let piece = 0; piece < info.pieceCount && share > 0; piece += 1) {
      if (share === 4 || choices.below(4) < share) this.#startHave.add(piece);
      // What was verified had a hash to fit.
      if (!this.areLayersKnown && this.torrent.layered.has(piece)) this.#startHave.delete(piece);
    }
    this.swarm = new Swarm(this.nowMs, {
      peerId: OUR_PEER_ID,
      crypto: nodeCrypto,
      rng: new Rng(choices.below(65_536)),
      clientName: 'Fuzzed',
      listenPort: 6_881,
      maxPeers: this.maxPeers,
      ...(this.infoHashV1 === undefined ? {} : { infoHashV1: this.infoHashV1 }),
      ...(this.infoHashV2 === undefined ? {} : { infoHashV2: this.infoHashV2 }),
    });
    if (!isMagnet) this.setTorrent();
  }

  // The shell

  /** The metadata is there and the files were checked. */
  setTorrent(): void {
    const { info, layers, layered, layout } = this.torrent;
    const { model } = this;
    model.isKnown = true;
    this.hasMetadata = false;
    this.infoHashV1 = info.infoHashV1;
    this.infoHashV2 = info.infoHashV2;
    for (const piece of this.#startHave) model.have.add(piece);
    for (let piece = 0; piece < info.pieceCount; piece += 1) {
      if (layout.isAllPad(piece)) model.have.add(piece);
    }
    if (!this.areLayersKnown) {
      for (const piece of layered) if (!model.have.has(piece)) model.locked.add(piece);
    }
    for (const connection of this.connections) this.#checkEarly(connection);
    this.swarm.setTorrent(
      this.nowMs,
      info,
      this.areLayersKnown ? layers : new Map(),
      this.#startHave,
    );
  }

  /** What was claimed before the metadata may turn out to be out of range. */
  #checkEarly(connection: Connection): void {
    if (connection.model.claimsBeyond) connection.isRude = true;
  }

  tell(what: () => string): void {
    this.story?.push(`${this.nowMs} ms: ${what()}`);
  }

  connect(peer: Omit<ConnectedPeer, 'id'>): Connection {
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) % 65_536;
    const known = this.model.isKnown ? this.torrent.info : this.swarmHashes;
    const isV2 = speaksV2(peer, known);
    const isFast = (peer.reserved[7]! & 0x04) !== 0;
    const hasExtension = (peer.reserved[5]! & 0x10) !== 0;
    const who = { id, host: peer.address.host, isFast, hasExtension, isV2 };
    const connection: Connection = {
      id,
      address: peer.address,
      model: new ConnectionModel(who, this.model),
      framer: new Framer({
        sink: this.#sinkOf(id),
        preludeBytes: 0,
        maxMessageBytes: MAX_MESSAGE_BYTES,
        maxBlockBytes: BLOCK_BYTES,
      }),
      queue: [],
      block: undefined,
      tail: undefined,
      isBadNext: false,
      isRude: false,
      messageCount: 0,
    };
    this.connections.push(connection);
    this.tell(() => `${id} connects, ${isFast ? 'fast' : 'not fast'}${isV2 ? ', v2' : ''}`);
    this.swarm.handleConnected(this.nowMs, { ...peer, id });
    return connection;
  }

  get swarmHashes(): { infoHashV1?: Uint8Array | undefined; infoHashV2?: Uint8Array | undefined } {
    return { infoHashV1: this.infoHashV1, infoHashV2: this.infoHashV2 };
  }

  /** The connection ended by itself. */
  disconnect(connection: Connection): void {
    this.#forget(connection);
    this.swarm.handleClosed(this.nowMs, connection.id, 'closed by the peer');
  }

  #forget(connection: Connection): void {
    connection.framer.close();
    this.#loseBlock(connection);
    this.connections.splice(this.connections.indexOf(connection), 1);
  }

  #loseBlock({ block }: Connection): void {
    if (block !== undefined && block.opening > 0) {
      this.store.abandon(block.piece, block.begin / BLOCK_BYTES, block.opening);
    }
  }

  #find(id: number): Connection | undefined {
    return this.connections.find((connection) => connection.id === id);
  }

  // From the peers

  /** Messages of a peer, as bytes. @param heldBytes so many of them arrive later. */
  deliver(connection: Connection, bytes: Uint8Array, heldBytes = 0): void {
    this.flow(connection);
    const cut = Math.max(0, bytes.length - heldBytes);
    connection.tail = cut < bytes.length ? bytes.subarray(cut) : undefined;
    connection.framer.push(Buffer.from(bytes.buffer, bytes.byteOffset, cut));
  }

  /** What was held arrives. */
  flow(connection: Connection): void {
    const { tail } = connection;
    connection.tail = undefined;
    if (tail === undefined) return;
    connection.framer.push(Buffer.from(tail.buffer, tail.byteOffset, tail.length));
  }

  say(connection: Connection, write: (writer: MessageWriter) => void): void {
    const writer = new MessageWriter();
    write(writer);
    this.deliver(connection, writer.take());
  }

  #sinkOf(id: number): FrameSink {
    const live = (): Connection | undefined => this.#find(id);
    return {
      onPrelude: () => {},
      onMessage: (bytes) => {
        const connection = live();
        if (connection === undefined) return;
        connection.messageCount += 1;
        this.tell(() => `${id} says ${describe(bytes)}`);
        connection.model.received(bytes);
        this.swarm.handleMessage(this.nowMs, id, plain(bytes));
      },
      onRequests: (bytes) => {
        const connection = live();
        if (connection === undefined) return;
        for (let at = 0; at < bytes.length; at += REQUEST_FRAME_BYTES) {
          const request = bytes.subarray(at + 4, at + REQUEST_FRAME_BYTES);
          connection.messageCount += 1;
          this.tell(() => `${id} says ${describe(request)}`);
          connection.model.received(request);
        }
        this.swarm.handleRequests(this.nowMs, id, plain(bytes));
      },
      onBlockStart: (piece, begin, length) => {
        const connection = live();
        if (connection !== undefined) this.#beginBlock(connection, piece, begin, length);
        return { buffer: NOWHERE, offset: 0 };
      },
      onBlockEnd: () => {
        const connection = live();
        if (connection !== undefined) this.#endBlock(connection);
      },
      onFault: (message) => {
        const connection = live();
        if (connection === undefined) return;
        if (!connection.isRude) throw new Violation(`the framer refused a stream: ${message}`);
        this.disconnect(connection);
      },
    };
  }

  #beginBlock(connection: Connection, piece: number, begin: number, length: number): void {
    const isExpected = this.swarm.isExpected(connection.id, piece, begin, length);
    const block = begin / BLOCK_BYTES;
    let opening = isExpected ? this.store.begin(piece, block) : undefined;
    if (isExpected && opening === undefined && this.#takeOver(piece, begin)) {
      opening = this.store.begin(piece, block);
    }
    const { isBadNext: isBad } = connection;
    const startedMs = this.nowMs;
    connection.block = { piece, begin, length, startedMs, isBad, opening: opening ?? 0 };
  }

  /** As in the node: a block that trickles in gives way to another copy. */
  #takeOver(piece: number, begin: number): boolean {
    for (const { block, framer } of this.connections) {
      if (block?.piece !== piece || block.begin !== begin || block.opening === 0) continue;
      if (this.nowMs - block.startedMs < TRICKLE_MS) return false;
      this.store.abandon(piece, begin / BLOCK_BYTES, block.opening);
      block.opening = 0;
      framer.dropBlock();
      return true;
    }
    return false;
  }

  #endBlock(connection: Connection): void {
    const { piece, begin, length, opening, isBad } = connection.block!;
    connection.block = undefined;
    const isStored = opening > 0 && this.store.isCurrent(piece, opening);
    this.tell(
      () =>
        `${connection.id} gave ${piece}:${begin}, ${isBad ? 'bad, ' : ''}${isStored ? 'kept' : 'not kept'}`,
    );
    connection.model.receivedBlock(piece, begin);
    this.#totals.downloadedBytes += length;
    if (!isStored) this.#totals.wastedBytes += length;
    if (isStored) this.model.stored.add(`${piece}:${begin / BLOCK_BYTES}`);
    if (isStored && isBad) this.blame(connection);
    this.swarm.handleBlock(this.nowMs, connection.id, { piece, begin, length }, isStored);
    if (isStored) this.store.complete(piece, begin / BLOCK_BYTES, isBad);
  }

  /** This peer may be banned from now on. */
  blame({ address }: Connection): void {
    this.#guilty.add(`${address.host} ${address.port}`);
  }

  // The disk

  /** What came of a piece is lost: it could not be written, or a hybrid contradicts itself. */
  loseOpen(piece: number, outcome: PieceOutcome): void {
    this.tell(() => `piece ${piece} is lost`);
    this.store.fail(piece);
    this.model.forget(piece);
    for (const connection of this.connections) connection.model.giveUp(piece);
    if (outcome.isFault !== true) {
      this.#isInconsistent = true;
      this.model.isPaused = true;
    }
    this.swarm.handlePiece(this.nowMs, piece, outcome);
  }

  /** The verdict on a whole piece. */
  judge(piece: number): void {
    const { model } = this;
    const bad = this.store.full.get(piece)!;
    this.tell(() => `verdict on piece ${piece}: ${bad.size} bad blocks`);
    this.store.full.delete(piece);
    this.onDisk.set(piece, bad);
    if (bad.size === 0) model.have.add(piece);
    else {
      this.#totals.failedPieces += 1;
      this.#totals.wastedBytes += this.torrent.layout.wantedBytes(piece);
    }
    model.forget(piece);
    this.swarm.handlePiece(this.nowMs, piece, this.torrent.outcomeOf(piece, bad.size > 0));
  }

  /** Another program took a piece away. */
  losePiece(piece: number): void {
    if (this.torrent.layout.isAllPad(piece)) return;
    this.tell(() => `piece ${piece} is gone`);
    this.model.have.delete(piece);
    this.model.lost.add(piece);
    this.isSuperSeeding = false;
    for (const { model } of this.connections) model.lose(piece);
    this.swarm.losePiece(this.nowMs, piece);
  }

  /** Answers the oldest `digest`. */
  digest(isFault: boolean): void {
    const piece = this.digests.shift();
    if (piece === undefined) return;
    this.model.digesting.delete(piece);
    const bad = this.onDisk.get(piece) ?? new Set<number>();
    const digests = isFault ? undefined : this.torrent.digestsOf(piece, bad);
    this.swarm.handleDigests(this.nowMs, piece, digests);
  }

  /** Hands blocks to the socket of a peer. */
  pump(connection: Connection, blocks: number, isFault: boolean): void {
    for (let left = blocks; left > 0 && connection.queue.length > 0; left -= 1) {
      const [piece, begin, length] = connection.queue.splice(0, 3) as [number, number, number];
      if (isFault) {
        this.swarm.handleServeFailed(connection.id, { piece, begin, length });
        if (!connection.model.who.isFast) connection.model.dropOwed(piece, begin, length);
        continue;
      }
      connection.model.sentBlock(piece, begin, length);
      this.#totals.uploadedBytes += length;
      this.swarm.handleServed(this.nowMs, connection.id, 1, length);
    }
  }

  // Time and outputs

  /** Lets time pass, with the timeouts that fall due. */
  wait(ms: number): void {
    this.nowMs += ms;
    if (this.swarm.nextTimeoutMs > this.nowMs) return;
    this.swarm.handleTimeout(this.nowMs);
    this.drain();
    const { nextTimeoutMs } = this.swarm;
    if (!(nextTimeoutMs > this.nowMs)) {
      throw new Violation(
        `after a timeout the next one is due ${this.nowMs - nextTimeoutMs} ms ago`,
      );
    }
  }

  /** Does what the core asks for. */
  drain(): void {
    for (let left = MAX_OUTPUTS; ; left -= 1) {
      const output = this.swarm.poll(this.nowMs);
      if (output === undefined) break;
      if (left === 0) throw new Violation(`${MAX_OUTPUTS} outputs and no end`);
      this.#act(output);
    }
  }

  #act(output: SwarmOutput): void {
    if (output.type !== 'transmit') this.tell(() => `output ${JSON.stringify(output)}`);
    if (output.type === 'dial') {
      this.dials.push({ dial: output.dial, address: output.address });
      return;
    }
    if (output.type === 'digest') {
      this.digests.push(output.piece);
      if (!this.model.have.has(output.piece)) this.model.digesting.add(output.piece);
      return;
    }
    if (output.type === 'event') {
      this.#onEvent(output.event);
      return;
    }
    const connection = this.#find(output.id);
    if (connection === undefined)
      throw new Violation(`${output.type} for connection ${output.id}, which is gone`);
    if (output.type === 'transmit') this.#onTransmit(connection, output.bytes);
    else if (output.type === 'serve') connection.queue.push(...output.ranges);
    else if (output.type === 'unserve') this.#unserve(connection, output);
    else if (output.type === 'unserve-all') connection.queue = [];
    else this.#onClose(connection, output.reason);
  }

  #onTransmit(connection: Connection, bytes: Uint8Array): void {
    if (bytes.length === 0) throw new Violation('transmitted nothing');
    for (const raw of splitMessages(bytes)) {
      const decoded = decodeMessage(raw);
      if (!decoded.ok)
        throw new Violation(`wrote a message that does not parse: ${decoded.message}`);
      this.tell(() => `${connection.id} hears ${describe(raw)}`);
      connection.model.sent(this.nowMs, decoded.value);
    }
  }

  #unserve(connection: Connection, range: { piece: number; begin: number; length: number }): void {
    const { queue } = connection;
    for (let at = 0; at < queue.length; at += 3) {
      if (queue[at] !== range.piece || queue[at + 1] !== range.begin) continue;
      if (queue[at + 2] !== range.length) continue;
      queue.splice(at, 3);
      return;
    }
    throw new Violation('took back a block that it did not serve');
  }

  #onClose(connection: Connection, reason: string): void {
    const isGuilty = this.#guilty.has(`${connection.address.host} ${connection.address.port}`);
    const isChatter = reason === CHATTER_REASON && connection.messageCount > CHATTER_BURST;
    if (!connection.isRude && !isGuilty && !isChatter && !FAULTLESS.has(reason)) {
      throw new Violation(
        `closed connection ${connection.id}, whose peer did nothing wrong: ${reason}`,
      );
    }
    this.#forget(connection);
  }

  #onEvent(event: SwarmEvent): void {
    if (event.type === 'peer-banned') {
      const { host, port } = event.address;
      if (!this.#guilty.has(`${host} ${port}`)) {
        throw new Violation(`banned ${host} ${port}, which gave nothing wrong: ${event.reason}`);
      }
    } else if (event.type === 'metadata') {
      if (!equalBytes(event.infoBytes, this.torrent.info.infoBytes)) {
        throw new Violation('took metadata of something else');
      }
      this.hasMetadata = true;
    } else if (event.type === 'piece' && !this.model.have.has(event.piece)) {
      throw new Violation(`took piece ${event.piece}, which is not right`);
    } else if (event.type === 'inconsistent' && !this.#isInconsistent) {
      throw new Violation(`piece ${event.piece} does not fit one hash alone`);
    }
  }

  // What holds after every step

  check(): void {
    const { swarm, model } = this;
    const { totals } = swarm;
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) {
      if (totals[key] === this.#totals[key]) continue;
      throw new Violation(`totals.${key}: expected ${this.#totals[key]}, got ${totals[key]}`);
    }
    const peerCount = this.connections.length;
    if (swarm.peerCount !== peerCount || peerCount > this.maxPeers) {
      throw new Violation(`${swarm.peerCount} peers on ${peerCount} connections`);
    }
    if (model.isKnown && swarm.have!.count !== model.have.size) {
      throw new Violation(`has ${swarm.have!.count} pieces, expected ${model.have.size}`);
    }
    for (const connection of this.connections) this.#checkConnection(connection);
  }

  #checkConnection({ model, queue }: Connection): void {
    if (model.amInterested !== model.isInteresting) {
      model.complain(model.amInterested ? 'is interested in nothing' : 'is not interested');
    }
    for (const piece of model.claimed) {
      if (!this.model.have.has(piece)) model.complain(`still claims piece ${piece}`);
    }
    if (model.owedMetadata !== 0) model.complain(`owes ${model.owedMetadata} answers for metadata`);
    let owed = 0;
    for (const many of model.owedToPeer.values()) owed += many;
    if (model.who.isFast && owed !== queue.length / 3) {
      model.complain(`owes ${owed} answers and has ${queue.length / 3} blocks to send`);
    }
    for (let at = 0; at < queue.length; at += 3) {
      model.mustBeServable(queue[at]!);
      if (!model.owedToPeer.has(`${queue[at]}:${queue[at + 1]}:${queue[at + 2]}`)) {
        model.complain(`has piece ${queue[at]} to send, which was not asked for`);
      }
    }
  }

  /** A peer that could bring a block that nobody owes, and is asked for none. */
  #isStalled(peer: ConnectionModel): boolean {
    const { model, torrent } = this;
    if (!peer.amInterested || peer.isPeerChoking || peer.owedToUs.size > 0) return false;
    if (this.isOpenLimited) return false;
    for (let piece = 0; piece < torrent.info.pieceCount; piece += 1) {
      if (!model.wants(piece) || !peer.peerHas(piece) || model.digesting.has(piece)) continue;
      if (peer.refused.has(piece)) continue;
      for (let block = 0; block < torrent.layout.blockCount(piece); block += 1) {
        const key = `${piece}:${block * BLOCK_BYTES}`;
        if (torrent.layout.isPadBlock(piece, block) || model.stored.has(`${piece}:${block}`))
          continue;
        if (this.connections.some((other) => other.model.owedToUs.has(key))) continue;
        if (!this.deadlined.has(piece) || !this.#isBusyElsewhere(peer, piece)) return true;
      }
    }
    return false;
  }

  /** A piece with a deadline is left to a faster peer, which has other blocks to bring first. */
  #isBusyElsewhere(peer: ConnectionModel, piece: number): boolean {
    return this.connections.some(({ model: other }) => {
      if (other === peer || other.isPeerChoking || !other.amInterested) return false;
      return other.peerHas(piece) && other.owedToUs.size > 0;
    });
  }

  /** Lets what is under way end: afterwards nobody is owed a HAVE, or an answer about hashes. */
  settle(): void {
    while (this.digests.length > 0) {
      this.digest(false);
      this.drain();
    }
    this.wait(600);
    this.wait(600);
    this.check();
    for (const { model } of this.connections) {
      if (this.#isStalled(model)) model.complain('is not asked for anything, though it could be');
      if (model.owedHashes > 0) model.complain(`owes ${model.owedHashes} answers about hashes`);
      if (model.isPeerSeed || !this.model.isKnown || this.isSuperSeeding) continue;
      for (const piece of this.model.have) {
        const isPad = this.torrent.layout.isAllPad(piece);
        if (!model.claimed.has(piece) && !isPad) {
          model.complain(`did not say that it has piece ${piece}`);
        }
      }
    }
  }
}

function speaksV2(
  peer: Omit<ConnectedPeer, 'id'>,
  known: { infoHashV1?: Uint8Array | undefined; infoHashV2?: Uint8Array | undefined },
): boolean {
  if (known.infoHashV2 === undefined) return false;
  if (equalBytes(peer.infoHash, known.infoHashV2.subarray(0, 20))) return true;
  const isUpgrade = peer.isIncoming && (peer.reserved[7]! & 0x10) !== 0;
  return isUpgrade && known.infoHashV1 !== undefined;
}

function describe(bytes: Uint8Array): string {
  const decoded = decodeMessage(bytes);
  if (!decoded.ok) return `nonsense: ${decoded.message}`;
  const { type, ...rest } = decoded.value;
  const fields = Object.entries(rest).map(([name, value]) =>
    value instanceof Uint8Array ? `${name} of ${value.length} bytes` : `${name} ${value}`,
  );
  return [type, ...fields].join(' ');
}

/** As the node hands bytes over: views of the read buffer, which the next read overwrites. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
