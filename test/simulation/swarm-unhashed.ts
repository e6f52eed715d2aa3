/**
 * Transfers between two people: torrents whose pieces have no hashes.
 * @module
 */
import assert from 'node:assert/strict';
import type { Scenario } from './scenario.ts';
import { eventsOf, FAST_LINE, MINUTE_MS } from './swarm-scenarios.ts';
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

/** Digests differ at the end: all that came comes again, and the sender does not hold against the receiver that it was given so much. */
function allAgain(seed: number): void {
  const torrent = simTorrent({ seed, version: 'unhashed', pieceLengthBytes: 1_048_576 });
  const world = new SwarmWorld(seed, torrent);
  // As `transferPlane` of the node has it.
  const core = { isExempt: () => true };
  const sender = world.add('sender', { have: 'all', line: FAST_LINE, core });
  const receiver = world.add('receiver', { isSequential: true, line: FAST_LINE, core });
  receiver.addPeers([sender]);
  for (let round = 0; round < 4; round += 1) {
    world.complete([receiver], world.clock.nowMs + 5 * MINUTE_MS);
    world.settle();
    for (const piece of receiver.have) receiver.losePiece(piece);
    assert.equal(receiver.swarm.have!.count, 0);
  }
  assert.equal(eventsOf(receiver, 'complete').length, 4);
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
  { name: 'unhashed-all-again', run: allAgain, seeds: 2 },
  { name: 'unhashed-metadata', run: askedForMetadata, seeds: 2 },
];
