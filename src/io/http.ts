/**
 * GETs: one whole and bounded for trackers and torrent files (`httpGet`), one whose body is read as it comes for web seeds (`httpOpen`); and a POST for routers.
 * Spec: RFC 9110 (redirects, content coding). Bounds: deadline, body bytes before and after gzip, redirects, 32 KiB of headers.
 * The address that the policy has judged is the one connected to: names are resolved here and pinned. Not here: cookies, proxies.
 * @module
 */
import type { Agent, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { LookupFunction } from 'node:net';
import { createGunzip } from 'node:zlib';
import { AppError } from '../lib/errors.ts';
import { type HostAddress, type ResolveName, resolveHost } from './dns.ts';
import { httpError } from './http-errors.ts';
import { allowsRedirect, type ReachPolicy } from './reach-policy.ts';
import { untilAborted } from './until-aborted.ts';

/** How to ask. */
export interface HttpOptions {
  /** As "Starling/1.2.3". */
  readonly userAgent: string;
  readonly signal?: AbortSignal;
  /** Default 5. */
  readonly maxRedirects?: number;
  /** Who may be contacted; default: everybody. */
  readonly policy?: ReachPolicy;
  /** Refuses a URL (also one redirected to) at this address: for the rules of one use, as a tracker's path. */
  readonly allowUrl?: (url: URL, address: string) => boolean;
  /** Which of a host's addresses to connect to, best first; default: all that were found. */
  readonly selectAddresses?: (found: readonly HostAddress[]) => readonly HostAddress[];
  /** The address of this machine to ask from. Default: the system's choice. */
  readonly localAddress?: string;
  /** Default: the system's resolver. */
  readonly resolveName?: ResolveName;
}

/** How to GET a whole body. */
export interface HttpGetOptions extends HttpOptions {
  /** For the whole of it: names, redirects, body. 1 … 2^31-1. */
  readonly timeoutMs: number;
  /** Longest body, before and after decompression. */
  readonly maxBytes: number;
}

/** How to POST a body; answers that redirect are refused. */
export interface HttpPostOptions extends HttpGetOptions {
  /** Headers besides User-Agent and the body's length. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How to GET a body that is read as it comes; `signal` ends it. */
export interface HttpOpenOptions extends HttpOptions {
  readonly signal: AbortSignal;
  /** Headers besides User-Agent; no coding is asked for. */
  readonly headers: Readonly<Record<string, string>>;
  /** Keeps connections for further requests; default: none is kept. */
  readonly keeper?: HttpKeeper;
  /** The address that once sent us to this URL: the rules for redirects still hold. */
  readonly fromAddress?: string;
}

/** A response whose body has not been read. */
export interface OpenedResponse {
  readonly response: IncomingMessage;
  /** Where it came from in the end. */
  readonly url: string;
  /** The address that sent us there; undefined when it was asked for there. */
  readonly fromAddress: string | undefined;
}

/** A response, whatever its status. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Decompressed. */
  readonly body: Uint8Array;
  /** Where it came from in the end. */
  readonly url: string;
  readonly address: string;
}

// Specification constants
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

// Implementation limits
const DEFAULT_MAX_REDIRECTS = 5;
const MAX_HEADER_BYTES = 32_768;

interface Hop {
  readonly url: URL;
  readonly options: HttpOptions;
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  readonly keeper?: HttpKeeper | undefined;
  /** POSTed when there is one. */
  readonly body?: Uint8Array;
}

/** Keeps a few connections of one user of HTTP open between requests. */
export class HttpKeeper {
  readonly #maxSockets: number;
  readonly #agents = new Map<string, Agent>();

  /** @param maxSockets connections to one host and port. */
  constructor(maxSockets: number) {
    this.#maxSockets = maxSockets;
  }

  /** @internal */
  agentOf(protocol: string): Agent {
    let agent = this.#agents.get(protocol);
    if (agent === undefined) {
      const { Agent: Kind } = moduleOf(protocol);
      agent = new Kind({ keepAlive: true, maxSockets: this.#maxSockets });
      this.#agents.set(protocol, agent);
    }
    return agent;
  }

  /** Ends all connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

/**
 * GETs `url`, following redirects.
 * @throws AppError of HttpErrorCode, ERR_OFFLINE when the policy refuses, or the reason of `signal`.
 */
export async function httpGet(url: string, options: HttpGetOptions): Promise<HttpResponse> {
  const headers = { 'accept-encoding': 'gzip', connection: 'close' };
  return fetchWhole(url, options, { headers });
}

/** POSTs a body. @throws as httpGet. */
export async function httpPost(
  url: string,
  body: Uint8Array,
  options: HttpPostOptions,
): Promise<HttpResponse> {
  const length = { 'Content-Length': `${body.length}`, Connection: 'close' };
  const once = { ...options, maxRedirects: 0 };
  return fetchWhole(url, once, { headers: { ...options.headers, ...length }, body });
}

async function fetchWhole(
  url: string,
  options: HttpGetOptions,
  rest: Pick<Hop, 'headers' | 'body'>,
): Promise<HttpResponse> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  const hop: Hop = { url: parseUrl(url, undefined), options, signal, ...rest };
  try {
    const { last, response } = await follow(url, hop);
    return await readResponse(last.url, options, response);
  } catch (error) {
    if (deadline.aborted && options.signal?.aborted !== true) {
      const reason = `expected a response within ${options.timeoutMs / 1000} s`;
      throw httpError('ERR_HTTP_TIMEOUT', url, reason, error);
    }
    throw explain(error, url, options);
  }
}

/**
 * GETs `url`, following redirects, up to the headers of the answer. Whoever calls reads the body, or destroys it.
 * @throws as httpGet, but for timeouts, which are the caller's.
 */
export async function httpOpen(url: string, options: HttpOpenOptions): Promise<OpenedResponse> {
  const { signal, headers, keeper } = options;
  const hop: Hop = { url: parseUrl(url, undefined), options, signal, headers, keeper };
  try {
    const { last, response, fromAddress } = await follow(url, hop, options.fromAddress);
    return { response, url: last.url.href, fromAddress };
  } catch (error) {
    throw explain(error, url, options);
  }
}

interface Followed {
  readonly last: Hop;
  readonly response: IncomingMessage;
  readonly fromAddress: string | undefined;
}

async function follow(url: string, first: Hop, sentBy?: string): Promise<Followed> {
  const maxRedirects = first.options.maxRedirects ?? DEFAULT_MAX_REDIRECTS;
  let hop = first;
  let fromAddress = sentBy;
  for (let redirects = 0; ; redirects += 1) {
    const response = await openHop(hop, fromAddress);
    if (!REDIRECT_STATUSES.has(response.statusCode ?? 0)) {
      return { last: hop, response, fromAddress };
    }
    if (redirects >= maxRedirects) {
      response.destroy();
      throw httpError('ERR_HTTP_REDIRECT', url, `expected at most ${maxRedirects} redirects`);
    }
    fromAddress = response.socket.remoteAddress;
    response.destroy();
    hop = { ...hop, url: parseUrl(response.headers.location ?? '', hop.url) };
  }
}

function parseUrl(text: string, base: URL | undefined): URL {
  const url = URL.parse(text, base?.href);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  if (base === undefined) {
    throw httpError('ERR_HTTP_URL', text, 'expected an http or https URL');
  }
  const got = JSON.stringify(text.slice(0, 100));
  throw httpError(
    'ERR_HTTP_REDIRECT',
    base,
    `expected a redirect to an http or https URL, got ${got}`,
  );
}

/** Connects to an allowed address of the host and waits for the headers. */
async function openHop(hop: Hop, fromAddress: string | undefined): Promise<IncomingMessage> {
  const { url, options, signal } = hop;
  signal.throwIfAborted();
  const resolving = resolveHost(url.hostname, options.policy, options.resolveName);
  const resolved = await untilAborted(signal, resolving);
  const found = options.selectAddresses?.(resolved) ?? resolved;
  if (found.length === 0) {
    throw httpError('ERR_HTTP_UNREACHABLE', url, 'it has no address of the kind that is wanted');
  }
  const addresses = found.filter(({ address }) => options.allowUrl?.(url, address) ?? true);
  if (addresses.length === 0) {
    throw httpError('ERR_HTTP_URL', url, 'this URL is not allowed at its address');
  }
  const reachable = addresses.filter(
    ({ address }) => fromAddress === undefined || allowsRedirect(fromAddress, address),
  );
  if (reachable.length === 0) {
    throw httpError(
      'ERR_HTTP_REDIRECT',
      url,
      `expected a redirect to a public address, got ${addresses[0]!.address}`,
    );
  }
  return request(hop, reachable);
}

/** Importing node:http as a module reads all its names, WebSocket among them, which loads undici: 20 ms of every start. */
function moduleOf(protocol: string): typeof import('node:http') | typeof import('node:https') {
  return process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http');
}

function request(
  { url, options, signal, headers, keeper, body }: Hop,
  addresses: readonly HostAddress[],
): Promise<IncomingMessage> {
  const { request: send } = moduleOf(url.protocol);
  return new Promise((resolve, reject) => {
    const outgoing = send(url, {
      method: body === undefined ? 'GET' : 'POST',
      agent: keeper?.agentOf(url.protocol) ?? false,
      headers: { 'user-agent': options.userAgent, ...headers },
      lookup: pin(addresses),
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
      signal,
    });
    outgoing.once('response', resolve);
    // Stays: an abort after the headers is reported by the response and by the request.
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A `lookup` for node:net that knows only these addresses. */
function pin(addresses: readonly HostAddress[]): LookupFunction {
  return (_name, options, callback) => {
    const first = addresses[0]!;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}

async function readResponse(
  url: URL,
  options: HttpGetOptions,
  response: IncomingMessage,
): Promise<HttpResponse> {
  const status = response.statusCode ?? 0;
  const coding = (response.headers['content-encoding'] ?? 'identity').toLowerCase();
  const isGzip = coding === 'gzip' || coding === 'x-gzip';
  if (!isGzip && coding !== 'identity' && coding !== '') {
    response.destroy();
    const reason = `expected no coding or gzip, got ${JSON.stringify(coding.slice(0, 40))}`;
    throw httpError('ERR_HTTP_UNREACHABLE', url, reason);
  }
  const address = response.socket.remoteAddress ?? '';
  const announced = Number(response.headers['content-length'] ?? 0);
  try {
    if (announced > options.maxBytes) throw tooLarge(url, options.maxBytes);
    const raw = bounded(response, url, options.maxBytes);
    const source = isGzip ? gunzip(raw, url, options.maxBytes) : raw;
    const chunks: Uint8Array[] = [];
    for await (const chunk of source) chunks.push(chunk);
    return { status, headers: response.headers, body: join(chunks), url: url.href, address };
  } finally {
    response.destroy();
  }
}

async function* bounded(
  source: AsyncIterable<Uint8Array>,
  url: URL,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(url, maxBytes);
    yield chunk;
  }
}

/** Decompresses with the same bound again: a small body can hold gigabytes of zeros. */
async function* gunzip(
  source: AsyncIterable<Uint8Array>,
  url: URL,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  const inflater = createGunzip();
  const feeding = (async () => {
    try {
      for await (const chunk of source) {
        if (!inflater.write(chunk)) await new Promise((resolve) => inflater.once('drain', resolve));
      }
      inflater.end();
    } catch (error) {
      inflater.destroy(error as Error);
    }
  })();
  try {
    yield* bounded(inflater, url, maxBytes);
    await feeding;
  } finally {
    inflater.destroy();
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const body = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** Our own errors pass; the caller's abort is his; the rest gets a sentence. */
function explain(error: unknown, url: string, options: HttpOptions): unknown {
  if (options.signal?.aborted) return options.signal.reason;
  if (error instanceof AppError) return error;
  return httpError('ERR_HTTP_UNREACHABLE', url, describe(error), error);
}

function describe(error: unknown): string {
  // Several addresses refused: node wraps the errors, and the first one says enough.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  return first instanceof Error ? first.message : String(first);
}

function tooLarge(url: URL, maxBytes: number): Error {
  return httpError('ERR_HTTP_TOO_LARGE', url, `expected a body of at most ${maxBytes} bytes`);
}
