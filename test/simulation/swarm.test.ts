/**
 * Swarms in virtual time.
 * @module
 */
import { describe } from 'node:test';
import { fewScenarios } from './all-scenarios.ts';
import { checkScenarios } from './check-scenarios.ts';

describe('swarm', () => checkScenarios(fewScenarios));
