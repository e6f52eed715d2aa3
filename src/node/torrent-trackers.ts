/**
 * The trackers of one torrent over its life: started when it runs, told goodbye when it is held, and what they said remembered meanwhile.
 * Bounds: those of the announcer; one runs at a time, the goodbyes of earlier ones last STOP_TIMEOUT_MS at most.
 * @module
 */
import type { ReachPolicy } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import type { TrackerStatus, TransferStats } from '../protocol/tracker/index.ts';
import type { InfoHashes, TorrentSource } from './torrent-types.ts';
import { TrackerService } from './tracker-service.ts';
import type { UdpDoor } from './udp-door.ts';

/** What announces need of the node. */
export interface TrackerHost {
  readonly policy: ReachPolicy;
  readonly udp: UdpDoor;
  readonly peerId: Uint8Array;
  readonly clientName: string;
  readonly listenPort: number;
}

/** Options of TorrentTrackers. */
export interface TorrentTrackersOptions {
  readonly host: TrackerHost;
  /** None: nothing is ever announced. */
  readonly tiers: readonly (readonly string[])[];
  readonly stats: () => TransferStats;
  readonly onPeers: (peers: readonly Endpoint[]) => void;
  /** A private torrent changed its tracker: its peers must be dropped. */
  readonly onSwitch: () => void;
  readonly onProblem: (trackerUrl: string, message: string) => void;
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

/** Announces a torrent while it runs. */
export class TorrentTrackers {
  readonly #options: TorrentTrackersOptions;
  #service: TrackerService | undefined;
  #lastStatus: readonly TrackerStatus[] = [];
  #goodbye: Promise<unknown> = Promise.resolve();

  constructor(options: TorrentTrackersOptions) {
    this.#options = options;
  }

  /** The trackers now, or as they were when the torrent was held. */
  get status(): readonly TrackerStatus[] {
    return this.#service?.status ?? this.#lastStatus;
  }

  /** No-op when they are running, or there are none. */
  start(hashes: InfoHashes, isPrivate: boolean, isComplete: boolean): void {
    const { host, tiers, stats, onPeers, onSwitch, onProblem } = this.#options;
    if (this.#service !== undefined || tiers.length === 0) return;
    const { infoHashV1, infoHashV2 } = hashes;
    this.#service = new TrackerService({
      tiers,
      hashes: [infoHashV1, infoHashV2?.subarray(0, 20)].filter((hash) => hash !== undefined),
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
    });
    this.#service.start();
    if (isComplete) this.#service.complete();
  }

  /** Says goodbye; `farewell` tells when that is done. */
  stop(): void {
    const service = this.#service;
    if (service === undefined) return;
    this.#service = undefined;
    this.#lastStatus = service.status;
    this.#goodbye = Promise.all([this.#goodbye, service.stop()]);
  }

  /** Resolves when every goodbye was said or given up. */
  async farewell(): Promise<void> {
    await this.#goodbye;
  }

  complete(): void {
    this.#service?.complete();
  }

  /** The metadata told what a magnet could not: whether the torrent is private, and a hybrid's second hash. */
  learn(before: InfoHashes, now: InfoHashes, isPrivate: boolean): void {
    if (isPrivate) this.#service?.setPrivate();
    for (const key of ['infoHashV1', 'infoHashV2'] as const) {
      const hash = now[key];
      if (before[key] === undefined && hash !== undefined) {
        this.#service?.addHash(hash.subarray(0, 20));
      }
    }
  }
}
