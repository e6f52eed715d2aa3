/**
 * Why a database cannot be used, or a statement not be run.
 * @module
 */
import { defineErrors } from '../lib/errors.ts';

/** Code → sentence. */
const table = {
  ERR_DATABASE_NEWER: (d: { file: string; version: number; known: number }): string =>
    `${d.file} was made by a newer version of Starling: expected form ${d.known} or older, got ${d.version}. Run the newer version, or put a copy from before back.`,
  ERR_DATABASE_DAMAGED: (d: { file: string; reason: string }): string =>
    `${d.file} is damaged (${d.reason}). Stop all that uses it, put a copy back (those beside it end with ".backup"), or move it away to begin with an empty one; files that were downloaded are not touched.`,
  ERR_DATABASE_BUSY: (d: { file: string; waiting: number }): string =>
    `${d.file}: ${d.waiting} statements wait already, so no more are taken. Wait for those under way.`,
  ERR_DATABASE_CLOSED: (d: { file: string }): string =>
    `${d.file} is closed: the statement was not run.`,
  ERR_DATABASE_STATEMENT: (d: { reason: string; sql: string }): string =>
    `The database refused a statement: ${d.reason} (${d.sql}).`,
} as const;

/** Makes an error of this table. */
export const databaseError: ReturnType<typeof defineErrors<typeof table>> = defineErrors(table);

/** A fault as a worker tells it: plain data. */
export type DatabaseFault =
  | { readonly kind: 'newer'; readonly version: number; readonly known: number }
  | { readonly kind: 'damaged'; readonly reason: string }
  | { readonly kind: 'system'; readonly code: string; readonly reason: string }
  | { readonly kind: 'statement'; readonly reason: string; readonly sql: string };

/** Makes the error of a system's code. */
export type SystemErrorMaker = (
  details: { readonly path: string; readonly code: string; readonly operation: string },
  cause: Error,
) => Error;

/** For openers that have no errors of their own. */
export const plainError: SystemErrorMaker = ({ path, code }, cause) =>
  Object.assign(new Error(`${path}: ${cause.message} (${code})`, { cause }), { code });

/** A fault as an error. */
export function errorOf(file: string, fault: DatabaseFault, ofSystem: SystemErrorMaker): Error {
  if (fault.kind === 'newer') return databaseError('ERR_DATABASE_NEWER', { file, ...fault });
  if (fault.kind === 'damaged') return databaseError('ERR_DATABASE_DAMAGED', { file, ...fault });
  if (fault.kind === 'statement') return databaseError('ERR_DATABASE_STATEMENT', fault);
  const cause = Object.assign(new Error(fault.reason), { code: fault.code });
  return ofSystem({ path: file, code: fault.code, operation: 'use' }, cause);
}

/** Primary result codes of SQLite (sqlite.org/rescode.html) that are the system's faults, with the system's names for them. */
const SYSTEM_CODES: ReadonlyMap<number, string> = new Map([
  [3, 'EACCES'],
  [5, 'EBUSY'],
  [6, 'EBUSY'],
  [7, 'ENOMEM'],
  [8, 'EROFS'],
  [10, 'EIO'],
  [13, 'ENOSPC'],
  [14, 'EACCES'],
]);
/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGE_CODES: ReadonlySet<number> = new Set([11, 26]);

/** What an exception of `node:sqlite` or of the file system means. */
export function faultOf(error: unknown, sql: string): DatabaseFault {
  const { message, code, errcode, errstr } = error as NodeJS.ErrnoException & {
    errcode?: number;
    errstr?: string;
  };
  // Extended codes have the primary one in their low byte.
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  if (primary !== undefined && DAMAGE_CODES.has(primary)) {
    return { kind: 'damaged', reason: errstr ?? message };
  }
  const system = primary === undefined ? systemCode(error) : SYSTEM_CODES.get(primary);
  if (system !== undefined) return { kind: 'system', code: system, reason: message };
  return { kind: 'statement', reason: message ?? String(code), sql };
}

/** The system's name for what went wrong with a file of a database. */
export function systemCodeOf(error: unknown): string {
  const fault = faultOf(error, '');
  return fault.kind === 'system' ? fault.code : 'EIO';
}

function systemCode(error: unknown): string | undefined {
  const { code, errno } = error as NodeJS.ErrnoException;
  return errno === undefined ? undefined : code;
}
