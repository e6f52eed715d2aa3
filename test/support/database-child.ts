/**
 * A program that changes a database as fast as it is acknowledged, and prints each number that was; for tests that kill it.
 * @module
 */
import { writeSync } from 'node:fs';
import { Database } from '../../src/io/sqlite.ts';

/** The one table. */
export const CRASH_MIGRATIONS = [
  { version: 1, sql: 'CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT' },
];

if (import.meta.main) {
  const db = await Database.open({ file: process.argv[2]!, migrations: CRASH_MIGRATIONS });
  const last = await db.get<{ n: number | null }>('SELECT max(n) AS n FROM t');
  let next = (last?.n ?? 0) + 1;
  const writer = async (): Promise<void> => {
    for (;;) {
      const n = next;
      next += 1;
      await db.run('INSERT INTO t VALUES (?)', [n]);
      writeSync(1, `${n}\n`);
    }
  };
  // Several at once, so that they share commits.
  await Promise.all(Array.from({ length: 8 }, writer));
}
