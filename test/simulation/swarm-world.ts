/**
 * A clock, a network and the peers of one torrent, with the checks that hold at any moment.
 * @module
 */
import { Rng } from '../../src/lib/rng.ts';
import { VirtualClock } from './clock.ts';
import { type HostOptions, Network, type NetworkOptions } from './network.ts';
import { type Chunk, Violation } from './swarm-link.ts';
import { SimPeer, type SimPeerOptions } from './swarm-node.ts';
import type { SimTorrent } from './swarm-torrent.ts';

/** Time between checks of what must hold at any moment. */
const CHECK_MS = 1_000;
/** Data sent for one whole copy, with the blocks that crossed or failed. */
export const SLOW_LINE = { uploadBytesPerSec: 500_000, downloadBytesPerSec: 2_000_000 } as const;

/** Options of a peer in a world. */
export type WorldPeer = Omit<SimPeerOptions, 'host' | 'rng' | 'torrent'> & {
  readonly line?: Omit<HostOptions, 'name'>;
  readonly torrent?: SimTorrent;
};

/** One simulated swarm. */
export class SwarmWorld {
  readonly clock = new VirtualClock();
  readonly network: Network<Chunk>;
  readonly torrent: SimTorrent;
  readonly rng: Rng;
  readonly peers: SimPeer[] = [];

  /** @param checkMs virtual time between checks of what must hold at any moment. */
  constructor(
    seed: number,
    torrent: SimTorrent,
    network: NetworkOptions = {},
    checkMs: number = CHECK_MS,
  ) {
    this.rng = new Rng(seed);
    this.torrent = torrent;
    this.network = new Network(this.clock, this.rng.fork(), network);
    this.clock.every(checkMs, () => this.#check());
  }

  /** Adds a peer on a host of its own. */
  add(name: string, options: WorldPeer = {}): SimPeer {
    const { line = SLOW_LINE, torrent = this.torrent, ...rest } = options;
    const host = this.network.addHost({ name, ...line });
    const peer = new SimPeer({ host, rng: this.rng.fork(), torrent, ...rest });
    this.peers.push(peer);
    return peer;
  }

  /** Brings a peer back on its host with what it had on disk. */
  restart(peer: SimPeer): SimPeer {
    const have = peer.have;
    peer.crash();
    peer.host.restart();
    const { rng: _, isMagnet: __, ...options } = peer.options;
    const reborn = new SimPeer({ ...options, rng: this.rng.fork(), have });
    this.peers[this.peers.indexOf(peer)] = reborn;
    return reborn;
  }

  /** Tells everybody of everybody, as a tracker would. */
  introduceAll(): void {
    for (const peer of this.peers) if (peer.isRunning) peer.addPeers(this.peers);
  }

  /** Runs until these peers are complete. @throws Violation when they are not in time. */
  complete(peers: readonly SimPeer[], limitMs: number): void {
    const isDone = this.clock.run(limitMs, () => peers.every((peer) => peer.isComplete));
    if (isDone) return;
    const late = peers.filter((peer) => !peer.isComplete);
    const states = late.map((peer) => `${peer.name} lacks ${peer.swarm.wantedLeft} pieces`);
    throw new Violation(`not complete after ${limitMs} ms: ${states.join(', ')}`);
  }

  /** Lets things settle: afterwards no honest peer owes an answer. */
  settle(ms = 10_000): void {
    this.clock.run(this.clock.nowMs + ms);
    for (const peer of this.peers) {
      if (!peer.isRunning || peer.options.mischief !== undefined) continue;
      for (const link of peer.links.values()) {
        const { owedToPeerCount } = link.books;
        if (link.books.isFast && owedToPeerCount > 0 && link.queue.length === 0) {
          throw new Violation(
            `${peer.name} owes ${link.end.remote.host} ${owedToPeerCount} answers`,
          );
        }
      }
    }
  }

  #check(): void {
    const now = this.clock.nowMs;
    for (const peer of this.peers) {
      if (!peer.isRunning) continue;
      const maxPeers = peer.options.maxPeers ?? 250;
      if (peer.swarm.peerCount > maxPeers) throw new Violation(`${peer.name}: too many peers`);
      if (peer.swarm.peerCount !== peer.links.size) {
        throw new Violation(
          `${peer.name}: ${peer.swarm.peerCount} peers on ${peer.links.size} links`,
        );
      }
      for (const status of peer.swarm.peers(now)) {
        if (status.pendingRequests > 1_100) {
          throw new Violation(`${peer.name}: ${status.pendingRequests} requests to one peer`);
        }
      }
      this.#checkInterest(peer);
    }
  }

  /** BEP 3: "It's important to keep the downloader informed … whether the client is interested". */
  #checkInterest(peer: SimPeer): void {
    const { have } = peer.swarm;
    if (have === undefined || peer.options.mischief !== undefined) return;
    if (peer.isDiskBroken || peer.isPaused) return;
    for (const link of peer.links.values()) {
      let wants = false;
      for (let piece = 0; piece < have.size && !wants; piece += 1) {
        wants = !have.has(piece) && peer.swarm.isWanted(piece) && link.books.peerHas(piece);
      }
      if (wants === link.books.amInterested || peer.options.isWithoutLayers === true) continue;
      if (peer.options.isMagnet === true) continue;
      throw new Violation(
        `${peer.name} ${wants ? 'is not' : 'is'} interested in ${link.end.remote.host}`,
      );
    }
  }
}
