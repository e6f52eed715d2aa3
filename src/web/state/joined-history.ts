/**
 * Rates over time, of the node's memory and of this page's, as one.
 * @module
 */

/** Times that rise, with the rates at each, in bytes a second. */
export interface History {
  readonly atSec: number[];
  readonly down: number[];
  readonly up: number[];
}

/** What the node kept until this page had rates of its own, and those. */
export function joined(past: History, live: History): History {
  const [begin = Number.POSITIVE_INFINITY] = live.atSec;
  const found = past.atSec.findIndex((atSec) => atSec >= begin);
  const count = found < 0 ? past.atSec.length : found;
  return {
    atSec: [...past.atSec.slice(0, count), ...live.atSec],
    down: [...past.down.slice(0, count), ...live.down],
    up: [...past.up.slice(0, count), ...live.up],
  };
}
