/**
 * What comes to the one TCP port, told by its first bytes: a handshake of the BitTorrent wire, a TLS record, or the preface of a relayed connection.
 *
 * Bounds: handshake-budget.ts, until it is settled who somebody is; FIRST_BYTES_TIMEOUT_MS for the first bytes. Not here: what happens then.
 * @module
 */
import { monotonicMs } from '../../io/clock.ts';
import type { TcpConnection } from '../../io/tcp.ts';
import { HandshakeBudget } from './handshake-budget.ts';

// Specification constants
/** RFC 8446 section 5.1: a handshake record. */
const TLS_HANDSHAKE = 22;
/** "S", of the relay's preface. */
const RELAY_PREFACE = 0x53;

// Implementation limits
/** How long a connection may be silent at first. */
const FIRST_BYTES_TIMEOUT_MS = 10_000;

/** Options of a Doorman. */
export interface DoormanOptions {
  readonly isExempt: (host: string) => boolean;
  /** Takes the connection over at once; the bytes read so far are delivered to whoever attached. `settle` gives its place back. */
  readonly onWire: (connection: TcpConnection, settle: () => void) => void;
  /** Resolves when it is settled who it is. Undefined: TLS is nothing this node speaks. */
  readonly onTls: () =>
    | ((connection: TcpConnection, early: Uint8Array) => Promise<void>)
    | undefined;
  /** As onTls, for a connection that its other end wants passed on. */
  readonly onRelayed: () =>
    | ((connection: TcpConnection, early: Uint8Array) => Promise<void>)
    | undefined;
  readonly onRefused: (count: number) => void;
}

/** Lets connections in. */
export class Doorman {
  readonly #options: DoormanOptions;
  readonly #budget: HandshakeBudget;

  constructor(options: DoormanOptions) {
    this.#options = options;
    this.#budget = new HandshakeBudget(options);
  }

  /** Connections that have not shown who they are. */
  get pendingCount(): number {
    return this.#budget.pendingCount;
  }

  admit(connection: TcpConnection): void {
    const settle = this.#budget.take(monotonicMs(), connection.remote.host, () =>
      connection.destroy(),
    );
    if (settle === undefined) {
      connection.destroy();
      return;
    }
    const timer = setTimeout(() => connection.destroy(), FIRST_BYTES_TIMEOUT_MS).unref();
    connection.attach({
      onData: (bytes) => {
        clearTimeout(timer);
        this.#sort(connection, bytes, settle);
      },
      onDrain: () => {},
      onClose: () => {
        clearTimeout(timer);
        settle();
      },
    });
  }

  #sort(connection: TcpConnection, bytes: Buffer, settle: () => void): void {
    const { onTls, onRelayed, onWire } = this.#options;
    const take =
      bytes[0] === TLS_HANDSHAKE ? onTls() : bytes[0] === RELAY_PREFACE ? onRelayed() : undefined;
    if (take !== undefined) {
      void take(connection, new Uint8Array(bytes)).finally(settle);
      return;
    }
    onWire(connection, settle);
    connection.deliver(bytes);
  }
}
