/**
 * UDP sockets. One is shared by tracker client, DHT and uTP, so it only carries datagrams and knows no protocol.
 * Bounds: the system's buffers, asked to be 1 MiB each; what doesn't fit is lost, as UDP is. Not here: names, which are resolved before (dns.ts).
 * @module
 */
import { createSocket, type Socket } from 'node:dgram';
import { type AppError, defineErrors } from '../lib/errors.ts';
import { parseIp } from '../lib/ip-address.ts';

/** Where a datagram comes from or goes to. */
export interface UdpEndpoint {
  /** IP literal. */
  readonly address: string;
  readonly port: number;
}

/** How to open a socket. */
export interface UdpOptions {
  /** IP literal to bind to; its family is the socket's (an IPv6 socket takes no IPv4). */
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** Datagrams to multicast groups leave on the interface of `host` and pass so many routers, less one. Default: as the system has it. */
  readonly multicastTtl?: number;
  /** The bytes are the receiver's to keep. */
  readonly onMessage: (bytes: Uint8Array, from: UdpEndpoint) => void;
  /** The socket itself failed; it is closed then. */
  readonly onError: (error: Error) => void;
  /** One datagram could not be sent (no route, too big, not allowed). Default: nothing, as a lost datagram says nothing either. */
  readonly onSendError?: (error: Error, to: UdpEndpoint) => void;
}

/** An open UDP socket. */
export interface UdpSocket {
  readonly address: UdpEndpoint;
  readonly family: 4 | 6;
  /** Sends one datagram to an IP literal; failures go to onSendError. The bytes must not change until the next turn of the event loop. */
  send(bytes: Uint8Array, address: string, port: number): void;
  /** Resolves when the port is free again. May be called twice. */
  close(): Promise<void>;
}

interface BadAddress {
  readonly address: string;
  readonly expected: string;
}

const make = defineErrors({
  ERR_UDP_ADDRESS: ({ address, expected }: BadAddress) =>
    `UDP: expected ${expected}, got ${JSON.stringify(address)}`,
});

// Implementation limits
const BUFFER_BYTES = 1_048_576;

/** Opens a socket. @throws AppError ERR_UDP_ADDRESS for a name; the system's error (EADDRINUSE, EACCES, …) when it can't be bound. */
export async function openUdp(options: UdpOptions): Promise<UdpSocket> {
  const family = familyOf(options.host);
  const socket = createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    ipv6Only: family === 6,
    // Only literals get here; a name would make a DNS query behind the policy's back.
    lookup: (name, _options, callback) => callback(null, name, family),
  });
  await bind(socket, options.host, options.port);
  if (options.multicastTtl !== undefined) {
    if (family === 4) socket.setMulticastInterface(options.host);
    socket.setMulticastTTL(options.multicastTtl);
  }
  enlargeBuffers(socket);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => socket.close(() => resolve()));
    return closing;
  };
  socket.on('message', (bytes, from) => {
    // Anybody can write port 0 there, and nobody can be answered at it.
    if (from.port === 0) return;
    options.onMessage(bytes, { address: from.address, port: from.port });
  });
  socket.on('error', (error) => {
    void close();
    options.onError(error);
  });
  const bound = socket.address();
  return {
    address: { address: bound.address, port: bound.port },
    family,
    send(bytes, address, port) {
      if (closing !== undefined) return;
      const refuse = (error: Error): void => options.onSendError?.(error, { address, port });
      const target = parseIp(address);
      if (target === undefined || (target.length === 4 ? 4 : 6) !== family) {
        refuse(addressError(address, `an IPv${family} address`));
        return;
      }
      // The system's socket would throw: a port that others named must not end the program.
      if (!Number.isInteger(port) || port < 1 || port > 65_535) {
        refuse(addressError(`${address}, port ${port}`, 'a port, 1–65535'));
        return;
      }
      socket.send(bytes, port, address, (error) => {
        if (error !== null && closing === undefined) refuse(error);
      });
    },
    close,
  };
}

function bind(socket: Socket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

/** Bursts of uTP and DHT replies outrun the default of 200 KiB; a system that refuses keeps its default. */
function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(BUFFER_BYTES);
    socket.setSendBufferSize(BUFFER_BYTES);
  } catch {
    // The limit is the administrator's; smaller buffers only lose more.
  }
}

function familyOf(host: string): 4 | 6 {
  const bytes = parseIp(host);
  if (bytes === undefined) throw addressError(host, 'an IP address to bind to');
  return bytes.length === 4 ? 4 : 6;
}

function addressError(address: string, expected: string): AppError<'ERR_UDP_ADDRESS', BadAddress> {
  return make('ERR_UDP_ADDRESS', { address, expected });
}
