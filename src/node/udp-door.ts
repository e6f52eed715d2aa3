/**
 * The node's UDP socket, one for each address family, opened at first use; tracker requests find their answers by transaction id and sender.
 * Bounds: MAX_PENDING transactions; the oldest is forgotten first.
 * @module
 */
import type { HostAddress } from '../io/dns.ts';
import { openUdp, type UdpEndpoint, type UdpSocket } from '../io/udp.ts';
import { udpTransactionId } from '../protocol/tracker/index.ts';

// Implementation limits
/** Tracker requests that wait for an answer. */
const MAX_PENDING = 1024;

interface Pending {
  readonly from: UdpEndpoint;
  readonly onReply: (bytes: Uint8Array) => void;
}

/** Sends tracker requests and sorts the answers. */
export class UdpDoor {
  readonly #host: string;
  readonly #sockets = new Map<4 | 6, Promise<UdpSocket>>();
  readonly #pending = new Map<number, Pending>();
  #isClosed = false;

  /** @param host the address given by --listen, whose family binds to it; the other family binds to any. */
  constructor(host: string) {
    this.#host = host;
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
    const socket = await this.#open(target.family);
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

  #open(family: 4 | 6): Promise<UdpSocket> {
    let opening = this.#sockets.get(family);
    if (opening === undefined) {
      const isSameFamily = this.#host.includes(':') === (family === 6);
      const anyHost = family === 4 ? '0.0.0.0' : '::';
      opening = openUdp({
        host: isSameFamily ? this.#host : anyHost,
        port: 0,
        onMessage: (bytes, from) => this.#receive(bytes, from),
        onError: () => this.#sockets.delete(family),
      });
      this.#sockets.set(family, opening);
    }
    return opening;
  }

  #receive(bytes: Uint8Array, from: UdpEndpoint): void {
    const id = udpTransactionId(bytes);
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (pending === undefined) return;
    if (pending.from.address !== from.address || pending.from.port !== from.port) return;
    this.#pending.delete(id!);
    pending.onReply(bytes);
  }
}
