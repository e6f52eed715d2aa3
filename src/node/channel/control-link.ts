/**
 * One control connection on a real socket: read → handle → drain → arm one timer, for the core in src/protocol/channel.
 *
 * Bounds: the core's; what waits in the socket is at most SOCKET_BYTES more than a frame. Not here: which connection of a pair stays, what services do.
 * @module
 */
import { monotonicMs } from '../../io/clock.ts';
import { randomSeed } from '../../io/crypto.ts';
import type { DuplexConnection, Endpoint } from '../../io/tcp.ts';
import { plainBytes } from '../../lib/bytes.ts';
import { Rng } from '../../lib/rng.ts';
import {
  type ControlOutput,
  ControlSession,
  type Envelope,
  type Hello,
  REFUSALS,
} from '../../protocol/channel/index.ts';
import { nodeError } from '../errors.ts';
import type { Channel, PeerPath, ProvenConnection, Received } from './types.ts';

// Implementation limits
/** The socket gets more while less than this waits in it. */
const SOCKET_BYTES = 128 * 1024;
/** A connection whose place was taken is looked at this often, and at most so many times: the other end learns of the new one a moment later. */
const RETIRE_TICK_MS = 1_000;
const RETIRE_TICKS = 15;

/** What the owner of a link hears. */
export interface ControlLinkOwner {
  onHello(link: ControlLink, hello: Hello): void;
  onMessage(link: ControlLink, received: Received): void;
  /** The answer, or a throw: `RequestRefusal` with its code, anything else as a failure. */
  onRequest(link: ControlLink, received: Received): Promise<Uint8Array> | Uint8Array;
  /** Called exactly once. */
  onClosed(link: ControlLink, reason: string): void;
}

/** Thrown to refuse a request. */
export class RequestRefusal extends Error {
  readonly code: (typeof REFUSALS)[keyof typeof REFUSALS];
  constructor(code: keyof typeof REFUSALS, message: string) {
    super(message);
    this.code = REFUSALS[code];
  }
}

interface Waiting {
  readonly service: string;
  resolve(payload: Uint8Array): void;
  reject(error: Error): void;
}

/** A control connection. */
export class ControlLink implements Channel {
  readonly peerId: string;
  readonly binding: Uint8Array;
  readonly path: PeerPath;
  readonly isDialled: boolean;
  readonly madeMs: number = monotonicMs();
  readonly #connection: DuplexConnection;
  readonly #session: ControlSession;
  readonly #owner: ControlLinkOwner;
  readonly #waiting = new Map<number, Waiting>();
  #hello: Hello | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerMs: number = Number.POSITIVE_INFINITY;
  #retiring: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    proven: ProvenConnection,
    options: {
      readonly isDialled: boolean;
      readonly hello: Hello;
      readonly owner: ControlLinkOwner;
    },
  ) {
    this.peerId = proven.peerId;
    this.binding = proven.binding;
    this.path = proven.path;
    this.isDialled = options.isDialled;
    this.#connection = proven.connection;
    this.#owner = options.owner;
    const rng = new Rng(randomSeed());
    this.#session = new ControlSession(this.madeMs, { hello: options.hello, rng });
    this.#connection.attach({
      onData: (bytes) => {
        this.#session.handleBytes(monotonicMs(), plainBytes(bytes));
        this.#drain();
      },
      onDrain: () => this.#pump(),
      onClose: (error) => this.#finish(error?.message ?? 'closed by the peer'),
    });
    this.#drain();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** True between the other end's greeting and the end. */
  get isOpen(): boolean {
    return this.#session.isOpen && !this.#isClosed;
  }

  get addresses(): readonly Endpoint[] {
    return this.#hello?.addresses ?? [];
  }

  /** The other end's greeting. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  get roundTripMs(): number | undefined {
    return this.#session.roundTripMs;
  }

  /** Requests that wait for an answer, of either end. */
  get pendingCount(): number {
    return this.#session.pendingCount;
  }

  ping(): void {
    this.#session.ping(monotonicMs());
    this.#drain();
  }

  async request(
    service: string,
    payload: Uint8Array,
    options: { readonly timeoutMs?: number; readonly version?: number } = {},
  ): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const envelope: Envelope = { service, version: options.version ?? 1 };
    const id = this.#session.request(monotonicMs(), envelope, payload, options.timeoutMs);
    if (id === undefined) {
      throw this.#error(this.#isClosed ? 'it is closed' : 'too many requests wait already');
    }
    this.#waiting.set(id, { service, resolve, reject });
    this.#drain();
    return await promise;
  }

  send(service: string, payload: Uint8Array): boolean {
    const isTaken = this.#session.send({ service, version: 1 }, payload);
    this.#drain();
    return isTaken;
  }

  close(reason: string): void {
    this.#session.close(reason);
    this.#drain();
  }

  /** Another connection has taken its place: it ends when what was asked on it is answered. */
  retire(): void {
    let ticks = 0;
    const look = (): void => {
      ticks += 1;
      if (this.#isClosed) return;
      if (ticks < RETIRE_TICKS && (ticks < 2 || this.pendingCount > 0)) {
        this.#retiring = setTimeout(look, RETIRE_TICK_MS).unref();
      } else this.close('another connection stays');
    };
    this.#retiring ??= setTimeout(look, RETIRE_TICK_MS).unref();
  }

  #drain(): void {
    for (let output = this.#session.poll(); output !== undefined; output = this.#session.poll()) {
      this.#act(output);
    }
    this.#pump();
    this.#arm();
  }

  #act(output: ControlOutput): void {
    switch (output.type) {
      case 'hello':
        this.#hello = output.hello;
        this.#owner.onHello(this, output.hello);
        return;
      case 'message':
        this.#owner.onMessage(this, output);
        return;
      case 'request':
        void this.#answer(output.id, output);
        return;
      case 'response':
        this.#settle(output.id)?.resolve(output.payload);
        return;
      case 'refused': {
        const waiting = this.#settle(output.id);
        const { service = '' } = waiting ?? {};
        const { message: reason, code: refusal } = output;
        const details = { peer: this.peerId, service, reason, refusal };
        waiting?.reject(nodeError('ERR_PEER_REFUSED', details));
        return;
      }
      case 'timeout':
        this.#settle(output.id)?.reject(this.#error('no answer came in time'));
        return;
      case 'close':
        this.#pump();
        this.#finish(output.reason);
    }
  }

  async #answer(id: number, received: Received): Promise<void> {
    try {
      this.#session.respond(id, await this.#owner.onRequest(this, received));
    } catch (error) {
      const { failed } = REFUSALS;
      const code = error instanceof RequestRefusal ? error.code : failed;
      this.#session.refuse(id, code, error instanceof Error ? error.message : 'it failed');
    }
    this.#drain();
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** One write for all frames that wait: small frames come in handfuls. */
  #pump(): void {
    if (this.#isClosed) return;
    while (this.#connection.queuedBytes < SOCKET_BYTES) {
      const frame = this.#session.nextBytes();
      if (frame === undefined) return;
      this.#connection.write(frame);
    }
  }

  #arm(): void {
    const dueMs = this.#isClosed ? Number.POSITIVE_INFINITY : this.#session.nextTimeoutMs;
    // Signs of life push it back all the time: a timer that comes early looks again.
    if (dueMs >= this.#timerMs && this.#timer !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#timerMs = dueMs;
    const waitMs = Math.max(1, Math.ceil(dueMs - monotonicMs()));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#session.handleTimeout(monotonicMs());
      this.#drain();
    }, waitMs).unref();
  }

  #error(reason: string): Error {
    return nodeError('ERR_CHANNEL', { peer: this.peerId, reason });
  }

  #finish(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#retiring);
    this.#timer = undefined;
    this.#connection.end();
    for (const { reject } of this.#waiting.values()) reject(this.#error(reason));
    this.#waiting.clear();
    this.#owner.onClosed(this, reason);
  }
}
