/**
 * Settings that were changed while a node ran: names and JSON values. What they mean, and which are right, is the schema's to say.
 * @module
 */
import type { Database } from '../../io/sqlite.ts';

/** The saved settings. */
export class SettingTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** All, by name. */
  async all(): Promise<Record<string, unknown>> {
    const rows = await this.#database.all<{ name: string; value: string }>(
      'SELECT name, value FROM setting',
    );
    return Object.fromEntries(rows.map(({ name, value }) => [name, JSON.parse(value)]));
  }

  /** Saves some, all or none; undefined takes one away. */
  async set(entries: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#database.transaction(
      Object.entries(entries).map(([name, value]) =>
        value === undefined
          ? { sql: 'DELETE FROM setting WHERE name = ?', params: [name] }
          : {
              sql: 'INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
              params: [name, JSON.stringify(value)],
            },
      ),
    );
  }
}
