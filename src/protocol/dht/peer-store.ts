/**
 * Peers that announced themselves here.
 * Spec: BEP 5, `announce_peer`.
 * Bounds: MAX_INFO_HASHES, MAX_PEERS_PER_HASH, MAX_PEERS_PER_HOST; what was announced longest ago goes first. Peers are kept for PEER_MS.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import type { Rng } from '../../lib/rng.ts';
import {
  MAX_INFO_HASHES,
  MAX_PEERS_PER_HASH,
  MAX_PEERS_PER_HOST,
  MAX_VALUES,
  PEER_MS,
} from './constants.ts';
import type { Endpoint } from './krpc.ts';

interface StoredPeer extends Endpoint {
  readonly atMs: number;
}

/** The store. Maps keep the order in which entries were renewed. */
export class PeerStore {
  readonly #rng: Rng;
  readonly #swarms = new Map<string, Map<string, StoredPeer>>();

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** Info-hashes with peers. */
  get size(): number {
    return this.#swarms.size;
  }

  add(nowMs: number, infoHash: Uint8Array, { host, port }: Endpoint): void {
    const key = toHex(infoHash);
    const swarm = this.#swarms.get(key) ?? new Map<string, StoredPeer>();
    this.#swarms.delete(key);
    this.#swarms.set(key, swarm);
    if (this.#swarms.size > MAX_INFO_HASHES) dropFirst(this.#swarms);
    // One that comes again makes nobody else of its host go.
    swarm.delete(`${host} ${port}`);
    const own = [...swarm].filter(([, peer]) => peer.host === host);
    if (own.length >= MAX_PEERS_PER_HOST) swarm.delete(own[0]![0]);
    swarm.set(`${host} ${port}`, { host, port, atMs: nowMs });
    if (swarm.size > MAX_PEERS_PER_HASH) dropFirst(swarm);
  }

  /** Up to MAX_VALUES peers, drawn by lot when there are more. */
  peers(nowMs: number, infoHash: Uint8Array): Endpoint[] {
    const key = toHex(infoHash);
    const swarm = this.#swarms.get(key);
    if (swarm === undefined) return [];
    for (const [at, { atMs }] of swarm) {
      if (nowMs - atMs < PEER_MS) break;
      swarm.delete(at);
    }
    if (swarm.size === 0) this.#swarms.delete(key);
    const all = [...swarm.values()];
    return all.length <= MAX_VALUES ? all : this.#rng.shuffle(all).slice(0, MAX_VALUES);
  }
}

/** Removes what was renewed longest ago. */
export function dropFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
