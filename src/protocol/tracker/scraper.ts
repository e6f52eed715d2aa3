/**
 * Asks trackers for their counts, once: each tracker for all info-hashes, in as few requests as the protocol allows.
 * Spec: BEP 48, BEP 15 (scrape, connection ids, time outs).
 *
 * Trackers are asked side by side, the groups of one after another. Nothing is announced, and a tracker that fails is not asked again: a datagram
 * is sent twice, a GET once. Inputs and outputs have the grammar of the announcer, so that one shell serves both.
 * Bounds: TRACKERS_MAX trackers, SCRAPE_TOTAL_MAX hashes, SCRAPE_HASHES_MAX a request, one request a tracker at a time.
 * @module
 */
import { readU32 } from '../../lib/bytes.ts';
import type { Result } from '../../lib/errors.ts';
import type { Rng } from '../../lib/rng.ts';
import type { AnnouncerOutput } from './announcer-types.ts';
import {
  REPLY_LENGTH_MAX,
  SCRAPE_HASHES_MAX,
  SCRAPE_RETRIES,
  SCRAPE_TIMEOUT_MS,
  SCRAPE_TOTAL_MAX,
  TRACKERS_MAX,
} from './constants.ts';
import { checkOption, type TrackerFaultCode } from './errors.ts';
import {
  buildScrapeUrl,
  encodeUdpScrape,
  parseHttpScrape,
  parseUdpScrape,
  type ScrapeReply,
  type SwarmCounts,
  scrapeUrl,
} from './scrape-codec.ts';
import { HTTP_REQUEST_ID_FIRST } from './tracker-state.ts';
import { parseTrackerUrl, type TrackerUrl } from './tracker-url.ts';
import { encodeUdpConnect, parseUdpReply } from './udp-codec.ts';
import { retryDelayMs } from './udp-connections.ts';

/** What one tracker said. */
export interface ScrapeResult {
  readonly url: string;
  /** In the order of the hashes; undefined: not known to the tracker, or not told. */
  readonly counts: readonly (SwarmCounts | undefined)[];
  /** Why it did not say all; absent when it did. */
  readonly error?: string;
}

/** Options of a Scraper. */
export interface ScraperOptions {
  /** Announce URLs; doubles and all beyond TRACKERS_MAX are ignored. */
  readonly trackers: readonly string[];
  /** 20 bytes each, 1 … SCRAPE_TOTAL_MAX. */
  readonly hashes: readonly Uint8Array[];
  readonly rng: Rng;
}

interface Target {
  readonly url: string;
  readonly target: TrackerUrl | undefined;
  /** HTTP: where to GET. */
  readonly scrapeUrl: string | undefined;
  readonly counts: (SwarmCounts | undefined)[];
  error: string | undefined;
  connectionId: Uint8Array | undefined;
  isDone: boolean;
}

interface Request {
  readonly target: Target;
  readonly phase: 'http' | 'connect' | 'scrape';
  readonly hashes: readonly Uint8Array[];
  readonly deadlineMs: number;
  readonly retries: number;
  readonly bytes: Uint8Array | undefined;
}

/** One scrape of some trackers. */
export class Scraper {
  readonly #hashes: readonly Uint8Array[];
  readonly #rng: Rng;
  readonly #targets: Target[] = [];
  readonly #requests = new Map<number, Request>();
  readonly #outputs: AnnouncerOutput[] = [];
  #nextHttpId = HTTP_REQUEST_ID_FIRST;

  /** @throws AppError ERR_TRACKER_BAD_OPTION. */
  constructor({ trackers, hashes, rng }: ScraperOptions) {
    const isCountRight = hashes.length >= 1 && hashes.length <= SCRAPE_TOTAL_MAX;
    checkOption(isCountRight, 'hashes', `1 … ${SCRAPE_TOTAL_MAX}`, hashes.length);
    for (const { length } of hashes) checkOption(length === 20, 'hashes', '20 bytes each', length);
    this.#hashes = hashes.map((hash) => hash.slice());
    this.#rng = rng;
    for (const url of new Set(trackers)) {
      if (this.#targets.length < TRACKERS_MAX) this.#targets.push(createTarget(url));
    }
  }

  /** Asks every tracker. */
  start(nowMs: number): void {
    for (const target of this.#targets) if (!target.isDone) this.#askNext(nowMs, target);
  }

  /** True when every tracker answered or was given up. */
  get isDone(): boolean {
    return this.#targets.every((target) => target.isDone);
  }

  /** What is known so far, in the order of the trackers. */
  get results(): ScrapeResult[] {
    return this.#targets.map(({ url, counts, error }) => ({
      url,
      counts: [...counts],
      ...(error !== undefined && { error }),
    }));
  }

  /** The next output, `http` or `udp`; undefined when there is none. */
  poll(): AnnouncerOutput | undefined {
    return this.#outputs.shift();
  }

  /** When handleTimeout must be called. */
  nextTimeoutMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#requests.values()) next = Math.min(next, deadlineMs);
    return next;
  }

  handleTimeout(nowMs: number): void {
    for (const [id, request] of [...this.#requests]) {
      if (request.deadlineMs > nowMs) continue;
      this.#requests.delete(id);
      if (request.phase === 'http' || request.retries >= SCRAPE_RETRIES) {
        this.#end(request.target, 'expected an answer, got none');
        continue;
      }
      this.#send(nowMs, id, { ...request, retries: request.retries + 1 });
    }
  }

  /** The response to an `http` output; unknown ids are ignored. */
  handleHttpReply(
    nowMs: number,
    requestId: number,
    response: { readonly status: number; readonly body: Uint8Array },
  ): void {
    const request = this.#requests.get(requestId);
    if (request?.phase !== 'http') return;
    this.#requests.delete(requestId);
    this.#take(nowMs, request, parseHttpScrape(response.status, response.body, request.hashes));
  }

  /** A datagram that answers a `udp` output; anything that doesn't fit the request is ignored. */
  handleUdpReply(nowMs: number, requestId: number, bytes: Uint8Array): void {
    const request = this.#requests.get(requestId);
    if (request === undefined || request.phase === 'http') return;
    if (bytes.length < 8 || readU32(bytes, 4) !== requestId) return;
    if (request.phase === 'connect') {
      const reply = parseUdpReply(bytes, 4);
      if (!reply.ok || reply.value.type === 'announce') return;
      this.#requests.delete(requestId);
      if (reply.value.type === 'refusal') this.#end(request.target, reply.value.reason);
      else {
        request.target.connectionId = reply.value.connectionId;
        this.#askNext(nowMs, request.target);
      }
      return;
    }
    const reply = parseUdpScrape(bytes, request.hashes.length);
    if (!reply.ok) return;
    this.#requests.delete(requestId);
    this.#take(nowMs, request, reply);
  }

  /** A request could not be made. */
  handleFailure(_nowMs: number, requestId: number, message: string): void {
    const request = this.#requests.get(requestId);
    if (request === undefined) return;
    this.#requests.delete(requestId);
    this.#end(request.target, message);
  }

  #take(nowMs: number, { target }: Request, reply: Result<ScrapeReply, TrackerFaultCode>): void {
    if (!reply.ok) this.#end(target, reply.message);
    else if (reply.value.type === 'refusal') this.#end(target, reply.value.reason);
    else {
      target.counts.push(...reply.value.counts);
      this.#askNext(nowMs, target);
    }
  }

  #end(target: Target, error: string): void {
    target.error = error;
    target.isDone = true;
  }

  #askNext(nowMs: number, target: Target): void {
    const from = target.counts.length;
    const hashes = this.#hashes.slice(from, from + SCRAPE_HASHES_MAX);
    if (hashes.length === 0) {
      target.isDone = true;
      return;
    }
    if (target.scrapeUrl !== undefined) {
      const id = this.#nextHttpId;
      this.#nextHttpId += 1;
      const deadlineMs = nowMs + SCRAPE_TIMEOUT_MS;
      const request = { target, hashes, deadlineMs, retries: 0, bytes: undefined };
      this.#requests.set(id, { ...request, phase: 'http' });
      this.#outputs.push({
        type: 'http',
        requestId: id,
        url: buildScrapeUrl(target.scrapeUrl, hashes),
        trackerUrl: target.url,
        timeoutMs: SCRAPE_TIMEOUT_MS,
        maxBytes: REPLY_LENGTH_MAX,
      });
      return;
    }
    const id = this.#newTransactionId();
    const { connectionId } = target;
    const isConnecting = connectionId === undefined;
    const bytes = isConnecting ? encodeUdpConnect(id) : encodeUdpScrape(connectionId, id, hashes);
    const phase = isConnecting ? 'connect' : 'scrape';
    this.#send(nowMs, id, { target, phase, hashes, deadlineMs: 0, retries: 0, bytes });
  }

  #send(nowMs: number, id: number, request: Request): void {
    const { url, target } = request.target;
    this.#requests.set(id, { ...request, deadlineMs: nowMs + retryDelayMs(request.retries) });
    const { host, port } = target!;
    const bytes = request.bytes!;
    this.#outputs.push({ type: 'udp', requestId: id, trackerUrl: url, host, port, bytes });
  }

  #newTransactionId(): number {
    let id = this.#rng.u32();
    while (this.#requests.has(id)) id = this.#rng.u32();
    return id;
  }
}

function createTarget(url: string): Target {
  const parsed = parseTrackerUrl(url);
  const target = parsed.ok ? parsed.value : undefined;
  const isHttp = target !== undefined && target.scheme !== 'udp';
  const where = isHttp ? scrapeUrl(target.href) : undefined;
  const error = parsed.ok
    ? isHttp && where === undefined
      ? 'its URL has no scrape counterpart (BEP 48)'
      : undefined
    : parsed.message;
  return {
    url: target?.href ?? url,
    target,
    scrapeUrl: where,
    counts: [],
    error,
    connectionId: undefined,
    isDone: error !== undefined,
  };
}
