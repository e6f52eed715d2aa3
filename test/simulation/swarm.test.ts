/**
 * Swarms in virtual time: every scenario with fixed seeds and with one nobody has seen.
 * @module
 */
import { randomInt } from 'node:crypto';
import { describe, test } from 'node:test';
import { allScenarios } from './all-scenarios.ts';
import { runScenario } from './scenario.ts';

/** Seeds of a scenario that takes milliseconds. */
const FIXED_SEEDS = 6;

describe('swarm', () => {
  for (const scenario of allScenarios) {
    const count = scenario.seeds ?? FIXED_SEEDS;
    test(`${scenario.name}, ${count} fixed seeds and a fresh one`, () => {
      for (let seed = 1; seed <= count; seed += 1) runScenario(scenario, seed);
      runScenario(scenario, randomInt(1_000, 1_000_000_000));
    });
  }
});
