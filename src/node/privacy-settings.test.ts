import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { nodeEd25519 } from '../io/crypto.ts';
import { formatPeerId, peerIdOf } from '../protocol/identity/index.ts';
import { Contacts } from './contacts.ts';
import { type Mechanism, privacyPicture } from './privacy.ts';
import { PRIVACY_SWITCHES, readPrivacy, setPrivacy } from './privacy-settings.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'starling-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const stateOf = (name: string): Mechanism =>
  privacyPicture(home, false).mechanisms.find((each) => each.name === name)!;

describe('settings of privacy', () => {
  it('are all on where nothing was set, and what was set stays, readable by its owner alone', () => {
    assert.deepEqual(new Set(Object.values(readPrivacy(home))), new Set([true]));
    for (const name of PRIVACY_SWITCHES) {
      assert.equal(setPrivacy(home, name, false)[name], false);
      assert.equal(readPrivacy(home)[name], false);
    }
    assert.equal(statSync(join(home, 'privacy.json')).mode & 0o777, 0o600);
    assert.equal(setPrivacy(home, 'lan', true).lan, true);
    assert.equal(readPrivacy(home).dht, false);
    assert.equal(readPrivacy(join(home, 'privacy.json')).dht, true, 'below a file');
  });

  it('that cannot be read are an error, never a default: nothing is revealed by accident', () => {
    setPrivacy(home, 'dht', false);
    const file = join(home, 'privacy.json');
    const right = readFileSync(file, 'utf8');
    for (const text of [
      '',
      '{',
      'null',
      right.replace('1', '2'),
      right.replace('dht', 'tor'),
      ' '.repeat(9_999),
    ]) {
      writeFileSync(file, text);
      const isRight = { code: 'ERR_CONFIG', message: /put a copy of it back/ };
      assert.throws(() => readPrivacy(home), isRight, text.slice(0, 99));
      assert.throws(() => setPrivacy(home, 'lan', false), isRight);
      assert.throws(() => privacyPicture(home, false), isRight);
      assert.equal(readFileSync(file, 'utf8'), text);
    }
  });
});

describe('the picture', () => {
  it('follows the switches: each turns off what it says, and nothing else', () => {
    const all = (): string[] =>
      privacyPicture(home, false)
        .mechanisms.filter(({ state }) => state === 'on')
        .map(({ name }) => name);
    const before = all();
    for (const name of PRIVACY_SWITCHES) {
      setPrivacy(home, name, false);
      const off = before.filter((each) => !all().includes(each));
      assert.deepEqual(
        off.map((each) => stateOf(each).switch),
        off.map(() => name),
      );
      assert(off.length > 0, name);
      setPrivacy(home, name, true);
    }
    assert.deepEqual(all(), before);
  });

  it('names the contacts that are used as relays, and those that are served', () => {
    assert.deepEqual([stateOf('contacts').state, stateOf('relay-use').state], ['off', 'off']);
    const contacts = new Contacts(home);
    const idOf = (number: number): string =>
      formatPeerId(peerIdOf(nodeEd25519.publicKey(new Uint8Array(32).fill(number))));
    contacts.add('Bob', idOf(1));
    contacts.add('Eve', idOf(2));
    contacts.setFlags('Bob', { isRelay: true });
    contacts.setFlags('Eve', { mayRelay: true });
    assert.equal(stateOf('contacts').state, 'always');
    assert.match(stateOf('contacts').to, /^2 contacts,/);
    assert.deepEqual([stateOf('relay-use').state, stateOf('relay-use').to], ['on', 'Bob']);
    assert.match(stateOf('relay-service').to, /^Eve,/);
  });
});
