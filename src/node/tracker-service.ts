/**
 * Runs the announcer of one torrent: sends its HTTP and UDP requests, hands its peers on.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import { randomSeed } from '../io/crypto.ts';
import { resolveHost } from '../io/dns.ts';
import { httpGet } from '../io/http.ts';
import { allowsTrackerPath, type ReachPolicy } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import { Rng } from '../lib/rng.ts';
import {
  Announcer,
  type AnnouncerOutput,
  type TrackerStatus,
  type TransferStats,
} from '../protocol/tracker/index.ts';
import type { UdpDoor } from './udp-door.ts';

/** Options of a TrackerService. */
export interface TrackerServiceOptions {
  readonly tiers: readonly (readonly string[])[];
  /** 20 bytes each, one or two. */
  readonly hashes: readonly Uint8Array[];
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly isPrivate: boolean;
  readonly policy: ReachPolicy;
  readonly udp: UdpDoor;
  readonly userAgent: string;
  readonly stats: () => TransferStats;
  readonly onPeers: (peers: readonly Endpoint[]) => void;
  /** A private torrent changed its tracker: its peers must be dropped. */
  readonly onSwitch: () => void;
  readonly onProblem: (trackerUrl: string, message: string) => void;
}

/** Announces one torrent. */
export class TrackerService {
  readonly #options: TrackerServiceOptions;
  readonly #announcer: Announcer;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;

  constructor(options: TrackerServiceOptions) {
    this.#options = options;
    const { tiers, hashes, peerId, port, isPrivate } = options;
    const rng = new Rng(randomSeed());
    this.#announcer = new Announcer({ tiers, hashes, peerId, port, rng, isPrivate });
  }

  get status(): readonly TrackerStatus[] {
    return this.#announcer.status;
  }

  start(): void {
    this.#announcer.updateStats(this.#options.stats());
    this.#announcer.start(monotonicMs());
    this.#drain();
  }

  /** The download is complete now. */
  complete(): void {
    this.#announcer.updateStats(this.#options.stats());
    this.#announcer.complete(monotonicMs());
    this.#drain();
  }

  /** A hybrid's metadata told its second info-hash. @param infoHash 20 bytes. */
  addHash(infoHash: Uint8Array): void {
    this.#announcer.addHash(monotonicMs(), infoHash);
    this.#drain();
  }

  /** The metadata says that the torrent is private (BEP 27). */
  setPrivate(): void {
    this.#announcer.setPrivate();
  }

  needPeers(): void {
    this.#announcer.needPeers(monotonicMs());
    this.#drain();
  }

  /** Tells the trackers goodbye, for at most `waitMs`. */
  async stop(waitMs = 2_000): Promise<void> {
    this.#announcer.updateStats(this.#options.stats());
    this.#announcer.stop(monotonicMs());
    this.#drain();
    if (!this.#announcer.isIdle) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, waitMs);
      });
      clearTimeout(timer);
    }
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  #drain(): void {
    for (let out = this.#announcer.poll(); out !== undefined; out = this.#announcer.poll()) {
      this.#act(out);
    }
    clearTimeout(this.#timer);
    if (this.#announcer.isIdle) this.#idle?.();
    if (this.#abort.signal.aborted) return;
    const atMs = this.#announcer.nextTimeoutMs();
    if (atMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.min(Math.max(1, atMs - monotonicMs()), 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      this.#announcer.updateStats(this.#options.stats());
      this.#announcer.handleTimeout(monotonicMs());
      this.#drain();
    }, waitMs);
  }

  #act(output: AnnouncerOutput): void {
    switch (output.type) {
      case 'http':
        this.#get(output);
        return;
      case 'udp':
        this.#send(output);
        return;
      case 'peers':
        this.#options.onPeers(output.peers);
        return;
      case 'warning':
      case 'failure':
        this.#options.onProblem(output.trackerUrl, output.message);
        return;
      case 'switch':
        this.#options.onSwitch();
        return;
    }
  }

  #get(request: AnnouncerOutput & { type: 'http' }): void {
    const { policy, userAgent } = this.#options;
    const isGiven = policy.isGiven(new URL(request.trackerUrl).hostname);
    httpGet(request.url, {
      timeoutMs: request.timeoutMs,
      maxBytes: request.maxBytes,
      userAgent,
      policy,
      signal: this.#abort.signal,
      allowUrl: (url, address) =>
        isGiven || allowsTrackerPath(address, `${url.pathname}${url.search}`),
    })
      .then((reply) => {
        this.#announcer.handleHttpReply(monotonicMs(), request.requestId, {
          status: reply.status,
          body: reply.body,
        });
      })
      .catch((error: Error) => this.#fail(request.requestId, error))
      .finally(() => this.#drain());
  }

  #send(request: AnnouncerOutput & { type: 'udp' }): void {
    const { policy, udp } = this.#options;
    resolveHost(request.host, policy)
      .then((addresses) =>
        udp.ask(addresses, request.port, request.requestId, request.bytes, (bytes) => {
          const addressBytes = addresses[0]!.family === 4 ? 4 : 16;
          this.#announcer.handleUdpReply(monotonicMs(), request.requestId, bytes, addressBytes);
          this.#drain();
        }),
      )
      .catch((error: Error) => {
        this.#fail(request.requestId, error);
        this.#drain();
      });
  }

  #fail(requestId: number, error: Error): void {
    this.#announcer.handleFailure(monotonicMs(), requestId, error.message);
  }
}
