/**
 * Being a relay: reservations and requests over control channels, and sealed bytes passed from one TCP connection to another.
 *
 * It sees who talks to whom, when and how much; what is said is TLS between the two ends. Bounds: the table's (src/protocol/relay); PIPE_QUEUE_BYTES wait in
 * each direction. Not here: who is served (the caller's `serves`).
 * @module
 */
import { randomBytes } from 'node:crypto';
import { monotonicMs } from '../../io/clock.ts';
import type { TcpConnection } from '../../io/tcp.ts';
import { formatPeerId } from '../../protocol/identity/index.ts';
import {
  decodeRelayWord,
  encodeRelayWord,
  PENDING_MS,
  type Pipe,
  PREFACE_BYTES,
  RELAY_READY,
  RELAY_SERVICE,
  RELAYED_SERVICE,
  RelayTable,
  type RelayTableOptions,
  type RelayWord,
  readPreface,
} from '../../protocol/relay/index.ts';
import type { ChannelService } from './channel-service.ts';
import { RequestRefusal } from './control-link.ts';
import { idBytes } from './peer-ids.ts';
import type { Channel } from './types.ts';

// Implementation limits
/** What waits to be taken by one end, before the other one is not read any more. */
const PIPE_QUEUE_BYTES: number = 1024 * 1024;

/** Options of a RelayServer. */
export interface RelayServerOptions extends Omit<RelayTableOptions, 'randomBytes'> {
  readonly channels: ChannelService;
  /** May this peer be reached through us? */
  readonly serves: (peerId: string) => boolean;
}

/** A picture of a relay. */
export interface RelayStatus {
  readonly reservations: number;
  readonly connections: number;
  readonly passedBytes: number;
  readonly usage: readonly { readonly peerId: string; readonly bytes: number }[];
}

interface Waiting {
  readonly connection: TcpConnection;
  readonly timer: NodeJS.Timeout;
}

/** A relay. */
export class RelayServer {
  readonly #options: RelayServerOptions;
  readonly #table: RelayTable;
  /** First ends that are there, by what stands for their connection. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #open = new Set<TcpConnection>();
  readonly #ends: (() => void)[] = [];
  #passedBytes = 0;

  constructor(options: RelayServerOptions) {
    this.#options = options;
    this.#table = new RelayTable({
      ...options,
      randomBytes: (length) => new Uint8Array(randomBytes(length)),
    });
    const { channels } = options;
    this.#ends.push(
      channels.handle(RELAY_SERVICE, {
        // Whom it serves can be reached by others, too: they learnt of this relay from it.
        admits: () => true,
        onRequest: (channel, { payload }) => this.#answer(channel, payload),
      }),
      channels.listen(({ type, peerId }) => {
        if (type === 'closed') this.#table.cancel(peerId);
      }),
    );
  }

  get status(): RelayStatus {
    return {
      reservations: this.#table.reservationCount,
      connections: this.#table.pipeCount,
      passedBytes: this.#passedBytes,
      usage: this.#table.usage,
    };
  }

  close(): void {
    for (const end of this.#ends) end();
    for (const { connection, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      connection.destroy();
    }
    for (const connection of this.#open) connection.destroy();
  }

  /** Takes a connection that began with the relay's preface. Resolves when its token was read. */
  accept(connection: TcpConnection, early: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    let read = Buffer.from(early);
    // Whoever says the half of it and no more does not keep his place at the door.
    const timer = setTimeout(() => connection.destroy(), PENDING_MS).unref();
    const look = (): void => {
      const token = readPreface(read);
      if (token === undefined) return;
      clearTimeout(timer);
      resolve();
      const redeemed = token.ok ? this.#table.redeem(monotonicMs(), token.value) : token;
      // Its end says nothing before the relay is ready.
      if (!redeemed.ok || read.length > PREFACE_BYTES) {
        connection.destroy();
        return;
      }
      this.#meet(connection, redeemed.value);
    };
    connection.attach({
      onData: (bytes) => {
        read = Buffer.concat([read, bytes]);
        look();
      },
      onDrain: () => {},
      onClose: () => {
        clearTimeout(timer);
        resolve();
      },
    });
    look();
    return promise;
  }

  #answer(channel: Channel, payload: Uint8Array): Uint8Array {
    const word = decodeRelayWord(payload);
    if (!word.ok) throw new RequestRefusal('badRequest', word.message);
    const nowMs = monotonicMs();
    switch (word.value.kind) {
      case 'reserve': {
        if (!this.#options.serves(channel.peerId)) {
          throw new RequestRefusal('forbidden', 'this relay does not serve this peer');
        }
        const lasts = this.#table.reserve(nowMs, channel.peerId);
        if (!lasts.ok) throw new RequestRefusal('busy', lasts.message);
        const leftBytes = this.#table.leftBytes(nowMs, channel.peerId);
        return encodeRelayWord({ kind: 'reserved', lastsMs: lasts.value, leftBytes });
      }
      case 'connect':
        return this.#connect(nowMs, channel, word.value);
      default:
        throw new RequestRefusal('badRequest', `"${word.value.kind}" is nothing to ask a relay`);
    }
  }

  #connect(nowMs: number, channel: Channel, word: RelayWord & { kind: 'connect' }): Uint8Array {
    const to = formatPeerId(word.peerId);
    const target = this.#options.channels.channel(to);
    if (target === undefined) this.#table.cancel(to);
    const tokens = this.#table.connect(nowMs, channel.peerId, to);
    if (!tokens.ok) throw new RequestRefusal('failed', tokens.message);
    const incoming = encodeRelayWord({
      kind: 'incoming',
      peerId: idBytes(channel.peerId),
      token: tokens.value.to,
    });
    if (target?.send(RELAYED_SERVICE, incoming) !== true) {
      throw new RequestRefusal('busy', 'the peer does not listen now');
    }
    return encodeRelayWord({ kind: 'token', token: tokens.value.from });
  }

  #meet(
    connection: TcpConnection,
    { key, ends, dueMs }: { key: string; ends: { from: string; to: string }; dueMs: number },
  ): void {
    const other = this.#waiting.get(key);
    this.#waiting.delete(key);
    if (other === undefined || other.connection.isClosed) {
      const waitMs = Math.min(PENDING_MS, Math.max(1, dueMs - monotonicMs()));
      const timer = setTimeout(() => connection.destroy(), waitMs);
      const waiting = { connection, timer };
      this.#waiting.set(key, waiting);
      connection.attach({
        // Nothing is to be said yet.
        onData: () => connection.destroy(),
        onDrain: () => {},
        onClose: () => {
          clearTimeout(timer);
          if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
        },
      });
      return;
    }
    clearTimeout(other.timer);
    const pipe = this.#table.begin(monotonicMs(), ends);
    if (pipe === undefined) {
      connection.destroy();
      other.connection.destroy();
    } else this.#join(connection, other.connection, pipe);
  }

  #join(one: TcpConnection, other: TcpConnection, pipe: Pipe): void {
    const timer = setTimeout(() => one.destroy(), Math.max(1, pipe.dueMs - monotonicMs()));
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.#table.end(monotonicMs(), pipe);
      for (const connection of [one, other]) {
        this.#open.delete(connection);
        connection.end();
      }
    };
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      this.#open.add(from);
      from.attach({
        onData: (bytes) => {
          this.#passedBytes += bytes.length;
          if (!this.#table.pass(monotonicMs(), pipe, bytes.length)) {
            end();
            return;
          }
          to.write(Buffer.from(bytes));
          if (to.queuedBytes > PIPE_QUEUE_BYTES) from.pause();
        },
        onDrain: () => to.resume(),
        onClose: end,
      });
    }
    one.write(Uint8Array.of(RELAY_READY));
    other.write(Uint8Array.of(RELAY_READY));
  }
}
