import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { nodeEd25519 } from '../io/crypto.ts';
import { formatPeerCard, formatPeerId, peerIdOf } from '../protocol/identity/index.ts';
import { Contacts, fingerprintOfText } from './contacts.ts';

let home: string;
let file: string;
let nowMs = 1_000;
let contacts: Contacts;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'starling-'));
  file = join(home, 'starling.db');
  nowMs = 1_000;
  contacts = new Contacts(home, () => nowMs);
});
afterEach(() => rmSync(home, { recursive: true }));

const bytesOf = (number: number): Uint8Array =>
  peerIdOf(nodeEd25519.publicKey(new Uint8Array(32).fill(number)));
const idOf = (number: number): string => formatPeerId(bytesOf(number));
const older = (): string => join(home, 'contacts.json');
/** As the version before the database wrote it. */
const OLDER = JSON.stringify({
  version: 1,
  contacts: [
    {
      name: 'Bob',
      peerId: idOf(1),
      addedMs: 1000,
      isTrusted: true,
      mayRelay: false,
      isRelay: false,
      addresses: [['192.0.2.7:1', 7]],
    },
  ],
});
const isConfig = (pattern: RegExp) => (error: { code: string; message: string }) =>
  error.code === 'ERR_CONFIG' && pattern.test(error.message);
const at = (port: number) => ({ host: '192.0.2.7', port });

describe('contacts', () => {
  it('are others', () => {
    contacts.ownId = idOf(1);
    assert.throws(() => contacts.add('Me', idOf(1)), isConfig(/somebody else.* this node itself/));
    contacts.add('Bob', idOf(2));
    assert.deepEqual(
      contacts.list().map(({ name }) => name),
      ['Bob'],
    );
  });

  it('are kept with their names, readable by their owner alone, and found by name in any case or by peer id', () => {
    assert.deepEqual(contacts.list(), []);
    assert(!existsSync(file));
    const card = formatPeerCard({ peerId: bytesOf(1), addresses: [at(1)], relays: [] });
    contacts.add('Zoë', card);
    nowMs = 2_000;
    contacts.add('laptop', idOf(2));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const names = readdirSync(home).filter((name) => !name.startsWith('starling.db'));
    assert.deepEqual(names, []);
    const again = new Contacts(home);
    const rest = { isTrusted: false, mayRelay: false, isRelay: false };
    assert.deepEqual(again.list(), [
      {
        name: 'Zoë',
        peerId: idOf(1),
        addedMs: 1_000,
        addresses: [{ ...at(1), lastMs: 0 }],
        ...rest,
      },
      { name: 'laptop', peerId: idOf(2), addedMs: 2_000, addresses: [], ...rest },
    ]);
    assert.equal(again.find('ZOE\u0308').peerId, idOf(1));
    assert.equal(again.find(idOf(2)).name, 'laptop');
    assert.equal(again.byPeerId(idOf(2))?.name, 'laptop');
    assert.equal(again.byPeerId(idOf(3)), undefined);
    assert.throws(() => again.find('nobody'), isConfig(/contacts list" shows, got "nobody"/));
  });

  it('have a name and a peer id that nobody else has', () => {
    contacts.add('Bob', idOf(1));
    assert.throws(() => contacts.add('BOB', idOf(2)), isConfig(/no contact has, got "Bob"/));
    assert.throws(() => contacts.add('Rob', idOf(1)), isConfig(/got the one of "Bob"/));
    contacts.add('Rob', idOf(2));
    assert.throws(() => contacts.rename('Rob', 'bob'), isConfig(/no contact has/));
    assert.equal(contacts.rename('bob', 'BOB').name, 'BOB');
    for (const bad of ['', 'a\nb', '-x', idOf(3)]) {
      assert.throws(() => contacts.add(bad, idOf(3)), isConfig(/expected a name/), bad);
    }
    for (const bad of ['', 'Bob', 'starling://peer/x', `${idOf(3)}x`]) {
      assert.throws(() => contacts.add('Eve', bad), isConfig(/expected a /), bad);
    }
    assert.deepEqual(
      contacts.list().map(({ name }) => name),
      ['BOB', 'Rob'],
    );
    assert.equal(contacts.remove('rob').peerId, idOf(2));
    assert.throws(() => contacts.remove('rob'), isConfig(/shows/));
  });

  it('are allowed what their user says, each thing apart', () => {
    contacts.add('Bob', idOf(1));
    contacts.setFlags('bob', { isTrusted: true });
    const { isTrusted, mayRelay, isRelay } = contacts.setFlags('bob', { isRelay: true });
    assert.deepEqual([isTrusted, mayRelay, isRelay], [true, false, true]);
    assert.equal(contacts.setFlags(idOf(1), { isTrusted: false }).isTrusted, false);
  });

  it('remember the last eight addresses, the last one first; of strangers none', () => {
    contacts.add('Bob', idOf(1));
    for (let port = 1; port <= 10; port += 1) {
      nowMs += 1;
      contacts.noteAddress(idOf(1), at(port));
    }
    contacts.noteAddress(idOf(1), at(5));
    contacts.noteAddress(idOf(2), at(5));
    const { addresses } = contacts.find('Bob');
    assert.deepEqual(
      addresses.map(({ port }) => port),
      [5, 10, 9, 8, 7, 6, 4, 3],
    );
    assert.equal(addresses[0]!.lastMs, nowMs);
    assert.equal(contacts.list().length, 1);
  });

  it('of an earlier version, in a file, are taken over once; a change of theirs is seen by all who look', () => {
    writeFileSync(older(), OLDER);
    const [bob] = contacts.list();
    const rest = { isTrusted: true, mayRelay: false, isRelay: false };
    const addresses = [{ ...at(1), lastMs: 7 }];
    assert.deepEqual(bob, { name: 'Bob', peerId: idOf(1), addedMs: 1_000, addresses, ...rest });
    assert(!existsSync(older()));
    assert.equal(readFileSync(`${older()}.imported`, 'utf8'), OLDER);
    const others = new Contacts(home);
    assert.deepEqual(others.list(), [bob]);
    contacts.remove('Bob');
    assert.deepEqual(others.list(), [], 'it looks again');
    writeFileSync(older(), OLDER);
    assert.deepEqual(new Contacts(home).list(), [], 'who was removed stays away');
    assert.equal(contacts.list(), contacts.list(), 'nothing is read again while nothing changes');
  });

  it('of an earlier version in a file that is damaged, cut or newer are never dropped: an error says what to do, and the file stays', () => {
    const bad = [
      '',
      'null',
      '7',
      OLDER.slice(0, -5),
      OLDER.replace('"version":1', '"version":2'),
      OLDER.replace('Bob', 'B\\n'),
      OLDER.replace(idOf(1), `${idOf(1)}1`),
      OLDER.replace('false', '0'),
      OLDER.replace('192.0.2.7:1', 'router:1'),
      OLDER.replace('1000', '-1'),
      OLDER.replace('"contacts":[', '$&{},'),
    ];
    for (const text of bad) {
      assert.notEqual(text, OLDER);
      writeFileSync(older(), text);
      const says = isConfig(/put a copy of it back, or move it away/);
      assert.throws(() => contacts.list(), says, text.slice(0, 200));
      assert.throws(() => contacts.add('Rob', idOf(2)), says);
      assert.equal(readFileSync(older(), 'utf8'), text);
    }
    writeFileSync(older(), OLDER);
    assert.equal(contacts.list().length, 1);
  });

  it('in a database that is damaged or newer are never dropped: an error says what to do', () => {
    contacts.add('Bob', idOf(1));
    contacts.noteAddress(idOf(1), at(1));
    const bad = [
      "UPDATE contact SET name = 'B\n'",
      "UPDATE contact SET peer_id = 'x'",
      "UPDATE contact SET flags = '{}'",
      'UPDATE contact SET addresses = \'[["router:1",1]]\'',
      "UPDATE contact SET addresses = 'x'",
      'UPDATE contact SET added_at = -1',
    ];
    const db = new DatabaseSync(file);
    for (const sql of bad) {
      db.exec('SAVEPOINT bad');
      db.exec(`${sql}; UPDATE contact_revision SET value = value + 1; RELEASE bad`);
      const before = db.prepare('SELECT * FROM contact').all();
      const says = { code: 'ERR_DATABASE_DAMAGED', message: /put a copy back/ };
      assert.throws(() => contacts.list(), says, sql);
      assert.throws(() => contacts.add('Rob', idOf(2)), says);
      assert.deepEqual(db.prepare('SELECT * FROM contact').all(), before);
      db.prepare(
        `UPDATE contact SET peer_id = ?, name = 'Bob', added_at = 1, flags = '{"isTrusted":false,"mayRelay":false,"isRelay":false}', addresses = '[]'`,
      ).run(idOf(1));
    }
    assert.equal(new Contacts(home).list().length, 1);
    db.exec('PRAGMA user_version = 99');
    db.close();
    assert.throws(() => new Contacts(home).list(), { code: 'ERR_DATABASE_NEWER' });
  });

  it('that several programs add at a time are all there', async () => {
    const [programs, each] = [3, 8];
    const ids = Array.from({ length: programs * each }, (_, index) => idOf(index + 1));
    const script = `
      const { Contacts } = await import(${JSON.stringify(new URL('./contacts.ts', import.meta.url).href)});
      const contacts = new Contacts(process.argv[1]);
      for (const id of process.argv.slice(2)) contacts.add(id.slice(-9), id);`;
    const exits = Array.from({ length: programs }, async (_, index) => {
      const mine = ids.slice(index * each, (index + 1) * each);
      const args = ['--input-type=module', '-e', script, home, ...mine];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
      const [code] = await once(child, 'exit');
      assert.equal(code, 0);
    });
    await Promise.all(exits);
    assert.deepEqual(new Set(contacts.list().map(({ peerId }) => peerId)), new Set(ids));
  });

  it('are compared by a fingerprint of six groups of digits', () => {
    assert.match(fingerprintOfText(idOf(1)), /^(?:\d{5} ){5}\d{5}$/);
    assert.throws(() => fingerprintOfText('Bob'), RangeError);
  });
});
