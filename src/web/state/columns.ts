/**
 * Which columns the list of torrents shows beside name and progress; kept in this browser.
 * @module
 */
import { Value } from './value.ts';

/** In the order of their places. */
export const COLUMNS = ['size', 'down', 'up', 'eta', 'peers', 'ratio', 'added'] as const;
export type Column = (typeof COLUMNS)[number];

const DEFAULT: readonly Column[] = ['size', 'down', 'up', 'peers', 'ratio'];
const KEY = 'starling.columns';

/** What a browser kept; the default for what is no list of columns. */
export function columnsOf(kept: string | null): readonly Column[] {
  try {
    const list: unknown = JSON.parse(kept ?? '');
    return Array.isArray(list) ? COLUMNS.filter((column) => list.includes(column)) : DEFAULT;
  } catch {
    return DEFAULT;
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const columns = new Value<readonly Column[]>(columnsOf(stored()));

export function showColumn(column: Column, isShown: boolean): void {
  const others = columns.get().filter((each) => each !== column);
  columns.set(COLUMNS.filter((each) => others.includes(each) || (isShown && each === column)));
  try {
    localStorage.setItem(KEY, JSON.stringify(columns.get()));
  } catch {
    // Storage may be off; the choice then lasts as long as the page.
  }
}
