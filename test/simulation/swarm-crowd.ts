/**
 * Crowds: many peers on unequal lines, who come and go as people do, honest ones and others, and what the whole costs beside what is possible.
 *
 * Lines are of four classes in the proportions that Bharambe, Herley and Padmanabhan (INFOCOM 2006) simulate with, after a measurement of
 * Gnutella's peers by Saroiu, Gummadi and Gribble (MMCN 2002): few fast uplinks carry most of what is uploaded. One-way latencies are 5 to 100 ms.
 * Everybody learns of some random others when it comes, as from a tracker.
 * The fluid lower bound (Kumar and Ross, HOTWEB 2006) is the least time in which anybody could serve N peers: the seed must send one copy, the
 * slowest must take one, and all uplinks together must carry N.
 * @module
 */
import type { ChokingOptions, SwarmOptions } from '../../src/protocol/swarm/index.ts';
import type { Mischief, SimPeer } from './swarm-node.ts';
import { type SimTorrent, simTorrent } from './swarm-torrent.ts';
import { SwarmWorld } from './swarm-world.ts';

// Implementation limits

/** Addresses that a newcomer is told unless the crowd says otherwise. */
const NEIGHBOURS = 50;
/** Connections of a peer beyond those. */
const MORE_PEERS = 5;
/** How often it is looked after peers that leave, or that are lonely: those with few connections ask for addresses again after a while. */
const CARE_MS = 500;
const FEW_PEERS = 15;
const ANNOUNCE_MS = 30_000;
/** Checks look at every piece of every connection. */
const CHECK_MS = 30_000;
/** Time after which a crowd has failed. */
const LIMIT_MS = 3_600_000;

/** A kind of access line. */
export interface LineClass {
  readonly name: string;
  readonly share: number;
  readonly uploadBytesPerSec: number;
  readonly downloadBytesPerSec: number;
}

/** From slow to fast; shares add up to 1. */
export const LINES: readonly LineClass[] = [
  { name: '784/128', share: 0.2, uploadBytesPerSec: 16_000, downloadBytesPerSec: 98_000 },
  { name: '1500/384', share: 0.4, uploadBytesPerSec: 48_000, downloadBytesPerSec: 187_500 },
  { name: '3000/1000', share: 0.25, uploadBytesPerSec: 125_000, downloadBytesPerSec: 375_000 },
  { name: '10000/5000', share: 0.15, uploadBytesPerSec: 625_000, downloadBytesPerSec: 1_250_000 },
];

/** Somebody who is not honest. */
export interface Stranger {
  readonly name: string;
  readonly mischief?: Mischief;
  readonly choking?: ChokingOptions;
  /** Addresses it learns; default as everybody. */
  readonly neighbours?: number;
  readonly maxPeers?: number;
  /** Of its class's uplink, what it gives to it; default 1. */
  readonly uplinkShare?: number;
  /** Drops its connections this often and comes back as somebody new. */
  readonly returnsEveryMs?: number;
}

/** What a crowd is like. */
export interface CrowdOptions {
  readonly seed: number;
  readonly honest: number;
  readonly strangers?: readonly Stranger[];
  /** Default 128 pieces of 64 KiB: 8 MiB. */
  readonly pieces?: number;
  /** Addresses that a newcomer is told, default 50; it takes a few more connections. */
  readonly neighbours?: number;
  /** Arrivals spread over this time; default 0: all at once. */
  readonly arrivalMs?: number;
  /** Peers leave this long after completion, on average; default: never. */
  readonly lingerMs?: number;
  /** The first seed leaves when it has given so many copies; default: never. */
  readonly seedCopies?: number;
  readonly seedUploadBytesPerSec?: number;
  readonly isSuperSeeding?: boolean;
  /** How honest peers choose whom to serve. */
  readonly core?: Pick<SwarmOptions, 'choking' | 'isExempt' | 'standingOf' | 'uploadSlots'>;
}

/** What became of it. */
export interface CrowdResult {
  readonly world: SwarmWorld;
  readonly source: SimPeer;
  readonly honest: readonly SimPeer[];
  readonly strangers: readonly SimPeer[];
  /** Of honest peers, each from its own arrival. */
  readonly downloadMs: readonly number[];
  /** When the last honest peer was complete, from the start. */
  readonly lastMs: number;
  readonly boundMs: number;
  /** Bytes that all got, and of them what strangers got, up to the end and up to when half of the honest peers were complete. */
  readonly end: Extracted;
  readonly half: Extracted;
  readonly wastedBytes: number;
}

/** Who got how much. */
export interface Extracted {
  readonly allBytes: number;
  readonly strangerBytes: number;
}

/** A line for the n-th of `count` peers: classes come in their shares, spread evenly. */
export function lineOf(index: number, count: number): LineClass {
  // A step that shares no factor with the count visits every place once.
  const place = ((index * 37) % count) / count;
  let sum = 0;
  for (const line of LINES) {
    sum += line.share;
    if (place < sum - 1e-9) return line;
  }
  return LINES.at(-1)!;
}

/** The fluid lower bound in ms. */
export function fluidBoundMs(
  totalBytes: number,
  seedUploadBytesPerSec: number,
  lines: readonly Pick<LineClass, 'uploadBytesPerSec' | 'downloadBytesPerSec'>[],
): number {
  const slowest = Math.min(...lines.map((line) => line.downloadBytesPerSec));
  const uplinks = lines.reduce((sum, line) => sum + line.uploadBytesPerSec, seedUploadBytesPerSec);
  const seconds = Math.max(
    totalBytes / seedUploadBytesPerSec,
    totalBytes / slowest,
    (lines.length * totalBytes) / uplinks,
  );
  return seconds * 1000;
}

/** A crowd that is running. */
class Crowd {
  readonly world: SwarmWorld;
  readonly source: SimPeer;
  readonly honest: SimPeer[] = [];
  readonly strangers: SimPeer[] = [];
  readonly arrivedMs = new Map<SimPeer, number>();
  readonly #options: CrowdOptions;
  readonly #lines: LineClass[] = [];

  constructor(options: CrowdOptions, torrent: SimTorrent) {
    this.#options = options;
    this.world = new SwarmWorld(
      options.seed,
      torrent,
      { latencyMs: [5, 100], jitterMs: 5 },
      CHECK_MS,
    );
    this.source = this.world.add('seed', {
      have: 'all',
      maxPeers: 100,
      line: {
        uploadBytesPerSec: this.seedUploadBytesPerSec,
        downloadBytesPerSec: 1_250_000,
      },
      ...(options.core === undefined ? {} : { core: options.core }),
    });
    if (options.isSuperSeeding === true) this.source.swarm.setSuperSeeding(true);
    this.#planArrivals();
    this.world.clock.every(CARE_MS, () => this.#care());
  }

  get seedUploadBytesPerSec(): number {
    return this.#options.seedUploadBytesPerSec ?? 625_000;
  }

  get #neighbours(): number {
    return this.#options.neighbours ?? NEIGHBOURS;
  }

  get boundMs(): number {
    const { totalBytes } = this.world.torrent.info;
    return fluidBoundMs(totalBytes, this.seedUploadBytesPerSec, this.#lines);
  }

  #planArrivals(): void {
    const { honest, strangers = [], arrivalMs = 0 } = this.#options;
    const { clock, rng } = this.world;
    for (let i = 0; i < honest; i += 1) {
      const line = lineOf(i, honest);
      this.#lines.push(line);
      clock.after(1 + rng.float() * arrivalMs, () => this.#arriveHonest(`peer ${i}`, line));
    }
    for (const [i, stranger] of strangers.entries()) {
      const line = lineOf(i, strangers.length);
      clock.after(1 + rng.float() * arrivalMs, () =>
        this.#arriveStranger(`${stranger.name} ${i}`, line, stranger),
      );
    }
  }

  #arriveHonest(name: string, line: LineClass): void {
    const { core } = this.#options;
    const { uploadBytesPerSec, downloadBytesPerSec } = line;
    const peer = this.world.add(name, {
      line: { uploadBytesPerSec, downloadBytesPerSec },
      maxPeers: this.#neighbours + MORE_PEERS,
      ...(core === undefined ? {} : { core }),
    });
    this.honest.push(peer);
    this.#introduce(peer, this.#neighbours);
  }

  #arriveStranger(name: string, line: LineClass, stranger: Stranger): void {
    const { mischief, choking, uplinkShare = 1 } = stranger;
    const { maxPeers = this.#neighbours + MORE_PEERS } = stranger;
    const peer = this.world.add(name, {
      line: {
        uploadBytesPerSec: line.uploadBytesPerSec * uplinkShare,
        downloadBytesPerSec: line.downloadBytesPerSec,
      },
      maxPeers,
      mischief: mischief ?? {},
      ...(choking === undefined ? {} : { core: { choking } }),
    });
    this.strangers.push(peer);
    const known = stranger.neighbours ?? this.#neighbours;
    this.#introduce(peer, known);
    const { returnsEveryMs } = stranger;
    if (returnsEveryMs === undefined) return;
    let current = peer;
    this.world.clock.every(returnsEveryMs, () => {
      current = this.world.restart(current);
      this.strangers.push(current);
      this.#introduce(current, known);
    });
  }

  #introduce(peer: SimPeer, count: number): void {
    this.arrivedMs.set(peer, this.arrivedMs.get(peer) ?? this.world.clock.nowMs);
    const others = this.world.peers.filter((other) => other !== peer && other.isRunning);
    peer.addPeers(this.world.rng.shuffle(others).slice(0, count));
  }

  /** What was received so far. */
  extracted(): Extracted {
    const received = (peers: readonly SimPeer[]): number =>
      peers.reduce((sum, peer) => sum + peer.swarm.totals.downloadedBytes, 0);
    const strangerBytes = received(this.strangers);
    return { allBytes: strangerBytes + received(this.honest), strangerBytes };
  }

  /** Whoever is done leaves when its time has come. */
  #care(): void {
    const { seedCopies, lingerMs } = this.#options;
    const { clock, torrent, rng } = this.world;
    const { source } = this;
    const copies = source.swarm.totals.uploadedBytes / torrent.info.totalBytes;
    if (seedCopies !== undefined && source.isRunning && copies >= seedCopies) source.leave();
    for (const peer of this.honest) {
      const isLonely = peer.isRunning && !peer.isComplete && peer.links.size < FEW_PEERS;
      if (isLonely && rng.float() < CARE_MS / ANNOUNCE_MS) this.#introduce(peer, this.#neighbours);
      if (lingerMs === undefined || !peer.isRunning || peer.completedMs === undefined) continue;
      const stays = clock.nowMs - peer.completedMs;
      if (stays > 0 && rng.float() < CARE_MS / lingerMs) peer.leave();
    }
  }
}

/** Runs a crowd until every honest peer is complete. @throws Violation when they are not within an hour. */
export function runCrowd(options: CrowdOptions): CrowdResult {
  const pieceLengthBytes = 65_536;
  const files = [{ path: ['a'], lengthBytes: (options.pieces ?? 128) * pieceLengthBytes }];
  const crowd = new Crowd(options, simTorrent({ seed: options.seed, pieceLengthBytes, files }));
  const { world, source, honest, strangers } = crowd;
  let half: Extracted | undefined;
  world.clock.run(LIMIT_MS, () => {
    if (honest.length < options.honest) return false;
    const done = honest.filter((peer) => peer.completedMs !== undefined).length;
    if (done >= honest.length / 2) half ??= crowd.extracted();
    return done === honest.length;
  });
  world.complete(honest, LIMIT_MS);
  return {
    world,
    source,
    honest,
    strangers,
    downloadMs: honest.map((peer) => peer.completedMs! - crowd.arrivedMs.get(peer)!),
    lastMs: Math.max(...honest.map((peer) => peer.completedMs!)),
    boundMs: crowd.boundMs,
    end: crowd.extracted(),
    half: half!,
    wastedBytes: honest.reduce((sum, peer) => sum + peer.swarm.totals.wastedBytes, 0),
  };
}
