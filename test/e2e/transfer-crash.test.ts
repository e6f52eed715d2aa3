/**
 * A transfer whose ends are killed a few times; `test/interop/transfer-crash.test.ts` does it twenty times.
 * @module
 */
import { it } from 'node:test';
import { killAndGoOn } from '../support/transfer-crash.ts';

const SEED = Number(process.env['STARLING_SEED'] ?? 5);

it(
  `a transfer whose ends are killed goes on, and ends whole (STARLING_SEED=${SEED})`,
  {
    timeout: 60_000,
  },
  () => killAndGoOn(SEED, 4, 30_000_000),
);
