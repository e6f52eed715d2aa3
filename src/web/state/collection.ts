/**
 * Rows by key as the node pushes them: a snapshot, then patches. Tells who watches one row of that row alone, so that of 500 torrents only those are drawn
 * again which changed. Rows are never changed in place: a new object is a new row, the same object is the same row.
 * @module
 */

export type Rows<Row> = Readonly<Record<string, Partial<Row>>>;

type Listener = () => void;

/** Rows of one topic. */
export class Collection<Row extends object> {
  #rows = new Map<string, Row>();
  #keys: readonly string[] = [];
  #version = 0;
  #isLoaded = false;
  readonly #anyListeners = new Set<Listener>();
  readonly #rowListeners = new Map<string, Set<Listener>>();

  /** Grows with every change of any row. */
  get version(): number {
    return this.#version;
  }

  /** A snapshot has come. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** The keys; the same array as long as no row came or went. */
  get keys(): readonly string[] {
    return this.#keys;
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  rows(): IterableIterator<Row> {
    return this.#rows.values();
  }

  entries(): IterableIterator<[string, Row]> {
    return this.#rows.entries();
  }

  /** All rows anew. */
  snapshot(rows: Rows<Row>): void {
    this.#rows = new Map(Object.entries(rows) as [string, Row][]);
    this.#keys = [...this.#rows.keys()];
    this.#isLoaded = true;
    this.#tell([...this.#rowListeners.keys()]);
  }

  /** New rows whole, known rows with the fields that changed. */
  patch(set: Rows<Row>, removed: readonly string[] = []): void {
    const changed: string[] = [];
    let hasOtherKeys = false;
    for (const [key, fields] of Object.entries(set)) {
      const row = this.#rows.get(key);
      if (row === undefined) hasOtherKeys = true;
      this.#rows.set(key, { ...row, ...fields } as Row);
      changed.push(key);
    }
    for (const key of removed) {
      if (!this.#rows.delete(key)) continue;
      hasOtherKeys = true;
      changed.push(key);
    }
    if (changed.length === 0) return;
    if (hasOtherKeys) this.#keys = [...this.#rows.keys()];
    this.#tell(changed);
  }

  /** Forgets everything, as when another torrent is looked at. */
  clear(): void {
    this.#rows = new Map();
    this.#keys = [];
    this.#isLoaded = false;
    this.#tell([...this.#rowListeners.keys()]);
  }

  /** Tells of every change. @returns what ends it. */
  readonly subscribe = (listener: Listener): (() => void) => {
    this.#anyListeners.add(listener);
    return () => this.#anyListeners.delete(listener);
  };

  /** Tells of the changes of one row. @returns what ends it. */
  subscribeRow(key: string, listener: Listener): () => void {
    const listeners = this.#rowListeners.get(key) ?? new Set();
    this.#rowListeners.set(key, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#rowListeners.delete(key);
    };
  }

  #tell(keys: readonly string[]): void {
    this.#version += 1;
    for (const key of keys) {
      for (const listener of this.#rowListeners.get(key) ?? []) listener();
    }
    for (const listener of this.#anyListeners) listener();
  }
}
