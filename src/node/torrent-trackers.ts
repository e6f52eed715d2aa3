/**
 * The trackers of one torrent over its life: started when it runs, told goodbye when it is held, and what they said remembered meanwhile.
 * `completed` is told once for good: who accepted it is remembered in resume data at once, so that neither a restart nor `kill -9` tells it twice.
 * Bounds: those of the announcer; one runs at a time, the goodbyes of earlier ones last STOP_TIMEOUT_MS at most.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import { randomSeed } from '../io/crypto.ts';
import type { ReachPolicy } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import { toHex } from '../lib/bytes.ts';
import { Rng } from '../lib/rng.ts';
import {
  type ScrapeResult,
  Scraper,
  type SwarmCounts,
  type TrackerStatus,
  type TransferStats,
} from '../protocol/tracker/index.ts';
import { swarmHashes } from './hex-hashes.ts';
import { runScraper } from './scrape.ts';
import type { InfoHashes, TorrentSource } from './torrent-types.ts';
import { TrackerRequests } from './tracker-requests.ts';
import { TrackerService } from './tracker-service.ts';
import type { UdpDoor } from './udp-door.ts';

/** What announces need of the node. */
export interface TrackerHost {
  readonly policy: ReachPolicy;
  readonly udp: UdpDoor;
  readonly peerId: Uint8Array;
  readonly clientName: string;
  readonly listenPort: number;
  /** Address families that the node listens on. */
  readonly families: readonly (4 | 6)[];
  readonly onExternalAddress: (trackerUrl: string, address: string) => void;
}

/** Options of TorrentTrackers. */
export interface TorrentTrackersOptions {
  readonly host: TrackerHost;
  readonly source: TorrentSource;
  /** Trackers that the user added. */
  readonly added: readonly string[];
  /** All trackers by tier as the user has them, in place of the source's and those added. */
  readonly tiers?: readonly (readonly string[])[];
  readonly stats: () => TransferStats;
  readonly onPeers: (peers: readonly Endpoint[]) => void;
  /** A private torrent changed its tracker: its peers must be dropped. */
  readonly onSwitch: () => void;
  readonly onProblem: (trackerUrl: string, message: string) => void;
  /** `memory` changed and must not be lost. */
  readonly onRemember: () => void;
}

/** What must outlive the process for trackers to count right; part of resume data. */
export interface TrackerMemory {
  /** BEP 7: the same in all announces of the torrent. */
  readonly key: number;
  /** Who was told `completed`: the info-hash in hex, a space, the URL. */
  readonly completed: readonly string[];
}

/** The tiers of a source, and those that the user added as one more. */
export function tiersOf(
  source: TorrentSource,
  added: readonly string[] = [],
): readonly (readonly string[])[] {
  const own =
    source.kind === 'metainfo'
      ? source.metainfo.trackers
      : source.magnet.trackers.map((url) => [url]);
  return added.length === 0 ? own : [...own, added];
}

/** What is announced. */
interface Running {
  hashes: InfoHashes;
  isPrivate: boolean;
  isComplete: boolean;
}

/** Announces a torrent while it runs. */
export class TorrentTrackers {
  readonly #options: TorrentTrackersOptions;
  #tiers: readonly (readonly string[])[];
  /** Those that the user named, which may be in the own network. */
  #given: readonly string[];
  /** What is announced; undefined: nothing is. */
  #running: Running | undefined;
  #key: number = new Rng(randomSeed()).u32();
  readonly #completed = new Set<string>();
  #service: TrackerService | undefined;
  #lastStatus: readonly TrackerStatus[];
  readonly #scraped = new Map<string, SwarmCounts>();
  #scrapedMs = Number.NEGATIVE_INFINITY;
  #changes = 0;
  /** Ends what nobody waits for any more, with the torrent. */
  readonly #abort = new AbortController();
  #goodbye: Promise<unknown> = Promise.resolve();

  constructor(options: TorrentTrackersOptions) {
    this.#options = options;
    const { source, added, tiers } = options;
    this.#tiers = tiers ?? tiersOf(source, added);
    this.#given = tiers === undefined ? added : givenOf(source, tiers);
    this.#lastStatus = idleStatus(this.#tiers);
  }

  /** All of them, in the order of their tiers. */
  get urls(): readonly string[] {
    return this.#tiers.flat();
  }

  /** Announces to others from now on: those of before are told goodbye first, which takes STOP_TIMEOUT_MS at most, since some may be among the new ones. */
  setTiers(tiers: readonly (readonly string[])[]): void {
    const running = this.#running;
    this.stop();
    this.#tiers = tiers;
    this.#given = givenOf(this.#options.source, tiers);
    this.#lastStatus = idleStatus(tiers);
    this.#scraped.clear();
    this.#changes += 1;
    this.#running = running;
    void this.#goodbye.then(() => {
      if (running !== undefined && this.#running === running) this.#open(running);
    });
  }

  get memory(): TrackerMemory {
    return { key: this.#key, completed: [...this.#completed] };
  }

  /** What an earlier process remembered; before the first start. */
  recall(memory: TrackerMemory): void {
    this.#key = memory.key;
    for (const told of memory.completed) this.#completed.add(told);
  }

  /** The trackers now, or as they were when the torrent was held. */
  get status(): readonly TrackerStatus[] {
    const status = this.#service?.status ?? this.#lastStatus;
    if (this.#scraped.size === 0) return status;
    return status.map((tracker) => ({ ...tracker, ...this.#scraped.get(tracker.url) }));
  }

  /** Grows whenever `status` may have changed. */
  get changes(): number {
    return this.#changes;
  }

  /** More peers are wanted: asks as early as the trackers allow, and those that failed at once. */
  askAgain(): void {
    this.#service?.askAgain();
  }

  /** No-op when they are running, or there are none. */
  start(hashes: InfoHashes, isPrivate: boolean, isComplete: boolean): void {
    if (this.#service !== undefined) return;
    this.#running = { hashes, isPrivate, isComplete };
    this.#open(this.#running);
  }

  #open({ hashes, isPrivate, isComplete }: Running): void {
    const { host, source, stats, onPeers, onSwitch, onProblem } = this.#options;
    if (this.#tiers.length === 0 || this.#abort.signal.aborted) return;
    this.#service = new TrackerService({
      tiers: this.#tiers,
      key: this.#key,
      families: host.families,
      trust: { given: this.#given, isFromPublic: source.isFromPublic === true },
      isCompletedTold: (url, hash) => this.#completed.has(toldName(url, hash)),
      onCompletedTold: (url, hash) => this.#remember(url, hash),
      onExternalAddress: host.onExternalAddress,
      hashes: swarmHashes(hashes),
      peerId: host.peerId,
      port: host.listenPort,
      isPrivate,
      policy: host.policy,
      udp: host.udp,
      userAgent: host.clientName,
      stats,
      onPeers,
      onSwitch,
      onProblem,
      onChange: () => {
        this.#changes += 1;
      },
    });
    this.#service.start();
    if (isComplete) this.#service.complete();
  }

  /** Says goodbye; `farewell` tells when that is done. */
  stop(): void {
    this.#running = undefined;
    const service = this.#service;
    if (service === undefined) return;
    this.#service = undefined;
    this.#lastStatus = service.status;
    this.#goodbye = Promise.all([this.#goodbye, service.stop()]);
  }

  /** Resolves when every goodbye was said or given up. */
  async farewell(): Promise<void> {
    this.#abort.abort();
    await this.#goodbye;
  }

  /** When they were asked for their counts last, in monotonic milliseconds. */
  get scrapedMs(): number {
    return this.#scrapedMs;
  }

  /** Asks all trackers for their counts, whether the torrent is announced or not; `status` shows them from then on. */
  async scrape(hashes: InfoHashes): Promise<readonly ScrapeResult[]> {
    const { host, source } = this.#options;
    const trackers = this.#tiers.flat();
    if (trackers.length === 0) return [];
    this.#scrapedMs = monotonicMs();
    const rng = new Rng(randomSeed());
    const scraper = new Scraper({ trackers, hashes: swarmHashes(hashes), rng });
    const { signal } = this.#abort;
    const requests = new TrackerRequests({
      policy: host.policy,
      udp: host.udp,
      userAgent: host.clientName,
      trust: { given: this.#given, isFromPublic: source.isFromPublic === true },
      signal,
    });
    await runScraper(scraper, requests, signal);
    for (const { url, counts } of scraper.results) {
      const most = mostOf(counts);
      if (most !== undefined) this.#scraped.set(url, most);
    }
    this.#changes += 1;
    return scraper.results;
  }

  #remember(url: string, infoHash: Uint8Array): void {
    this.#completed.add(toldName(url, infoHash));
    this.#options.onRemember();
  }

  complete(): void {
    if (this.#running !== undefined) this.#running.isComplete = true;
    this.#service?.complete();
  }

  /** The metadata told what a magnet could not: whether the torrent is private, and a hybrid's second hash. */
  learn(before: InfoHashes, now: InfoHashes, isPrivate: boolean): void {
    if (this.#running !== undefined) Object.assign(this.#running, { hashes: now, isPrivate });
    if (isPrivate) this.#service?.setPrivate();
    for (const key of ['infoHashV1', 'infoHashV2'] as const) {
      const hash = now[key];
      if (before[key] === undefined && hash !== undefined) {
        this.#service?.addHash(hash.subarray(0, 20));
      }
    }
  }
}

function idleStatus(tiers: readonly (readonly string[])[]): TrackerStatus[] {
  return tiers.flatMap((urls, tier) =>
    urls.map((url): TrackerStatus => ({ url, tier, activity: 'idle', peersReceived: 0 })),
  );
}

/** Of trackers that the user has edited, those that do not come from the torrent. */
function givenOf(source: TorrentSource, tiers: readonly (readonly string[])[]): string[] {
  const own = new Set(tiersOf(source).flat());
  return tiers.flat().filter((url) => !own.has(url));
}

function toldName(url: string, infoHash: Uint8Array): string {
  return `${toHex(infoHash)} ${url}`;
}

/** A hybrid has two swarms, of which most peers are in both: the larger counts say more than a sum. */
function mostOf(counts: readonly (SwarmCounts | undefined)[]): SwarmCounts | undefined {
  const merged: { -readonly [K in keyof SwarmCounts]: SwarmCounts[K] } = {};
  for (const each of counts) {
    for (const name of ['seeds', 'leeches', 'downloads'] as const) {
      const value = each?.[name];
      if (value !== undefined) merged[name] = Math.max(merged[name] ?? 0, value);
    }
  }
  return Object.keys(merged).length === 0 ? undefined : merged;
}
