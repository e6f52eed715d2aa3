/**
 * Swarms worth simulating: each is a function of a seed that throws when something is wrong.
 * @module
 */
import assert from 'node:assert/strict';
import { equalBytes } from '../../src/lib/bytes.ts';
import { MESSAGE_ID } from '../../src/protocol/peer-wire/index.ts';
import type { SwarmEvent } from '../../src/protocol/swarm/index.ts';
import type { Scenario } from './scenario.ts';
import { anything } from './swarm-anything.ts';
import type { SimPeer } from './swarm-node.ts';
import { ScriptedSeed } from './swarm-scripted.ts';
import { simTorrent } from './swarm-torrent.ts';
import { SwarmWorld } from './swarm-world.ts';

/** A minute of virtual time. */
export const MINUTE_MS = 60_000;
/** A line on which 4 MiB take two seconds. */
export const FAST_LINE = { uploadBytesPerSec: 2_000_000, downloadBytesPerSec: 4_000_000 } as const;

/** What a core told, of one type. */
export function eventsOf<T extends SwarmEvent['type']>(
  peer: SimPeer,
  type: T,
): Extract<SwarmEvent, { type: T }>[] {
  return peer.events.filter(
    (event): event is Extract<SwarmEvent, { type: T }> => event.type === type,
  );
}

function addMany(world: SwarmWorld, count: number, name = 'leech'): SimPeer[] {
  return Array.from({ length: count }, (_, i) => world.add(`${name} ${i}`));
}

function oneToOne(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const source = world.add('seed', { have: 'all' });
  const leech = world.add('leech');
  leech.addPeers([source]);
  world.complete([leech], MINUTE_MS);
  world.settle();
  const { totalBytes } = world.torrent.info;
  assert.deepEqual(leech.swarm.totals, {
    downloadedBytes: totalBytes,
    uploadedBytes: 0,
    wastedBytes: 0,
    failedPieces: 0,
  });
  assert.equal(eventsOf(leech, 'complete').length, 1);
  // 8.4 s of line for 4 MiB at 500 kB/s, and some to find each other.
  assert(leech.completedMs! < 20_000, `took ${leech.completedMs} ms`);
  assert.equal(world.peers.flatMap((peer) => [...peer.links.values()]).length, 0, 'two seeds part');
}

function trade(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const source = world.add('seed', { have: 'all' });
  const leeches = addMany(world, 20);
  world.introduceAll();
  world.complete(leeches, 3 * MINUTE_MS);
  world.settle();
  const copies = source.swarm.totals.uploadedBytes / world.torrent.info.totalBytes;
  assert(copies < 5, `the seed gave ${copies} copies to 20`);
  for (const leech of leeches) {
    const w = leech.swarm.totals.wastedBytes;
    assert(w < 0.1 * world.torrent.info.totalBytes, `${leech.name} wasted ${w}`);
  }
  // Of all together: that one of 20 gets a tenth of 4 MiB twice at the end comes about in one run of six.
  const wasted = leeches.reduce((sum, leech) => sum + leech.swarm.totals.wastedBytes, 0);
  const share = wasted / leeches.length / world.torrent.info.totalBytes;
  assert(share < 0.05, `${(share * 100).toFixed(1)} % came twice`);
}

/** The names of a thousand files make metadata of several parts. */
function wordyTorrent(seed: number): ReturnType<typeof simTorrent> {
  const files = Array.from({ length: 1000 }, (_, i) => ({
    path: [`a folder with a rather long name ${i % 7}`, `and a file in it ${i}`],
    lengthBytes: 3000 + i,
  }));
  return simTorrent({ seed, files });
}

/** Changes the data of metadata messages. */
function lyingAboutMetadata(message: Uint8Array): Uint8Array {
  if (message[0] !== MESSAGE_ID.extended || message[1] === 0 || message.length < 1000)
    return message;
  const bent = message.slice();
  bent[bent.length - 10]! ^= 1;
  return bent;
}

function magnet(seed: number): void {
  const world = new SwarmWorld(seed, wordyTorrent(seed));
  assert(world.torrent.info.infoBytes.length > 4 * 16_384);
  for (const name of ['honest 1', 'honest 2']) world.add(name, { have: 'all' });
  world.add('liar', { have: 'all', mischief: { bend: lyingAboutMetadata } });
  const leech = world.add('leech', { isMagnet: true });
  leech.addPeers(world.peers);
  world.complete([leech], 2 * MINUTE_MS);
  world.settle();
  assert.equal(eventsOf(leech, 'metadata').length, 1);
}

function withoutLayers(seed: number): void {
  const files = [
    { path: ['large'], lengthBytes: 700 * 16_384 + 5 },
    { path: ['small'], lengthBytes: 9 },
    { path: ['middle'], lengthBytes: 40 * 16_384 },
  ];
  const torrent = simTorrent({ seed, version: 'v2', files, pieceLengthBytes: 16_384 });
  const world = new SwarmWorld(seed, torrent);
  const source = world.add('seed', { have: 'all', line: FAST_LINE });
  const first = world.add('first', { isWithoutLayers: true, line: FAST_LINE });
  // The last one sees only the first, which has no hashes itself in the beginning.
  const last = world.add('last', { isMagnet: true, line: FAST_LINE });
  first.addPeers([source]);
  last.addPeers([first]);
  world.complete([first, last], 2 * MINUTE_MS);
  world.settle();
  for (const peer of [first, last]) {
    const [layers] = eventsOf(peer, 'layers');
    assert(layers !== undefined, `${peer.name} knows the layers`);
    for (const [root, layer] of torrent.layers) assert(equalBytes(layers.layers.get(root)!, layer));
  }
}

function hybrid(seed: number): void {
  const files = [
    { path: ['a'], lengthBytes: 20 * 65_536 + 5 },
    { path: ['b'], lengthBytes: 100 },
    { path: ['c'], lengthBytes: 3 * 65_536 + 20_000 },
    { path: ['d'], lengthBytes: 2 * 65_536 },
  ];
  const torrent = simTorrent({ seed, version: 'hybrid', files });
  const world = new SwarmWorld(seed, torrent);
  world.add('seed', { have: 'all' });
  const leeches = [
    world.add('both'),
    world.add('by v1', { isMagnet: true, knows: 'v1' }),
    world.add('by v2', { isMagnet: true, knows: 'v2' }),
    world.add('without layers', { isWithoutLayers: true }),
  ];
  world.introduceAll();
  world.complete(leeches, 2 * MINUTE_MS);
  world.settle(40_000);
  assert.equal(eventsOf(leeches[3]!, 'layers').length, 1);
}

function selection(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const lower = (piece: number): number => (piece < 32 ? 4 : 0);
  const partial = [0, 1].map((i) =>
    world.add(`half ${i}`, { have: Array.from({ length: 32 }, (_, k) => 32 * i + k) }),
  );
  for (const [i, peer] of partial.entries()) {
    peer.select((piece) => (Math.floor(piece / 32) === i ? 4 : 0));
  }
  const choosy = world.add('choosy', { priorityOf: lower });
  const greedy = world.add('greedy', { isSequential: seed % 2 === 0 });
  world.introduceAll();
  world.complete([choosy, greedy], MINUTE_MS);
  assert.deepEqual(
    choosy.have,
    Array.from({ length: 32 }, (_, i) => i),
  );
  choosy.select(() => 4);
  assert.equal(choosy.isComplete, false);
  world.complete([choosy], 3 * MINUTE_MS);
  world.settle();
  assert.equal(eventsOf(choosy, 'complete').length, 2);
}

function seedLeaves(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const source = world.add('seed', { have: 'all' });
  const leeches = addMany(world, 6);
  world.introduceAll();
  const spread = (): boolean => {
    const there = new Set(leeches.flatMap((leech) => leech.have));
    return there.size === world.torrent.info.pieceCount;
  };
  world.clock.run(5 * MINUTE_MS, spread);
  const copies = source.swarm.totals.uploadedBytes / world.torrent.info.totalBytes;
  assert(spread(), 'a whole copy was given away');
  // Rarest first: not many pieces are given twice before all were given once.
  assert(copies < 2, `the seed gave ${copies} copies before all were there`);
  source.leave();
  world.complete(leeches, world.clock.nowMs + 3 * MINUTE_MS);
  world.settle();
}

function corruptPeer(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const honest = world.add('honest', { have: 'all' });
  const vandal = world.add('vandal', { have: 'all', mischief: { corruptShare: 1 } });
  const leech = world.add('leech');
  leech.addPeers([vandal]);
  world.clock.run(40_000, () => eventsOf(leech, 'peer-banned').length > 0);
  assert.deepEqual(
    eventsOf(leech, 'peer-banned').map((event) => event.address.host),
    [vandal.host.ip],
  );
  leech.addPeers([honest, vandal]);
  // It comes back by itself, from another port.
  vandal.addPeers([leech]);
  world.complete([leech], 3 * MINUTE_MS);
  world.settle();
  assert.equal(eventsOf(leech, 'peer-banned').length, 1, 'only the vandal is banned');
}

function mixedCorruption(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  for (let i = 0; i < 3; i += 1) world.add(`honest ${i}`, { have: 'all' });
  const vandal = world.add('vandal', { have: 'all', mischief: { corruptShare: 0.3 } });
  const leech = world.add('leech');
  leech.addPeers(world.peers);
  world.complete([leech], 10 * MINUTE_MS);
  world.settle();
  for (const { address } of eventsOf(leech, 'peer-banned'))
    assert.equal(address.host, vandal.host.ip);
}

function silentPeer(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  world.add('silent', { have: 'all', mischief: { isSilent: true } });
  world.add('seed', { have: 'all' });
  const leech = world.add('leech');
  leech.addPeers(world.peers);
  world.complete([leech], 2 * MINUTE_MS);
  world.settle();
}

/** Silent peers owe a block of every piece that may be open. */
function silentMajority(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  for (let i = 0; i < 6; i += 1) {
    world.add(`silent ${i}`, { have: 'all', mischief: { isSilent: true } });
  }
  world.add('seed', { have: 'all' });
  const leech = world.add('leech', { openLimit: 3 });
  leech.addPeers(world.peers);
  world.complete([leech], 3 * MINUTE_MS);
  world.settle();
}

function chokeHappy(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const moody = [true, false].map((fast, i) => {
    const host = world.network.addHost({ name: `moody ${i}`, ...FAST_LINE });
    return new ScriptedSeed({ host, torrent: world.torrent, rng: world.rng.fork(), fast });
  });
  const leech = world.add('leech');
  leech.swarm.addPeers(
    0,
    moody.map((peer) => peer.address),
    'given',
  );
  world.complete([leech], 5 * MINUTE_MS);
  world.settle();
  assert(moody.every((peer) => peer.chokes > 2));
}

/** Eight seeds, each twice as fast as the one before. @returns what came in vain, as a share of all. */
function unequalSeeds(seed: number, lengthBytes: number, pieceLengthBytes: number): number {
  const files = [{ path: ['a'], lengthBytes }];
  const torrent = simTorrent({ seed, files, pieceLengthBytes });
  const world = new SwarmWorld(seed, torrent, { latencyMs: [5, 300] });
  for (let i = 0; i < 8; i += 1) {
    const rate = 20_000 * 2 ** i;
    const line = { uploadBytesPerSec: rate, downloadBytesPerSec: rate };
    world.add(`seed ${i}`, { have: 'all', line });
  }
  const leech = world.add('leech', { line: FAST_LINE });
  leech.addPeers(world.peers);
  world.complete([leech], 5 * MINUTE_MS);
  world.settle();
  return leech.swarm.totals.wastedBytes / lengthBytes;
}

function endgameWaste(seed: number): void {
  const share = unequalSeeds(seed, 64_000_000, 262_144);
  assert(share <= 0.02, `${(100 * share).toFixed(1)} % of the bytes came twice`);
  // Of 4 MiB more: a cancel does not reach what is in a sender's socket, 128 KiB of each slow one at most.
  const small = unequalSeeds(seed, 4_000_000, 65_536);
  assert(small < 0.2, `${(100 * small).toFixed(1)} % of a small torrent came twice`);
}

function diskFault(seed: number): void {
  const pieceLengthBytes = 262_144;
  const torrent = simTorrent({ seed, pieceLengthBytes });
  const world = new SwarmWorld(seed, torrent);
  for (let i = 0; i < 3; i += 1) world.add(`seed ${i}`, { have: 'all', line: FAST_LINE });
  // Pieces go to disk in four parts, so that some are on their way when another fails.
  const leech = world.add('leech', { partBlocks: 4, line: FAST_LINE });
  leech.addPeers(world.peers);
  world.clock.run(3_000);
  leech.disk.failWrites('ENOSPC');
  world.clock.run(33_000);
  assert.equal(leech.isComplete, false);
  leech.disk.failWrites(undefined);
  world.complete([leech], 3 * MINUTE_MS);
  world.settle();
}

function rottenReads(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const source = world.add('seed', { have: 'all' });
  const leech = world.add('leech');
  leech.addPeers([source]);
  world.clock.run(2_000);
  source.disk.failReads('EIO');
  world.clock.run(5_000);
  source.disk.failReads(undefined);
  world.complete([leech], 3 * MINUTE_MS);
  world.settle();
}

function churn(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }), { dialFailureShare: 0.1 });
  world.add('seed', { have: 'all' });
  addMany(world, 8);
  world.introduceAll();
  for (let round = 0; round < 8; round += 1) {
    world.clock.run(world.clock.nowMs + 2_000 + world.rng.below(2_000));
    const unlucky = world.peers[1 + world.rng.below(8)]!;
    const reborn = world.restart(unlucky);
    reborn.addPeers(world.peers);
  }
  world.complete(world.peers, 10 * MINUTE_MS);
  world.settle();
}

function doubleDial(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const one = world.add('one', { have: Array.from({ length: 32 }, (_, i) => i) });
  const two = world.add('two', { have: Array.from({ length: 32 }, (_, i) => 32 + i) });
  world.introduceAll();
  world.clock.run(3_000);
  assert.equal(one.links.size, 1);
  assert.equal(two.links.size, 1);
  world.complete([one, two], MINUTE_MS);
  world.settle();
}

function crowd(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  world.add('seed', { have: 'all', maxPeers: 3 });
  const leeches = Array.from({ length: 10 }, (_, i) => world.add(`leech ${i}`, { maxPeers: 3 }));
  world.introduceAll();
  world.complete(leeches, 5 * MINUTE_MS);
  world.settle();
}

function behindNat(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const line = { ...FAST_LINE, isNatted: true };
  const source = world.add('seed', { have: 'all', line });
  const leeches = [...addMany(world, 3), world.add('hidden', { line })];
  world.introduceAll();
  world.clock.run(2_000);
  const isHidden = (peer: SimPeer): boolean => peer.host.isNatted;
  // While the two sides cannot talk, nobody gives anybody up for good.
  world.network.partition((host) => Number(host === source.host));
  world.clock.run(30_000);
  world.network.partition(() => 0);
  world.complete(leeches, 5 * MINUTE_MS);
  world.settle();
  assert.equal(world.peers.filter(isHidden).length, 2);
}

function pads(seed: number): void {
  const files = Array.from({ length: 12 }, (_, i) => ({
    path: [`file ${i}`],
    lengthBytes: 1 + ((i * 37_773) % 200_000),
  }));
  const torrent = simTorrent({ seed, version: 'hybrid', files });
  assert(torrent.info.files.some((file) => file.isPad));
  const world = new SwarmWorld(seed, torrent);
  const source = world.add('seed', { have: 'all' });
  const leech = world.add('leech');
  leech.addPeers([source]);
  world.complete([leech], MINUTE_MS);
  world.settle();
  assert.equal(leech.swarm.totals.downloadedBytes, torrent.info.totalBytes);
}

/** Every scenario of a swarm, by the name that `run.ts` takes. */
export const swarmScenarios: readonly Scenario[] = [
  { name: 'one-to-one', run: oneToOne },
  { name: 'trade', run: trade, seeds: 1 },
  { name: 'magnet', run: magnet },
  { name: 'v2-without-layers', run: withoutLayers },
  { name: 'hybrid', run: hybrid },
  { name: 'selection', run: selection },
  { name: 'seed-leaves', run: seedLeaves, seeds: 1 },
  { name: 'corrupt-peer', run: corruptPeer },
  { name: 'mixed-corruption', run: mixedCorruption },
  { name: 'silent-peer', run: silentPeer },
  { name: 'silent-majority', run: silentMajority },
  { name: 'choke-happy', run: chokeHappy },
  { name: 'endgame-waste', run: endgameWaste },
  { name: 'disk-fault', run: diskFault },
  { name: 'read-fault', run: rottenReads },
  { name: 'churn', run: churn, seeds: 3 },
  { name: 'double-dial', run: doubleDial },
  { name: 'crowd', run: crowd },
  { name: 'nat-and-partition', run: behindNat },
  { name: 'pads', run: pads },
  { name: 'anything', run: anything, seeds: 100 },
];
