/** A node's database after "kill -9": every change that was acknowledged is there, and the file checks clean. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Database } from '../../src/io/sqlite.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { CRASH_MIGRATIONS } from '../support/database-child.ts';

const ROUNDS = 20;
const CHILD = join(import.meta.dirname, '..', 'support', 'database-child.ts');

test(
  'kill -9 while rows are written, again and again: each acknowledged one is there',
  needing(),
  async () => {
    await using bed = new TestBed();
    const file = join(bed.root, 'crash.db');
    const acknowledged = new Set<number>();
    for (let round = 1; round <= ROUNDS; round += 1) {
      const child = bed.start(process.execPath, [CHILD, file]);
      // Another moment each time.
      await child.waitFor('rows', () => child.lines.length >= 7 * round || undefined);
      child.signal('SIGKILL');
      await child.exit();
      for (const line of child.lines) acknowledged.add(Number(line));
      const db = await Database.open({ file, migrations: CRASH_MIGRATIONS });
      const rows = new Set((await db.all<{ n: number }>('SELECT n FROM t')).map(({ n }) => n));
      assert.deepEqual(
        [...acknowledged].filter((n) => !rows.has(n)),
        [],
        `round ${round}`,
      );
      assert.deepEqual(await db.check(), []);
      await db.close();
    }
    assert.ok(acknowledged.size >= 7 * ROUNDS);
  },
);
