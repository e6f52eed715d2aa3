/**
 * How the list of torrents is looked at: filter, search, order. The order is kept in this browser.
 * @module
 */
import { torrents } from './live.ts';
import {
  collator,
  FILTERS,
  type Filter,
  orderOf,
  PASSES,
  SORTS,
  type Sort,
  type View,
} from './torrent-order.ts';
import { useDerived } from './use-collection.ts';
import { useValue, Value } from './value.ts';

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
