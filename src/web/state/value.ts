/**
 * One value that components watch, for what belongs to no single component: the session, the route, notices, the theme.
 * @module
 */
import { useSyncExternalStore } from 'react';

export class Value<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/** The value, and the component drawn again when it changes. */
export function useValue<T>(value: Value<T>): T {
  return useSyncExternalStore(value.subscribe, () => value.get());
}

/** Something of the value, and the component drawn again only when that changes. */
export function usePart<T, Part>(value: Value<T>, part: (value: T) => Part): Part {
  return useSyncExternalStore(value.subscribe, () => part(value.get()));
}
