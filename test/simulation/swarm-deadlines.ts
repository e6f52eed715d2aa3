/**
 * A player that needs piece n at a time of its own, among good, slow and silent peers: with deadlines it is served in time.
 * @module
 */
import assert from 'node:assert/strict';
import type { Scenario } from './scenario.ts';
import type { SimPeer } from './swarm-node.ts';
import { MINUTE_MS } from './swarm-scenarios.ts';
import { simTorrent } from './swarm-torrent.ts';
import { SwarmWorld, type WorldPeer } from './swarm-world.ts';

const PIECES = 400;
const PIECE_BYTES = 65_536;
/** Three quarters of what the good peers bring together. */
const PLAY_BYTES_PER_SEC = 300_000;
/** What a player reads before it begins. */
const BUFFER_MS = 6_000;
/** Pieces that the player says it needs next. */
const WINDOW = 48;

interface Viewing {
  readonly lateCount: number;
  readonly viewer: SimPeer;
}

function line(uploadBytesPerSec: number): Pick<WorldPeer, 'line'> {
  return { line: { uploadBytesPerSec, downloadBytesPerSec: 1_000_000 } };
}

/** Plays a torrent from its first piece to its last. */
function play(seed: number, hasDeadlines: boolean): Viewing {
  const files = [{ path: ['film'], lengthBytes: PIECES * PIECE_BYTES }];
  const torrent = simTorrent({ seed, files, pieceLengthBytes: PIECE_BYTES });
  const world = new SwarmWorld(seed, torrent);
  world.add('fast', { have: 'all', ...line(240_000) });
  for (let i = 0; i < 2; i += 1) world.add(`middling ${i}`, { have: 'all', ...line(80_000) });
  for (let i = 0; i < 6; i += 1) world.add(`slow ${i}`, { have: 'all', ...line(2_000) });
  for (let i = 0; i < 3; i += 1) {
    world.add(`silent ${i}`, { have: 'all', mischief: { isSilent: true }, ...line(80_000) });
  }
  const viewer = world.add('viewer', {
    isSequential: true,
    line: { uploadBytesPerSec: 100_000, downloadBytesPerSec: 2_000_000 },
  });
  viewer.addPeers(world.peers);
  const dueMs = (piece: number): number =>
    BUFFER_MS + (piece * PIECE_BYTES * 1000) / PLAY_BYTES_PER_SEC;
  let lateCount = 0;
  let next = 0;
  const look = (): void => {
    const { nowMs } = world.clock;
    for (; next < PIECES && dueMs(next) <= nowMs; next += 1) {
      if (!viewer.isOnDisk(next)) lateCount += 1;
    }
    if (!hasDeadlines) return;
    const window = Array.from({ length: Math.min(WINDOW, PIECES - next) }, (_, i) => next + i);
    viewer.setDeadlines(window.map((piece) => ({ piece, dueMs: dueMs(piece) })));
  };
  look();
  world.clock.every(50, look);
  world.clock.run(dueMs(PIECES) + 1_000);
  assert.equal(next, PIECES);
  return { lateCount, viewer };
}

function playback(seed: number): void {
  const plain = play(seed, false);
  const { lateCount, viewer } = play(seed, true);
  const { receivedBytes, duplicateBytes } = viewer.swarm.deadlineTotals!;
  assert(lateCount <= 0.01 * PIECES, `${lateCount} of ${PIECES} pieces came late`);
  assert(plain.lateCount > 2 * lateCount, `only ${plain.lateCount} came late without deadlines`);
  assert(duplicateBytes <= 0.05 * receivedBytes, `${duplicateBytes} of ${receivedBytes} twice`);
  const { wastedBytes } = viewer.swarm.totals;
  assert(wastedBytes <= 0.05 * receivedBytes, `${wastedBytes} of ${receivedBytes} wasted`);
}

/** Nobody could bring a piece in time, and some say nothing: with deadlines that passed all comes as fast as without. */
function hopeless(seed: number): void {
  const time = (hasDeadlines: boolean): number => {
    const world = new SwarmWorld(seed, simTorrent({ seed }));
    for (let i = 0; i < 4; i += 1) world.add(`slow ${i}`, { have: 'all', ...line(30_000) });
    for (let i = 0; i < 2; i += 1) {
      world.add(`silent ${i}`, { have: 'all', mischief: { isSilent: true } });
    }
    const leech = world.add('leech');
    leech.addPeers(world.peers);
    const pieces = Array.from({ length: world.torrent.info.pieceCount }, (_, piece) => piece);
    if (hasDeadlines) leech.setDeadlines(pieces.map((piece) => ({ piece, dueMs: 10 * piece })));
    world.complete([leech], 5 * MINUTE_MS);
    world.settle();
    return leech.completedMs!;
  };
  const [without, withThem] = [time(false), time(true)];
  assert(withThem < 1.2 * without + 3_000, `${withThem} ms with, ${without} ms without`);
}

/** Peers that play a part in playback. */
export const deadlineScenarios: readonly Scenario[] = [
  { name: 'playback', run: playback, seeds: 3 },
  { name: 'hopeless-deadlines', run: hopeless },
];
