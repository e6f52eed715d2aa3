/**
 * How the list of torrents is looked at: filter, search, order. Kept in this browser, the search aside.
 * @module
 */
import type { TorrentRow } from '../../contract/index.ts';
import { torrents } from './live.ts';
import { useDerived } from './use-collection.ts';
import { useValue, Value } from './value.ts';

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

const DEFAULT: View = {
  filter: 'all',
  category: undefined,
  tag: undefined,
  search: '',
  sort: 'added',
  isDescending: true,
};
const KEY = 'starling.sort';

function stored(): View {
  try {
    const { sort, isDescending } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<View>;
    if (sort === undefined || !SORTS.includes(sort)) return DEFAULT;
    return { ...DEFAULT, sort, isDescending: isDescending === true };
  } catch {
    return DEFAULT;
  }
}

export const view = new Value<View>(stored());

export function changeView(changes: Partial<View>): void {
  view.set({ ...view.get(), ...changes });
  const { sort, isDescending } = view.get();
  try {
    localStorage.setItem(KEY, JSON.stringify({ sort, isDescending }));
  } catch {
    // Storage may be off; the order then lasts as long as the page.
  }
}

/** Sorts by a column; the same column again turns the order round. */
export function sortBy(sort: Sort): void {
  const { sort: last, isDescending } = view.get();
  const isText = sort === 'name' || sort === 'queue' || sort === 'eta';
  changeView({ sort, isDescending: sort === last ? !isDescending : !isText });
}

const PASSES: Readonly<Record<Filter, (row: TorrentRow) => boolean>> = {
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

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

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

function isSameOrder(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}

/** The ids that are shown; a new array only when the order is another one. */
export function useOrder(): readonly string[] {
  const of = useValue(view);
  return useDerived(
    torrents,
    (all) => orderOf(all.rows(), of),
    isSameOrder,
    JSON.stringify([of, of.category === undefined]),
  );
}

/** How many torrents each filter shows. */
export function useCounts(): Readonly<Record<Filter, number>> {
  return useDerived(torrents, (all) => {
    const counts = Object.fromEntries(FILTERS.map((filter) => [filter, 0])) as Record<
      Filter,
      number
    >;
    for (const row of all.rows()) {
      for (const filter of FILTERS) if (PASSES[filter](row)) counts[filter] += 1;
    }
    return counts;
  });
}

/** Every tag that a torrent has. */
export function useTags(): readonly string[] {
  return useDerived(
    torrents,
    (all) => [...new Set([...all.rows()].flatMap(({ tags }) => tags))].sort(collator.compare),
    isSameOrder,
  );
}
