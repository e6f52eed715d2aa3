/**
 * The node's UDP socket, one for each address family, opened at first use on the port of its TCP listener where that is free: tracker requests find
 * their answers by transaction id and sender, and whatever else comes goes to the DHT.
 * Bounds: MAX_PENDING transactions; the oldest is forgotten first.
 * @module
 */
import type { HostAddress } from '../io/dns.ts';
import { openUdp, type UdpEndpoint, type UdpOptions, type UdpSocket } from '../io/udp.ts';
import { udpTransactionId } from '../protocol/tracker/index.ts';

// Implementation limits
/** Tracker requests that wait for an answer. */
const MAX_PENDING = 1024;

/** Bencoded dictionaries begin with this letter; no answer of a tracker does, whose first byte is 0. */
const DICTIONARY = 0x64;

interface Pending {
  readonly from: UdpEndpoint;
  readonly onReply: (bytes: Uint8Array) => void;
}

/** Sends tracker requests and DHT datagrams, and sorts what comes. */
export class UdpDoor {
  readonly #host: string;
  readonly #port: number;
  readonly #sockets = new Map<4 | 6, Promise<UdpSocket>>();
  readonly #pending = new Map<number, Pending>();
  /** Takes datagrams of the DHT. */
  onDictionary: ((family: 4 | 6, bytes: Uint8Array, from: UdpEndpoint) => void) | undefined;
  #isClosed = false;

  /** @param host the address given by --listen, whose family binds to it; the other family binds to any. @param port wanted; 0: any. */
  constructor(host: string, port = 0) {
    this.#host = host;
    this.#port = port;
  }

  /** Sends a request to the first address; the answer must come from there with the same transaction id. */
  async ask(
    addresses: readonly HostAddress[],
    port: number,
    requestId: number,
    bytes: Uint8Array,
    onReply: (bytes: Uint8Array) => void,
  ): Promise<void> {
    const target = addresses[0]!;
    const socket = await this.open(target.family);
    if (this.#isClosed) return;
    if (this.#pending.size >= MAX_PENDING) {
      this.#pending.delete(this.#pending.keys().next().value!);
    }
    this.#pending.delete(requestId);
    this.#pending.set(requestId, { from: { address: target.address, port }, onReply });
    socket.send(bytes, target.address, port);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pending.clear();
    for (const opening of this.#sockets.values()) await (await opening).close();
  }

  /** The socket of a family. @throws the system's error when it cannot be bound. */
  open(family: 4 | 6): Promise<UdpSocket> {
    let opening = this.#sockets.get(family);
    if (opening === undefined) {
      opening = this.#bind(family);
      this.#sockets.set(family, opening);
    }
    return opening;
  }

  async #bind(family: 4 | 6): Promise<UdpSocket> {
    const isSameFamily = this.#host.includes(':') === (family === 6);
    const anyHost = family === 4 ? '0.0.0.0' : '::';
    const options: UdpOptions = {
      host: isSameFamily ? this.#host : anyHost,
      port: this.#port,
      onMessage: (bytes, from) => this.#receive(family, bytes, from),
      onError: () => this.#sockets.delete(family),
    };
    try {
      return await openUdp(options);
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || this.#port === 0) {
        this.#sockets.delete(family);
        throw error;
      }
      return openUdp({ ...options, port: 0 });
    }
  }

  #receive(family: 4 | 6, bytes: Uint8Array, from: UdpEndpoint): void {
    if (bytes[0] === DICTIONARY) {
      this.onDictionary?.(family, bytes, from);
      return;
    }
    const id = udpTransactionId(bytes);
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (pending === undefined) return;
    if (pending.from.address !== from.address || pending.from.port !== from.port) return;
    this.#pending.delete(id!);
    pending.onReply(bytes);
  }
}
