/**
 * Web seeds beside peers: slow ones delay nobody, lying ones are found and nobody else is, and neither peers nor web seeds starve.
 * @module
 */
import assert from 'node:assert/strict';
import type { Scenario } from './scenario.ts';
import { SimWebSeed } from './sim-web-seed.ts';
import { eventsOf, MINUTE_MS } from './swarm-scenarios.ts';
import { simTorrent } from './swarm-torrent.ts';
import { SwarmWorld } from './swarm-world.ts';

function addWebSeed(
  world: SwarmWorld,
  name: string,
  uploadBytesPerSec: number,
  corruptShare = 0,
): SimWebSeed {
  const host = world.network.addHost({ name, uploadBytesPerSec, downloadBytesPerSec: 1_000_000 });
  return new SimWebSeed({ host, torrent: world.torrent, rng: world.rng.fork(), corruptShare });
}

function source(uploadBytesPerSec: number) {
  const line = { uploadBytesPerSec, downloadBytesPerSec: 1_000_000 };
  return { have: 'all', line } as const;
}

/** Web seeds on thin lines, with whole ranges under way, hold up nothing: the last pieces come from peers. */
function slowWebSeed(seed: number): void {
  const time = (uploadBytesPerSec: number | undefined): number => {
    const world = new SwarmWorld(seed, simTorrent({ seed }));
    for (let i = 0; i < 3; i += 1) world.add(`peer ${i}`, source(200_000));
    const leech = world.add('leech');
    leech.addPeers(world.peers);
    for (let i = 0; i < 2 && uploadBytesPerSec !== undefined; i += 1) {
      addWebSeed(world, `web seed ${i}`, uploadBytesPerSec).serve(leech);
    }
    world.complete([leech], 5 * MINUTE_MS);
    world.settle();
    assert.deepEqual(eventsOf(leech, 'peer-banned'), []);
    return leech.completedMs!;
  };
  const without = time(undefined);
  for (const rate of [1_000, 10_000, 40_000]) {
    const withThem = time(rate);
    assert(withThem < 1.1 * without + 2_000, `${withThem} ms at ${rate} B/s, ${without} without`);
  }
}

/** One that lies now and then, between an honest one and honest peers, in pieces that they share. */
function lyingWebSeed(seed: number): void {
  const version = (['v1', 'v2', 'hybrid'] as const)[seed % 3]!;
  const world = new SwarmWorld(seed, simTorrent({ seed, version, pieceLengthBytes: 262_144 }));
  for (let i = 0; i < 3; i += 1) world.add(`peer ${i}`, source(100_000));
  const leech = world.add('leech');
  leech.addPeers(world.peers);
  const honest = addWebSeed(world, 'honest', 200_000);
  const liar = addWebSeed(world, 'liar', 200_000, 0.2);
  for (const web of [honest, liar]) web.serve(leech);
  world.complete([leech], 5 * MINUTE_MS);
  world.settle();
  const banned = eventsOf(leech, 'peer-banned').map(({ address }) => address.host);
  assert.deepEqual(banned, [liar.url]);
  assert.equal(liar.connections, 1, 'it is never asked again');
  assert.equal(honest.connections, 1);
}

/** A web seed and peers as fast as it: each gives what its line can, so that all together take no longer than their sum. */
function sharedWork(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed, pieceLengthBytes: 131_072 }));
  const peers = [0, 1].map((i) => world.add(`peer ${i}`, source(250_000)));
  const leech = world.add('leech');
  leech.addPeers(peers);
  const web = addWebSeed(world, 'web seed', 500_000);
  web.serve(leech);
  world.complete([leech], 2 * MINUTE_MS);
  world.settle();
  const { totalBytes } = world.torrent.info;
  const fromPeers = peers.reduce((sum, peer) => sum + peer.swarm.totals.uploadedBytes, 0);
  const boundMs = totalBytes / 1_000;
  assert(leech.completedMs! < 1.25 * boundMs + 3_000, `${leech.completedMs} ms, bound ${boundMs}`);
  for (const [who, bytes] of [
    ['peers', fromPeers],
    ['the web seed', web.sentBytes],
  ] as const) {
    assert(bytes > 0.3 * totalBytes, `${who} gave ${bytes} of ${totalBytes}`);
  }
  const { wastedBytes } = leech.swarm.totals;
  assert(wastedBytes < 0.05 * totalBytes, `${wastedBytes} bytes came twice`);
}

/** A crowd with one web seed for all: they give to each other what it gave to one of them. */
function webSeedCrowd(seed: number): void {
  const world = new SwarmWorld(seed, simTorrent({ seed }));
  const leeches = Array.from({ length: 8 }, (_, i) => world.add(`leech ${i}`));
  world.introduceAll();
  const web = addWebSeed(world, 'web seed', 500_000);
  for (const leech of leeches) web.serve(leech);
  world.complete(leeches, 5 * MINUTE_MS);
  world.settle();
  const copies = web.sentBytes / world.torrent.info.totalBytes;
  const given = leeches.reduce((sum, leech) => sum + leech.swarm.totals.uploadedBytes, 0);
  assert(copies < 4, `the web seed gave ${copies} copies to 8`);
  assert(given > 2 * world.torrent.info.totalBytes, `the crowd gave ${given} bytes`);
}

/** Scenarios of web seeds. */
export const webSeedScenarios: readonly Scenario[] = [
  { name: 'slow-web-seed', run: slowWebSeed },
  { name: 'lying-web-seed', run: lyingWebSeed },
  { name: 'web-seed-and-peers', run: sharedWork },
  { name: 'web-seed-crowd', run: webSeedCrowd, seeds: 4 },
];
