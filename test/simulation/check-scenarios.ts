/**
 * Turns scenarios into tests: each with fixed seeds and with one nobody has seen.
 * @module
 */
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { runScenario, type Scenario } from './scenario.ts';

/** Seeds of a scenario that takes milliseconds. */
const FIXED_SEEDS = 6;

/** Registers a test for each. */
export function checkScenarios(scenarios: readonly Scenario[]): void {
  for (const scenario of scenarios) {
    const count = scenario.seeds ?? FIXED_SEEDS;
    test(`${scenario.name}, ${count} fixed seeds and a fresh one`, () => {
      for (let seed = 1; seed <= count; seed += 1) runScenario(scenario, seed);
      for (const seed of scenario.keptSeeds ?? []) runScenario(scenario, seed);
      runScenario(scenario, randomInt(1_000, 1_000_000_000));
    });
  }
}
