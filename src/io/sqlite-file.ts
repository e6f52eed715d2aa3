/**
 * Opening a database file, inside its worker: settings of the connection, and the way from an older form to the newest.
 *
 * Each migration is a transaction of its own that also writes its version (`PRAGMA user_version`), so that a crash leaves one form or the next. Before the first of them an existing
 * file is copied beside it, synced, under its final name only when it is whole; KEPT_BACKUPS of these copies are kept.
 * A file of a newer version is not changed in any way.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from './make-folder.ts';
import type { DatabaseFault } from './sqlite-errors.ts';
import type { Migration, SqliteInit } from './sqlite-jobs.ts';

// Implementation limits
/** Copies from before migrations that are kept beside a database, the newest. */
const KEPT_BACKUPS = 2;
/** How long a lock of another process is waited for. */
const BUSY_MS = 5_000;

/** Only its owner may read it. */
const OWNER_ONLY = 0o600;

/** An open file. */
export interface OpenedFile {
  readonly db: DatabaseSync;
  readonly version: number;
  readonly backup?: string;
}

/** Thrown by openFile for a file that this version does not know. */
export class NewerFileError extends Error {
  readonly fault: DatabaseFault;
  constructor(version: number, known: number) {
    super(`form ${version} is newer than ${known}`);
    this.fault = { kind: 'newer', version, known };
  }
}

/** Opens and migrates. @throws NewerFileError, or what `node:sqlite` and the file system throw. */
export function openFile({ file, migrations }: SqliteInit): OpenedFile {
  makeFolder(path.dirname(file));
  const isNew = !fs.existsSync(file);
  // The files beside it (-wal, -shm) get its mode.
  fs.closeSync(fs.openSync(file, 'a', OWNER_ONLY));
  fs.chmodSync(file, OWNER_ONLY);
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    const known = migrations.length;
    const before = versionOf(db);
    if (before > known) throw new NewerFileError(before, known);
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;',
    );
    // A damaged schema shows here and not with the first question.
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    const backup = before > 0 && before < known ? makeBackup(db, file, before) : undefined;
    for (const migration of migrations) migrate(db, migration);
    // SQLite syncs the files; that they are there is the folder's to know.
    if (isNew) syncFolder(file);
    return { db, version: known, ...(backup === undefined ? {} : { backup }) };
  } catch (error) {
    db.close();
    throw error;
  }
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
}

function migrate(db: DatabaseSync, { version, sql }: Migration): void {
  if (versionOf(db) >= version) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have done it while this one waited for the lock.
    if (versionOf(db) < version) db.exec(`${sql};\nPRAGMA user_version = ${version};`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Copies the database as it is now. @returns the copy's path. */
function makeBackup(db: DatabaseSync, file: string, version: number): string {
  const target = `${file}.version-${version}.backup`;
  const unfinished = `${target}.${process.pid}.tmp`;
  try {
    // SQLite would make it readable by others.
    fs.rmSync(unfinished, { force: true });
    fs.closeSync(fs.openSync(unfinished, 'wx', OWNER_ONLY));
    db.prepare('VACUUM INTO ?').run(unfinished);
    sync(unfinished);
    fs.renameSync(unfinished, target);
  } catch (error) {
    fs.rmSync(unfinished, { force: true });
    throw error;
  }
  syncFolder(file);
  removeOldBackups(file);
  return target;
}

function sync(name: string): void {
  const fd = fs.openSync(name, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Windows knows no sync of folders. */
function syncFolder(file: string): void {
  if (process.platform !== 'win32') sync(path.dirname(file));
}

function removeOldBackups(file: string): void {
  const folder = path.dirname(file);
  const prefix = `${path.basename(file)}.version-`;
  const versions = fs
    .readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.backup'))
    .map((name) => Number(name.slice(prefix.length, -'.backup'.length)))
    .filter(Number.isInteger)
    .sort((a, b) => b - a);
  for (const version of versions.slice(KEPT_BACKUPS)) {
    fs.rmSync(path.join(folder, `${prefix}${version}.backup`), { force: true });
  }
}
