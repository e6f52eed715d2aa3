/**
 * What do peers that want more than they give get out of a crowd, and what does it cost the honest ones? With our rules and with those of BEP 3 alone.
 *
 * Simulated with the production core (`test/simulation/swarm-crowd.ts`): 40 honest peers on unequal lines who leave soon after they are complete, and
 * 10 strangers of one kind. The share is of all bytes received until half of the honest peers are complete; without any defence and with equal
 * lines it would be 0.20. Virtual time, so the machine's load does not matter.
 * Usage: node bench/incentives.ts [--seeds 3] [--pieces 384] [--honest 40] [--strangers 10]
 * @module
 */
import { parseArgs } from 'node:util';
import { antiLeechRule, type ChokingOptions, roundRobinRule } from '../src/protocol/swarm/index.ts';
import { runCrowd, type Stranger } from '../test/simulation/swarm-crowd.ts';
import {
  fakeBeginner,
  freeRider,
  harvester,
  largeView,
  strategist,
} from '../test/simulation/swarm-strangers.ts';
import { median } from './support/processes.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    pieces: { type: 'string', default: '384' },
    honest: { type: 'string', default: '40' },
    strangers: { type: 'string', default: '10' },
  },
});
const seeds = Number(values.seeds);

interface Rules {
  readonly name: string;
  readonly choking: ChokingOptions;
  readonly uploadSlots?: number;
}

const RULES: readonly Rules[] = [
  { name: 'BEP 3 alone', choking: { optimistic: 'random', remembers: false }, uploadSlots: 4 },
  { name: 'ours', choking: {} },
  { name: 'ours, seeds in turns', choking: { rules: { seed: roundRobinRule } } },
  { name: 'ours, seeds against leeches', choking: { rules: { seed: antiLeechRule } } },
];

const STRANGERS: readonly (Stranger | undefined)[] = [
  undefined,
  freeRider,
  largeView,
  fakeBeginner,
  strategist,
  harvester,
];

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
const print = (text: string): void => void process.stdout.write(`${text}\n`);

print(
  `${values.honest} honest peers, ${values.strangers} strangers, ${values.pieces} pieces of 64 KiB, medians of ${seeds} seeds\n`,
);
print(
  '| strangers | rules | their share | honest: mean s | honest: last s | strangers: median s |',
);
print('|---|---|---|---|---|---|');
for (const stranger of STRANGERS) {
  for (const { name, choking, uploadSlots } of RULES) {
    const runs = Array.from({ length: seeds }, (_, i) =>
      runCrowd({
        seed: i + 1,
        honest: Number(values.honest),
        strangers: Array.from(
          { length: stranger === undefined ? 0 : Number(values.strangers) },
          () => stranger!,
        ),
        pieces: Number(values.pieces),
        neighbours: 25,
        lingerMs: 30_000,
        core: { choking, ...(uploadSlots === undefined ? {} : { uploadSlots }) },
      }),
    );
    const share = median(runs.map(({ half }) => half.strangerBytes / half.allBytes));
    const average = median(runs.map(({ downloadMs }) => mean(downloadMs) / 1000));
    const last = median(runs.map(({ lastMs }) => lastMs / 1000));
    const done = median(
      runs.map(({ strangers }) => {
        const times = strangers.flatMap((peer) => peer.completedMs ?? []);
        return times.length === 0 ? Number.NaN : median(times) / 1000;
      }),
    );
    const of = (seconds: number): string => (Number.isNaN(seconds) ? '–' : seconds.toFixed(0));
    print(
      `| ${stranger?.name ?? 'none'} | ${name} | ${share.toFixed(3)} | ${of(average)} | ${of(last)} | ${of(done)} |`,
    );
  }
}
