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
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  file = join(home, 'contacts.json');
  nowMs = 1_000;
  contacts = new Contacts(home, () => nowMs);
});
afterEach(() => rmSync(home, { recursive: true }));

const bytesOf = (number: number): Uint8Array =>
  peerIdOf(nodeEd25519.publicKey(new Uint8Array(32).fill(number)));
const idOf = (number: number): string => formatPeerId(bytesOf(number));
const isConfig = (pattern: RegExp) => (error: { code: string; message: string }) =>
  error.code === 'ERR_CONFIG' && pattern.test(error.message);
const at = (port: number) => ({ host: '192.0.2.7', port });

describe('contacts', () => {
  it('are kept with their names, readable by their owner alone, and found by name in any case or by peer id', () => {
    assert.deepEqual(contacts.list(), []);
    assert(!existsSync(file));
    const card = formatPeerCard({ peerId: bytesOf(1), addresses: [at(1)], relays: [] });
    contacts.add('Zoë', card);
    nowMs = 2_000;
    contacts.add('laptop', idOf(2));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(home), ['contacts.json']);
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

  it('in a file that is damaged, cut or newer are never dropped: an error says what to do, and the file stays', () => {
    contacts.add('Bob', idOf(1));
    contacts.noteAddress(idOf(1), at(1));
    const right = readFileSync(file, 'utf8');
    const bad = [
      '',
      'null',
      '7',
      right.slice(0, -5),
      right.replace('"version": 1', '"version": 2'),
      right.replace('Bob', 'B\\n'),
      right.replace(idOf(1), `${idOf(1)}1`),
      right.replace('false', '0'),
      right.replace('192.0.2.7:1', 'router:1'),
      right.replace('1000', '-1'),
      right.replace(/"contacts": \[/, '$&{},'),
    ];
    for (const text of bad) {
      assert.notEqual(text, right);
      writeFileSync(file, text);
      const says = isConfig(/put a copy of it back, or move it away/);
      assert.throws(() => contacts.list(), says, text.slice(0, 200));
      assert.throws(() => contacts.add('Rob', idOf(2)), says);
      assert.throws(() => contacts.noteAddress(idOf(1), at(2)), says);
      assert.equal(readFileSync(file, 'utf8'), text);
      assert.deepEqual(readdirSync(home), ['contacts.json'], 'no lock is left behind');
    }
    writeFileSync(file, right);
    assert.equal(contacts.list().length, 1);
  });

  it('that several programs add at a time are all there, and a lock of one that was killed does not last', async () => {
    const [programs, each] = [3, 8];
    const ids = Array.from({ length: programs * each }, (_, index) => idOf(index + 1));
    const script = `
      const { Contacts } = await import(${JSON.stringify(new URL('./contacts.ts', import.meta.url).href)});
      const contacts = new Contacts(process.argv[1]);
      for (const id of process.argv.slice(2)) contacts.add(id.slice(-9), id);`;
    writeFileSync(`${file}.lock`, '');
    utimesSync(`${file}.lock`, 1, 1);
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
