/**
 * Any bytes as the life of a swarm core: what peers send, what the disk says, what the user wants, and time. After each step the core is compared with a model
 * that knows nothing of it (`peer-connection/model.ts`).
 */
import type { Rng } from '../../src/lib/rng.ts';
import type { FuzzTarget } from './driver.ts';
import { Choices } from './peer-connection/choices.ts';
import { CORPUS } from './peer-connection/corpus.ts';
import { live } from './peer-connection/moves.ts';

/** Bytes of a life; a step takes about five. */
const LEAST_BYTES = 1_000;
const MOST_BYTES = 12_000;

let steps = 0;

/** Read by the fuzz runner. */
export const target: FuzzTarget = {
  name: 'peer-connection',
  cost: 20,
  seeds: [new Uint8Array(0), ...CORPUS],
  generate: (rng: Rng) => rng.bytes(LEAST_BYTES + rng.below(MOST_BYTES - LEAST_BYTES)),
  run(bytes) {
    steps += live(new Choices(bytes));
  },
  explain(bytes) {
    const story: string[] = [];
    try {
      live(new Choices(bytes), { story });
    } catch {
      // What went wrong is told elsewhere.
    }
    return story;
  },
  summary: () => `${steps} steps`,
};
