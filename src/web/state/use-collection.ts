/**
 * Hooks that draw a component again when its part of a collection changed, and only then.
 * @module
 */
import { useCallback, useRef, useSyncExternalStore } from 'react';
import type { Collection } from './collection.ts';

/** Something of one row, and the component drawn again only when that is another one. */
export function useRowPart<Row extends object, Part>(
  collection: Collection<Row>,
  key: string,
  part: (row: Row | undefined) => Part,
): Part {
  const subscribe = useCallback(
    (listener: () => void) => collection.subscribeRow(key, listener),
    [collection, key],
  );
  const last = useRef<Part>(undefined);
  return useSyncExternalStore(subscribe, () => {
    const next = part(collection.get(key));
    if (!isShallowEqual(last.current, next)) last.current = next;
    return last.current as Part;
  });
}

/** One row, or undefined when there is none. */
export function useRow<Row extends object>(
  collection: Collection<Row>,
  key: string,
): Row | undefined {
  return useRowPart(collection, key, (row) => row);
}

/** The keys of all rows. */
export function useKeys<Row extends object>(collection: Collection<Row>): readonly string[] {
  return useSyncExternalStore(collection.subscribe, () => collection.keys);
}

/** Whether a snapshot has come. */
export function useIsLoaded<Row extends object>(collection: Collection<Row>): boolean {
  return useSyncExternalStore(collection.subscribe, () => collection.isLoaded);
}

/** All rows, in the order of their coming; an array that is new after each change. */
export function useRows<Row extends object>(collection: Collection<Row>): readonly Row[] {
  return useDerived(collection, (all) => [...all.rows()], Object.is, '');
}

function isShallowEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) =>
      Object.is((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
}

/**
 * What is worked out from all rows. It is worked out after each change, and the component drawn again only when the outcome is another one.
 * @param inputs what the outcome depends on beside the rows, as one string.
 */
export function useDerived<Row extends object, Outcome>(
  collection: Collection<Row>,
  derive: (collection: Collection<Row>) => Outcome,
  isEqual: (a: Outcome, b: Outcome) => boolean = isShallowEqual,
  inputs = '',
): Outcome {
  const cache = useRef<{ version: number; inputs: string; of: object; outcome: Outcome }>(null);
  return useSyncExternalStore(collection.subscribe, () => {
    const last = cache.current;
    const { version } = collection;
    if (last?.of === collection && last.version === version && last.inputs === inputs) {
      return last.outcome;
    }
    const next = derive(collection);
    const outcome =
      last !== null && last.of === collection && isEqual(last.outcome, next) ? last.outcome : next;
    cache.current = { version, inputs, of: collection, outcome };
    return outcome;
  });
}
