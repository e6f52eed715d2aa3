/**
 * Swarms on disks that are slow, fail, or lose what was on them.
 * @module
 */
import assert from 'node:assert/strict';
import type { Scenario } from './scenario.ts';
import { eventsOf, FAST_LINE, MINUTE_MS } from './swarm-scenarios.ts';
import { simTorrent } from './swarm-torrent.ts';
import { SwarmWorld } from './swarm-world.ts';

/** What waits for a slow disk: the bound of the pool, and a part from each of the links that were being read. */
const MOST_BACKLOG_BYTES = 4 * 1_048_576;

/** Four fast seeds and a disk of 2 MB/s: the sockets rest, what waits is bounded, and the disk is never idle. */
function slowDisk(seed: number): void {
  const torrent = simTorrent({ seed, pieceLengthBytes: 524_288 });
  const world = new SwarmWorld(seed, torrent, { latencyMs: [1, 20] });
  for (let i = 0; i < 4; i += 1) world.add(`seed ${i}`, { have: 'all', line: FAST_LINE });
  const leech = world.add('leech', { line: {} });
  leech.disk.setSpeed(2e6);
  let mostBytes = 0;
  let wasPaused = false;
  world.clock.every(10, () => {
    mostBytes = Math.max(mostBytes, leech.backlogBytes);
    for (const { end } of leech.links.values()) wasPaused ||= end.isPaused;
  });
  leech.addPeers(world.peers);
  world.complete([leech], 2 * MINUTE_MS);
  world.settle();
  assert.ok(wasPaused, 'sockets rested');
  assert.ok(mostBytes < MOST_BACKLOG_BYTES, `${mostBytes} bytes waited for the disk`);
  // 32 MiB at 2 MB/s, with seeks.
  const seconds = leech.completedMs! / 1_000;
  assert.ok(seconds < 25, `the disk was left idle: ${seconds} s`);
  assert.ok(leech.swarm.totals.wastedBytes < 0.02 * torrent.info.totalBytes, 'little came twice');
}

/** Writes fail again and again, for every reason there is; nothing verified is lost or comes twice. */
function failingDisk(seed: number): void {
  const torrent = simTorrent({ seed, pieceLengthBytes: 262_144 });
  const world = new SwarmWorld(seed, torrent);
  for (let i = 0; i < 3; i += 1) world.add(`seed ${i}`, { have: 'all' });
  const leech = world.add('leech', { partBlocks: 4 });
  leech.addPeers(world.peers);
  let had = 0;
  for (const code of ['ENOSPC', 'EIO', 'EROFS', 'EACCES', 'EMFILE'] as const) {
    world.clock.run(world.clock.nowMs + 4_000);
    leech.disk.failWrites(code);
    world.clock.run(world.clock.nowMs + 7_000);
    assert.ok(leech.swarm.have!.count >= had, 'nothing verified is lost');
    had = leech.swarm.have!.count;
    leech.disk.failWrites(undefined);
  }
  world.complete([leech], world.clock.nowMs + 5 * MINUTE_MS);
  world.settle();
  const pieces = eventsOf(leech, 'piece').map(({ piece }) => piece);
  assert.equal(new Set(pieces).size, pieces.length, 'no piece came twice');
  assert.equal(leech.swarm.totals.failedPieces, 0);
}

/** A seed loses a third of its pieces without knowing: it claims none of them once it tried to read one, and fetches them again. */
function lostPieces(seed: number): void {
  const torrent = simTorrent({ seed });
  const world = new SwarmWorld(seed, torrent);
  const robbed = world.add('robbed', { have: 'all' });
  const other = world.add('other', { have: 'all' });
  const leeches = Array.from({ length: 3 }, (_, i) => world.add(`leech ${i}`));
  const third = Array.from({ length: torrent.info.pieceCount }, (_, i) => i).filter(
    (piece) => piece % 3 === seed % 3,
  );
  for (const leech of leeches) leech.addPeers([robbed, other]);
  robbed.addPeers([other]);
  world.clock.run(1_000 + (seed % 5) * 500);
  robbed.steal(third);
  world.complete([robbed, ...leeches], 10 * MINUTE_MS);
  world.settle();
  assert.equal(eventsOf(robbed, 'piece').length, third.length, 'it fetched what it lost');
  for (const leech of leeches) {
    assert.equal(leech.swarm.totals.failedPieces, 0);
    assert.deepEqual(eventsOf(leech, 'peer-banned'), []);
  }
}

/** Scenarios about disks. */
export const diskScenarios: readonly Scenario[] = [
  { name: 'slow-disk', run: slowDisk, keptSeeds: [5_258, 54_177_415] },
  { name: 'failing-disk', run: failingDisk },
  { name: 'lost-pieces', run: lostPieces },
];
