/**
 * The thread of a database: opens the file, answers in order, commits changes that wait together.
 *
 * Group commit: a commit costs a sync of the disk, milliseconds, whatever it holds; so all changes that came while the last one was under way go into the
 * next, each in a savepoint of its own: one that fails is taken back alone. No change is answered before the commit.
 * Bounds: GROUP_CHANGES a commit, CACHED_STATEMENTS prepared statements (least recently used goes).
 * @module
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type DatabaseFault, faultOf } from './sqlite-errors.ts';
import { NewerFileError, type OpenedFile, openFile } from './sqlite-file.ts';
import type {
  FromSqliteWorker,
  SqliteInit,
  SqliteJob,
  SqliteResult,
  Statement,
} from './sqlite-jobs.ts';

// Implementation limits
/** Jobs whose changes share a commit at most. */
const GROUP_CHANGES = 1_024;
/** Prepared statements that are kept. */
const CACHED_STATEMENTS = 128;
/** Bytes from which a value is handed over to the other thread instead of copied. */
const MOVED_BYTES = 1_024;

type WriteJob = Extract<SqliteJob, { kind: 'write' }>;

const port = parentPort!;

function tell(message: FromSqliteWorker, moved: ArrayBuffer[] = []): void {
  port.postMessage(message, moved);
}

/** Runs jobs on one open database. */
class Desk {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Runs jobs in order and tells each outcome. */
  work(jobs: readonly SqliteJob[]): void {
    let at = 0;
    while (at < jobs.length) {
      const group: WriteJob[] = [];
      for (let job = jobs[at]; job?.kind === 'write'; job = jobs[at]) {
        if (group.length >= GROUP_CHANGES) break;
        group.push(job);
        at += 1;
      }
      if (group.length > 0) tell({ type: 'results', results: this.#commit(group) });
      const job = jobs[at];
      if (job === undefined || job.kind === 'write') continue;
      const result = this.#answer(job);
      tell(
        { type: 'results', results: [result] },
        'value' in result ? buffersOf(result.value) : [],
      );
      at += 1;
    }
  }

  #answer(job: Exclude<SqliteJob, WriteJob>): SqliteResult {
    const { id } = job;
    let sql: string = job.kind;
    try {
      if (job.kind === 'check') return { id, value: this.#check() };
      if (job.kind === 'close') {
        this.#statements.clear();
        this.#db.close();
        return { id, value: undefined };
      }
      const { params = [] } = job.statement;
      sql = job.statement.sql;
      const prepared = this.#prepare(sql);
      return { id, value: job.kind === 'all' ? prepared.all(...params) : prepared.get(...params) };
    } catch (error) {
      const fault = faultOf(error, sql);
      // Damage that stops the check is what it found.
      const isFinding = job.kind === 'check' && fault.kind === 'damaged';
      return isFinding ? { id, value: [fault.reason] } : { id, fault };
    }
  }

  /** Makes the changes of several jobs durable by one commit. */
  #commit(group: readonly WriteJob[]): SqliteResult[] {
    const db = this.#db;
    const results: SqliteResult[] = [];
    let left = group;
    while (left.length > 0) {
      const part: SqliteResult[] = [];
      try {
        db.exec('BEGIN IMMEDIATE');
        for (const job of left) {
          part.push(this.#change(job));
          // Some faults (a full disk) end the whole transaction: all before are gone, those behind begin anew.
          if (!db.isTransaction) break;
        }
        if (db.isTransaction) db.exec('COMMIT');
        else failAll(part, part.at(-1)!);
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        part.length = 0;
        const fault = faultOf(error, 'COMMIT');
        part.push(...left.map(({ id }) => ({ id, fault })));
      }
      results.push(...part);
      left = left.slice(part.length);
    }
    return results;
  }

  #change({ id, statements }: WriteJob): SqliteResult {
    let changes = 0;
    let running: Statement | undefined;
    try {
      this.#db.exec('SAVEPOINT job');
      for (running of statements) {
        changes += Number(this.#prepare(running.sql).run(...(running.params ?? [])).changes);
      }
      this.#db.exec('RELEASE job');
      return { id, value: changes };
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK TO job; RELEASE job');
      return { id, fault: faultOf(error, running?.sql ?? 'SAVEPOINT') };
    }
  }

  #check(): string[] {
    const integrity = this.#db
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => String(Object.values(row)[0]))
      .filter((text) => text !== 'ok');
    const orphans = this.#db
      .prepare('PRAGMA foreign_key_check')
      .all()
      .map(
        (row) => `a row of ${String(row['table'])} belongs to no row of ${String(row['parent'])}`,
      );
    return [...integrity, ...orphans];
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    const prepared = known ?? this.#db.prepare(sql);
    // The order of the map is that of use.
    this.#statements.delete(sql);
    this.#statements.set(sql, prepared);
    if (this.#statements.size > CACHED_STATEMENTS) {
      this.#statements.delete(this.#statements.keys().next().value!);
    }
    return prepared;
  }
}

/** Memory of large values in rows, which can be handed over instead of copied. */
function buffersOf(rows: unknown): ArrayBuffer[] {
  if (!Array.isArray(rows)) return [];
  const buffers: ArrayBuffer[] = [];
  for (const row of rows) {
    if (typeof row !== 'object') continue;
    for (const value of Object.values(row as object)) {
      if (value instanceof Uint8Array && value.byteLength >= MOVED_BYTES) {
        buffers.push(value.buffer as ArrayBuffer);
      }
    }
  }
  return buffers;
}

/** Gives all the fault of one. */
function failAll(results: SqliteResult[], culprit: SqliteResult): void {
  if (!('fault' in culprit)) return;
  const { fault } = culprit;
  for (const [index, { id }] of results.entries()) results[index] = { id, fault };
}

function open(): OpenedFile | undefined {
  try {
    const opened = openFile(workerData as SqliteInit);
    const { version, backup } = opened;
    tell({ type: 'opened', version, ...(backup === undefined ? {} : { backup }) });
    return opened;
  } catch (error) {
    const fault: DatabaseFault =
      error instanceof NewerFileError ? error.fault : faultOf(error, 'a migration');
    tell({ type: 'refused', fault });
    return undefined;
  }
}

const opened = open();
if (opened !== undefined) {
  const desk = new Desk(opened.db);
  port.on('message', (first: SqliteJob) => {
    const jobs = [first];
    // What came in the meantime shares the next commit.
    for (let next = receiveMessageOnPort(port); next !== undefined; ) {
      jobs.push(next.message as SqliteJob);
      next = receiveMessageOnPort(port);
    }
    desk.work(jobs);
  });
}
