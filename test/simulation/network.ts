/**
 * A seeded network: hosts with bandwidth, paths with latency, ordered streams, datagrams that get lost and overtake each other.
 *
 * Bytes leave a host one chunk after another at its upload rate, travel for the path's latency, and are taken in at the download
 * rate. A chunk is any value with a size; streams keep order and lose nothing, a partition holds their chunks back until it heals.
 * NAT: nobody reaches the host unless it sent there first. Hosts go down (their streams break) and come back.
 * Not here: congestion control, path MTU, a shared bottleneck between hosts.
 * @module
 */
import type { Rng } from '../../src/lib/rng.ts';
import type { Timer, VirtualClock } from './clock.ts';

// Implementation limits

/** A dial that nobody answers fails after this. */
const DIAL_TIMEOUT_MS = 5_000;
/** IP and UDP headers, counted on top of a datagram. */
const DATAGRAM_OVERHEAD_BYTES = 28;

/** Where something listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a network is like between two hosts unless `setPath` says otherwise. */
export interface NetworkOptions {
  /** One way, drawn once for each pair of hosts; default 5 … 60. */
  readonly latencyMs?: readonly [number, number];
  /** Added to each chunk and datagram, 0 … this; default 2. */
  readonly jitterMs?: number;
  /** Share of datagrams that are lost, 0 … 1; default 0. */
  readonly lossShare?: number;
  /** Share of dials that fail though somebody listens, 0 … 1; default 0. */
  readonly dialFailureShare?: number;
}

interface Path {
  latencyMs: number;
  jitterMs: number;
  lossShare: number;
}

/** What a host is like. */
export interface HostOptions {
  readonly name: string;
  /** Default unlimited. */
  readonly uploadBytesPerSec?: number;
  /** Default unlimited. */
  readonly downloadBytesPerSec?: number;
  /** True: unreachable but for answers. */
  readonly isNatted?: boolean;
}

/** What the owner of a stream's end hears. */
export interface StreamHandlers<Chunk> {
  onChunk(chunk: Chunk): void;
  /** Bytes left the host: more may be sent. */
  onDrain?(): void;
  /** The other end closed, or the host went down. */
  onClosed(): void;
}

/** Bytes that an end which does not read holds before its sender feels it, as a socket's buffers do. */
export const RECEIVE_WINDOW_BYTES = 262_144;

/** One end of a connection. */
export class StreamEnd<Chunk> {
  readonly local: Host<Chunk>;
  readonly remote: Address;
  handlers: StreamHandlers<Chunk> | undefined;
  /** Bytes that did not leave the host yet. */
  queuedBytes = 0;
  isClosed = false;
  /** Set by the network. */
  other!: StreamEnd<Chunk>;
  lastArrivalMs = 0;
  /** Chunks that arrived while a partition stood between. */
  held: (() => void)[] = [];
  /** What arrived while nobody read. */
  readonly #unread: { chunk: Chunk; bytes: number }[] = [];
  #unreadBytes = 0;
  #isPaused = false;
  /** What the sender holds back until this end reads again. */
  #stalled: (() => void)[] = [];

  constructor(local: Host<Chunk>, remote: Address) {
    this.local = local;
    this.remote = remote;
  }

  /** Sends a chunk of `bytes`; nothing happens after `close`. */
  send(chunk: Chunk, bytes: number): void {
    if (!this.isClosed) this.local.network.carry(this, chunk, bytes);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && !this.isClosed && this.#unread.length > 0) {
      const { chunk, bytes } = this.#unread.shift()!;
      this.#unreadBytes -= bytes;
      this.handlers?.onChunk(chunk);
    }
    if (this.#unreadBytes >= RECEIVE_WINDOW_BYTES) return;
    for (const go of this.#stalled.splice(0)) go();
  }

  /** A chunk arrived. */
  take(chunk: Chunk, bytes: number): void {
    if (this.isClosed) return;
    if (this.#isPaused) {
      this.#unread.push({ chunk, bytes });
      this.#unreadBytes += bytes;
    } else this.handlers?.onChunk(chunk);
  }

  /** Calls `go` as soon as this end has room for more. */
  whenRoom(go: () => void): void {
    if (this.#isPaused && this.#unreadBytes >= RECEIVE_WINDOW_BYTES) this.#stalled.push(go);
    else go();
  }

  /** Closes this end now; the other end hears it after what was sent. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.local.streams.delete(this);
    this.local.network.carryClose(this);
  }

  /** Ends without a word to the owner of this end. */
  hear(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.local.streams.delete(this);
    this.handlers?.onClosed();
  }
}

/** A machine. */
export class Host<Chunk> {
  readonly network: Network<Chunk>;
  readonly name: string;
  readonly ip: string;
  readonly uploadBytesPerSec: number;
  readonly downloadBytesPerSec: number;
  readonly isNatted: boolean;
  readonly streams = new Set<StreamEnd<Chunk>>();
  readonly listeners = new Map<number, (end: StreamEnd<Chunk>) => void>();
  readonly sockets = new Map<number, (from: Address, datagram: Uint8Array) => void>();
  /** NAT: addresses that were sent to. */
  readonly pinholes = new Set<string>();
  isUp = true;
  /** Dials so far. */
  dials = 0;
  /** Side of a partition. */
  side = 0;
  uploadFreeMs = 0;
  downloadFreeMs = 0;

  constructor(network: Network<Chunk>, ip: string, options: HostOptions) {
    this.network = network;
    this.ip = ip;
    this.name = options.name;
    this.uploadBytesPerSec = options.uploadBytesPerSec ?? Number.POSITIVE_INFINITY;
    this.downloadBytesPerSec = options.downloadBytesPerSec ?? Number.POSITIVE_INFINITY;
    this.isNatted = options.isNatted ?? false;
  }

  listen(port: number, onStream: (end: StreamEnd<Chunk>) => void): void {
    this.listeners.set(port, onStream);
  }

  /** Connects; exactly one of the two is called, later. */
  dial(to: Address, onOpen: (end: StreamEnd<Chunk>) => void, onFailed: () => void): void {
    this.network.dial(this, to, onOpen, onFailed);
  }

  /** Takes datagrams on a port. */
  bind(port: number, onDatagram: (from: Address, datagram: Uint8Array) => void): void {
    this.sockets.set(port, onDatagram);
  }

  /** Sends a datagram; it may be lost. */
  sendDatagram(fromPort: number, to: Address, datagram: Uint8Array): void {
    this.network.carryDatagram(this, fromPort, to, datagram);
  }

  /** Breaks every stream and takes nothing in until `restart`. */
  crash(): void {
    this.isUp = false;
    for (const end of [...this.streams]) {
      end.close();
      end.handlers = undefined;
    }
    this.listeners.clear();
    this.sockets.clear();
  }

  restart(): void {
    this.isUp = true;
  }
}

/** Hosts and what is between them. */
export class Network<Chunk> {
  readonly clock: VirtualClock;
  readonly #rng: Rng;
  readonly #options: Required<NetworkOptions>;
  readonly #hosts = new Map<string, Host<Chunk>>();
  readonly #paths = new Map<string, Path>();
  #nextEphemeralPort = 40_000;

  constructor(clock: VirtualClock, rng: Rng, options: NetworkOptions = {}) {
    this.clock = clock;
    this.#rng = rng;
    this.#options = {
      latencyMs: options.latencyMs ?? [5, 60],
      jitterMs: options.jitterMs ?? 2,
      lossShare: options.lossShare ?? 0,
      dialFailureShare: options.dialFailureShare ?? 0,
    };
  }

  /** Adds a machine with the next address of 10.0.0.0/8, each in a /24 of its own. */
  addHost(options: HostOptions): Host<Chunk> {
    const number = this.#hosts.size + 1;
    const host = new Host<Chunk>(this, `10.${number >> 8}.${number & 255}.1`, options);
    this.#hosts.set(host.ip, host);
    return host;
  }

  /** Sets what lies between two hosts, both ways. */
  setPath(a: Host<Chunk>, b: Host<Chunk>, path: Partial<Path>): void {
    Object.assign(this.#path(a, b), path);
  }

  /** Splits the hosts by the number that `sideOf` gives; 0 for all heals. */
  partition(sideOf: (host: Host<Chunk>) => number): void {
    for (const host of this.#hosts.values()) host.side = sideOf(host);
    for (const host of this.#hosts.values()) {
      for (const end of host.streams) this.#releaseHeld(end);
    }
  }

  dial(
    from: Host<Chunk>,
    to: Address,
    onOpen: (end: StreamEnd<Chunk>) => void,
    onFailed: () => void,
  ): void {
    from.dials += 1;
    const target = this.#hosts.get(to.host);
    const port = this.#nextEphemeralPort;
    this.#nextEphemeralPort = port === 65_535 ? 40_000 : port + 1;
    if (target === undefined || this.#rng.float() < this.#options.dialFailureShare) {
      this.clock.after(DIAL_TIMEOUT_MS, onFailed);
      return;
    }
    const oneWayMs = (): number => this.#delay(from, target);
    this.clock.after(oneWayMs(), () => {
      const listener = target.listeners.get(to.port);
      if (!target.isUp || target.isNatted || target.side !== from.side) {
        this.clock.after(DIAL_TIMEOUT_MS, onFailed);
      } else if (listener === undefined) this.clock.after(oneWayMs(), onFailed);
      else {
        const near = new StreamEnd<Chunk>(from, to);
        const far = new StreamEnd<Chunk>(target, { host: from.ip, port });
        near.other = far;
        far.other = near;
        target.streams.add(far);
        listener(far);
        this.clock.after(oneWayMs(), () => {
          if (!from.isUp) {
            far.hear();
            return;
          }
          from.streams.add(near);
          onOpen(near);
        });
      }
    });
  }

  carry(end: StreamEnd<Chunk>, chunk: Chunk, bytes: number): void {
    end.queuedBytes += bytes;
    const sentMs = this.#leave(end.local, bytes);
    this.clock.at(sentMs, () =>
      end.other.whenRoom(() => {
        end.queuedBytes -= bytes;
        if (!end.isClosed) end.handlers?.onDrain?.();
      }),
    );
    this.#arrive(end, sentMs, bytes, () => end.other.take(chunk, bytes));
  }

  carryClose(end: StreamEnd<Chunk>): void {
    this.#arrive(end, Math.max(this.clock.nowMs, end.local.uploadFreeMs), 0, () =>
      end.other.hear(),
    );
  }

  carryDatagram(from: Host<Chunk>, fromPort: number, to: Address, datagram: Uint8Array): void {
    const target = this.#hosts.get(to.host);
    from.pinholes.add(`${to.host} ${to.port}`);
    const bytes = datagram.length + DATAGRAM_OVERHEAD_BYTES;
    const sentMs = this.#leave(from, bytes);
    if (target === undefined || this.#rng.float() < this.#path(from, target).lossShare) return;
    const copy = datagram.slice();
    this.clock.at(sentMs + this.#delay(from, target), () => {
      const isOpen = !target.isNatted || target.pinholes.has(`${from.ip} ${fromPort}`);
      if (!target.isUp || !isOpen || target.side !== from.side) return;
      this.clock.at(this.#takeIn(target, bytes), () =>
        target.sockets.get(to.port)?.({ host: from.ip, port: fromPort }, copy),
      );
    });
  }

  /** When the last of `bytes` leaves a host. */
  #leave(host: Host<Chunk>, bytes: number): number {
    const startMs = Math.max(this.clock.nowMs, host.uploadFreeMs);
    host.uploadFreeMs = startMs + (bytes * 1000) / host.uploadBytesPerSec;
    return host.uploadFreeMs;
  }

  #takeIn(host: Host<Chunk>, bytes: number): number {
    const startMs = Math.max(this.clock.nowMs, host.downloadFreeMs);
    host.downloadFreeMs = startMs + (bytes * 1000) / host.downloadBytesPerSec;
    return host.downloadFreeMs;
  }

  /** In order, whatever the jitter. */
  #arrive(end: StreamEnd<Chunk>, sentMs: number, bytes: number, deliver: () => void): void {
    const target = end.other.local;
    const arrivalMs = Math.max(sentMs + this.#delay(end.local, target), end.lastArrivalMs);
    end.lastArrivalMs = arrivalMs;
    const takeIn = (): Timer => this.clock.at(this.#takeIn(target, bytes), deliver);
    this.clock.at(arrivalMs, () => {
      if (end.local.side !== target.side || end.other.held.length > 0) end.other.held.push(takeIn);
      else takeIn();
    });
  }

  #releaseHeld(end: StreamEnd<Chunk>): void {
    if (end.local.side !== end.other.local.side) return;
    for (const takeIn of end.held.splice(0)) takeIn();
  }

  #delay(a: Host<Chunk>, b: Host<Chunk>): number {
    const path = this.#path(a, b);
    return path.latencyMs + this.#rng.float() * path.jitterMs;
  }

  #path(a: Host<Chunk>, b: Host<Chunk>): Path {
    const key = a.ip < b.ip ? `${a.ip} ${b.ip}` : `${b.ip} ${a.ip}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      const [least, most] = this.#options.latencyMs;
      const { jitterMs, lossShare } = this.#options;
      path = { latencyMs: least + this.#rng.float() * (most - least), jitterMs, lossShare };
      this.#paths.set(key, path);
    }
    return path;
  }
}
