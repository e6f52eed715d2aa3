/**
 * Runs the announcers of one torrent: one for each address family that the node listens on, with one key (BEP 7, BEP 15).
 *
 * The first announcer is the torrent's voice: it asks a tracker over the first family as far as it has an address of it, tells `completed`, and
 * says what is wrong. The second one only asks trackers that have addresses of both families, over the other, so that peers of that family hear of
 * us too; of a private torrent there is none, since BEP 27 wants one tracker at a time and each announcer chooses its own.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import { randomSeed } from '../io/crypto.ts';
import type { HostAddress } from '../io/dns.ts';
import type { ReachPolicy } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import { Rng } from '../lib/rng.ts';
import {
  Announcer,
  type AnnouncerOutput,
  type TrackerStatus,
  type TransferStats,
} from '../protocol/tracker/index.ts';
import { type AddressChoice, TrackerRequests, type TrackerTrust } from './tracker-requests.ts';
import type { UdpDoor } from './udp-door.ts';

/** Options of a TrackerService. */
export interface TrackerServiceOptions {
  readonly tiers: readonly (readonly string[])[];
  /** 20 bytes each, one or two. */
  readonly hashes: readonly Uint8Array[];
  readonly peerId: Uint8Array;
  readonly port: number;
  /** Address families that the node listens on, one or two. */
  readonly families: readonly (4 | 6)[];
  /** 32 bits, the same over restarts. */
  readonly key: number;
  /** True: the tracker was told `completed` for this hash, maybe by an earlier process. */
  readonly isCompletedTold: (trackerUrl: string, infoHash: Uint8Array) => boolean;
  readonly isPrivate: boolean;
  readonly policy: ReachPolicy;
  readonly trust: TrackerTrust;
  readonly udp: UdpDoor;
  readonly userAgent: string;
  readonly stats: () => TransferStats;
  readonly onPeers: (peers: readonly Endpoint[]) => void;
  /** A private torrent changed its tracker: its peers must be dropped. */
  readonly onSwitch: () => void;
  readonly onProblem: (trackerUrl: string, message: string) => void;
  /** A tracker accepted `completed`. */
  readonly onCompletedTold: (trackerUrl: string, infoHash: Uint8Array) => void;
  /** A tracker sees us at this address (BEP 24). */
  readonly onExternalAddress: (trackerUrl: string, address: string) => void;
  /** `status` may have changed. */
  readonly onChange?: () => void;
}

/** An announcer and how it finds its addresses. */
interface Voice {
  readonly announcer: Announcer;
  readonly choose: AddressChoice;
  readonly isFirst: boolean;
}

/** Announces one torrent. */
export class TrackerService {
  readonly #options: TrackerServiceOptions;
  readonly #abort = new AbortController();
  readonly #requests: TrackerRequests;
  readonly #first: Voice;
  #voices: Voice[];
  #timer: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;

  constructor(options: TrackerServiceOptions) {
    this.#options = options;
    const { policy, udp, userAgent, trust, families, isPrivate } = options;
    this.#requests = new TrackerRequests({
      policy,
      udp,
      userAgent,
      trust,
      signal: this.#abort.signal,
    });
    const [family = 4, other] = families;
    const isDual = other !== undefined && !isPrivate;
    this.#first = {
      announcer: this.#createAnnouncer(),
      choose: (found) => ofFamilyFirst(found, family, isDual),
      isFirst: true,
    };
    this.#voices = [this.#first];
    if (!isDual) return;
    const announcer = this.#createAnnouncer();
    this.#voices.push({ announcer, choose: (found) => ofSecond(found, other), isFirst: false });
  }

  #createAnnouncer(): Announcer {
    const { tiers, hashes, peerId, port, isPrivate, key, isCompletedTold } = this.#options;
    const rng = new Rng(randomSeed());
    return new Announcer({
      tiers,
      hashes,
      peerId,
      port,
      rng,
      isPrivate,
      key,
      isCompletedTold,
    });
  }

  get status(): readonly TrackerStatus[] {
    return this.#first.announcer.status;
  }

  start(): void {
    for (const { announcer } of this.#voices) {
      announcer.updateStats(this.#options.stats());
      announcer.start(monotonicMs());
    }
    this.#drain();
  }

  /** The download is complete now. */
  complete(): void {
    for (const { announcer } of this.#voices) announcer.updateStats(this.#options.stats());
    this.#first.announcer.complete(monotonicMs());
    this.#drain();
  }

  /** A hybrid's metadata told its second info-hash. @param infoHash 20 bytes. */
  addHash(infoHash: Uint8Array): void {
    for (const { announcer } of this.#voices) announcer.addHash(monotonicMs(), infoHash);
    this.#drain();
  }

  /** The metadata says that the torrent is private (BEP 27). */
  setPrivate(): void {
    this.#first.announcer.setPrivate();
    const now = monotonicMs();
    for (const { announcer, isFirst } of this.#voices) if (!isFirst) announcer.stop(now);
    this.#drain();
    this.#voices = [this.#first];
  }

  /** More peers are wanted: asks as early as the trackers allow, and those that failed at once. */
  askAgain(): void {
    const now = monotonicMs();
    for (const { announcer } of this.#voices) {
      announcer.updateStats(this.#options.stats());
      announcer.retryNow(now);
      announcer.needPeers(now);
    }
    this.#drain();
  }

  /** Tells the trackers goodbye, for at most `waitMs`. */
  async stop(waitMs = 2_000): Promise<void> {
    for (const { announcer } of this.#voices) {
      announcer.updateStats(this.#options.stats());
      announcer.stop(monotonicMs());
    }
    this.#drain();
    if (!this.#isIdle) {
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

  get #isIdle(): boolean {
    return this.#voices.every(({ announcer }) => announcer.isIdle);
  }

  #drain(): void {
    let atMs = Number.POSITIVE_INFINITY;
    for (const voice of this.#voices) {
      const { announcer } = voice;
      for (let out = announcer.poll(); out !== undefined; out = announcer.poll()) {
        this.#act(voice, out);
      }
      atMs = Math.min(atMs, announcer.nextTimeoutMs());
    }
    this.#options.onChange?.();
    clearTimeout(this.#timer);
    if (this.#isIdle) this.#idle?.();
    if (this.#abort.signal.aborted || atMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.min(Math.max(1, atMs - monotonicMs()), 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      for (const { announcer } of this.#voices) {
        announcer.updateStats(this.#options.stats());
        announcer.handleTimeout(monotonicMs());
      }
      this.#drain();
    }, waitMs);
  }

  #act(voice: Voice, output: AnnouncerOutput): void {
    const { onPeers, onProblem, onSwitch, onCompletedTold, onExternalAddress } = this.#options;
    switch (output.type) {
      case 'http':
      case 'udp':
        this.#requests.perform(output, voice.announcer, () => this.#drain(), voice.choose);
        return;
      case 'peers':
        onPeers(output.peers);
        return;
      case 'warning':
      case 'failure':
        // What is wrong over one family is mostly wrong over both, or that family is not there: it is said once.
        if (voice.isFirst) onProblem(output.trackerUrl, output.message);
        return;
      case 'switch':
        onSwitch();
        return;
      case 'completed':
        onCompletedTold(output.trackerUrl, output.infoHash);
        return;
      case 'external-address':
        onExternalAddress(output.trackerUrl, output.address);
        return;
    }
  }
}

/** The first voice's addresses. @param isAlone no other voice speaks for the rest. */
function ofFamilyFirst(
  found: readonly HostAddress[],
  family: 4 | 6,
  isDual: boolean,
): readonly HostAddress[] {
  const own = found.filter((address) => address.family === family);
  if (own.length === 0) return found;
  return isDual ? own : [...own, ...found.filter((address) => address.family !== family)];
}

/** The second voice's addresses: none where the first one uses this family already. */
function ofSecond(found: readonly HostAddress[], family: 4 | 6): readonly HostAddress[] {
  const own = found.filter((address) => address.family === family);
  return own.length < found.length ? own : [];
}
