import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto, nodeEd25519 } from '../../io/crypto.ts';
import { toHex } from '../../lib/bytes.ts';
import {
  fingerprintOf,
  formatPeerAddress,
  formatPeerCard,
  formatPeerId,
  lanHashOf,
  type PeerAddress,
  type PeerCard,
  parsePeerAddress,
  parsePeerCard,
  parsePeerName,
  peerAddressOf,
  peerIdOf,
  peerNameKey,
} from './index.ts';

const idOf = (number: number): Uint8Array =>
  peerIdOf(nodeEd25519.publicKey(new Uint8Array(32).fill(number)));
const ID = idOf(1);
const TEXT = `starling://peer/${formatPeerId(ID)}`;

const address: fc.Arbitrary<PeerAddress> = fc
  .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => peerAddressOf(host, port))
  .filter((each) => each !== undefined);
const addresses = fc.uniqueArray(address, { maxLength: 8, selector: formatPeerAddress });
const relays = fc.uniqueArray(
  fc
    .tuple(fc.integer({ min: 2, max: 9 }).map(idOf), address)
    .map(([peerId, where]) => ({ peerId, address: where })),
  { maxLength: 4, selector: (each) => `${toHex(each.peerId)} ${formatPeerAddress(each.address)}` },
);
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .map((text) => parsePeerName(text))
  .filter((read) => read.ok)
  .map(({ value }) => value);

function codeOf(text: string): string {
  const read = parsePeerCard(text);
  return read.ok ? 'ok' : read.code;
}

describe('cards', () => {
  it('come back as they were written, with and without hints', () => {
    fc.assert(
      fc.property(addresses, relays, fc.option(name), (some, through, named) => {
        const card: PeerCard = {
          peerId: ID,
          addresses: some,
          relays: through,
          ...(named === null ? {} : { name: named }),
        };
        const read = parsePeerCard(` ${formatPeerCard(card)}\n`);
        assert(read.ok);
        assert.deepEqual(read.value, card);
      }),
      { numRuns: 60 },
    );
    assert.equal(formatPeerCard({ peerId: ID, addresses: [], relays: [] }), TEXT);
  });

  it('are read to the letter: what is malformed, doubled or too much makes none, what is unknown is passed over', () => {
    const a = 'a=192.0.2.7:6881';
    assert.equal(codeOf(`${TEXT}?${a}&x=1&n=Bob%20B`), 'ok');
    assert.equal(codeOf(TEXT.replace('starling', 'STARLING')), 'ok');
    const bad = [
      `${TEXT}?`.repeat(2),
      `${TEXT}?a`,
      `${TEXT}?=1`,
      `${TEXT}?${a}&`,
      `${TEXT}?${a}&${a}`,
      `${TEXT}?a=example.org:6881`,
      `${TEXT}?a=192.0.2.7:0`,
      `${TEXT}?a=192.0.2.7:65536`,
      `${TEXT}?a=192.0.2.7:06881`,
      `${TEXT}?a=[192.0.2.7]:6881&${a}`,
      `${TEXT}?a=0.0.0.0:6881`,
      `${TEXT}?a=224.0.0.1:6881`,
      `${TEXT}?a=[fe80::1]:6881`,
      `${TEXT}?a=%zz`,
      `${TEXT}?r=192.0.2.7:6881`,
      `${TEXT}?r=${formatPeerId(ID)}@`,
      `${TEXT}?n=a&n=b`,
      `${TEXT}?${Array.from({ length: 9 }, (_, index) => `a=192.0.2.7:${index + 1}`).join('&')}`,
      `${TEXT}?y=${'1'.repeat(5_000)}`,
      'starling://peer/',
      'https://peer/',
      '',
    ];
    for (const text of bad) assert.notEqual(codeOf(text), 'ok', text.slice(0, 200));
    assert.equal(codeOf(`${TEXT}?n=%E2%80%AEbob`), 'ERR_PEER_NAME');
    assert.throws(() => formatPeerCard({ peerId: ID, addresses: [], relays: [], name: ' ' }), {
      name: 'RangeError',
    });
  });

  it('an address has one text, and a text that is none is refused', () => {
    fc.assert(
      fc.property(address, (each) => {
        assert.deepEqual(parsePeerAddress(formatPeerAddress(each)), each);
      }),
    );
    assert.deepEqual(parsePeerAddress('[2001:DB8:0::1]:1'), { host: '2001:db8::1', port: 1 });
    for (const text of ['1.2.3.4', '1.2.3:4', '::1:5', '[::1]', 'localhost:1', '1.2.3.4:1 ']) {
      assert.equal(parsePeerAddress(text), undefined, text);
    }
  });
});

describe('names', () => {
  const readOf = (text: string): string | undefined => {
    const read = parsePeerName(text);
    return read.ok ? read.value : undefined;
  };

  it('are printable, in NFC, and at most 64 characters', () => {
    for (const text of ['Bob', "Zoë's laptop (work)", '山田 太郎', '🦜', 'ā'.repeat(64)]) {
      assert.equal(readOf(text), text);
    }
    assert.equal(readOf('Zoe\u0308'), 'Zoë');
    const bad = [
      '',
      ' ',
      ' Bob',
      'Bob ',
      'a  b',
      'a\nb',
      'a\tb',
      'a\0',
      'a\u202eb',
      'a\u2066b',
      'a\u200bb',
      'a\u00adb',
      'a\u3164b',
      'a\ufe0fb',
      '\u0301a',
      'a\ud800',
      '-a',
      '--off',
      formatPeerId(ID),
      TEXT,
      'x'.repeat(65),
      'x'.repeat(100_000),
    ];
    for (const text of bad) assert.equal(readOf(text), undefined, JSON.stringify(text));
  });

  it('are the same when case or forms of compatibility are all that differs', () => {
    for (const [a, b] of [
      ['Bob', 'BOB'],
      ['straße', 'STRASSE'],
      ['ﬁle', 'File'],
      ['Ｂob', 'bob'],
    ] as const) {
      assert.equal(peerNameKey(a), peerNameKey(b));
    }
    assert.notEqual(peerNameKey('Bob'), peerNameKey('Rob'));
  });
});

describe('hashes of a peer id', () => {
  it('differ with their purpose and their peer, and stay the same for ever', () => {
    assert.equal(fingerprintOf(nodeCrypto, ID), '01188 38730 59789 09428 66668 79025');
    assert.equal(toHex(lanHashOf(nodeCrypto, ID)), '3b1c3ef8797be5a53a7bf15cbf2cf9f786e7fc2f');
    const others = Array.from({ length: 200 }, (_, index) => idOf(index));
    assert.equal(new Set(others.map((id) => fingerprintOf(nodeCrypto, id))).size, 200);
    assert.equal(new Set(others.map((id) => toHex(lanHashOf(nodeCrypto, id)))).size, 200);
    for (const id of others) assert.match(fingerprintOf(nodeCrypto, id), /^(?:\d{5} ){5}\d{5}$/);
  });
});
