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
  | { readonly kind: 'categories' }
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
