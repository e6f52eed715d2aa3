/**
 * A swarm drawn at random, with everything that may go wrong in one: it looks for what nobody thought of.
 * @module
 */
import type { Rng } from '../../src/lib/rng.ts';
import { Rng as Dice } from '../../src/lib/rng.ts';
import type { SimPeer } from './swarm-node.ts';
import { type SimTorrent, simTorrent } from './swarm-torrent.ts';
import { SwarmWorld, type WorldPeer } from './swarm-world.ts';

const MINUTE_MS = 60_000;

function drawTorrent(rng: Rng, seed: number): SimTorrent {
  const pieceLengthBytes = 16_384 * 2 ** rng.below(5);
  const files = Array.from({ length: 1 + rng.below(6) }, (_, i) => ({
    path: [`file ${i}`],
    lengthBytes: 1 + rng.below(rng.below(3) === 0 ? 20_000 : 1_500_000),
  }));
  const version = (['v1', 'v2', 'hybrid'] as const)[rng.below(3)]!;
  return simTorrent({ seed, version, files, pieceLengthBytes });
}

function drawPeer(rng: Rng, torrent: SimTorrent): WorldPeer {
  const isMagnet = rng.below(4) === 0;
  const isHybrid = torrent.info.version === 'hybrid';
  const have = Array.from({ length: torrent.info.pieceCount }, (_, i) => i).filter(
    () => rng.below(4) === 0,
  );
  return {
    isMagnet,
    knows: isMagnet && isHybrid ? (['v1', 'v2', 'both'] as const)[rng.below(3)]! : 'both',
    isWithoutLayers: !isMagnet && rng.below(4) === 0,
    have: isMagnet ? 'none' : have,
    fast: rng.below(4) > 0,
    maxPeers: 3 + rng.below(10),
    isSequential: rng.below(4) === 0,
    openLimit: 1 + rng.below(rng.below(2) === 0 ? 4 : 100),
    partBlocks: 1 + rng.below(8),
    line: {
      uploadBytesPerSec: 100_000 * 2 ** rng.below(6),
      downloadBytesPerSec: 400_000 * 2 ** rng.below(6),
      isNatted: rng.below(5) === 0,
    },
  };
}

function disturb(world: SwarmWorld, rng: Rng, leeches: SimPeer[]): void {
  const at = rng.below(leeches.length);
  const peer = leeches[at]!;
  const kind = rng.below(6);
  if (kind === 0) {
    peer.disk.failWrites(rng.below(2) === 0 ? 'ENOSPC' : 'EIO');
    world.clock.after(rng.below(20_000), () => peer.disk.failWrites(undefined));
  } else if (kind === 1) {
    peer.disk.failReads('EIO');
    world.clock.after(rng.below(20_000), () => peer.disk.failReads(undefined));
  } else if (kind === 2) {
    leeches[at] = world.restart(peer);
    leeches[at].addPeers(world.peers);
  } else if (kind === 3) {
    world.network.partition(() => rng.below(2));
    world.clock.after(rng.below(20_000), () => world.network.partition(() => 0));
  } else if (kind === 4 && peer.torrent !== undefined) {
    peer.select(() => rng.below(3));
    world.clock.after(5_000, () => {
      if (peer.isRunning) peer.select(() => 4);
    });
  } else {
    peer.pause();
    world.clock.after(rng.below(5_000), () => peer.resume());
  }
}

/** The scenario. A seed stays; everybody else comes to have everything. */
export function anything(seed: number): void {
  const rng = new Dice(seed).fork();
  const torrent = drawTorrent(rng, seed);
  const world = new SwarmWorld(seed, torrent, {
    latencyMs: [1, 1 + rng.below(300)],
    jitterMs: rng.below(50),
    dialFailureShare: rng.float() * 0.3,
  });
  world.add('seed', { have: 'all', fast: rng.below(2) === 0 });
  if (rng.below(3) === 0) world.add('silent', { have: 'all', mischief: { isSilent: true } });
  if (rng.below(3) === 0) {
    world.add('vandal', { have: 'all', mischief: { corruptShare: rng.float() } });
  }
  const leeches = Array.from({ length: 1 + rng.below(6) }, (_, i) =>
    world.add(`leech ${i}`, drawPeer(rng, torrent)),
  );
  world.introduceAll();
  for (let i = rng.below(5); i > 0; i -= 1) {
    world.clock.run(world.clock.nowMs + rng.below(10_000));
    disturb(world, rng, leeches);
  }
  world.clock.run(world.clock.nowMs + 25_000);
  world.complete(leeches, world.clock.nowMs + 30 * MINUTE_MS);
  world.settle();
}
