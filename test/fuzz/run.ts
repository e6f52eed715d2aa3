/**
 * Command line of the fuzzer: `node --expose-gc test/fuzz/run.ts [name…] [--count N] [--seed N] [--from N]`, or `… name --hex input`.
 * Without a name it runs all targets; exit code 1, a replay command and a shortened input on the first bug.
 * The count is of inputs to a plain parser: a target whose inputs are long lives gets fewer by default.
 * @module
 */
import { parseArgs } from 'node:util';
import { fromHex, toHex } from '../../src/lib/bytes.ts';
import { fuzzApi } from './api.ts';
import { FuzzFailure, inputsOf, runTarget, shrink } from './driver.ts';
import { loadTargets } from './targets.ts';

/** Growth of the heap over half a run that is no noise any more. */
const MAX_HEAP_GROWTH_BYTES = 33_554_432;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    hex: { type: 'string' },
  },
});
if (globalThis.gc === undefined) {
  console.error('run with --expose-gc: without it, growth of the heap cannot be told from garbage');
  process.exit(2);
}
const targets = await loadTargets();
/** The API is no parser: it is asked over HTTP, and makes its requests itself. */
const API = 'api';
const chosen = positionals.length === 0 ? [...targets.keys(), API] : positionals;
for (const name of chosen) {
  if (name === API) {
    await runApi();
    continue;
  }
  const target = targets.get(name);
  if (target === undefined) {
    console.error(`expected a target (${[...targets.keys(), API].join(', ')}), got ${name}`);
    process.exit(2);
  }
  if (values.hex !== undefined) {
    const bytes = fromHex(values.hex)!;
    for (const line of target.explain?.(bytes) ?? []) console.log(line);
    target.run(bytes);
    continue;
  }
  try {
    const options = {
      count: Number(values.count ?? inputsOf(target, 100_000)),
      seed: Number(values.seed),
      from: Number(values.from),
    };
    const report = runTarget(target, options);
    const slowest = `slowest ${report.slowestMs.toFixed(1)} ms (input ${report.slowestInput})`;
    const growth = `heap ${(report.heapGrowthBytes / 1024).toFixed(0)} KiB`;
    const more = target.summary === undefined ? '' : `, ${target.summary()}`;
    console.log(`${name}: ${report.count} inputs, ${slowest}, ${growth}${more}`);
    if (report.heapGrowthBytes > MAX_HEAP_GROWTH_BYTES) {
      console.error(`${name}: expected the heap to stay, got ${report.heapGrowthBytes} bytes more`);
      process.exitCode = 1;
    }
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    console.error(error.message);
    console.error(error.cause);
    if (target.generate === undefined) {
      console.error(`input: ${Buffer.from(error.input).toString('latin1').slice(0, 2000)}`);
    }
    const short = shrink(target, error.input);
    console.error(`shortened: node --expose-gc test/fuzz/run.ts ${name} --hex ${toHex(short)}`);
    for (const line of target.explain?.(short).slice(-60) ?? []) console.error(line);
    process.exit(1);
  }
}

async function runApi(): Promise<void> {
  const seed = Number(values.seed);
  try {
    const report = await fuzzApi({ count: Number(values.count ?? 10_000), seed });
    const slowest = `slowest ${report.slowestMs.toFixed(1)} ms (${report.slowest})`;
    const growth = `heap ${(report.heapGrowthBytes / 1024).toFixed(0)} KiB`;
    const answers = Object.entries(report.statuses).map(
      ([status, count]) => `${count} × ${status}`,
    );
    console.log(
      `${API}: ${report.count} requests, seed ${seed}, ${slowest}, ${growth}, ${answers.join(', ')}`,
    );
  } catch (error) {
    console.error(error);
    console.error(`again: node --expose-gc test/fuzz/run.ts ${API} --seed ${seed}`);
    process.exit(1);
  }
}
