/**
 * Where a web seed goes on: pieces one after another become one request, so it fills the large gaps.
 *
 * Spec: BEP 19 ("should start at the beginning of the biggest gap"). The biggest of a few gaps will do: all of them are never walked over.
 * Cost: RUN_TRIES times 3 × RUN_SPAN looks where a run begins, none where it goes on.
 * @module
 */

import type { PickOrder } from './picker-order.ts';

// Implementation limits
/** Places at which a run is tried to begin. */
const RUN_TRIES = 8;
/** Free pieces that are looked for before each of them, and twice as many behind. */
const RUN_SPAN = 64;

/** The pieces that may be taken. */
export interface RunSearch {
  /** A free piece. */
  readonly first: number;
  /** The piece behind the last one of the run so far; anything else when there is none. */
  readonly next: number;
  /** True for a piece that may be taken now; false for numbers of no piece. */
  readonly isFree: (piece: number) => boolean;
  readonly order: PickOrder;
}

/** The piece to take: the next one of the run, or the first one of a long gap. */
export function findRun({ first, next, isFree, order }: RunSearch): number {
  if (isFree(next)) return next;
  let best = first;
  let longest = 0;
  for (let tries = 0; tries < RUN_TRIES; tries += 1) {
    const seen = tries === 0 ? first : order.sample();
    if (!isFree(seen)) continue;
    let start = seen;
    while (seen - start < RUN_SPAN && isFree(start - 1)) start -= 1;
    let end = seen + 1;
    while (end - start < 3 * RUN_SPAN && isFree(end)) end += 1;
    if (end - start <= longest) continue;
    longest = end - start;
    best = start;
  }
  return best;
}
