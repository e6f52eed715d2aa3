/**
 * One connection that speaks the BitTorrent wire: handshake, framing, and the ways between socket, core and disk.
 *
 * States: `handshaking` (68 bytes expected within HANDSHAKE_TIMEOUT_MS) → `open` (belongs to a torrent) → `closed`.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import type { ByteConnection } from '../io/tcp.ts';
import { plainBytes } from '../lib/bytes.ts';
import { type BlockTarget, Framer, type FrameSink } from '../plane/framer.ts';
import type { SendQueue } from '../plane/send-queue.ts';
import {
  BLOCK_BYTES,
  decodeHandshake,
  HANDSHAKE_BYTES,
  type Handshake,
  MAX_MESSAGE_BYTES,
} from '../protocol/peer-wire/index.ts';

// Implementation limits
/** How long a connection may take to send its handshake. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Bytes written to a connection and not taken by its peer, beyond which nothing more is read from it. Blocks alone stay below 3 MiB. */
export const MAX_UNSENT_BYTES: number = 4 * 1024 * 1024;

const CLOSED_BY_PEER = 'closed by the peer';

/** The torrent that a link belongs to, as the link sees it. */
export interface LinkOwner {
  onMessage(link: PeerLink, bytes: Uint8Array): void;
  /** Whole `request` messages, length prefixes included. */
  onRequests(link: PeerLink, bytes: Uint8Array): void;
  /** @returns where the block goes; undefined: its data is thrown away. */
  onBlockStart(
    link: PeerLink,
    piece: number,
    begin: number,
    length: number,
  ): BlockTarget | undefined;
  onBlockEnd(link: PeerLink): void;
  /** A block that had begun will not end. */
  onBlockLost(link: PeerLink): void;
  /** A read was handled: time to act on it. */
  onReadDone(link: PeerLink): void;
  onClosed(link: PeerLink, reason: string): void;
}

/** What to do with a decoded handshake: the owner of the link from now on, or undefined to close it. */
export type HandshakeTaker = (link: PeerLink, handshake: Handshake) => LinkOwner | undefined;

/** A connection to a peer. */
export class PeerLink implements FrameSink {
  readonly connection: ByteConnection;
  readonly isIncoming: boolean;
  /** The core's dial that this answers. */
  readonly dial: number | undefined;
  /** Number in the torrent's core; set by the owner. */
  id = -1;
  queue: SendQueue | undefined;
  /** The block being received; piece is -1 when there is none. */
  piece = -1;
  begin = 0;
  length = 0;
  isStoring = false;
  /** When the first bytes of the block being received came. */
  blockStartedMs = 0;
  /** When the bytes being parsed were read: one look at the clock for all blocks in them. */
  readAtMs = 0;
  /** How many they were. */
  readBytes = 0;
  /** Names the opening of the piece that the block belongs to, for the piece store. */
  opening = 0;
  readonly #framer: Framer;
  #taker: HandshakeTaker | undefined;
  #owner: LinkOwner | undefined;
  #isClosed = false;
  #isHeld = false;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbandoned: (reason: string) => void;

  constructor(options: {
    readonly connection: ByteConnection;
    readonly isIncoming: boolean;
    readonly dial?: number;
    readonly onHandshake: HandshakeTaker;
    /** The link ended before it had an owner. */
    readonly onAbandoned: (reason: string) => void;
  }) {
    this.connection = options.connection;
    this.isIncoming = options.isIncoming;
    this.dial = options.dial;
    this.#taker = options.onHandshake;
    this.#onAbandoned = options.onAbandoned;
    this.#framer = new Framer({
      sink: this,
      preludeBytes: HANDSHAKE_BYTES,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      maxBlockBytes: BLOCK_BYTES,
    });
    this.#timer = setTimeout(() => this.close('no handshake in time'), HANDSHAKE_TIMEOUT_MS);
    this.connection.attach({
      onData: (bytes) => {
        this.readAtMs = monotonicMs();
        this.readBytes = bytes.length;
        this.#framer.push(bytes);
        this.#owner?.onReadDone(this);
        if (this.connection.queuedBytes > MAX_UNSENT_BYTES) this.#holdReading();
      },
      onDrain: () => {
        this.queue?.pump();
        if (this.#isHeld) this.connection.resume();
        this.#isHeld = false;
      },
      onClose: (error) => this.#finish(error === undefined ? CLOSED_BY_PEER : dialProblem(error)),
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(bytes: Uint8Array, done?: () => void): void {
    this.connection.write(bytes, done);
  }

  get queuedBytes(): number {
    return this.connection.queuedBytes;
  }

  /** The rest of the block being received is thrown away: somebody else brings it faster. */
  dropBlock(): void {
    this.isStoring = false;
    this.#framer.dropBlock();
  }

  /** Ends the connection; the owner hears `onClosed`. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.connection.destroy();
    this.#finish(reason);
  }

  onPrelude(bytes: Buffer): void {
    clearTimeout(this.#timer);
    const decoded = decodeHandshake(plainBytes(bytes));
    if (!decoded.ok) {
      this.close(decoded.message);
      return;
    }
    const taker = this.#taker;
    this.#taker = undefined;
    const owner = taker?.(this, decoded.value);
    if (owner === undefined) {
      this.close(this.isIncoming ? 'no such torrent here' : 'it answered for another torrent');
    } else if (!this.#isClosed) this.#owner = owner;
  }

  onMessage(bytes: Buffer): void {
    this.#owner?.onMessage(this, plainBytes(bytes));
  }

  onRequests(bytes: Buffer): void {
    this.#owner?.onRequests(this, plainBytes(bytes));
  }

  onBlockStart(piece: number, begin: number, length: number): BlockTarget | undefined {
    this.piece = piece;
    this.begin = begin;
    this.length = length;
    this.blockStartedMs = this.readAtMs;
    const target = this.#owner?.onBlockStart(this, piece, begin, length);
    this.isStoring = target !== undefined;
    return target;
  }

  onBlockEnd(): void {
    this.#owner?.onBlockEnd(this);
    this.piece = -1;
    this.isStoring = false;
  }

  onFault(message: string): void {
    this.close(message);
  }

  /** Whoever does not read our answers is not read either: else what it asks for would pile up here. */
  #holdReading(): void {
    this.#isHeld = true;
    this.connection.pause();
  }

  #finish(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#framer.close();
    this.queue?.close();
    const owner = this.#owner;
    if (owner === undefined) {
      const isEarly = reason === CLOSED_BY_PEER;
      this.#onAbandoned(isEarly ? 'it closed the connection before its handshake' : reason);
      return;
    }
    if (this.piece >= 0) owner.onBlockLost(this);
    owner.onClosed(this, reason);
  }
}

/** Why a dial failed, in words for people. */
export function dialProblem({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there (connection refused)';
    case 'ETIMEDOUT':
      return 'no answer in time';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no way leads there (host or network unreachable)';
    case 'ECONNRESET':
      return 'it cut the connection off';
    default:
      return message;
  }
}
