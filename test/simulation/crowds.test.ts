/**
 * Crowds in virtual time: in a file of their own, so that two processors share the work.
 * @module
 */
import { describe } from 'node:test';
import { checkScenarios } from './check-scenarios.ts';
import { crowdScenarios } from './swarm-crowds.ts';

describe('crowds', () => checkScenarios(crowdScenarios));
