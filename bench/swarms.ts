/**
 * How close does a crowd come to what is possible, and how fair is it? Completion against the fluid lower bound, what was given against what was received,
 * what came twice: for flash crowds, crowds with hostile peers, peers that come and go, and a seed that leaves after little more than one copy.
 *
 * Simulated with the production core (`test/simulation/swarm-crowd.ts`), in virtual time, so the machine's load does not matter; a run of 100 peers takes
 * about a minute. The bound is for the last peer: max(F/u_seed, F/d_min, N·F/Σu).
 * Usage: node bench/swarms.ts [--only TEXT] [--seeds 1]
 * @module
 */
import { parseArgs } from 'node:util';
import {
  type CrowdOptions,
  type CrowdResult,
  LINES,
  runCrowd,
} from '../test/simulation/swarm-crowd.ts';
import { hostileMix } from '../test/simulation/swarm-strangers.ts';
import { median } from './support/processes.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seeds: { type: 'string', default: '1' },
  },
});

const EARLY = { isSuperSeeding: true, seedCopies: 1.05, seedUploadBytesPerSec: 250_000 };

const CASES: Readonly<Record<string, Omit<CrowdOptions, 'seed'>>> = {
  '50 at once, 32 MiB': { honest: 50, pieces: 512 },
  '100 at once, 32 MiB': { honest: 100, pieces: 512 },
  '100 at once, 8 MiB': { honest: 100, pieces: 128 },
  '70 and 30 hostile, 16 MiB': { honest: 70, strangers: hostileMix(30), pieces: 256 },
  '100 that come and go, 16 MiB': {
    honest: 100,
    pieces: 256,
    arrivalMs: 600_000,
    lingerMs: 60_000,
  },
  '50, the seed leaves at 1.05 copies, 32 MiB': { honest: 50, pieces: 512, ...EARLY },
  '300 at once, 8 MiB': { honest: 300, pieces: 128 },
  '500 at once, 4 MiB': { honest: 500, pieces: 64 },
};

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Jain's index of given : received over the honest peers: 1 when all gave what they got, 1/n when one gave it all. */
function fairness({ honest }: CrowdResult): number {
  const ratios = honest.map(
    ({ swarm }) => swarm.totals.uploadedBytes / swarm.totals.downloadedBytes,
  );
  const sum = ratios.reduce((total, ratio) => total + ratio, 0);
  const squares = ratios.reduce((total, ratio) => total + ratio * ratio, 0);
  return (sum * sum) / (ratios.length * squares);
}

/** Given : received by class of line, medians, slow lines first. */
function sharesOf({ honest }: CrowdResult): string {
  return LINES.map(({ uploadBytesPerSec }) => {
    const own = honest.filter(({ host }) => host.uploadBytesPerSec === uploadBytesPerSec);
    const ratios = own.map(
      ({ swarm: { totals } }) => totals.uploadedBytes / totals.downloadedBytes,
    );
    return ratios.length === 0 ? '–' : median(ratios).toFixed(2);
  }).join(' ');
}

print(`given : received by class of line (${LINES.map(({ name }) => name).join(', ')} kbit/s)\n`);
print(
  '| crowd | last, s | bound, s | ratio | mean, s | came twice | seed gave, copies | given : received | Jain |',
);
print('|---|---|---|---|---|---|---|---|---|');
for (const [name, options] of Object.entries(CASES)) {
  if (!name.includes(values.only)) continue;
  for (let seed = 1; seed <= Number(values.seeds); seed += 1) {
    const result = runCrowd({ seed, ...options });
    const { lastMs, boundMs, downloadMs, wastedBytes, honest, source, world } = result;
    const { totalBytes } = world.torrent.info;
    const mean = downloadMs.reduce((sum, ms) => sum + ms, 0) / downloadMs.length;
    const twice = (100 * wastedBytes) / (honest.length * totalBytes);
    const copies = source.swarm.totals.uploadedBytes / totalBytes;
    // Whoever comes late cannot be done early: the slowest download counts then.
    const endMs = options.arrivalMs === undefined ? lastMs : Math.max(...downloadMs);
    print(
      `| ${name} | ${(endMs / 1000).toFixed(0)} | ${(boundMs / 1000).toFixed(0)} | ${(endMs / boundMs).toFixed(2)} | ${(mean / 1000).toFixed(0)} | ${twice.toFixed(1)} % | ${copies.toFixed(2)} | ${sharesOf(result)} | ${fairness(result).toFixed(2)} |`,
    );
  }
}
