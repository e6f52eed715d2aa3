/**
 * A small HTTP server for anonymous GETs: every request is handed to one function, whose answer goes out whole.
 * Spec: RFC 9110, 9112. Bounds: HEADER_BYTES_MAX, times for headers and for a whole request, connections in all and of one address (an IPv6 /64),
 * requests of one connection; bodies are not read. Not here: TLS, compression, trust in what proxies say of the sender.
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addressScope, formatIp, parseIp } from '../lib/ip-address.ts';
import type { Endpoint } from './tcp.ts';

/** A GET or HEAD. */
export interface HttpServerRequest {
  /** Path and query as they came. */
  readonly target: string;
  /** Of the socket: 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** The request says that a proxy sent it. */
  readonly isForwarded: boolean;
}

/** An answer. */
export interface HttpServerReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How to serve. */
export interface HttpServerOptions {
  /** IP literal; an IPv6 server takes no IPv4. */
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  readonly onRequest: (request: HttpServerRequest) => HttpServerReply;
  /** Default CONNECTIONS_MAX. */
  readonly connectionsMax?: number;
  /** Default HEADERS_TIMEOUT_MS. */
  readonly headersTimeoutMs?: number;
}

/** A running server. */
export interface HttpServer {
  readonly endpoint: Endpoint;
  /** Open now. */
  readonly connections: number;
  /** Refused because too many were open, in all or from one address. */
  readonly refused: number;
  /** Ends: answers that are being sent may finish for `graceMs`. Resolves when the port is free. */
  close(graceMs: number): Promise<void>;
}

// Implementation limits
/** Request line and headers; a scrape of 74 torrents has 5,300 bytes. */
const HEADER_BYTES_MAX = 10_240;
/** Header lines kept of a request. */
const HEADERS_MAX = 64;
/** From the connection to the end of the headers. */
const HEADERS_TIMEOUT_MS = 5_000;
/** A connection on which nothing moves, in either direction. */
const IDLE_TIMEOUT_MS = 10_000;
/** How long a connection is kept for a further request. */
const KEEP_ALIVE_MS = 2_000;
/** Requests of one connection, then it is closed. */
const REQUESTS_PER_CONNECTION_MAX = 100;
const CONNECTIONS_MAX = 2_000;
/** Connections of one IPv4 address or IPv6 /64, loopback and private networks excepted. */
const CONNECTIONS_PER_ADDRESS_MAX = 32;
/** How often the times are checked. */
const CHECK_EVERY_MS = 1_000;

/** Headers by which proxies tell of themselves (RFC 7239, RFC 9110 section 7.6.3, and what was before). */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip', 'cf-connecting-ip'];

/** Serves. @throws the system's error (EADDRINUSE, EACCES, …). */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  const headersTimeoutMs = options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS;
  // Not imported: the module brings much with it that 'starling info' would wait for.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: headersTimeoutMs,
      requestTimeout: headersTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, headersTimeoutMs),
      noDelay: true,
    },
    (request, response) => answer(request, response, options.onRequest),
  );
  server.maxHeadersCount = HEADERS_MAX;
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION_MAX;
  server.timeout = IDLE_TIMEOUT_MS;
  const gate = new ConnectionGate(options.connectionsMax ?? CONNECTIONS_MAX);
  server.on('connection', (socket) => gate.admit(socket));
  server.on('clientError', refuseBroken);
  await listen(server, options);
  server.on('error', () => {});
  const address = server.address() as { address: string; port: number };
  return {
    endpoint: { host: address.address, port: address.port },
    get connections() {
      return gate.size;
    },
    get refused() {
      return gate.refused;
    },
    close: (graceMs) => close(server, graceMs),
  };
}

function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: true, exclusive: true, backlog: 511 }, () => {
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

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  onRequest: HttpServerOptions['onRequest'],
): void {
  const address = parseIp(request.socket.remoteAddress ?? '');
  if (address === undefined) {
    request.socket.destroy();
    return;
  }
  // A body is not read: the connection ends with the answer.
  const { headers, method } = request;
  const hasBody =
    headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  if (hasBody) response.shouldKeepAlive = false;
  if (method !== 'GET' && method !== 'HEAD') {
    response.shouldKeepAlive = false;
    response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': 0 }).end();
    return;
  }
  const isForwarded = PROXY_HEADERS.some((name) => headers[name] !== undefined);
  const reply = onRequest({ target: request.url ?? '/', address, isForwarded });
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
  response.writeHead(reply.status, {
    'Content-Type': reply.contentType,
    'Content-Length': body.length,
    'X-Content-Type-Options': 'nosniff',
    ...reply.headers,
  });
  response.end(body);
}

/** What is no HTTP, is too long or takes too long. */
function refuseBroken(
  error: NodeJS.ErrnoException,
  socket: Socket | import('node:stream').Duplex,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  // Not `end`: who sends rubbish need not be waited for.
  socket.destroy();
}

/** Counts connections, in all and by address. */
class ConnectionGate {
  size = 0;
  refused = 0;
  readonly #max: number;
  readonly #byHost = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  admit(socket: Socket): void {
    const address = parseIp(socket.remoteAddress ?? '');
    const host = address === undefined ? undefined : hostOf(address);
    const ofHost = host === undefined ? 0 : (this.#byHost.get(host) ?? 0);
    if (address === undefined || this.size >= this.#max || ofHost >= CONNECTIONS_PER_ADDRESS_MAX) {
      this.refused += 1;
      socket.destroy();
      return;
    }
    this.size += 1;
    if (host !== undefined) this.#byHost.set(host, ofHost + 1);
    socket.once('close', () => {
      this.size -= 1;
      if (host === undefined) return;
      const left = (this.#byHost.get(host) ?? 1) - 1;
      if (left === 0) this.#byHost.delete(host);
      else this.#byHost.set(host, left);
    });
  }
}

/** What counts as one address; undefined: the rule does not hold for it. */
function hostOf(address: Uint8Array): string | undefined {
  if (addressScope(address) !== 'global') return undefined;
  return address.length === 4 ? formatIp(address) : address.subarray(0, 8).join('.');
}
