/**
 * BEP 46, Updating Torrents Via DHT Mutable Items: a test per sentence.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto, nodeEd25519 } from '../../src/io/crypto.ts';
import { fromHex, fromLatin1, toHex } from '../../src/lib/bytes.ts';
import { decodeDict } from '../../src/protocol/bencode/index.ts';
import {
  mutableTarget,
  publicationValue,
  publishedInfoHash,
  signItem,
} from '../../src/protocol/dht/index.ts';
import {
  formatPublicationLink,
  parseMagnet,
  parsePublicationLink,
} from '../../src/protocol/metainfo/index.ts';

const KEY = '8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e';
const HASH = new Uint8Array(20).fill(7);

function linkOf(text: string) {
  const parsed = parsePublicationLink(text);
  assert(parsed.ok, text);
  return parsed.value;
}

function targetOf(text: string): string {
  const { publicKey, salt } = linkOf(text);
  return toHex(mutableTarget(nodeCrypto, publicKey, salt));
}

describe('BEP 46, "Publishing content"', () => {
  it('"The value of the payload v contains a dictionary with key ih (info hash) and value the 20 byte infohash of such torrent"', () => {
    const decoded = decodeDict(publicationValue(HASH));
    assert(decoded.ok);
    assert.deepEqual([...decoded.value.keys()], ['ih']);
    assert.deepEqual(decoded.value.bytes('ih'), HASH);
  });

  it('"Publishers should issue a mutable put request": what it puts is read back from the item', () => {
    const item = signItem(nodeEd25519, new Uint8Array(32).fill(1), 3, publicationValue(HASH));
    assert.deepEqual(publishedInfoHash(item), HASH);
  });

  it('an item that names no torrent is none: another type, a hash of another length, no dictionary', () => {
    for (const value of ['5:hello', 'd2:ih19:aaaaaaaaaaaaaaaaaaae', 'd2:ihi5ee', 'de', 'le', 'x']) {
      assert.equal(publishedInfoHash({ value: fromLatin1(value) }), undefined, value);
    }
    const more = fromLatin1(`d2:ih20:${'a'.repeat(20)}4:name3:newe`);
    assert.equal(publishedInfoHash({ value: more })?.length, 20, 'further keys are ignored');
  });
});

describe('BEP 46, "Magnet link"', () => {
  it('"magnet:?xs=urn:btpk:[ Public Key (Hex) ]&s=[ Salt (Hex) ]"', () => {
    const link = { publicKey: fromHex(KEY)!, salt: fromHex('6e')!, trackers: [], peers: [] };
    const text = `magnet:?xs=urn:btpk:${KEY}&s=6e`;
    assert.equal(formatPublicationLink(link), text);
    assert.deepEqual(linkOf(text), link);
    assert.deepEqual(linkOf(text.toUpperCase()), link);
  });

  it('"xs (exact source) is used instead of xt": it is no link to a torrent, and a link to a torrent is none to a publication', () => {
    const parsed = parseMagnet(`magnet:?xs=urn:btpk:${KEY}`);
    assert(!parsed.ok && parsed.code === 'ERR_MAGNET_NO_INFO_HASH');
    const other = parsePublicationLink(`magnet:?xt=urn:btih:${'0'.repeat(40)}&xs=http://a/b`);
    assert(!other.ok && other.code === 'ERR_MAGNET_PUBLIC_KEY');
  });

  it('"the salt s is optional"; name, trackers and peers may stand beside it', () => {
    const link = {
      publicKey: fromHex(KEY)!,
      salt: new Uint8Array(0),
      displayName: 'a b',
      trackers: ['udp://10.0.0.1:1/announce'],
      peers: [{ host: '::1', port: 2 }],
    };
    assert.deepEqual(linkOf(formatPublicationLink(link)), link);
  });

  it('a key that is not 32 bytes and a salt that is no hex or longer than 64 bytes are errors that say so', () => {
    const codeOf = (text: string): unknown => {
      const parsed = parsePublicationLink(text);
      return parsed.ok ? 'ok' : parsed.code;
    };
    const at = (key: string, salt: string) => codeOf(`magnet:?xs=urn:btpk:${key}&s=${salt}`);
    assert.equal(at(KEY, 'ab'.repeat(64)), 'ok');
    assert.equal(at(KEY.slice(2), ''), 'ERR_MAGNET_PUBLIC_KEY');
    assert.equal(at(`${KEY.slice(1)}g`, ''), 'ERR_MAGNET_PUBLIC_KEY');
    for (const salt of ['ab'.repeat(65), 'abc', 'zz']) {
      assert.equal(at(KEY, salt), 'ERR_MAGNET_SALT', salt);
    }
    // Other programs may mean something else by "s" where a torrent is named.
    assert(parseMagnet(`magnet:?xt=urn:btih:${'0'.repeat(40)}&s=zz`).ok);
  });
});

describe('BEP 46, "Test Vectors"', () => {
  it('test 1 (magnet to target ID)', () => {
    assert.equal(
      targetOf(`magnet:?xs=urn:btpk:${KEY}`),
      'cc3f9d90b572172053626f9980ce261a850d050b',
    );
  });

  it('test 2 (magnet to targetID, with salt)', () => {
    const text = `magnet:?xs=urn:btpk:${KEY}&s=6e`;
    assert.equal(targetOf(text), '59ee7c2cb9b4f7eb1986ee2d18fd2fdb8a56554f');
  });
});
