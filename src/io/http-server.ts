/**
 * An HTTP server for whoever comes by: hands requests on, one of a connection after the other, and sends bodies as fast as they are taken.
 *
 * Spec: RFC 9112 (messages, by Node's parser), RFC 9110. Requests that come before the former is answered (pipelining) wait in order.
 * Bounds: HttpServerLimits: connections, those of one address (IPv6: a /64), bytes and time of a request's head, requests that wait, time without
 * a request, and how long a reader may take for a chunk of a body. Whoever passes one is cut off without an answer, but for a head that is too long
 * or late (431, 408). Bodies of requests are not read.
 * Not here: TLS, coding, what is served.
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { toHex } from '../lib/bytes.ts';
import { parseIp } from '../lib/ip-address.ts';
import type { Endpoint } from './tcp.ts';

/** Bounds of a server. */
export interface HttpServerLimits {
  readonly connections: number;
  /** Of one address; exempt ones have no bound of their own. */
  readonly connectionsPerHost: number;
  readonly headBytes: number;
  /** From the first byte of a request, or the connection, to the end of the head. */
  readonly headMs: number;
  readonly idleMs: number;
  /** Requests of one connection that wait for an answer. */
  readonly waitingRequests: number;
  /** For the system to take a chunk of a body that the other side does not read. */
  readonly sendMs: number;
}

// Implementation limits
/** Connections of a server. */
const MAX_CONNECTIONS = 128;
/** Connections of a server with one address; browsers make six. */
const MAX_PER_HOST = 8;
/** Bytes of a request's head. */
const MAX_HEAD_BYTES = 8_192;
/** How long a request's head may take. */
const HEAD_MS = 10_000;
/** How long a connection is kept without a request. */
const IDLE_MS = 15_000;
/** Requests of a connection that wait: a client may ask for every file of a piece at once. */
const MAX_WAITING_REQUESTS = 128;
/** How long a chunk of a body may take: 64 KiB in it are 2 KiB/s. */
const SEND_MS = 30_000;
/** Header lines kept of a request. */
const MAX_HEADERS = 64;
/** Connections that the system keeps for us until we take them. */
const BACKLOG = 511;
/** How often late heads are looked for. */
const CHECK_MS = 1_000;

/** The bounds of servers that nobody gave others. */
export const HTTP_SERVER_LIMITS: HttpServerLimits = {
  connections: MAX_CONNECTIONS,
  connectionsPerHost: MAX_PER_HOST,
  headBytes: MAX_HEAD_BYTES,
  headMs: HEAD_MS,
  idleMs: IDLE_MS,
  waitingRequests: MAX_WAITING_REQUESTS,
  sendMs: SEND_MS,
};

/** A request. */
export interface HttpQuestion {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of the other side: 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** Aborts when the other side is gone. */
  readonly signal: AbortSignal;
}

/** An answer. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent whole, with its length; or chunk by chunk: one must not change before the next is asked for, and what is thrown ends the connection. */
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/** Options of `serveHttp`. */
export interface HttpServerOptions extends Endpoint {
  readonly limits?: Partial<HttpServerLimits>;
  /** Addresses without a bound of their own. */
  readonly isExempt?: (host: string) => boolean;
  /** False: "::" takes IPv4 too, which is the default. */
  readonly isIpv6Only?: boolean;
  readonly onRequest: (question: HttpQuestion) => HttpReply;
}

/** A running server. */
export interface HttpServer {
  readonly endpoint: Endpoint;
  /** Open now. */
  readonly connections: number;
  /** Refused because too many were open, in all or from one address. */
  readonly refused: number;
  /** Ends: answers that are being sent may finish for `graceMs`, default 0. Resolves when the port is free. */
  close(graceMs?: number): Promise<void>;
}

/** Headers by which proxies tell of themselves (RFC 7239, RFC 9110 section 7.6.3, and what was before). */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip', 'cf-connecting-ip'];

/** A request says that a proxy sent it: its address is the proxy's. */
export function isForwarded({ headers }: HttpQuestion): boolean {
  return PROXY_HEADERS.some((name) => headers[name] !== undefined);
}

/** Listens. @throws the system's error (EADDRINUSE, EACCES, …). */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...HTTP_SERVER_LIMITS, ...options.limits };
  // Not imported: see io/http.ts.
  const server = process.getBuiltinModule('node:http').createServer({
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    requestTimeout: limits.headMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.headMs),
    keepAliveTimeoutBuffer: 0,
    noDelay: true,
  });
  server.maxConnections = limits.connections;
  server.maxHeadersCount = MAX_HEADERS;
  const visitors = new Map<Socket, Visitor>();
  const counts = new Map<string, number>();
  let refused = 0;
  server.on('drop', () => {
    refused += 1;
  });
  server.on('connection', (socket) => {
    const address = parseIp(socket.remoteAddress ?? '');
    const place = address === undefined ? '' : placeOf(address);
    const count = (counts.get(place) ?? 0) + 1;
    const isExempt = options.isExempt?.(socket.remoteAddress ?? '') === true;
    if (address === undefined || (count > limits.connectionsPerHost && !isExempt)) {
      refused += 1;
      socket.destroy();
      return;
    }
    counts.set(place, count);
    visitors.set(socket, new Visitor(socket, address, limits, options.onRequest));
    socket.once('close', () => {
      visitors.delete(socket);
      const left = counts.get(place)! - 1;
      if (left > 0) counts.set(place, left);
      else counts.delete(place);
    });
  });
  server.on('request', (request, response) => {
    visitors.get(request.socket)?.ask(request, response);
  });
  await listen(server, options);
  server.on('error', () => {});
  const { address, port } = server.address() as AddressInfo;
  return {
    endpoint: { host: address, port },
    get connections() {
      return visitors.size;
    },
    get refused() {
      return refused;
    },
    close: (graceMs = 0) => close(server, graceMs),
  };
}

function listen(server: Server, { host, port, isIpv6Only }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const ipv6Only = isIpv6Only === true;
    server.listen({ host, port, ipv6Only, exclusive: true, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** What one subscriber gets: an IPv4 address or an IPv6 /64. */
function placeOf(address: Uint8Array): string {
  return toHex(address.subarray(0, 8));
}

/** One connection. */
class Visitor {
  readonly #socket: Socket;
  readonly #address: Uint8Array;
  readonly #limits: HttpServerLimits;
  readonly #onRequest: (question: HttpQuestion) => HttpReply;
  readonly #waiting: [IncomingMessage, ServerResponse][] = [];
  readonly #abort = new AbortController();

  constructor(
    socket: Socket,
    address: Uint8Array,
    limits: HttpServerLimits,
    onRequest: (question: HttpQuestion) => HttpReply,
  ) {
    this.#socket = socket;
    this.#address = address;
    this.#limits = limits;
    this.#onRequest = onRequest;
    socket.once('close', () => this.#abort.abort());
  }

  ask(request: IncomingMessage, response: ServerResponse): void {
    if (this.#waiting.length >= this.#limits.waitingRequests) {
      this.#socket.destroy();
      return;
    }
    if (this.#waiting.push([request, response]) > 1) return;
    this.#work().catch(() => this.#socket.destroy());
  }

  async #work(): Promise<void> {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#abort.signal.aborted) return;
      await this.#answer(...next);
      this.#waiting.shift();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { signal } = this.#abort;
    const { method = '', url: target = '', headers } = request;
    const address = this.#address;
    const reply = this.#onRequest({ method, target, headers, address, signal });
    const { status, headers: told, body } = reply;
    response.on('error', () => this.#socket.destroy());
    // Nobody reads what a request brings: after it, the connection is of no use.
    if ((headers['content-length'] ?? '0') !== '0' || 'transfer-encoding' in headers) {
      response.shouldKeepAlive = false;
    }
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
      const whole = typeof body === 'string' ? Buffer.from(body) : body;
      const length = whole === undefined ? {} : { 'content-length': whole.length };
      response.writeHead(status, { ...told, ...length });
      await this.#inTime((done) => response.end(whole, done));
      return;
    }
    response.writeHead(status, told);
    for await (const chunk of body) {
      if (signal.aborted) return;
      await this.#inTime((done) => response.write(chunk, done));
    }
    await this.#inTime((done) => response.end(done));
  }

  /** Resolves when the system has taken what is written, or the connection ended; who takes too long is cut off. */
  #inTime(write: (done: () => void) => void): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), this.#limits.sendMs);
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', settle);
        resolve();
      };
      signal.addEventListener('abort', settle);
      if (signal.aborted) settle();
      else write(settle);
    });
  }
}
