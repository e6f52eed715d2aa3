/**
 * Whether the window is as narrow as a phone; the style sheet uses the same width.
 * @module
 */
import { useSyncExternalStore } from 'react';

const query = matchMedia('(max-width: 720px)');

export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      query.addEventListener('change', listener);
      return () => query.removeEventListener('change', listener);
    },
    () => query.matches,
  );
}
