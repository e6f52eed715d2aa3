/**
 * All ways by which a torrent finds peers, over its life: trackers, DHT, local network. None depends on another; a private torrent has its trackers alone
 * (BEP 27), as soon as it is known to be private.
 * Not here: peer exchange (src/protocol/swarm), web seeds (`web-seeds.ts`), the ways themselves.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import type { Endpoint } from '../io/tcp.ts';
import type { Swarm } from '../protocol/swarm/index.ts';
import { TorrentDht } from './torrent-dht.ts';
import type { TorrentHost } from './torrent-host.ts';
import { TorrentLan } from './torrent-lan.ts';
import { TorrentTrackers, type TorrentTrackersOptions } from './torrent-trackers.ts';
import type { InfoHashes, TorrentSource } from './torrent-types.ts';

// Implementation limits
/** Whoever asks for peers by hand is heard so often. */
const ASK_AGAIN_MS = 15_000;

/** Options of TorrentDiscovery. */
export interface TorrentDiscoveryOptions extends Omit<TorrentTrackersOptions, 'host' | 'onPeers'> {
  readonly host: TorrentHost;
  /** False: nothing is asked, nobody is told. */
  readonly isDiscovering: boolean;
  readonly onPeers: (peers: readonly Endpoint[], source: 'tracker' | 'dht' | 'lan') => void;
}

/** Finds the peers of one torrent. */
export class TorrentDiscovery {
  readonly trackers: TorrentTrackers;
  readonly #dht: TorrentDht;
  readonly #lan: TorrentLan;
  readonly #isDiscovering: boolean;
  readonly #source: TorrentSource;
  /** What runs now; undefined: nothing does. */
  #running: { readonly hashes: InfoHashes; readonly isPrivate: boolean } | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor({ isDiscovering, onPeers, ...options }: TorrentDiscoveryOptions) {
    const { dht, lsd, listenPort } = options.host;
    this.#isDiscovering = isDiscovering;
    this.#source = options.source;
    this.trackers = new TorrentTrackers({
      ...options,
      onPeers: (found) => onPeers(found, 'tracker'),
    });
    this.#dht = new TorrentDht(dht, listenPort, (found) => onPeers(found, 'dht'));
    this.#lan = new TorrentLan(lsd, listenPort, (found) => onPeers([found], 'lan'));
  }

  /** No-op for what runs already. */
  start(hashes: InfoHashes, isPrivate: boolean, isComplete: boolean): void {
    if (!this.#isDiscovering) return;
    this.#running = { hashes, isPrivate };
    if (!isPrivate && this.#source.kind === 'metainfo') {
      this.#dht.begin(this.#source.metainfo.nodes);
    }
    this.#dht.start(hashes, isPrivate);
    this.#lan.start(hashes, isPrivate);
    this.trackers.start(hashes, isPrivate, isComplete);
  }

  /** The metadata told what a magnet could not: whether the torrent is private, and a hybrid's second hash. */
  learn(before: InfoHashes, now: InfoHashes, isPrivate: boolean): void {
    if (!this.#isDiscovering) return;
    if (this.#running !== undefined) this.#running = { hashes: now, isPrivate };
    this.#dht.start(now, isPrivate);
    this.#lan.start(now, isPrivate);
    this.trackers.learn(before, now, isPrivate);
  }

  /** Other trackers from now on, by tier. */
  setTrackers(tiers: readonly (readonly string[])[]): void {
    this.trackers.setTiers(tiers);
  }

  /** About once a second. */
  pulse(nowMs: number, { isComplete, peerCount }: Swarm): void {
    this.#dht.pulse(nowMs, !isComplete && peerCount === 0);
  }

  /** Somebody wants peers now: all are asked that run, at most once in ASK_AGAIN_MS. */
  askAgain(): void {
    const now = monotonicMs();
    if (this.#running === undefined || now - this.#askedMs < ASK_AGAIN_MS) return;
    this.#askedMs = now;
    const { hashes, isPrivate } = this.#running;
    this.#dht.stop();
    this.#dht.start(hashes, isPrivate);
    this.#lan.start(hashes, isPrivate);
    this.trackers.askAgain();
  }

  /** Tells the trackers goodbye; `trackers.farewell` tells when that is done. */
  stop(): void {
    this.#running = undefined;
    this.#dht.stop();
    this.#lan.stop();
    this.trackers.stop();
  }
}
