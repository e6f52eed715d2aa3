/**
 * The DHT in virtual time.
 * @module
 */
import { describe } from 'node:test';
import { checkScenarios } from './check-scenarios.ts';
import { dhtScenarios } from './dht-scenarios.ts';

describe('dht', () => checkScenarios(dhtScenarios));
