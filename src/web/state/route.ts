/**
 * Which page is open: the fragment of the address, `#/page/part/part`, so that back, forward, bookmarks and links work without the server knowing of pages.
 * @module
 */
import { Value } from './value.ts';

export const PAGES = [
  'transfers',
  'share',
  'send',
  'contacts',
  'network',
  'activity',
  'settings',
  'log',
] as const;
/** Beside the pages of the rail: the player, and pages that services of the node bring along. */
export type Page = (typeof PAGES)[number] | 'play' | 'service';

export interface Route {
  readonly page: Page;
  readonly parts: readonly string[];
}

function read(): Route {
  const [page, ...parts] = location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
  const isKnown =
    page === 'play' || page === 'service' || (PAGES as readonly string[]).includes(page ?? '');
  return isKnown ? { page: page as Page, parts } : { page: 'transfers', parts: [] };
}

export const route = new Value<Route>({ page: 'transfers', parts: [] });

export function beginRoutes(): void {
  route.set(read());
  addEventListener('hashchange', () => route.set(read()));
}

/** The address of a page. */
export function href(page: Page, ...parts: readonly (string | number)[]): string {
  return `#/${[page, ...parts].map((part) => encodeURIComponent(part)).join('/')}`;
}

/** Opens a page. @param isReplacing without a step that "back" undoes. */
export function go(target: string, isReplacing = false): void {
  if (isReplacing) {
    history.replaceState(null, '', target);
    route.set(read());
  } else location.hash = target;
}
