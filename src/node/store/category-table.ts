/**
 * Categories: names that torrents may have, each with a folder and limits of its own.
 *
 * Torrents name their category by its name and nothing else: one that is removed leaves its name with its torrents.
 * @module
 */
import type { Database } from '../../io/sqlite.ts';
import type { ShareLimitsRecord } from './torrent-table.ts';

/** Limits that a category's torrents have where they have none of their own. */
export interface CategoryLimits {
  readonly shareLimits?: ShareLimitsRecord;
  /** 0: none. */
  readonly downloadLimitBytesPerSec?: number;
  readonly uploadLimitBytesPerSec?: number;
}

/** A category. */
export interface CategoryRecord {
  readonly name: string;
  /** Where its torrents go; undefined: where all go. */
  readonly dir: string | undefined;
  readonly limits: CategoryLimits;
}

/** The categories of a node. */
export class CategoryTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** All, by name. */
  async all(): Promise<CategoryRecord[]> {
    const rows = await this.#database.all<{ name: string; dir: string | null; limits: string }>(
      'SELECT name, dir, limits FROM category ORDER BY name',
    );
    return rows.map(({ name, dir, limits }) => ({
      name,
      dir: dir ?? undefined,
      limits: JSON.parse(limits) as CategoryLimits,
    }));
  }

  /** Adds one, or replaces the one of its name. */
  async set({ name, dir, limits }: CategoryRecord): Promise<void> {
    await this.#database.run(
      'INSERT INTO category VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET dir = excluded.dir, limits = excluded.limits',
      [name, dir ?? null, JSON.stringify(limits)],
    );
  }

  /** Removes one; a name that is not there is passed over. */
  async remove(name: string): Promise<void> {
    await this.#database.run('DELETE FROM category WHERE name = ?', [name]);
  }
}
