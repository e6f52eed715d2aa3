/**
 * Which torrents are selected, and where the keyboard stands in the list.
 * @module
 */
import { usePart, Value } from './value.ts';

export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** Where the keyboard stands. */
  readonly active: string | undefined;
  /** Where a range began. */
  readonly anchor: string | undefined;
}

export const selection = new Value<Selection>({
  ids: new Set(),
  active: undefined,
  anchor: undefined,
});

export function selectOnly(id: string): void {
  selection.set({ ids: new Set([id]), active: id, anchor: id });
}

export function selectNone(): void {
  selection.set({ ...selection.get(), ids: new Set() });
}

export function selectAll(order: readonly string[]): void {
  selection.set({ ...selection.get(), ids: new Set(order) });
}

export function toggle(id: string): void {
  const ids = new Set(selection.get().ids);
  if (!ids.delete(id)) ids.add(id);
  selection.set({ ids, active: id, anchor: id });
}

/** Selects from where the range began to a torrent. */
export function selectTo(id: string, order: readonly string[]): void {
  const { anchor = id } = selection.get();
  const from = Math.max(0, order.indexOf(anchor));
  const to = order.indexOf(id);
  if (to < 0) return;
  const ids = new Set(order.slice(Math.min(from, to), Math.max(from, to) + 1));
  selection.set({ ids, active: id, anchor });
}

/** Moves the keyboard's place without selecting. */
export function moveTo(id: string): void {
  selection.set({ ...selection.get(), active: id });
}

/** Forgets torrents that are gone or filtered out. */
export function keepOnly(order: readonly string[]): void {
  const { ids, active, anchor } = selection.get();
  const known = new Set(order);
  const kept = new Set([...ids].filter((id) => known.has(id)));
  const still = active !== undefined && known.has(active) ? active : undefined;
  if (kept.size === ids.size && still === active) return;
  selection.set({ ids: kept, active: still, anchor });
}

export function useIsSelected(id: string): boolean {
  return usePart(selection, ({ ids }) => ids.has(id));
}

export function useIsActive(id: string): boolean {
  return usePart(selection, ({ active }) => active === id);
}
