/**
 * A web seed on a simulated host: what `src/node/web-seed-connection.ts` and an HTTP server make together, in virtual time.
 *
 * Requests go through the production range queue, and a range that was begun is sent to its end, whatever is cancelled meanwhile.
 * @module
 */
import { Bitfield } from '../../src/lib/bitfield.ts';
import type { Rng } from '../../src/lib/rng.ts';
import {
  decodeHandshake,
  decodeMessage,
  EXTENDED_HANDSHAKE_ID,
  encodeExtendedHandshake,
  encodeHandshake,
  type MessageWriter,
  makePeerId,
  makeReserved,
  PIECE_HEADER_BYTES,
} from '../../src/protocol/peer-wire/index.ts';
import {
  BackOff,
  type BlockPart,
  MAX_OWED_BLOCKS,
  RangeQueue,
} from '../../src/protocol/web-seed/index.ts';
import type { Host, StreamEnd } from './network.ts';
import { type Chunk, splitMessages, written } from './swarm-link.ts';
import type { SimPeer } from './swarm-node.ts';
import { eventsOf } from './swarm-scenarios.ts';
import type { SimTorrent } from './swarm-torrent.ts';

const WEB_PORT = 80;
/** As the node does it: what is due is connected about once a second. */
const PULSE_MS = 1_000;
/** What a server's socket holds. */
const SOCKET_BYTES = 65_536;

/** What a web seed is made from. */
export interface SimWebSeedOptions {
  readonly host: Host<Chunk>;
  readonly torrent: SimTorrent;
  readonly rng: Rng;
  /** Share of blocks whose bytes are wrong, 0 … 1; default 0. */
  readonly corruptShare?: number;
}

/** A web seed. */
export class SimWebSeed {
  /** What it is called in cores. */
  readonly url: string;
  sentBytes = 0;
  connections = 0;
  readonly #options: SimWebSeedOptions;

  constructor(options: SimWebSeedOptions) {
    this.#options = options;
    this.url = `http://${options.host.ip}/`;
    options.host.listen(WEB_PORT, (end) => this.#accept(end));
  }

  /** Keeps it connected with a peer while that needs something, as the shell does. */
  serve(peer: SimPeer): void {
    const { clock } = this.#options.host.network;
    const backOff = new BackOff();
    let isConnected: (() => boolean) | undefined;
    const pulse = (): void => {
      if (!peer.isRunning || peer.isComplete) return;
      const isBanned = eventsOf(peer, 'peer-banned').some((e) => e.address.host === this.url);
      if (isBanned) backOff.discard();
      if (isConnected?.() === true) return;
      if (isConnected !== undefined) backOff.failed(clock.nowMs, { kind: 'broken' });
      isConnected = undefined;
      if (!backOff.isDue(clock.nowMs)) return;
      const { ip } = this.#options.host;
      const address = { host: this.url, port: 0 };
      isConnected = peer.connectWebSeed({ host: ip, port: WEB_PORT }, address);
    };
    pulse();
    clock.every(PULSE_MS, pulse);
  }

  #accept(end: StreamEnd<Chunk>): void {
    const { torrent, rng, corruptShare = 0 } = this.#options;
    this.connections += 1;
    const queue = new RangeQueue((piece) => torrent.layout.segments(piece));
    const parts: BlockPart[] = [];
    const send = (write: (writer: MessageWriter) => void): void => {
      const bytes = written(write);
      end.send({ type: 'bytes', bytes }, bytes.length);
    };
    const pump = (): void => {
      while (!end.isClosed && end.queuedBytes < SOCKET_BYTES) {
        if (parts.length === 0) parts.push(...(queue.take()?.parts ?? []));
        const part = parts.shift();
        if (part === undefined) return;
        const { piece, begin, lengthBytes: length } = part.block;
        if (part.isFirst) {
          end.send({ type: 'block-start', piece, begin, length }, PIECE_HEADER_BYTES + 4);
        }
        if (!part.isLast) continue;
        this.sentBytes += length;
        end.send({ type: 'block-end', isCorrupt: rng.float() < corruptShare }, length);
      }
    };
    const take = (bytes: Uint8Array): void => {
      const decoded = decodeMessage(bytes);
      if (!decoded.ok) throw new Error(decoded.message);
      const message = decoded.value;
      if (message.type === 'request') {
        const { piece, begin, length } = message;
        if (queue.push({ piece, begin, lengthBytes: length })) return;
        send((writer) => writer.reject(piece, begin, length));
      } else if (message.type === 'cancel') {
        const { piece, begin, length } = message;
        if (queue.cancel(piece, begin)) send((writer) => writer.reject(piece, begin, length));
      }
    };
    let isGreeted = false;
    end.handlers = {
      onChunk: (chunk) => {
        if (chunk.type !== 'bytes') return;
        if (isGreeted) for (const bytes of splitMessages(chunk.bytes)) take(bytes);
        else this.#greet(end, chunk.bytes);
        isGreeted = true;
        pump();
      },
      onDrain: pump,
      onClosed: () => {
        parts.length = 0;
      },
    };
  }

  #greet(end: StreamEnd<Chunk>, bytes: Uint8Array): void {
    const theirs = decodeHandshake(bytes);
    if (!theirs.ok) throw new Error(theirs.message);
    const { infoHash } = theirs.value;
    const reserved = makeReserved({ fast: true, extension: true });
    const peerId = makePeerId(this.#options.rng, '9.9.9');
    end.send({ type: 'bytes', bytes: encodeHandshake({ reserved, infoHash, peerId }) }, 68);
    const all = new Bitfield(this.#options.torrent.info.pieceCount);
    all.fill();
    const told = { extensions: new Map<string, number>(), client: this.url, reqq: MAX_OWED_BLOCKS };
    const greeting = written((writer) => {
      writer.haveAll();
      writer.extended(EXTENDED_HANDSHAKE_ID, encodeExtendedHandshake(told));
      writer.unchoke();
    });
    end.send({ type: 'bytes', bytes: greeting }, greeting.length);
  }
}
