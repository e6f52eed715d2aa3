/**
 * Peers that announced themselves here.
 * Spec: BEP 5, `announce_peer`.
 * Bounds: MAX_INFO_HASHES, MAX_PEERS_PER_HASH, MAX_PEERS_PER_HOST of a host in a swarm, MAX_STORED_PEERS_PER_HOST in all; what was announced longest ago goes first. Peers are kept for PEER_MS.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import type { Rng } from '../../lib/rng.ts';
import {
  MAX_INFO_HASHES,
  MAX_PEERS_PER_HASH,
  MAX_PEERS_PER_HOST,
  MAX_STORED_PEERS_PER_HOST,
  MAX_VALUES,
  PEER_MS,
} from './constants.ts';
import type { Endpoint } from './krpc.ts';
import { isLocal } from './subnet.ts';

// Implementation limits
/** What is over is looked for this often, besides when it is asked for. */
const SWEEP_MS = 60_000;

interface StoredPeer extends Endpoint {
  readonly atMs: number;
}

/** The store. Maps keep the order in which entries were renewed. */
export class PeerStore {
  readonly #rng: Rng;
  readonly #swarms = new Map<string, Map<string, StoredPeer>>();
  /** Host → peers of it in all swarms. */
  readonly #perHost = new Map<string, number>();
  #nextSweepMs = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** Info-hashes with peers. */
  get size(): number {
    return this.#swarms.size;
  }

  /** Hosts with peers. */
  get hosts(): number {
    return this.#perHost.size;
  }

  /** @returns false when the host has its share already. */
  add(nowMs: number, infoHash: Uint8Array, { host, port }: Endpoint): boolean {
    this.#sweep(nowMs);
    const key = toHex(infoHash);
    const swarm = this.#swarms.get(key) ?? new Map<string, StoredPeer>();
    const own = [...swarm].filter(([, peer]) => peer.host === host);
    if (own.length === 0 && this.#isGreedy(host)) return false;
    this.#swarms.delete(key);
    this.#swarms.set(key, swarm);
    // One that comes again makes nobody else of its host go.
    const isAgain = this.#drop(swarm, `${host} ${port}`);
    if (!isAgain && own.length >= MAX_PEERS_PER_HOST) this.#drop(swarm, own[0]![0]);
    swarm.set(`${host} ${port}`, { host, port, atMs: nowMs });
    this.#perHost.set(host, (this.#perHost.get(host) ?? 0) + 1);
    if (swarm.size > MAX_PEERS_PER_HASH) this.#drop(swarm, firstOf(swarm));
    if (this.#swarms.size > MAX_INFO_HASHES) this.#forget(firstOf(this.#swarms));
    return true;
  }

  /** Up to MAX_VALUES peers, drawn by lot when there are more. */
  peers(nowMs: number, infoHash: Uint8Array): Endpoint[] {
    const key = toHex(infoHash);
    const swarm = this.#swarms.get(key);
    if (swarm === undefined) return [];
    this.#expire(nowMs, key, swarm);
    const all = [...swarm.values()];
    return all.length <= MAX_VALUES ? all : this.#rng.shuffle(all).slice(0, MAX_VALUES);
  }

  #sweep(nowMs: number): void {
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + SWEEP_MS;
    for (const [key, swarm] of this.#swarms) this.#expire(nowMs, key, swarm);
  }

  #expire(nowMs: number, key: string, swarm: Map<string, StoredPeer>): void {
    for (const [at, { atMs }] of swarm) {
      if (nowMs - atMs < PEER_MS) break;
      this.#drop(swarm, at);
    }
    if (swarm.size === 0) this.#swarms.delete(key);
  }

  /** Else one host could push everybody's peers out. */
  #isGreedy(host: string): boolean {
    const count = this.#perHost.get(host) ?? 0;
    return count >= MAX_STORED_PEERS_PER_HOST && !isLocal(host);
  }

  #forget(key: string): void {
    for (const at of [...(this.#swarms.get(key)?.keys() ?? [])]) {
      this.#drop(this.#swarms.get(key)!, at);
    }
    this.#swarms.delete(key);
  }

  /** @returns whether it was there. */
  #drop(swarm: Map<string, StoredPeer>, at: string): boolean {
    const peer = swarm.get(at);
    if (peer === undefined) return false;
    swarm.delete(at);
    const left = this.#perHost.get(peer.host)! - 1;
    if (left > 0) this.#perHost.set(peer.host, left);
    else this.#perHost.delete(peer.host);
    return true;
  }
}

/** What was renewed longest ago. */
function firstOf(map: ReadonlyMap<string, unknown>): string {
  for (const key of map.keys()) return key;
  return '';
}
