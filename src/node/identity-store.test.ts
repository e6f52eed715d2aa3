import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { nodeEd25519 } from '../io/crypto.ts';
import { toHex } from '../lib/bytes.ts';
import { parsePeerId, signFor, verifySigned } from '../protocol/identity/index.ts';
import {
  identityFile,
  openIdentity,
  saveIdentity,
  sealIdentity,
  showIdentity,
} from './identity-store.ts';

let home: string;
let file: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'starling-'));
  file = identityFile(home);
});
afterEach(() => rmSync(home, { recursive: true }));

/** A guess costs next to nothing, and a test too. */
const CHEAP = { memoryKib: 64, passes: 1, lanes: 1 };

const isConfig = (pattern: RegExp) => (error: { code: string; message: string }) =>
  error.code === 'ERR_CONFIG' && pattern.test(error.message);

describe('the identity of an installation', () => {
  it('is made at first use, readable by its owner alone, and stays', () => {
    const { peerId, isSealed } = showIdentity(file);
    assert(parsePeerId(peerId).ok && !isSealed);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(showIdentity(file).peerId, peerId);
    const { seed, publicKey } = openIdentity(file);
    const payload = Uint8Array.of(1, 2, 3);
    const signature = signFor(nodeEd25519, seed, 'test', payload);
    assert(verifySigned(nodeEd25519, publicKey, 'test', payload, signature));
  });

  it('sealed under a passphrase, shows its id to anybody and its key to none without it', () => {
    const { peerId } = showIdentity(file, 'correct horse');
    assert.deepEqual(showIdentity(file), { peerId, isSealed: true });
    const { seed } = openIdentity(file, 'correct horse');
    const sealed = readFileSync(file, 'utf8');
    assert(!sealed.includes(toHex(seed)));
    assert.match(sealed, /"memoryKib":262144,"passes":3,/);
  });

  it('tells another passphrase and damage from the right one', () => {
    saveIdentity(file, new Uint8Array(32).fill(1), 'correct horse', CHEAP);
    openIdentity(file, 'correct horse');
    assert.throws(() => openIdentity(file), isConfig(/expected a passphrase/));
    assert.throws(() => openIdentity(file, 'correct Horse'), isConfig(/expected the passphrase/));
    const text = readFileSync(file, 'utf8');
    const bent = text.replace(
      /("bytes":")(.)/,
      (_, key, digit) => key + (digit === '0' ? '1' : '0'),
    );
    writeFileSync(file, bent);
    assert.throws(() => openIdentity(file, 'correct horse'), isConfig(/or damage/));
  });

  it('is copied sealed, whatever its own file is, and opened from the copy', async () => {
    const { peerId } = showIdentity(file);
    const { seed } = openIdentity(file);
    const copy = await sealIdentity(seed, 'two\u00e9 words', CHEAP);
    assert.equal(copy.peerId, peerId);
    assert(!JSON.stringify(copy).includes(toHex(seed)));
    const other = join(home, 'copy.json');
    writeFileSync(other, JSON.stringify(copy));
    // The same passphrase, typed where accents are characters of their own.
    assert.deepEqual(openIdentity(other, 'twoe\u0301 words').seed, seed);
    assert.throws(() => openIdentity(other, 'two words'), isConfig(/expected the passphrase/));
  });

  it('is never written over', () => {
    const { peerId } = showIdentity(file);
    assert.throws(
      () => saveIdentity(file, new Uint8Array(32).fill(1)),
      isConfig(/is lost, got one/),
    );
    assert.equal(showIdentity(file).peerId, peerId);
  });

  it('is refused where its file is none, with a way out, and nothing is made anew in its place', () => {
    saveIdentity(file, new Uint8Array(32).fill(1));
    const right = readFileSync(file, 'utf8');
    const otherKey = toHex(nodeEd25519.publicKey(new Uint8Array(32).fill(2)));
    const ownKey = toHex(nodeEd25519.publicKey(new Uint8Array(32).fill(1)));
    const bad = [
      '',
      '{',
      'null',
      '7',
      right.replace('1', '2'),
      right.slice(0, -9),
      'x'.repeat(5_000),
    ];
    for (const text of bad) {
      writeFileSync(file, text);
      assert.throws(() => showIdentity(file), isConfig(/put a copy of it back/), text.slice(0, 60));
    }
    writeFileSync(file, right.replace(ownKey, otherKey));
    assert.throws(() => openIdentity(file), isConfig(/fits its public key/));
  });

  it('does not let a file ask for more memory than is right', () => {
    saveIdentity(file, new Uint8Array(32).fill(1), 'a', CHEAP);
    const text = readFileSync(file, 'utf8');
    for (const [key, value] of [
      ['memoryKib', 2 ** 31],
      ['passes', 1e6],
      ['lanes', 0],
      ['memoryKib', 1],
    ] as const) {
      writeFileSync(file, text.replace(new RegExp(`"${key}":\\d+`), `"${key}":${value}`));
      assert.throws(() => openIdentity(file, 'a'), isConfig(/as "starling id" writes it/), key);
    }
  });
});
