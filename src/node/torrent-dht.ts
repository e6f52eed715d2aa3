/**
 * A torrent in the DHT: announced under each of its hashes while it runs, never while it is private (BEP 27).
 * Not here: the DHT.
 * @module
 */
import { isSpecialAddress } from '../io/reach-policy.ts';
import { equalBytes } from '../lib/bytes.ts';
import type { Endpoint } from '../protocol/dht/index.ts';
import { formatEndpoint } from './address.ts';
import type { DhtService } from './dht-service.ts';
import { swarmHashes } from './hex-hashes.ts';
import type { InfoHashes } from './torrent-types.ts';

// Implementation limits
/** A download that has nobody looks again after this, and after twice as long each time: those that it was told of may all be gone. */
const LONELY_MS = 10_000;
/** … until it looks as seldom as it announces. */
const MOST_LONELY_MS = 900_000;

/** Keeps one torrent announced. */
export class TorrentDht {
  readonly #dht: DhtService | undefined;
  readonly #listenPort: number;
  readonly #onPeers: (peers: readonly Endpoint[]) => void;
  #hashes: Uint8Array[] = [];
  #hasBegun = false;
  /** When it looks again, and how long it waited for that; undefined: it has somebody, or needs nobody. */
  #lonely: { readonly dueMs: number; readonly waitMs: number } | undefined;

  /**
   * @param dht undefined: this node does without.
   * @param listenPort where the torrent listens.
   */
  constructor(
    dht: DhtService | undefined,
    listenPort: number,
    onPeers: (peers: readonly Endpoint[]) => void,
  ) {
    this.#dht = dht;
    this.#listenPort = listenPort;
    this.#onPeers = onPeers;
  }

  /** The nodes that a torrent names (BEP 5): asked once, as others to begin with. */
  begin(nodes: readonly Endpoint[]): void {
    if (this.#hasBegun || nodes.length === 0) return;
    this.#hasBegun = true;
    void this.#dht?.bootstrap(nodes.map(formatEndpoint), isOfTorrent);
  }

  /** Looks for peers and announces; what runs already goes on, but for a private torrent, whose lookups end at once. */
  start(hashes: InfoHashes, isPrivate: boolean): void {
    if (isPrivate) {
      this.stop();
      return;
    }
    for (const infoHash of swarmHashes(hashes)) {
      if (this.#hashes.some((one) => equalBytes(one, infoHash))) continue;
      this.#hashes.push(infoHash);
      this.#dht?.track(infoHash, this.#listenPort, this.#onPeers);
    }
  }

  /** About once a second. @param isLonely it wants peers and is connected with none. */
  pulse(nowMs: number, isLonely: boolean): void {
    if (!isLonely || this.#hashes.length === 0) this.#lonely = undefined;
    else if (this.#lonely === undefined) this.#wait(nowMs, LONELY_MS);
    else if (nowMs >= this.#lonely.dueMs) {
      for (const infoHash of this.#hashes) this.#dht?.lookAgain(infoHash);
      this.#wait(nowMs, Math.min(2 * this.#lonely.waitMs, MOST_LONELY_MS));
    }
  }

  #wait(nowMs: number, waitMs: number): void {
    this.#lonely = { dueMs: nowMs + waitMs, waitMs };
  }

  stop(): void {
    for (const infoHash of this.#hashes.splice(0)) this.#dht?.untrack(infoHash);
  }
}

/** Whoever made a torrent has no business in our network. */
function isOfTorrent(host: string): boolean {
  return !isSpecialAddress(host);
}
