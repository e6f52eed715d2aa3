/**
 * `kill -9`, twenty times in one transfer, of either end, on the way and while names are given.
 * @module
 */
import { it } from 'node:test';
import { needing } from '../support/cli-child.ts';
import { killAndGoOn } from '../support/transfer-crash.ts';

const KILLS = 20;
const SEED = Number(process.env['STARLING_SEED'] ?? 9);

it(
  `a transfer that is killed ${KILLS} times goes on, and ends whole (STARLING_SEED=${SEED})`,
  {
    ...needing(),
    timeout: 180_000,
  },
  () => killAndGoOn(SEED, KILLS, 300_000_000),
);
