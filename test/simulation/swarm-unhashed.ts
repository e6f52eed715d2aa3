/**
 * Transfers between two people: torrents whose pieces have no hashes.
 * @module
 */
import assert from 'node:assert/strict';
import type { Scenario } from './scenario.ts';
import { eventsOf, MINUTE_MS } from './swarm-scenarios.ts';
import { simTorrent } from './swarm-torrent.ts';
import { SwarmWorld } from './swarm-world.ts';

/** A receiver crashes, its disk fails, and pieces get lost: what was written is had, all else comes again, and nobody is blamed. */
function handOver(seed: number): void {
  const torrent = simTorrent({ seed, version: 'unhashed', pieceLengthBytes: 262_144 });
  const world = new SwarmWorld(seed, torrent);
  const sender = world.add('sender', { have: 'all' });
  let receiver = world.add('receiver', { isSequential: true, usesPeerExchange: false });
  receiver.addPeers([sender]);
  world.clock.run(2_000 + 500 * (seed % 4));
  const before = receiver.swarm.have!.count;
  receiver.crash();
  receiver = world.restart(receiver);
  receiver.addPeers([sender]);
  world.clock.run(world.clock.nowMs + 1_000);
  assert.ok(receiver.swarm.have!.count >= before, 'what was written is had');
  receiver.disk.failWrites('ENOSPC');
  world.clock.run(world.clock.nowMs + 3_000);
  receiver.disk.failWrites(undefined);
  const lost = receiver.have.slice(0, 3);
  for (const piece of lost) receiver.losePiece(piece);
  world.complete([receiver], world.clock.nowMs + 5 * MINUTE_MS);
  world.settle();
  assert.equal(receiver.swarm.have!.isFull, true);
  for (const peer of [sender, receiver]) {
    assert.equal(peer.swarm.totals.failedPieces, 0);
    assert.deepEqual(eventsOf(peer, 'peer-banned'), []);
  }
}

/** Whoever knows the name of a transfer learns nothing about its files. */
function askedForMetadata(seed: number): void {
  const torrent = simTorrent({ seed, version: 'unhashed' });
  const world = new SwarmWorld(seed, torrent);
  const sender = world.add('sender', { have: 'all' });
  const stranger = world.add('stranger', { isMagnet: true });
  stranger.addPeers([sender]);
  world.clock.run(MINUTE_MS);
  assert.deepEqual(eventsOf(stranger, 'metadata'), []);
  assert.equal(stranger.swarm.have, undefined);
}

export const unhashedScenarios: readonly Scenario[] = [
  { name: 'unhashed-hand-over', run: handOver },
  { name: 'unhashed-metadata', run: askedForMetadata, seeds: 2 },
];
