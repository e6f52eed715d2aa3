/**
 * Every scenario, by the name that `run.ts` takes.
 * @module
 */
import { dhtScenarios } from './dht-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { badDataScenarios } from './swarm-bad-data.ts';
import { crowdScenarios } from './swarm-crowds.ts';
import { deadlineScenarios } from './swarm-deadlines.ts';
import { diskScenarios } from './swarm-disks.ts';
import { exchangeScenarios } from './swarm-exchange.ts';
import { rudeScenarios } from './swarm-rude.ts';
import { swarmScenarios } from './swarm-scenarios.ts';
import { unhashedScenarios } from './swarm-unhashed.ts';
import { webSeedScenarios } from './swarm-web-seeds.ts';

/** Swarms that are no crowds, which take longest. */
export const fewScenarios: readonly Scenario[] = [
  ...swarmScenarios,
  ...exchangeScenarios,
  ...badDataScenarios,
  ...rudeScenarios,
  ...diskScenarios,
  ...deadlineScenarios,
  ...webSeedScenarios,
  ...unhashedScenarios,
];

/** All of them. */
export const allScenarios: readonly Scenario[] = [
  ...fewScenarios,
  ...crowdScenarios,
  ...dhtScenarios,
];
