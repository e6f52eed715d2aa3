/** BEP 10, extension protocol: each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromLatin1, toLatin1 } from '../../src/lib/bytes.ts';
import {
  decodeExtendedHandshake,
  decodeMessage,
  type ExtendedHandshake,
  encodeExtendedHandshake,
  MessageWriter,
  makeReserved,
  PeerExtensions,
  parseReserved,
} from '../../src/protocol/peer-wire/index.ts';

function decoded(text: string): ExtendedHandshake {
  const result = decodeExtendedHandshake(fromLatin1(text));
  assert.ok(result.ok);
  return result.value;
}

describe('BEP 10', () => {
  it('"(reserved_byte[5] & 0x10) is the expression to use for checking if the client supports extended messaging"', () => {
    assert.equal(makeReserved({ extension: true })[5], 0x10);
    assert.equal(parseReserved(Uint8Array.of(0, 0, 0, 0, 0, 0x10, 0, 0)).extension, true);
    assert.equal(
      parseReserved(Uint8Array.of(0x10, 0x10, 0, 0, 0x10, 0, 0x10, 0x10)).extension,
      false,
    );
  });

  it('"a 4 byte length prefix and a single byte identifying the message (the single byte being 20 in this case)"', () => {
    const writer = new MessageWriter();
    writer.extended(3, Uint8Array.of(1, 2));
    assert.deepEqual([...writer.take()], [0, 0, 0, 4, 20, 3, 1, 2]);
  });

  it('"At the start of the payload of the message, is a single byte message identifier."', () => {
    const result = decodeMessage(Uint8Array.of(20, 7, 9));
    assert.deepEqual(result, {
      ok: true,
      value: { type: 'extended', id: 7, payload: Uint8Array.of(9) },
    });
    assert.equal(decodeMessage(Uint8Array.of(20)).ok, false);
  });

  it('"All items in the dictionary are optional."', () => {
    assert.deepEqual(decoded('de'), { extensions: new Map() });
  });

  it('"Any unknown names should be ignored by the client."', () => {
    assert.deepEqual(decoded('d3:fooli1ee1:zd1:xi1eee'), { extensions: new Map() });
  });

  it('"All parts of the dictionary are case sensitive."', () => {
    assert.deepEqual(decoded('d1:Md11:ut_metadatai1ee1:V1:xe'), { extensions: new Map() });
  });

  it('"Dictionary of supported extension messages which maps names of extensions to an extended message ID"', () => {
    assert.deepEqual(
      decoded('d1:md11:LT_metadatai1e6:ut_pexi2eee').extensions,
      new Map([
        ['LT_metadata', 1],
        ['ut_pex', 2],
      ]),
    );
  });

  it('"Setting an extension number to zero means that the extension is not supported/disabled."', () => {
    const peer = new PeerExtensions();
    peer.apply(decoded('d1:md11:LT_metadatai0eee').extensions);
    assert.equal(peer.idOf('LT_metadata'), undefined);
  });

  it('"Local TCP listen port." (p)', () => {
    assert.equal(decoded('d1:pi6881ee').port, 6881);
  });

  it('"Client name and version (as a utf-8 string)." (v)', () => {
    assert.equal(decoded('d1:v13:\xc2\xb5Torrent 1.2e').client, 'µTorrent 1.2');
    const bytes = encodeExtendedHandshake({ extensions: new Map(), client: 'µTorrent 1.2' });
    assert.equal(toLatin1(bytes), 'd1:mde1:v13:\xc2\xb5Torrent 1.2e');
  });

  it('"This may be either an IPv4 (4 bytes) or an IPv6 (16 bytes) address." (yourip)', () => {
    assert.equal(decoded('d6:yourip4:abcde').yourIp?.length, 4);
    assert.equal(decoded('d6:yourip16:abcdefghijklmnope').yourIp?.length, 16);
    assert.equal(decoded('d6:yourip6:abcdefe').yourIp, undefined);
  });

  it('"the compact representation of that address" (ipv6, ipv4)', () => {
    const handshake = decoded('d4:ipv44:abcd4:ipv616:abcdefghijklmnope');
    assert.equal(handshake.ipv4?.length, 4);
    assert.equal(handshake.ipv6?.length, 16);
  });

  it('"the number of outstanding request messages this client supports without dropping any" (reqq)', () => {
    assert.equal(decoded('d4:reqqi250ee').reqq, 250);
  });

  it('"the encoded form" of the example', () => {
    const handshake = decoded(
      'd1:md11:LT_metadatai1e6:\xb5T_PEXi2ee1:pi6881e1:v13:\xc2\xb5Torrent 1.2e',
    );
    assert.equal(handshake.port, 6881);
    assert.equal(handshake.extensions.get('LT_metadata'), 1);
    assert.equal(handshake.extensions.get('\xb5T_PEX'), 2);
  });

  it('"it should note that the m dictionary is additive"', () => {
    const peer = new PeerExtensions();
    peer.apply(decoded('d1:md11:LT_metadatai1eee').extensions);
    peer.apply(decoded('d1:md6:ut_pexi2eee').extensions);
    assert.deepEqual([peer.idOf('LT_metadata'), peer.idOf('ut_pex')], [1, 2]);
    peer.apply(decoded('d1:md11:LT_metadatai0eee').extensions);
    assert.deepEqual([peer.idOf('LT_metadata'), peer.idOf('ut_pex')], [undefined, 2]);
  });
});
