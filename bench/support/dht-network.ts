/**
 * A large DHT in virtual time, whose lookups are measured: production cores (`test/simulation/dht-world.ts`), nodes that come and go, torrents that are announced.
 *
 * Who announced what, who lives and who is nearest to a key is known here, so every lookup is compared with what is true.
 * @module
 */
import { toHex } from '../../src/lib/bytes.ts';
import type { DhtEvent, DhtItem } from '../../src/protocol/dht/index.ts';
import {
  DhtWorld,
  type Done,
  type SimDhtNode,
  type SimNodeOptions,
} from '../../test/simulation/dht-world.ts';

const MINUTE_MS = 60_000;
/** As the product does it (`src/node/dht-service.ts`). */
const ANNOUNCE_MS = 15 * MINUTE_MS;
/** No run needs more events. */
const MAX_STEPS = 2_000_000_000;
const PEER_PORT = 7_000;
const NEAREST = 8;

/** What one lookup brought. */
export interface Measured {
  /** A peer that had announced itself, or the item, was found. */
  isFound: boolean;
  /** Until the first such peer came, or the item. */
  firstMs: number;
  readonly done: Done;
  /** Share of the eight nearest live nodes that are among those it ended with. */
  nearestShare: number;
}

/** A torrent with some peers, all of them nodes. */
export interface Torrent {
  readonly infoHash: Uint8Array;
  readonly peers: Set<SimDhtNode>;
}

type Listener = (event: DhtEvent) => void;

/** Nodes and torrents. */
export class DhtNetwork {
  readonly world: DhtWorld;
  readonly live: SimDhtNode[] = [];
  readonly #places = new Map<SimDhtNode, number>();
  readonly #listeners = new Map<SimDhtNode, Map<number, Listener>>();
  readonly torrents: Torrent[] = [];

  constructor(seed: number) {
    this.world = new DhtWorld(seed, {
      latencyMs: [10, 150],
      lossShare: 0.02,
      jitterShare: 0.1,
      maxSteps: MAX_STEPS,
    });
  }

  get nowMs(): number {
    return this.world.clock.nowMs;
  }

  run(ms: number): void {
    this.world.clock.run(this.nowMs + ms);
  }

  draw(): SimDhtNode {
    return this.live[this.world.rng.below(this.live.length)]!;
  }

  /** A node comes and is told of three others. */
  join(options: SimNodeOptions = {}): SimDhtNode {
    const node = this.add(options);
    if (this.live.length > 1) this.world.introduce(node, this.live.slice(0, -1));
    return node;
  }

  /** A node that knows nobody. */
  add(options: SimNodeOptions = {}): SimDhtNode {
    const node = this.world.add(options);
    node.onEvent = (event) => this.#hear(node, event);
    this.#places.set(node, this.live.length);
    this.live.push(node);
    return node;
  }

  /** A node vanishes; torrents lose it as a peer. */
  crash(node: SimDhtNode): void {
    node.crash();
    const at = this.#places.get(node)!;
    const last = this.live.pop()!;
    if (last !== node) {
      this.live[at] = last;
      this.#places.set(last, at);
    }
    this.#places.delete(node);
    this.#listeners.delete(node);
  }

  isLive(node: SimDhtNode): boolean {
    return this.#places.has(node);
  }

  /** Nodes come one after another until there are so many. */
  growTo(count: number, perSecond: number): void {
    while (this.live.length < count) {
      this.join();
      this.run(1_000 / perSecond);
    }
    this.run(MINUTE_MS);
  }

  /** Nodes vanish and others come, as many, at a steady rate; ends by itself after a time. */
  churn(replacedPerHour: number, forMs: number): void {
    const everyMs = (60 * MINUTE_MS) / (this.live.length * replacedPerHour);
    const endMs = this.nowMs + forMs;
    const next = (): void => {
      if (this.nowMs >= endMs) return;
      this.crash(this.draw());
      this.join();
      this.world.clock.after(everyMs * 2 * this.world.rng.float(), next);
    };
    this.world.clock.after(everyMs, next);
  }

  /** Makes torrents and announces them, spread over a time; peers announce again, and one that vanished is followed by another. */
  publish(count: number, peersEach: number, overMs: number): void {
    const { rng, clock } = this.world;
    for (let i = 0; i < count; i += 1) {
      const torrent: Torrent = { infoHash: rng.bytes(20), peers: new Set() };
      this.torrents.push(torrent);
      for (let peer = 0; peer < peersEach; peer += 1) {
        clock.after(overMs * rng.float(), () => this.#announce(torrent, this.draw()));
      }
    }
  }

  #announce(torrent: Torrent, node: SimDhtNode): void {
    const isAlive = this.isLive(node);
    const peer = isAlive ? node : this.draw();
    if (!isAlive) torrent.peers.delete(node);
    const lookup = peer.act((dht, nowMs) => dht.getPeers(nowMs, torrent.infoHash, PEER_PORT));
    this.#listen(peer, lookup, (event) => {
      if (event.type === 'done') torrent.peers.add(peer);
    });
    this.world.clock.after(ANNOUNCE_MS, () => this.#announce(torrent, peer));
  }

  /** Starts a lookup of a torrent's peers. @param onEnd is told how it went. */
  seek(node: SimDhtNode, torrent: Torrent, onEnd: (result: Measured) => void): void {
    const startMs = this.nowMs;
    let firstMs = Number.NaN;
    const lookup = node.act((dht, nowMs) => dht.getPeers(nowMs, torrent.infoHash));
    this.#listen(node, lookup, (event) => {
      if (event.type === 'peers' && Number.isNaN(firstMs)) {
        const isRight = event.peers.some(({ host, port }) => {
          const peer = this.world.nodes.get(host);
          return port === PEER_PORT && peer !== undefined && torrent.peers.has(peer);
        });
        if (isRight) firstMs = this.nowMs - startMs;
      } else if (event.type === 'done') onEnd(this.#result(firstMs, torrent.infoHash, event));
    });
  }

  /** Announces once, and tells when that is over. */
  announce(node: SimDhtNode, torrent: Torrent, onEnd: (done: Done) => void): void {
    const lookup = node.act((dht, nowMs) => dht.getPeers(nowMs, torrent.infoHash, PEER_PORT));
    torrent.peers.add(node);
    this.#listen(node, lookup, (event) => {
      if (event.type === 'done') onEnd(event);
    });
  }

  put(node: SimDhtNode, item: DhtItem, onEnd: (done: Done) => void): void {
    const lookup = node.act((dht, nowMs) => dht.put(nowMs, item));
    this.#listen(node, lookup, (event) => {
      if (event.type === 'done') onEnd(event);
    });
  }

  get(node: SimDhtNode, target: Uint8Array, onEnd: (result: Measured) => void): void {
    const startMs = this.nowMs;
    let firstMs = Number.NaN;
    const lookup = node.act((dht, nowMs) => dht.get(nowMs, target));
    this.#listen(node, lookup, (event) => {
      if (event.type === 'item') firstMs = this.nowMs - startMs;
      else if (event.type === 'done') onEnd(this.#result(firstMs, target, event));
    });
  }

  #result(firstMs: number, target: Uint8Array, done: Done): Measured {
    const nearest = this.nearest(target);
    const ids = new Set(done.closest.map(({ id }) => toHex(id)));
    const shared = nearest.filter((node) => ids.has(toHex(node.dht.id))).length;
    return {
      isFound: !Number.isNaN(firstMs),
      firstMs,
      done,
      nearestShare: shared / nearest.length,
    };
  }

  /** The live nodes nearest to a target, by the first 32 bits. */
  nearest(target: Uint8Array): SimDhtNode[] {
    const wanted = headOf(target);
    const best: { distance: number; node: SimDhtNode }[] = [];
    for (const node of this.live) {
      const distance = (headOf(node.dht.id) ^ wanted) >>> 0;
      if (best.length === NEAREST && distance >= best[NEAREST - 1]!.distance) continue;
      const at = best.findIndex((other) => distance < other.distance);
      best.splice(at < 0 ? best.length : at, 0, { distance, node });
      if (best.length > NEAREST) best.pop();
    }
    return best.map(({ node }) => node);
  }

  /** A torrent with a peer that lives; and, as the product waits for the first node, a node that knows one. */
  drawTorrent(): Torrent {
    for (;;) {
      const torrent = this.torrents[this.world.rng.below(this.torrents.length)]!;
      for (const peer of torrent.peers) if (this.isLive(peer)) return torrent;
    }
  }

  drawReady(): SimDhtNode {
    for (;;) {
      const node = this.draw();
      if (node.dht.closest(node.dht.id, 1).length > 0) return node;
    }
  }

  /** Of the entries of all tables: how many a node has, and the share that live. */
  tables(): { readonly entries: number; readonly aliveShare: number } {
    let entries = 0;
    let alive = 0;
    for (const node of this.live) {
      for (const { host } of node.dht.savedNodes()) {
        entries += 1;
        if (this.world.nodes.has(host)) alive += 1;
      }
    }
    return { entries: entries / this.live.length, aliveShare: alive / entries };
  }

  #listen(node: SimDhtNode, lookup: number, listener: Listener): void {
    const listeners = this.#listeners.get(node) ?? new Map<number, Listener>();
    this.#listeners.set(node, listeners);
    listeners.set(lookup, listener);
  }

  #hear(node: SimDhtNode, event: DhtEvent): void {
    if (!('lookup' in event)) return;
    const listeners = this.#listeners.get(node);
    listeners?.get(event.lookup)?.(event);
    if (event.type === 'done') listeners?.delete(event.lookup);
  }
}

function headOf(id: Uint8Array): number {
  return ((id[0]! << 24) | (id[1]! << 16) | (id[2]! << 8) | id[3]!) >>> 0;
}
