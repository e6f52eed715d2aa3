/**
 * Pages that services of the node bring along: each a module of the node's own, which is given an element and the API.
 * @module
 */
import { request } from './api.ts';
import { session } from './session-value.ts';
import { Value } from './value.ts';

export interface ServicePage {
  readonly name: string;
  readonly title: string;
}

/** What the module of a page is given beside its element. */
export interface PageApi {
  /** Asks the node: method, path below /api/v1, body. */
  readonly request: typeof request;
}

/** What the module of a page exports. */
export interface PageModule {
  /** Fills the element; what it returns is called when the page is left. */
  readonly mount: (element: HTMLElement, api: PageApi) => (() => void) | undefined;
}

export const servicePages = new Value<readonly ServicePage[]>([]);

/** Asks for them once there is a session. */
export function beginServicePages(): void {
  const load = (): void => {
    if (session.get() !== 'signed-in') return;
    request<readonly ServicePage[]>('GET', '/pages').then(
      (pages) => servicePages.set(pages),
      // Without them the dashboard is what it is.
      () => undefined,
    );
  };
  session.subscribe(load);
  load();
}
