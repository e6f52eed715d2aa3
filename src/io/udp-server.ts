/**
 * A UDP socket that answers: every datagram is handed to one function, whose answer goes back to the sender at once.
 * Bounds: the system's buffers, asked to be RECEIVE_BUFFER_BYTES; UNSENT_MAX answers that the system did not take yet, beyond which answers are lost.
 * Not here: sending unasked (udp.ts).
 * @module
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { parseIp } from '../lib/ip-address.ts';
import type { Endpoint } from './tcp.ts';

/** How to serve. */
export interface UdpServerOptions {
  /** IP literal to bind to; an IPv6 socket takes no IPv4. */
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** Longest answer. */
  readonly replyLengthMax: number;
  /** Writes the answer into `out` and gives its length; 0: none. `bytes` are valid during the call. @param address 4 or 16 bytes. */
  readonly onRequest: (bytes: Uint8Array, address: Uint8Array, out: Uint8Array) => number;
  /** The socket failed; it is closed then. */
  readonly onError: (error: Error) => void;
}

/** A socket that serves. */
export interface UdpServer {
  readonly endpoint: Endpoint;
  /** Answers that were lost because the system took no more. */
  readonly unsent: number;
  /** Resolves when the port is free again. May be called twice. */
  close(): Promise<void>;
}

// Implementation limits
/** Requests of a burst wait here while others are answered: 40,000 announces in their buffers of the kernel. */
const RECEIVE_BUFFER_BYTES = 8_388_608;
/** Answers that wait for the system at most. */
const UNSENT_MAX = 1_024;

/** Serves. @throws the system's error (EADDRINUSE, EACCES, …). */
export async function serveUdp(options: UdpServerOptions): Promise<UdpServer> {
  const socket = createSocket({
    type: isIPv6(options.host) ? 'udp6' : 'udp4',
    ipv6Only: isIPv6(options.host),
    // Answers go to literals: nothing is to be looked up.
    lookup: (name, _options, callback) => callback(null, name, isIPv6(name) ? 6 : 4),
  });
  await bind(socket, options);
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // The limit is the administrator's; a smaller buffer only loses more of a burst.
  }
  let unsent = 0;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => socket.close(() => resolve()));
    return closing;
  };
  // One buffer for all answers: the system copies it in `send`, unless it is busy.
  let out = Buffer.allocUnsafeSlow(options.replyLengthMax);
  socket.on('message', (bytes, from) => {
    const address = parseIp(from.address);
    if (address === undefined || from.port === 0) return;
    if (socket.getSendQueueCount() >= UNSENT_MAX) {
      unsent += 1;
      return;
    }
    const length = options.onRequest(bytes, address, out);
    if (length === 0 || closing !== undefined) return;
    socket.send(out, 0, length, from.port, from.address);
    if (socket.getSendQueueCount() > 0) out = Buffer.allocUnsafeSlow(options.replyLengthMax);
  });
  socket.on('error', (error) => {
    void close();
    options.onError(error);
  });
  const { address, port } = socket.address();
  return {
    endpoint: { host: address, port },
    get unsent() {
      return unsent;
    },
    close,
  };
}

function bind(socket: Socket, { host, port }: UdpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}
