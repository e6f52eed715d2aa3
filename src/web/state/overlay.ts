/**
 * Which dialog or menu lies over the page; one at a time.
 * @module
 */
import { Value } from './value.ts';

export type Overlay =
  /** @param links one a line. */
  | { readonly kind: 'add'; readonly links?: string; readonly files?: readonly File[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'remove'; readonly ids: readonly string[] }
  | { readonly kind: 'change'; readonly ids: readonly string[] }
  /** @param path of a file of it; undefined: itself. */
  | { readonly kind: 'rename'; readonly id: string; readonly path?: string }
  /** @param text a tracker a line. */
  | { readonly kind: 'trackers'; readonly id: string; readonly text: string }
  | { readonly kind: 'categories' }
  | { readonly kind: 'columns' }
  /** @param x and y: where its corner is, in the window, in CSS pixels. */
  | {
      readonly kind: 'menu';
      readonly ids: readonly string[];
      readonly x: number;
      readonly y: number;
    };

export const overlay = new Value<Overlay | undefined>(undefined);

export function closeOverlay(): void {
  overlay.set(undefined);
}
