/**
 * A SQLite database, in a thread of its own since `node:sqlite` is synchronous: questions and changes as promises.
 *
 * A change is acknowledged when it is durable: its promise resolves after the commit that holds it has been synced (WAL, synchronous=FULL), so that
 * neither a crash of this process nor one of the machine takes it back. Changes that wait while another commit is under way share the next one; one
 * that fails takes back its own statements only. Everything is done in the order in which it was asked for.
 * Errors: those of sqlite-errors.ts; the system's (a full disk, permissions) as the opener's `systemError` makes them.
 * Bounds: MAX_WAITING jobs wait here; what waits in the worker is part of them. Not here: tables and their meaning (src/node/store).
 * @module
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { assert } from '../lib/assert.ts';
import { databaseError, errorOf, plainError, type SystemErrorMaker } from './sqlite-errors.ts';
import type {
  FromSqliteWorker,
  Migration,
  SqliteInit,
  SqliteJob,
  SqliteResult,
  SqliteWork,
  SqlValue,
  Statement,
} from './sqlite-jobs.ts';

export type { Migration, SqlValue, Statement } from './sqlite-jobs.ts';

// Implementation limits
/** Jobs that may wait for the worker; who asks for more is refused. */
export const MAX_WAITING = 16_384;

/** How a database is opened. */
export interface DatabaseOptions {
  /** Made when it is not there, with its folder; readable by its owner alone. */
  readonly file: string;
  /** From the first form to the newest; those that the file has not had yet are run now. */
  readonly migrations: readonly Migration[];
  /** Told of the copy that was made of an older file before it was migrated. */
  readonly onBackup?: (path: string) => void;
  /** Makes the error of a system's fault. Default: an Error with that `code`. */
  readonly systemError?: SystemErrorMaker;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** An open database. */
export class Database {
  /** The form of its tables: the version of the last migration. */
  readonly version: number;
  readonly #file: string;
  readonly #worker: Worker;
  readonly #systemError: SystemErrorMaker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  private constructor(worker: Worker, version: number, options: DatabaseOptions) {
    this.version = version;
    this.#file = options.file;
    this.#worker = worker;
    this.#systemError = options.systemError ?? plainError;
    worker.on('message', (message: FromSqliteWorker) => {
      assert(message.type === 'results', `a database worker said "${message.type}" again`);
      for (const result of message.results) this.#settle(result);
      if (this.#waiting.size === 0) worker.unref();
    });
    worker.on('error', (error) => this.#fail(error as Error));
    worker.on('exit', () => this.#fail(databaseError('ERR_DATABASE_CLOSED', { file: this.#file })));
    worker.unref();
  }

  /**
   * Opens a database and brings it to the newest form; an older file is copied first, beside it, and the newest two copies are kept.
   * @throws {AppError} ERR_DATABASE_NEWER, ERR_DATABASE_DAMAGED; the system's error.
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { file, migrations } = options;
    assert(
      migrations.every(({ version }, index) => version === index + 1),
      'migrations are numbered 1, 2, 3 …',
    );
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./sqlite-worker.${extension}`, import.meta.url), {
      workerData: { file, migrations } satisfies SqliteInit,
    });
    const [message] = (await once(worker, 'message')) as [FromSqliteWorker];
    if (message.type === 'opened') {
      if (message.backup !== undefined) options.onBackup?.(message.backup);
      return new Database(worker, message.version, options);
    }
    assert(message.type === 'refused', 'a database worker begins with how the opening went');
    await worker.terminate();
    throw errorOf(file, message.fault, options.systemError ?? plainError);
  }

  /** All rows of a question. */
  async all<T>(sql: string, params: readonly SqlValue[] = []): Promise<T[]> {
    return (await this.#ask({ kind: 'all', statement: { sql, params } })) as T[];
  }

  /** The first row of a question, or undefined. */
  async get<T>(sql: string, params: readonly SqlValue[] = []): Promise<T | undefined> {
    return (await this.#ask({ kind: 'get', statement: { sql, params } })) as T | undefined;
  }

  /** Makes one change; resolves when it is durable. @returns how many rows it touched. */
  async run(sql: string, params: readonly SqlValue[] = []): Promise<{ readonly changes: number }> {
    const changes = await this.#ask({ kind: 'write', statements: [{ sql, params }] });
    return { changes: changes as number };
  }

  /** Makes several changes, all or none; resolves when they are durable. */
  async transaction(statements: readonly Statement[]): Promise<void> {
    if (statements.length > 0) await this.#ask({ kind: 'write', statements });
  }

  /** Looks through the whole file. @returns what is wrong, in SQLite's words; empty: nothing. */
  async check(): Promise<string[]> {
    return (await this.#ask({ kind: 'check' })) as string[];
  }

  /** Ends it after all that was asked for; further calls do nothing more. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#failure !== undefined) return;
    const closed = this.#post({ kind: 'close' });
    this.#failure = databaseError('ERR_DATABASE_CLOSED', { file: this.#file });
    await closed;
    await this.#worker.terminate();
  }

  #ask(work: SqliteWork): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const waiting = this.#waiting.size;
    if (waiting >= MAX_WAITING) {
      return Promise.reject(databaseError('ERR_DATABASE_BUSY', { file: this.#file, waiting }));
    }
    return this.#post(work);
  }

  #post(work: SqliteWork): Promise<unknown> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      // First, since what cannot be sent must not be waited for.
      this.#worker.postMessage({ ...work, id } satisfies SqliteJob);
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #settle(result: SqliteResult): void {
    const waiting = this.#waiting.get(result.id);
    assert(waiting !== undefined, `a database worker answered job ${result.id} twice`);
    this.#waiting.delete(result.id);
    if ('fault' in result) waiting.reject(errorOf(this.#file, result.fault, this.#systemError));
    else waiting.resolve(result.value);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}
