/**
 * The messages between a Database and its worker: plain data.
 * @module
 */
import type { DatabaseFault } from './sqlite-errors.ts';

/** What a statement takes and gives. Whole numbers up to 2^53 - 1; larger ones as bigint. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** A statement with what its question marks stand for, in order. */
export interface Statement {
  readonly sql: string;
  readonly params?: readonly SqlValue[];
}

/** A step from one form of a database to the next. */
export interface Migration {
  /** The form that it leads to; they are 1, 2, 3 … without a gap. */
  readonly version: number;
  /** Statements, separated by semicolons; without BEGIN and COMMIT. */
  readonly sql: string;
}

/** What the worker is started with. */
export interface SqliteInit {
  readonly file: string;
  readonly migrations: readonly Migration[];
}

/** What the worker is asked to do. */
export type SqliteWork =
  | { readonly kind: 'all' | 'get'; readonly statement: Statement }
  | { readonly kind: 'write'; readonly statements: readonly Statement[] }
  | { readonly kind: 'check' }
  | { readonly kind: 'close' };

/** A job with its number. */
export type SqliteJob = SqliteWork & { readonly id: number };

/** Its outcome. */
export type SqliteResult = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly fault: DatabaseFault }
);

/** What the worker tells: once how the opening went, then outcomes. */
export type FromSqliteWorker =
  | { readonly type: 'opened'; readonly version: number; readonly backup?: string }
  | { readonly type: 'refused'; readonly fault: DatabaseFault }
  | { readonly type: 'results'; readonly results: readonly SqliteResult[] };
