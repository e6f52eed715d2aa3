/**
 * Crowds as scenarios: everybody honest completes, in a time that is a small multiple of what is possible at all, whoever else is there.
 * Small ones, for every run of the tests; `bench/swarms.ts` and `bench/incentives.ts` have the large ones and print figures.
 * @module
 */
import assert from 'node:assert/strict';
import type { Scenario } from './scenario.ts';
import { type CrowdResult, runCrowd } from './swarm-crowd.ts';
import { hostileMix } from './swarm-strangers.ts';

function expectWithin(result: CrowdResult, times: number, wasteShare: number): void {
  const { lastMs, boundMs, wastedBytes, honest, world } = result;
  const ratio = lastMs / boundMs;
  assert(ratio < times, `the last one took ${ratio.toFixed(2)} times the least possible time`);
  const share = wastedBytes / (honest.length * world.torrent.info.totalBytes);
  assert(share < wasteShare, `${(100 * share).toFixed(1)} % came twice`);
}

function flashCrowd(seed: number): void {
  expectWithin(runCrowd({ seed, honest: 50, pieces: 64 }), 3, 0.08);
}

/** Three in ten are vandals, silent, boasters, free riders or fake beginners. */
function hostileCrowd(seed: number): void {
  const result = runCrowd({ seed, honest: 28, strangers: hostileMix(12), pieces: 64 });
  expectWithin(result, 3, 0.3);
}

/** The only seed gives little more than one copy and leaves. */
function seedLeavesEarly(seed: number): void {
  const crowd = { seed, honest: 20, pieces: 384, isSuperSeeding: true, seedCopies: 1.05 };
  const result = runCrowd({ ...crowd, seedUploadBytesPerSec: 250_000 });
  const copies = result.source.swarm.totals.uploadedBytes / result.world.torrent.info.totalBytes;
  assert(copies < 1.07, `gave ${copies} copies`);
  expectWithin(result, 3, 0.04);
}

/** People come over three minutes and leave when they have what they came for. */
function comingAndGoing(seed: number): void {
  const crowd = { seed, honest: 30, pieces: 64, arrivalMs: 180_000, lingerMs: 20_000 };
  const result = runCrowd({ ...crowd, neighbours: 25 });
  assert(result.downloadMs.every((ms) => ms < 600_000));
}

export const crowdScenarios: readonly Scenario[] = [
  { name: 'flash-crowd', run: flashCrowd, seeds: 1 },
  { name: 'hostile-crowd', run: hostileCrowd, seeds: 1 },
  { name: 'seed-leaves-early', run: seedLeavesEarly, seeds: 1 },
  { name: 'coming-and-going', run: comingAndGoing, seeds: 1 },
];
