/**
 * Which torrents a view shows, and in which order.
 * @module
 */
import type { TorrentRow } from '../../contract/index.ts';

export const FILTERS = ['all', 'active', 'downloading', 'seeding', 'paused', 'problem'] as const;
export type Filter = (typeof FILTERS)[number];

export const SORTS = [
  'added',
  'name',
  'progress',
  'size',
  'down',
  'up',
  'eta',
  'ratio',
  'peers',
  'queue',
] as const;
export type Sort = (typeof SORTS)[number];

export interface View {
  readonly filter: Filter;
  /** undefined: of any; null: of none. */
  readonly category: string | null | undefined;
  readonly tag: string | undefined;
  readonly search: string;
  readonly sort: Sort;
  readonly isDescending: boolean;
}

/** Which torrents a filter lets pass. */
export const PASSES: Readonly<Record<Filter, (row: TorrentRow) => boolean>> = {
  all: () => true,
  active: (row) => row.downloadBytesPerSec > 0 || row.uploadBytesPerSec > 0,
  downloading: ({ state }) =>
    state === 'downloading' || state === 'metadata' || state === 'checking',
  seeding: ({ state }) => state === 'seeding',
  paused: ({ state }) => state === 'paused' || state === 'queued' || state === 'stopped',
  problem: ({ state, error }) => state === 'error' || error !== null,
};

const VALUES: Readonly<Record<Exclude<Sort, 'name'>, (row: TorrentRow) => number>> = {
  added: (row) => row.addedAtMs,
  progress: (row) => row.progress,
  size: (row) => row.wantedBytes,
  down: (row) => row.downloadBytesPerSec,
  up: (row) => row.uploadBytesPerSec,
  eta: (row) => row.etaSeconds ?? Number.POSITIVE_INFINITY,
  ratio: (row) => row.ratio,
  peers: (row) => row.connectedPeers,
  queue: (row) => row.queueIndex,
};

export const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** The ids of a view, in its order. Equal values stay in the order of their ids, so that rows do not jump. */
export function orderOf(rows: Iterable<TorrentRow>, of: View): string[] {
  const words = of.search.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const kept: TorrentRow[] = [];
  for (const row of rows) {
    if (!PASSES[of.filter](row)) continue;
    if (of.category !== undefined && row.category !== of.category) continue;
    if (of.tag !== undefined && !row.tags.includes(of.tag)) continue;
    if (words.length > 0) {
      const text =
        `${row.name} ${row.id} ${row.tags.join(' ')} ${row.category ?? ''}`.toLocaleLowerCase();
      if (!words.every((word) => text.includes(word))) continue;
    }
    kept.push(row);
  }
  const turn = of.isDescending ? -1 : 1;
  const compare =
    of.sort === 'name'
      ? (a: TorrentRow, b: TorrentRow) => collator.compare(a.name, b.name)
      : (a: TorrentRow, b: TorrentRow) => {
          const value = VALUES[of.sort as Exclude<Sort, 'name'>];
          const [x, y] = [value(a), value(b)];
          return x === y ? 0 : x < y ? -1 : 1;
        };
  kept.sort((a, b) => turn * compare(a, b) || (a.id < b.id ? -1 : 1));
  return kept.map(({ id }) => id);
}
