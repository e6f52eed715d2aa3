/**
 * A seed written without the core: serves in order, and chokes and unchokes at whim. With BEP 6 it rejects what it does not serve.
 * @module
 */
import type { Rng } from '../../src/lib/rng.ts';
import {
  decodeHandshake,
  decodeMessage,
  encodeHandshake,
  type MessageWriter,
  makePeerId,
  makeReserved,
  PIECE_HEADER_BYTES,
} from '../../src/protocol/peer-wire/index.ts';
import type { Address, Host, StreamEnd } from './network.ts';
import { type Chunk, splitMessages, written } from './swarm-link.ts';
import { PEER_PORT } from './swarm-node.ts';
import type { SimTorrent } from './swarm-torrent.ts';

interface Request {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

/** A moody seed. */
export class ScriptedSeed {
  readonly #host: Host<Chunk>;
  readonly #torrent: SimTorrent;
  readonly #rng: Rng;
  readonly #fast: boolean;
  chokes = 0;

  constructor(options: {
    readonly host: Host<Chunk>;
    readonly torrent: SimTorrent;
    readonly rng: Rng;
    readonly fast: boolean;
  }) {
    this.#host = options.host;
    this.#torrent = options.torrent;
    this.#rng = options.rng;
    this.#fast = options.fast;
    this.#host.listen(PEER_PORT, (end) => this.#accept(end));
  }

  get address(): Address {
    return { host: this.#host.ip, port: PEER_PORT };
  }

  #accept(end: StreamEnd<Chunk>): void {
    const { clock } = this.#host.network;
    const { info } = this.#torrent;
    const send = (write: (writer: MessageWriter) => void): void => {
      const bytes = written(write);
      end.send({ type: 'bytes', bytes }, bytes.length);
    };
    const waiting: Request[] = [];
    let isGreeted = false;
    let isChoking = true;
    const turn = (): void => {
      if (end.isClosed) return;
      isChoking = !isChoking;
      if (isChoking) {
        this.chokes += 1;
        send((writer) => writer.choke());
        for (const { piece, begin, length } of waiting.splice(0)) {
          if (this.#fast) send((writer) => writer.reject(piece, begin, length));
        }
      } else send((writer) => writer.unchoke());
      clock.after(100 + this.#rng.below(1500), turn);
    };
    const serve = (): void => {
      if (end.isClosed) return;
      const next = waiting.shift();
      if (next !== undefined) {
        end.send({ type: 'block-start', ...next }, PIECE_HEADER_BYTES + 4);
        end.send({ type: 'block-end', isCorrupt: false }, next.length);
      }
      clock.after(60, serve);
    };
    const greet = (bytes: Uint8Array): void => {
      const theirs = decodeHandshake(bytes);
      if (!theirs.ok) throw new Error(theirs.message);
      isGreeted = true;
      const reserved = makeReserved({ fast: this.#fast });
      const peerId = makePeerId(this.#rng, '9.9.9');
      const { infoHash } = theirs.value;
      end.send({ type: 'bytes', bytes: encodeHandshake({ reserved, infoHash, peerId }) }, 68);
      const all = new Uint8Array(Math.ceil(info.pieceCount / 8)).fill(0xff);
      if (info.pieceCount % 8 !== 0) all[all.length - 1] = (0xff00 >> (info.pieceCount % 8)) & 0xff;
      send((writer) => (this.#fast ? writer.haveAll() : writer.bitfield(all)));
      turn();
      serve();
    };
    const take = (bytes: Uint8Array): void => {
      const decoded = decodeMessage(bytes);
      if (!decoded.ok) throw new Error(decoded.message);
      const message = decoded.value;
      if (message.type === 'request') {
        const { piece, begin, length } = message;
        if (!isChoking) waiting.push({ piece, begin, length });
        else if (this.#fast) send((writer) => writer.reject(piece, begin, length));
      } else if (message.type === 'cancel') {
        const { piece, begin, length } = message;
        const at = waiting.findIndex((one) => one.piece === piece && one.begin === begin);
        if (at >= 0) waiting.splice(at, 1);
        if (at >= 0 && this.#fast) send((writer) => writer.reject(piece, begin, length));
      }
    };
    end.handlers = {
      onChunk: (chunk) => {
        if (chunk.type !== 'bytes') return;
        if (!isGreeted) greet(chunk.bytes);
        else for (const bytes of splitMessages(chunk.bytes)) take(bytes);
      },
      onClosed: () => {
        waiting.length = 0;
      },
    };
  }
}
