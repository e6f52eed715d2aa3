/**
 * Swarms with peers that send wrong bytes: they are found, nobody else is, and the download completes.
 * @module
 */
import assert from 'node:assert/strict';
import { HASH_RANGE_LENGTH } from '../../src/protocol/metainfo/index.ts';
import type { PeerRecord } from '../../src/protocol/swarm/index.ts';
import type { Scenario } from './scenario.ts';
import type { SimPeer } from './swarm-node.ts';
import { eventsOf, FAST_LINE, MINUTE_MS } from './swarm-scenarios.ts';
import { simTorrent } from './swarm-torrent.ts';
import { SwarmWorld } from './swarm-world.ts';

/** Nobody but these was banned by anybody. */
function assertGuilty(peers: readonly SimPeer[], guilty: readonly SimPeer[]): void {
  const hosts = new Set(guilty.map(({ host }) => host.ip));
  for (const peer of peers) {
    for (const { address } of eventsOf(peer, 'peer-banned')) {
      assert(hosts.has(address.host), `${peer.name} banned ${address.host}, which is honest`);
    }
  }
}

/** Three peers of ten poison one block in twenty, in pieces of 16 blocks that everybody shares. */
function poisoners(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed, pieceLengthBytes: 262_144 }));
  const honest = Array.from({ length: 7 }, (_, i) => world.add(`honest ${i}`, { have: 'all' }));
  const vandals = Array.from({ length: 3 }, (_, i) =>
    world.add(`vandal ${i}`, { have: 'all', mischief: { corruptShare: 0.05 } }),
  );
  const leech = world.add('leech', { line: FAST_LINE });
  leech.addPeers(world.peers);
  world.complete([leech], 3 * MINUTE_MS);
  world.settle();
  assertGuilty(world.peers, vandals);
  assert.equal(honest.length + vandals.length, 10);
  const { failedPieces } = leech.swarm.totals;
  // Each failure puts its givers on parole, and each good copy of a piece that failed tells who it was.
  assert(failedPieces <= 12, `${failedPieces} pieces of 64 failed`);
  const banned = eventsOf(leech, 'peer-banned').length;
  assert(failedPieces === 0 || banned > 0, `${failedPieces} pieces failed and nobody is banned`);
}

/** v2: the leaf hashes tell the guilty before the piece was fetched again. */
function leafBlame(seed: number): void {
  const pieceLengthBytes = 262_144;
  const version = seed % 2 === 0 ? 'v2' : 'hybrid';
  const torrent = simTorrent({ seed, version, pieceLengthBytes });
  assert(torrent.layout.v2LeafWidth(0) <= HASH_RANGE_LENGTH);
  const world = new SwarmWorld(seed, torrent);
  for (let i = 0; i < 4; i += 1) world.add(`honest ${i}`, { have: 'all' });
  const vandal = world.add('vandal', { have: 'all', mischief: { corruptShare: 1 } });
  const leech = world.add('leech', { line: FAST_LINE });
  leech.addPeers(world.peers);
  world.clock.run(3 * MINUTE_MS, () => eventsOf(leech, 'peer-banned').length > 0);
  assertGuilty(world.peers, [vandal]);
  const [failure] = eventsOf(leech, 'piece-failed');
  assert(failure !== undefined, 'a piece with a bad block failed');
  if (failure.peers.length > 1) {
    assert.equal(
      leech.swarm.have!.has(failure.piece),
      false,
      'blamed before there was a good copy',
    );
  }
  world.complete([leech], 3 * MINUTE_MS);
  world.settle();
  assertGuilty(world.peers, [vandal]);
}

/** A vandal that leaves after each few blocks is known by its host when its block turns out bad. */
function hitAndRun(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed, pieceLengthBytes: 262_144 }));
  for (let i = 0; i < 3; i += 1) world.add(`honest ${i}`, { have: 'all' });
  let vandal = world.add('vandal', { have: 'all', mischief: { corruptShare: 1 } });
  const leech = world.add('leech');
  leech.addPeers(world.peers);
  for (let round = 0; round < 40 && eventsOf(leech, 'peer-banned').length === 0; round += 1) {
    world.clock.run(world.clock.nowMs + 700, () => leech.isComplete);
    if (leech.isComplete) break;
    vandal = world.restart(vandal);
    vandal.addPeers([leech]);
  }
  world.complete([leech], world.clock.nowMs + 3 * MINUTE_MS);
  world.settle();
  assertGuilty(world.peers, [vandal]);
  const { failedPieces } = leech.swarm.totals;
  assert(failedPieces === 0 || eventsOf(leech, 'peer-banned').length === 1, 'it was found');
}

/** The disk fails while the evidence is read: nobody is blamed for it, and the piece is fetched again. */
function lostEvidence(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed, pieceLengthBytes: 262_144 }));
  for (let i = 0; i < 3; i += 1) world.add(`honest ${i}`, { have: 'all' });
  const vandal = world.add('vandal', { have: 'all', mischief: { corruptShare: 0.2 } });
  const leech = world.add('leech');
  leech.addPeers(world.peers);
  leech.disk.failReads('EIO');
  world.clock.run(20_000);
  leech.disk.failReads(undefined);
  world.complete([leech], 5 * MINUTE_MS);
  world.settle();
  assertGuilty(world.peers, [vandal]);
}

/** What is told at the end of each connection, for the reputation: good data, data that was shown, promises that were broken. */
function records(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  // Slow enough that the silent one is found out.
  const line = { uploadBytesPerSec: 100_000, downloadBytesPerSec: 400_000 };
  const honest = world.add('honest', { have: 'all', line });
  const silent = world.add('silent', { have: 'all', mischief: { isSilent: true } });
  const leech = world.add('leech');
  leech.addPeers(world.peers);
  world.complete([leech], 3 * MINUTE_MS);
  world.settle();
  const recordsOf = (witness: SimPeer, other: SimPeer): PeerRecord[] =>
    eventsOf(witness, 'peer-closed').flatMap(({ address, record }) =>
      address.host === other.address.host ? [record] : [],
    );
  const { totalBytes } = world.torrent.info;
  const sum = (list: readonly PeerRecord[], of: keyof PeerRecord): number =>
    list.reduce((total, record) => total + record[of], 0);
  leech.leave();
  assert.equal(sum(recordsOf(leech, honest), 'verifiedBytes'), totalBytes);
  assert.equal(sum(recordsOf(leech, silent), 'verifiedBytes'), 0);
  assert(sum(recordsOf(leech, silent), 'brokenPromises') > 0);
  assert.equal(sum(recordsOf(leech, honest), 'brokenPromises'), 0);
  const confirmed = sum(recordsOf(honest, leech), 'confirmedBytes');
  assert(confirmed > 0.9 * totalBytes, `${confirmed} of ${totalBytes} bytes were shown`);
}

/** Scenarios of bad data. */
export const badDataScenarios: readonly Scenario[] = [
  { name: 'poisoners', run: poisoners },
  { name: 'leaf-blame', run: leafBlame },
  { name: 'hit-and-run', run: hitAndRun },
  { name: 'lost-evidence', run: lostEvidence },
  { name: 'records', run: records },
];
