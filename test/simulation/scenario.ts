/**
 * A scenario is a function of one integer; when it fails, the failure says how to see it again.
 * @module
 */

/** Something to simulate. */
export interface Scenario {
  readonly name: string;
  /** Throws when something is wrong. */
  readonly run: (seed: number) => void;
  /** Fixed seeds in the tests, default 6; a scenario of half a second needs few. */
  readonly seeds?: number;
  /** Seeds that found a fault once, besides. */
  readonly keptSeeds?: readonly number[];
}

/** A scenario failed; `message` names the command that replays it. */
export class ScenarioFailure extends Error {
  override readonly name: string = 'ScenarioFailure';
}

/** Runs a scenario once. @throws ScenarioFailure */
export function runScenario(scenario: Scenario, seed: number): void {
  try {
    scenario.run(seed);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    const replay = `node test/simulation/run.ts ${scenario.name} --seed ${seed}`;
    throw new ScenarioFailure(`${scenario.name}: ${detail}\nreplay: ${replay}`, { cause });
  }
}
