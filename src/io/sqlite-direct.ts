/**
 * A SQLite database in this very thread: for a small table that synchronous code looks at all the time, beside a `Database` of the same file in a thread of its own.
 *
 * A change is durable when its call returns, and holds the thread up until then: for one synced commit, or for as long as another connection writes, five seconds at most.
 * Errors: those of sqlite-errors.ts; the system's as the opener's `systemError` makes them. Not here: large or frequent changes (sqlite.ts).
 * @module
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DatabaseOptions } from './sqlite.ts';
import { errorOf, faultOf, plainError, type SystemErrorMaker } from './sqlite-errors.ts';
import { NewerFileError, openFile } from './sqlite-file.ts';
import type { SqlValue } from './sqlite-jobs.ts';

/** An open database. */
export class DirectDatabase {
  readonly #file: string;
  readonly #systemError: SystemErrorMaker;
  readonly #db: DatabaseSync;
  readonly #version: StatementSync;

  /** Opens it and brings it to the newest form, as `Database.open` does. @throws {AppError} ERR_DATABASE_NEWER, ERR_DATABASE_DAMAGED; the system's error. */
  constructor({ file, migrations, onBackup, systemError = plainError }: DatabaseOptions) {
    this.#file = file;
    this.#systemError = systemError;
    const { db, backup } = this.#orFault('a migration', () => openFile({ file, migrations }));
    this.#db = db;
    this.#version = db.prepare('PRAGMA data_version');
    if (backup !== undefined) onBackup?.(backup);
  }

  /** Another number whenever another connection changed anything: 2 µs a look. */
  get dataVersion(): number {
    return this.#orFault('PRAGMA data_version', () => Number(this.#version.get()!['data_version']));
  }

  /** All rows of a question. */
  all<T>(sql: string, params: readonly SqlValue[] = []): T[] {
    return this.#orFault(sql, () => this.#db.prepare(sql).all(...params)) as T[];
  }

  /** The first row of a question, or undefined. */
  get<T>(sql: string, params: readonly SqlValue[] = []): T | undefined {
    return this.#orFault(sql, () => this.#db.prepare(sql).get(...params)) as T | undefined;
  }

  /** Makes a change, durable at once outside of a transaction. */
  run(sql: string, params: readonly SqlValue[] = []): void {
    this.#orFault(sql, () => this.#db.prepare(sql).run(...params));
  }

  /** Runs work that nobody else's changes come between: what it changes is there as a whole, or not at all when it throws. */
  transaction<T>(work: () => T): T {
    this.run('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.run('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.run('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }

  #orFault<T>(sql: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const fault = error instanceof NewerFileError ? error.fault : faultOf(error, sql);
      throw errorOf(this.#file, fault, this.#systemError);
    }
  }
}
