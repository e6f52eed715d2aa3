/**
 * Swarms in virtual time.
 * @module
 */
import { describe } from 'node:test';
import { swarmsOfAllKinds } from './all-scenarios.ts';
import { checkScenarios } from './check-scenarios.ts';

describe('swarm', () => checkScenarios(swarmsOfAllKinds));
