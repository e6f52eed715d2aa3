/**
 * The rates of torrents and of the node since this page was opened, for the plots of the last ten minutes; what was before, the node keeps, in wider steps.
 * @module
 */
import type { History } from './joined-history.ts';
import { node, torrents } from './live.ts';

// Implementation limits
/** Samples of each history: ten minutes at one a second. */
const MAX_SAMPLES = 600;
/** Torrents with a history; the oldest one goes first. */
const MAX_HISTORIES = 20;

const histories = new Map<string, History>();
/** Under this key are the rates of the node. */
export const NODE_KEY = 'node';

/** The history of a torrent, or of the node; it begins with the first call. */
export function historyOf(key: string): History {
  let history = histories.get(key);
  if (history === undefined) {
    history = { atSec: [], down: [], up: [] };
    histories.set(key, history);
    const oldest = [...histories.keys()].find((each) => each !== NODE_KEY);
    if (histories.size > MAX_HISTORIES && oldest !== undefined) histories.delete(oldest);
  }
  return history;
}

function sample(): void {
  const atSec = Date.now() / 1000;
  for (const [key, history] of histories) {
    const row = key === NODE_KEY ? node.get('node') : torrents.get(key);
    if (row === undefined) continue;
    history.atSec.push(atSec);
    history.down.push(row.downloadBytesPerSec);
    history.up.push(row.uploadBytesPerSec);
    if (history.atSec.length <= MAX_SAMPLES) continue;
    history.atSec.shift();
    history.down.shift();
    history.up.shift();
  }
}

/** Begins to sample once a second. */
export function beginHistory(): void {
  historyOf(NODE_KEY);
  setInterval(sample, 1000);
}
