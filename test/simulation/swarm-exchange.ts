/**
 * Peers that find each other by what peers tell: honest ones, and liars; and pieces that get lost.
 * @module
 */
import assert from 'node:assert/strict';
import { encodeExtendedHandshake, encodePex } from '../../src/protocol/peer-wire/index.ts';
import { OUR_EXCHANGE_ID } from '../../src/protocol/swarm/connecting.ts';
import { MAX_HEARD } from '../../src/protocol/swarm/rumours.ts';
import type { Scenario } from './scenario.ts';
import type { SimPeer } from './swarm-node.ts';
import { type Behaviour, inventedContacts, RudePeer } from './swarm-rude.ts';
import { FAST_LINE, MINUTE_MS } from './swarm-scenarios.ts';
import { simTorrent } from './swarm-torrent.ts';
import { SwarmWorld } from './swarm-world.ts';

const LARGE = [{ path: ['a'], lengthBytes: 400 * 65_536 }];

/** A chain: each newcomer is given the one that came before it. @returns the newcomers. */
function chain(world: SwarmWorld, count: number, usesPeerExchange: boolean): SimPeer[] {
  let last = world.add('seed', { have: 'all', usesPeerExchange });
  const leeches: SimPeer[] = [];
  for (let i = 0; i < count; i += 1) {
    const leech = world.add(`leech ${i}`, { usesPeerExchange });
    leech.addPeers([last]);
    leeches.push(leech);
    last = leech;
    world.clock.run(world.clock.nowMs + 500);
  }
  return leeches;
}

/** Given one peer each, everybody comes to know nearly everybody, and it pays. */
function findEachOther(seed: number): void {
  const count = 24;
  const run = (usesPeerExchange: boolean): { ms: number; connections: number } => {
    const world = new SwarmWorld(seed, simTorrent({ seed, files: LARGE }));
    const leeches = chain(world, count, usesPeerExchange);
    // Each tells its newcomers at once; the first ones are complete after a minute, and part.
    world.clock.run(world.clock.nowMs + 20_000);
    const connections = leeches.reduce((sum, { swarm }) => sum + swarm.peerCount, 0) / count;
    world.complete(leeches, 30 * MINUTE_MS);
    world.settle();
    return { ms: Math.max(...leeches.map((leech) => leech.completedMs!)), connections };
  };
  const [told, untold] = [run(true), run(false)];
  assert(untold.connections <= 2, 'without it a chain stays a chain');
  assert(
    told.connections >= 0.9 * count,
    `they know ${told.connections} of ${count} on the average`,
  );
  assert(told.ms < untold.ms, `${told.ms} ms with, ${untold.ms} ms without`);
}

/** The only seed is known to one peer, which has nothing itself and leaves: the word of it stays. */
function goBetween(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const source = world.add('seed', {
    have: 'all',
    line: { uploadBytesPerSec: 20_000, downloadBytesPerSec: 20_000 },
  });
  const between = world.add('between');
  const leech = world.add('leech');
  between.addPeers([source]);
  leech.addPeers([between]);
  world.clock.run(30_000);
  between.leave();
  world.complete([leech], 10 * MINUTE_MS);
  world.settle();
}

/** Tells fifty addresses that nobody is at, as often as is allowed. */
const LIAR: Behaviour = {
  greet: (writer) => {
    writer.haveNone();
    const extensions = new Map([['ut_pex', 1]]);
    writer.extended(0, encodeExtendedHandshake({ extensions, port: 6_881 }));
  },
  bother: (writer, _, rng) => {
    // Every 100 ms: once a minute on the average.
    if (rng.below(600) > 0) return 0;
    writer.extended(OUR_EXCHANGE_ID, encodePex(inventedContacts(rng)));
    return 1;
  },
};

/** Many liars: what is known and what is dialled is bounded, and the download ends as without them. */
function liars(seed: number): void {
  const count = 20;
  const run = (liarCount: number): { leech: SimPeer; world: SwarmWorld } => {
    const world = new SwarmWorld(seed, simTorrent({ seed, files: LARGE }));
    const source = world.add('seed', { have: 'all' });
    world.add('other seed', { have: 'all' });
    const leech = world.add('leech', { line: FAST_LINE });
    for (let i = 0; i < liarCount; i += 1) new RudePeer(world, `liar ${i}`, leech, LIAR);
    leech.addPeers([source]);
    world.complete([leech], 10 * MINUTE_MS);
    return { leech, world };
  };
  const alone = run(0);
  const lied = run(count);
  const slack = 1.2 * alone.leech.completedMs! + 5_000;
  assert(lied.leech.completedMs! < slack, `${lied.leech.completedMs} ms instead of ${slack} ms`);
  lied.world.clock.run(lied.world.clock.nowMs + 20 * MINUTE_MS);
  const known = lied.leech.swarm.knownAddressCount;
  assert(known <= MAX_HEARD + count + 2, `knows ${known} addresses`);
  // Sixty failures are forgiven to each, and what was under way when they were counted.
  assert(lied.leech.host.dials < count * 100, `${lied.leech.host.dials} dials`);
}

/** Shows nothing, wants nothing, stays. */
const IDLER: Behaviour = { greet: (writer) => writer.haveNone() };

/** Idlers fill every place that they get and come back as often as they can: who wants something gets in all the same. */
function crowd(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const source = world.add('seed', { have: 'all', maxPeers: 10, line: FAST_LINE });
  const idlers = Array.from(
    { length: 60 },
    (_, i) => new RudePeer(world, `idler ${i}`, source, IDLER),
  );
  world.clock.run(30_000);
  assert(source.swarm.peerCount === 8, `two places are kept: ${source.swarm.peerCount} are taken`);
  const leeches = Array.from({ length: 6 }, (_, i) => world.add(`leech ${i}`));
  // The tracker tells the seed of them, and them of the seed.
  source.addPeers(leeches);
  for (const leech of leeches) leech.addPeers([source]);
  world.complete(leeches, 5 * MINUTE_MS);
  world.settle();
  const minutes = world.clock.nowMs / MINUTE_MS;
  for (const { connections } of idlers) assert(connections <= 21 * (minutes + 1));
}

/** Pieces vanish from disks, the seed's too: they are told as lost, not asked for, and come back from whoever has them. */
function lostPieces(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const { pieceCount } = world.torrent.info;
  const peers = [world.add('seed', { have: 'all' })];
  for (let i = 0; i < 6; i += 1) peers.push(world.add(`leech ${i}`, { fast: i % 3 !== 0 }));
  world.introduceAll();
  for (let round = 0; round < 60; round += 1) {
    const before = new Map(peers.map((peer) => [peer, new Set(peer.have)]));
    world.clock.run(world.clock.nowMs + 500);
    const loser = peers[world.rng.below(peers.length)]!;
    const piece = world.rng.below(pieceCount);
    // One copy has to stay.
    const owners = peers.filter((peer) => peer.isOnDisk(piece) && peer !== loser);
    // A HAVE may be held back for a moment, and must be true when it leaves.
    if (owners.length > 0 && before.get(loser)!.has(piece)) loser.losePiece(piece);
  }
  world.introduceAll();
  world.complete(peers, 5 * MINUTE_MS);
  world.settle();
}

/** Scenarios of peer exchange and of lost pieces. */
export const exchangeScenarios: readonly Scenario[] = [
  { name: 'exchange: one peer each', run: findEachOther, seeds: 1 },
  { name: 'exchange: go-between', run: goBetween },
  { name: 'exchange: liars', run: liars, seeds: 1 },
  { name: 'crowd of idlers', run: crowd, seeds: 3 },
  { name: 'lost pieces', run: lostPieces },
];
