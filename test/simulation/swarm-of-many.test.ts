/**
 * Swarms of many in virtual time: in a file of their own, so that two cores share the work.
 * @module
 */
import { describe } from 'node:test';
import { manyScenarios } from './all-scenarios.ts';
import { checkScenarios } from './check-scenarios.ts';

describe('swarm of many', () => checkScenarios(manyScenarios));
