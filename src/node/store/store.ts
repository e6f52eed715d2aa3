/**
 * What a node keeps in its database, `starling.db` in its home: torrents, settings, categories, statistics and publications; contacts, in the same file, have a table that commands without a node use, too (contact-table.ts).
 *
 * What was acknowledged by a promise of one of the tables is durable. Not here: resume data (resume.ts), keys.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { Database } from '../../io/sqlite.ts';
import { nodeError } from '../errors.ts';
import { CategoryTable } from './category-table.ts';
import { MIGRATIONS, STORE_FILE } from './migrations.ts';
import { PublicationTable } from './publication-table.ts';
import { SettingTable } from './setting-table.ts';
import { StatisticTable } from './statistic-table.ts';
import { TorrentTable } from './torrent-table.ts';

/** An open store. */
export class Store implements AsyncDisposable {
  readonly torrents: TorrentTable;
  readonly settings: SettingTable;
  readonly categories: CategoryTable;
  readonly statistics: StatisticTable;
  readonly publications: PublicationTable;
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
    this.torrents = new TorrentTable(database);
    this.settings = new SettingTable(database);
    this.categories = new CategoryTable(database);
    this.statistics = new StatisticTable(database);
    this.publications = new PublicationTable(database);
  }

  /**
   * Opens the store of a home, and makes or migrates it as needed. @param onBackup told of the copy that is made before a migration.
   * @throws {AppError} ERR_DATABASE_NEWER, ERR_DATABASE_DAMAGED, ERR_HOME.
   */
  static async open(home: string, onBackup?: (path: string) => void): Promise<Store> {
    return new Store(
      await Database.open({
        file: path.join(home, STORE_FILE),
        migrations: MIGRATIONS,
        systemError: ({ code }, cause) =>
          nodeError(
            'ERR_HOME',
            { home, code: code === 'EIO' && isFull(home) ? 'ENOSPC' : code },
            cause,
          ),
        ...(onBackup === undefined ? {} : { onBackup }),
      }),
    );
  }

  /** Looks through the whole database. @returns what is wrong with it; empty: nothing. */
  check(): Promise<string[]> {
    return this.#database.check();
  }

  /** Ends it after all that was asked for. */
  close(): Promise<void> {
    return this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** SQLite calls it an error of the disk when the file that its processes share cannot grow. */
function isFull(home: string): boolean {
  try {
    return fs.statfsSync(home).bavail === 0;
  } catch {
    return false;
  }
}
