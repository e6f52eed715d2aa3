import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { Database, MAX_WAITING, type Migration } from './sqlite.ts';

const FIRST: Migration = { version: 1, sql: 'CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT' };
const SECOND: Migration = { version: 2, sql: 'ALTER TABLE t ADD COLUMN b TEXT' };

function fileOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'starling-sqlite-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return join(folder, 'below', 'a.db');
}

async function filled(t: TestContext, migrations = [FIRST]): Promise<Database> {
  const db = await Database.open({ file: fileOf(t), migrations });
  t.after(() => db.close());
  return db;
}

test('a change that fails takes back its own statements only, not those that share its commit', async (t) => {
  const db = await filled(t);
  const insert = (a: number) => ({ sql: 'INSERT INTO t VALUES (?)', params: [a] });
  const outcomes = await Promise.allSettled([
    db.transaction([insert(1), insert(2)]),
    db.transaction([insert(3), insert(1), insert(4)]),
    db.transaction([insert(5)]),
    db.run('nonsense'),
    db.run('INSERT INTO t VALUES (6)'),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(
    (await db.all<{ a: number }>('SELECT a FROM t ORDER BY a')).map(({ a }) => a),
    [1, 2, 5, 6],
  );
  await assert.rejects(db.run('INSERT INTO t VALUES (1)'), { code: 'ERR_DATABASE_STATEMENT' });
});

test('questions are answered in the order of asking, and see what was asked to be changed before', async (t) => {
  const db = await filled(t);
  const count = () => db.get<{ n: number }>('SELECT count(*) AS n FROM t');
  const [before, , between, , after] = await Promise.all([
    count(),
    db.run('INSERT INTO t VALUES (1)'),
    count(),
    db.run('INSERT INTO t VALUES (2)'),
    count(),
  ]);
  assert.deepEqual([before?.n, between?.n, after?.n], [0, 1, 2]);
  assert.equal(await db.get('SELECT a FROM t WHERE a = 9'), undefined);
});

test('a large value comes back as it was written', async (t) => {
  const db = await filled(t, [{ version: 1, sql: 'CREATE TABLE t (a BLOB)' }]);
  const bytes = Uint8Array.from({ length: 5_000 }, (_, i) => i & 0xff);
  await db.run('INSERT INTO t VALUES (?), (?)', [bytes, bytes.subarray(1, 4)]);
  const rows = await db.all<{ a: Uint8Array }>('SELECT a FROM t');
  assert.deepEqual(
    rows.map(({ a }) => a.join()),
    [bytes.join(), '1,2,3'],
  );
});

test('who asks for more than may wait is refused, and the rest is done', async (t) => {
  const db = await filled(t);
  const asked = Array.from({ length: MAX_WAITING }, () => db.get('SELECT 1'));
  await assert.rejects(db.get('SELECT 1'), { code: 'ERR_DATABASE_BUSY' });
  assert.equal((await Promise.all(asked)).length, MAX_WAITING);
});

test('close waits for what was asked for and refuses what comes after', async (t) => {
  const file = fileOf(t);
  const db = await Database.open({ file, migrations: [FIRST] });
  const change = db.run('INSERT INTO t VALUES (1)');
  await Promise.all([db.close(), db.close()]);
  assert.deepEqual(await change, { changes: 1 });
  await assert.rejects(db.get('SELECT 1'), { code: 'ERR_DATABASE_CLOSED' });
  const again = await Database.open({ file, migrations: [FIRST] });
  assert.equal((await again.all('SELECT * FROM t')).length, 1);
  await again.close();
});

test('the file and the copy before a migration are readable by their owner alone; the newest two copies are kept', {
  skip: process.platform === 'win32' ? 'no modes there' : false,
}, async (t) => {
  const file = fileOf(t);
  const migrations = [
    FIRST,
    SECOND,
    { version: 3, sql: 'SELECT 1' },
    { version: 4, sql: 'SELECT 1' },
  ];
  const told: string[] = [];
  for (let version = 1; version <= migrations.length; version += 1) {
    const db = await Database.open({
      file,
      migrations: migrations.slice(0, version),
      onBackup: (path) => told.push(path),
    });
    assert.equal(db.version, version);
    await db.run('INSERT INTO t (a) VALUES (?)', [version]);
    await db.close();
  }
  const names = readdirSync(join(file, '..')).sort();
  assert.deepEqual(names, ['a.db', 'a.db.version-2.backup', 'a.db.version-3.backup']);
  for (const name of names)
    assert.equal(statSync(join(file, '..', name)).mode & 0o777, 0o600, name);
  assert.equal(told.length, 3);
  const copy = await Database.open({ file: told[2]!, migrations: migrations.slice(0, 3) });
  assert.equal((await copy.all('SELECT * FROM t')).length, 3, 'all rows of before are in the copy');
  await copy.close();
});

test('a migration that fails leaves the form before it', async (t) => {
  const file = fileOf(t);
  const bad: Migration = { version: 2, sql: 'CREATE TABLE u (a); INSERT INTO nowhere VALUES (1)' };
  await assert.rejects(Database.open({ file, migrations: [FIRST, bad] }), {
    code: 'ERR_DATABASE_STATEMENT',
  });
  const db = await Database.open({ file, migrations: [FIRST, SECOND] });
  t.after(() => db.close());
  assert.deepEqual(await db.all("SELECT name FROM sqlite_schema WHERE name = 'u'"), []);
});

test('a file of a newer version is refused and not touched', async (t) => {
  const file = fileOf(t);
  await (await Database.open({ file, migrations: [FIRST, SECOND] })).close();
  await assert.rejects(Database.open({ file, migrations: [FIRST] }), {
    code: 'ERR_DATABASE_NEWER',
  });
  const db = await Database.open({ file, migrations: [FIRST, SECOND] });
  assert.equal(db.version, 2);
  await db.close();
});

test('a damaged file is refused with what to do; damage inside shows in the check', async (t) => {
  const file = fileOf(t);
  const db = await Database.open({ file, migrations: [FIRST] });
  await db.transaction(
    Array.from({ length: 5_000 }, (_, a) => ({ sql: 'INSERT INTO t VALUES (?)', params: [a] })),
  );
  assert.deepEqual(await db.check(), []);
  await db.close();
  truncateSync(file, 12_288);
  // A cut file may be noticed at once or by the check.
  const isFound = await Database.open({ file, migrations: [FIRST] }).then(
    async (cut) => {
      const found = await cut.check();
      await assert.rejects(cut.all('SELECT * FROM t'), { code: 'ERR_DATABASE_DAMAGED' });
      await cut.close();
      return found.length > 0;
    },
    (error) => error.code === 'ERR_DATABASE_DAMAGED',
  );
  assert.ok(isFound);
  writeFileSync(file, 'this is no database, and long enough to have a header '.repeat(20));
  await assert.rejects(Database.open({ file, migrations: [FIRST] }), {
    code: 'ERR_DATABASE_DAMAGED',
    message: /put a copy back/,
  });
});

test('a row without the row that it belongs to is refused, and shows in the check', async (t) => {
  const file = fileOf(t);
  const sql = 'CREATE TABLE t (a INTEGER PRIMARY KEY); CREATE TABLE u (t REFERENCES t (a))';
  const db = await Database.open({ file, migrations: [{ version: 1, sql }] });
  t.after(() => db.close());
  await assert.rejects(db.run('INSERT INTO u VALUES (1)'), { code: 'ERR_DATABASE_STATEMENT' });
  assert.deepEqual(await db.check(), []);
  const careless = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  careless.exec('INSERT INTO u VALUES (1)');
  careless.close();
  assert.deepEqual(await db.check(), ['a row of u belongs to no row of t']);
});

test("the system's faults are made to errors by the opener", async (t) => {
  const file = fileOf(t);
  const systemError = (details: { code: string }) => new Error(`made of ${details.code}`);
  await (await Database.open({ file, migrations: [FIRST] })).close();
  await assert.rejects(
    Database.open({ file: join(file, 'x.db'), migrations: [FIRST], systemError }),
    /made of (ENOTDIR|EEXIST)/,
  );
});
