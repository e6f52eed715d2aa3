/**
 * Runs simulations by name: `node test/simulation/run.ts [scenario…] [--seed N] [--count M]`.
 * Without names all of them; with a count, seeds N … N + M - 1; the default is one fresh seed.
 * @module
 */
import { parseArgs } from 'node:util';
import { allScenarios } from './all-scenarios.ts';
import { runScenario } from './scenario.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, count: { type: 'string', default: '1' } },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const first = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
const unknown = positionals.filter((name) => !allScenarios.some((one) => one.name === name));
if (unknown.length > 0 || !Number.isSafeInteger(first)) {
  print(`No such scenario or seed: ${[...unknown, values.seed].join(' ')}`);
  print(`Scenarios: ${allScenarios.map(({ name }) => name).join(' ')}`);
  process.exitCode = 2;
} else {
  for (const scenario of allScenarios) {
    if (positionals.length > 0 && !positionals.includes(scenario.name)) continue;
    for (let seed = first; seed < first + Number(values.count); seed += 1) {
      const startedMs = performance.now();
      try {
        runScenario(scenario, seed);
        print(`ok     ${scenario.name} ${seed}: ${Math.round(performance.now() - startedMs)} ms`);
      } catch (failure) {
        const { message, cause } = failure as Error;
        print(`FAILED ${message}\n${(cause as Error).stack}`);
        process.exitCode = 1;
      }
    }
  }
}
