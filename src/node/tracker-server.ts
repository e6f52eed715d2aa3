/**
 * A tracker on sockets: HTTP and UDP on one port number, over IPv4 and IPv6; a page for people (`/stats`) and one for Prometheus (`/metrics`).
 *
 * The shell of `TrackerCore`. One thread serves all: an announce costs it less than Node needs to carry the datagrams.
 * Bounds: those of the core and of the two servers; PORT_TRIES free ports. Not here: TLS, which a proxy in front speaks.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { monotonicMs } from '../io/clock.ts';
import { randomSeed } from '../io/crypto.ts';
import {
  type HttpQuestion,
  type HttpReply,
  type HttpServer,
  isForwarded,
  serveHttp,
} from '../io/http-server.ts';
import { isSpecialAddress } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import { serveUdp, type UdpServer } from '../io/udp-server.ts';
import { Rng } from '../lib/rng.ts';
import {
  parseAllowList,
  TrackerCore,
  UDP_REPLY_LENGTH_MAX,
} from '../protocol/tracker/server/index.ts';
import { formatEndpoint, parseEndpoint, reachableEndpoints } from './address.ts';
import { nodeError } from './errors.ts';
import { statsPage, type TrackerPicture, trackerMetricsPage } from './tracker-pages.ts';

/** Options of a TrackerServer. */
export interface TrackerServerOptions {
  /** "HOST:PORT"; without a host, or with `[::]`, both address families. Default ":6969"; port 0: a free one. */
  readonly listen?: string;
  /** Seconds between announces, 30 … 86,400; default 1,800. */
  readonly intervalSec?: number;
  /** Keys of which one must stand in the path: /KEY/announce. None: no key is asked for. */
  readonly keys?: readonly string[];
  /** Info-hashes of 20 bytes; others are refused. Absent: every torrent is served. */
  readonly allowed?: readonly Uint8Array[];
  /** Peers in all; default 4,000,000. */
  readonly peersMax?: number;
  /** Torrents in all; default 500,000. */
  readonly torrentsMax?: number;
  /** A server's socket failed while it ran. */
  readonly onProblem?: (message: string) => void;
}

/** How a service does. */
export interface TrackerHealth {
  readonly isRunning: boolean;
  /** What it listens on; a family that this machine does not have is not there. */
  readonly listening: readonly string[];
  readonly problem?: string;
}

// Implementation limits
/** The port that people expect of a tracker. */
const DEFAULT_PORT = 6969;
/** With port 0: a port that is free for TCP may be taken for UDP, or in the other family. */
const PORT_TRIES = 10;
/** How long answers that are being sent may take at the end. */
const STOP_GRACE_MS = 1_000;

/** Announces are short: what a browser needs, and a scrape of 74 torrents with its 5,300 bytes. */
const HTTP_LIMITS = {
  connections: 2_000,
  connectionsPerHost: 32,
  headBytes: 10_240,
  headMs: 5_000,
  idleMs: 2_000,
  sendMs: 10_000,
} as const;

/** A machine without IPv6 says one of these. */
const NO_FAMILY: ReadonlySet<string> = new Set([
  'EAFNOSUPPORT',
  'EADDRNOTAVAIL',
  'EPROTONOSUPPORT',
]);

/** A tracker that runs in this process. */
export class TrackerServer {
  readonly #options: TrackerServerOptions;
  readonly #core: TrackerCore;
  readonly #endpoint: Endpoint;
  #http: HttpServer[] = [];
  #udp: UdpServer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #startedMs = 0;
  #isRunning = false;
  #problem: string | undefined;

  /** @throws AppError ERR_CONFIG or ERR_TRACKER_BAD_OPTION. */
  constructor(options: TrackerServerOptions = {}) {
    this.#options = options;
    const listen = options.listen ?? '';
    const { host, port } = parseEndpoint(listen, '--listen', DEFAULT_PORT);
    this.#endpoint = { host: /^\s*(?::|$)/.test(listen) ? '::' : host, port };
    const { intervalSec, keys, allowed, peersMax, torrentsMax } = options;
    this.#core = new TrackerCore({
      secret: randomBytes(16),
      rng: new Rng(randomSeed()),
      ...(intervalSec === undefined ? {} : { intervalSec }),
      ...(keys === undefined ? {} : { keys }),
      ...(allowed === undefined ? {} : { allowed }),
      ...(peersMax === undefined ? {} : { peersMax }),
      ...(torrentsMax === undefined ? {} : { torrentsMax }),
    });
  }

  /** Makes one and starts it. @throws AppError ERR_LISTEN. */
  static async open(options: TrackerServerOptions = {}): Promise<TrackerServer> {
    const server = new TrackerServer(options);
    await server.start();
    return server;
  }

  /** The port of all its sockets; 0 before it runs. */
  get port(): number {
    return this.#http[0]?.endpoint.port ?? 0;
  }

  /** What it listens on, each address for TCP and UDP. */
  get endpoints(): readonly Endpoint[] {
    return this.#http.map(({ endpoint }) => endpoint);
  }

  /** What to put into torrents, UDP first: it is cheaper for both sides. @param key to put into the path. */
  urls(key?: string): string[] {
    const path = key === undefined ? '/announce' : `/${key}/announce`;
    return ['udp', 'http'].map((scheme) => `${scheme}://${this.#host}${path}`);
  }

  get statsUrl(): string {
    return `http://${this.#host}/stats`;
  }

  get #host(): string {
    const [first] = this.endpoints;
    return first === undefined ? 'localhost' : formatEndpoint(reachableEndpoints(first)[0]!);
  }

  /** Counts of this moment. */
  get picture(): TrackerPicture {
    const { store, counters, schedule, access } = this.#core;
    return {
      uptimeSec: this.#isRunning ? Math.floor((monotonicMs() - this.#startedMs) / 1000) : 0,
      torrents: store.torrentCount,
      peersV4: store.v4.size,
      peersV6: store.v6.size,
      seeds: store.seeds,
      counters,
      ...store.counters,
      connections: this.#http.reduce((sum, server) => sum + server.connections, 0),
      connectionsRefused: this.#http.reduce((sum, server) => sum + server.refused, 0),
      unsent: this.#udp.reduce((sum, server) => sum + server.unsent, 0),
      memoryBytes: process.memoryUsage.rss(),
      intervalSec: schedule.intervalSec,
      needsKey: access.needsKey,
    };
  }

  /** Listens. @throws AppError ERR_LISTEN. */
  async start(): Promise<void> {
    if (this.#isRunning) return;
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#listen();
        break;
      } catch (error) {
        await this.#close(0);
        const { code = 'unknown' } = error as NodeJS.ErrnoException;
        if (this.#endpoint.port === 0 && code === 'EADDRINUSE' && tries < PORT_TRIES) continue;
        throw nodeError('ERR_LISTEN', { endpoint: formatEndpoint(this.#endpoint), code }, error);
      }
    }
    this.#isRunning = true;
    this.#problem = undefined;
    this.#startedMs = monotonicMs();
    this.#arm();
  }

  /** Stops listening, lets answers that are being sent finish for a second. What it knew is kept for another `start`. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    await this.#close(STOP_GRACE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  health(): TrackerHealth {
    return {
      isRunning: this.#isRunning,
      listening: this.endpoints.map(formatEndpoint),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  /** In the text format of Prometheus. */
  metrics(): string {
    return trackerMetricsPage(this.picture);
  }

  /** Another allow list; undefined: every torrent is served. */
  setAllowed(allowed: readonly Uint8Array[] | undefined): void {
    this.#core.access.setAllowed(allowed);
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#endpoint;
    const isBoth = host === '::';
    // IPv4 first: it is there nearly everywhere, and the other one follows its port.
    await this.#serve(isBoth ? '0.0.0.0' : host, port);
    if (!isBoth) return;
    try {
      await this.#serve('::', this.port);
    } catch (error) {
      if (!NO_FAMILY.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }

  async #serve(host: string, port: number): Promise<void> {
    const http = await serveHttp({
      host,
      port,
      limits: HTTP_LIMITS,
      // Of this machine and of private networks: one address may be many machines there, and abuse is dealt with in person.
      isExempt: isSpecialAddress,
      isIpv6Only: true,
      onRequest: (question) => this.#handleHttp(question),
    });
    try {
      const udp = await serveUdp({
        host,
        port: http.endpoint.port,
        replyLengthMax: UDP_REPLY_LENGTH_MAX,
        onRequest: (bytes, address, out) =>
          this.#core.handleUdp(monotonicMs(), bytes, address, out),
        onError: (error) => this.#fail(error),
      });
      this.#http.push(http);
      this.#udp.push(udp);
    } catch (error) {
      await http.close(0);
      throw error;
    }
  }

  #handleHttp(question: HttpQuestion): HttpReply {
    const { method, target, address } = question;
    if (method !== 'GET' && method !== 'HEAD') {
      return { status: 405, headers: { allow: 'GET, HEAD', connection: 'close' }, body: '' };
    }
    const at = target.indexOf('?');
    const path = at < 0 ? target : target.slice(0, at);
    if (path === '/stats' || path === '/') {
      const policy = "default-src 'none'; style-src 'unsafe-inline'";
      const headers = { 'content-security-policy': policy, 'cache-control': 'no-store' };
      return page('text/html; charset=utf-8', statsPage(this.picture), headers);
    }
    if (path === '/metrics') {
      return page('text/plain; version=0.0.4; charset=utf-8', this.metrics());
    }
    const forwarded = isForwarded(question);
    const { status, body } = this.#core.handleHttp(monotonicMs(), target, address, forwarded);
    return { ...page('text/plain', body), status };
  }

  #arm(): void {
    const waitMs = Math.max(1, this.#core.nextTimeoutMs() - monotonicMs());
    this.#timer = setTimeout(() => {
      this.#core.handleTimeout(monotonicMs());
      this.#arm();
    }, waitMs);
    this.#timer.unref();
  }

  #fail(error: Error): void {
    this.#problem = `UDP failed: ${error.message}`;
    this.#options.onProblem?.(this.#problem);
  }

  async #close(graceMs: number): Promise<void> {
    const [http, udp] = [this.#http, this.#udp];
    this.#http = [];
    this.#udp = [];
    await Promise.all([
      ...http.map((server) => server.close(graceMs)),
      ...udp.map((server) => server.close()),
    ]);
  }
}

/** Reads an allow list from a file. @throws AppError ERR_FILE or ERR_CONFIG, which names the line. */
export async function readAllowList(path: string): Promise<Uint8Array[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw nodeError('ERR_FILE', { path, code, operation: 'read' }, error);
  }
  const list = parseAllowList(text);
  if (list.ok) return list.value;
  const [, line = '', expected = '', got = ''] =
    /^(line \d+): expected (.*), got (.*)$/.exec(list.message) ?? [];
  throw nodeError('ERR_CONFIG', { what: `${path}, ${line}`, expected, got });
}

function page(
  contentType: string,
  body: Uint8Array | string,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  const own = { 'content-type': contentType, 'x-content-type-options': 'nosniff' };
  return { status: 200, headers: { ...own, ...headers }, body };
}
