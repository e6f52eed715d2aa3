import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { concatBytes, fromLatin1 } from '../../lib/bytes.ts';
import { decodeDontHave, encodeDontHave } from './dont-have.ts';
import {
  decodeExtendedHandshake,
  type ExtendedHandshake,
  encodeExtendedHandshake,
  PeerExtensions,
} from './extended.ts';
import {
  decodeMetadataMessage,
  encodeMetadataData,
  encodeMetadataReject,
  encodeMetadataRequest,
  metadataPieceBytes,
  metadataPieceCount,
} from './metadata-messages.ts';

function decoded(text: string): ExtendedHandshake {
  const result = decodeExtendedHandshake(fromLatin1(text));
  assert.ok(result.ok, 'expected a handshake');
  return result.value;
}

describe('extension handshake', () => {
  it('comes back as it was written', () => {
    const handshake: ExtendedHandshake = {
      extensions: new Map([
        ['ut_metadata', 1],
        ['lt_donthave', 7],
      ]),
      client: 'Starling 0.1.0 µ',
      port: 6881,
      reqq: 500,
      metadataBytes: 31_235,
      uploadOnly: true,
      yourIp: Uint8Array.of(1, 2, 3, 4),
      ipv4: Uint8Array.of(5, 6, 7, 8),
      ipv6: new Uint8Array(16).fill(9),
    };
    assert.deepEqual(decodeExtendedHandshake(encodeExtendedHandshake(handshake)), {
      ok: true,
      value: handshake,
    });
  });

  it('reads an empty dictionary as nothing known', () => {
    assert.deepEqual(decoded('de'), { extensions: new Map() });
  });

  it('takes fields of a wrong type or range as absent', () => {
    const texts = [
      'd1:mle1:pi0e4:reqqi0e1:vi1ee',
      'd13:metadata_sizei0e1:pi65536e1:v0:6:yourip3:abce',
      'd13:metadata_sizei33554433e1:p4:68816:yourip5:abcdee',
      'd4:ipv43:abc4:ipv64:abcde',
      'd13:metadata_sizei-1e4:reqqi-5ee',
    ];
    for (const text of texts) assert.deepEqual(decoded(text), { extensions: new Map() }, text);
  });

  it('keeps names, ids, the client name and reqq within bounds', () => {
    const names = Array.from({ length: 100 }, (_, i) => `x${String(i).padStart(3, '0')}`);
    const m = names.map((name) => `4:${name}i5e`).join('');
    assert.equal(decoded(`d1:md${m}ee`).extensions.size, 64);
    assert.equal(decoded(`d1:md2:aai256e2:bbi-1e2:cci3eee`).extensions.size, 1);
    assert.equal(decoded(`d1:md65:${'a'.repeat(65)}i1eee`).extensions.size, 0);
    assert.equal(decoded(`d1:v200:${'v'.repeat(200)}e`).client?.length, 64);
    assert.equal(decoded('d1:v5:a\x1b[1me').client, 'a[1m');
    assert.equal(decoded('d4:reqqi1000000ee').reqq, 65_535);
  });

  it('is refused when it is no dictionary, with the reason', () => {
    for (const text of ['', 'i1e', 'le', 'd1:m', 'dee']) {
      const result = decodeExtendedHandshake(fromLatin1(text));
      assert.ok(!result.ok && result.code === 'ERR_EXTENDED_HANDSHAKE', text);
      assert.match(result.message, /expected a bencoded dictionary, got /);
    }
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        decodeExtendedHandshake(bytes);
        decodeMetadataMessage(bytes);
        decodeDontHave(bytes);
      }),
    );
  });
});

describe('PeerExtensions', () => {
  it('adds up handshakes, and 0 turns a name off', () => {
    const peer = new PeerExtensions();
    peer.apply(new Map([['ut_metadata', 3]]));
    peer.apply(new Map([['ut_pex', 1]]));
    assert.equal(peer.idOf('ut_metadata'), 3);
    peer.apply(new Map([['ut_metadata', 0]]));
    assert.equal(peer.idOf('ut_metadata'), undefined);
    assert.equal(peer.idOf('ut_pex'), 1);
  });

  it('holds 64 names at most, over any number of handshakes', () => {
    const peer = new PeerExtensions();
    for (let i = 0; i < 100; i += 1) peer.apply(new Map([[`x${i}`, 1]]));
    assert.equal(peer.idOf('x63'), 1);
    assert.equal(peer.idOf('x64'), undefined);
    peer.apply(new Map([['x5', 9]]));
    assert.equal(peer.idOf('x5'), 9);
  });
});

describe('metadata messages', () => {
  it('come back as they were written', () => {
    const metadata = new Uint8Array(40_000).map((_, i) => i);
    for (let piece = 0; piece < metadataPieceCount(metadata.length); piece += 1) {
      const result = decodeMetadataMessage(encodeMetadataData(piece, metadata));
      const data = metadata.subarray(piece * 16_384, (piece + 1) * 16_384);
      assert.deepEqual(result, {
        ok: true,
        value: { type: 'data', piece, totalBytes: 40_000, data },
      });
    }
    assert.deepEqual(decodeMetadataMessage(encodeMetadataRequest(2)), {
      ok: true,
      value: { type: 'request', piece: 2 },
    });
    assert.deepEqual(decodeMetadataMessage(encodeMetadataReject(2)), {
      ok: true,
      value: { type: 'reject', piece: 2 },
    });
  });

  it('know the lengths of pieces', () => {
    assert.equal(metadataPieceCount(16_384), 1);
    assert.equal(metadataPieceCount(16_385), 2);
    assert.equal(metadataPieceBytes(16_385, 0), 16_384);
    assert.equal(metadataPieceBytes(16_385, 1), 1);
  });

  it('are refused with missing or wild fields, or data of a wrong length', () => {
    const bad = [
      'de',
      'd8:msg_type1:0e',
      'd8:msg_typei0ee',
      'd8:msg_typei0e5:piecei-1ee',
      'd8:msg_typei0e5:piecei2048ee',
      'd8:msg_typei1e5:piecei0ee',
      'd8:msg_typei1e5:piecei0e10:total_sizei0ee',
      'd8:msg_typei1e5:piecei0e10:total_sizei33554433ee',
      'd8:msg_typei1e5:piecei0e10:total_sizei5eeabcd',
      'd8:msg_typei1e5:piecei0e10:total_sizei5eeabcdef',
      'd8:msg_typei1e5:piecei1e10:total_sizei5eeabcde',
      'le',
      'x',
    ];
    for (const text of bad) {
      const result = decodeMetadataMessage(fromLatin1(text));
      assert.ok(!result.ok && result.code === 'ERR_METADATA_MESSAGE', text);
    }
  });

  it('cannot be made for a piece that is not there', () => {
    for (const piece of [-1, 1, 0.5]) {
      assert.throws(() => encodeMetadataData(piece, new Uint8Array(10)), {
        code: 'ERR_PEER_WIRE_ARGUMENT',
      });
    }
  });
});

describe('lt_donthave', () => {
  it('is one piece index of four bytes', () => {
    assert.deepEqual([...encodeDontHave(258)], [0, 0, 1, 2]);
    assert.deepEqual(decodeDontHave(encodeDontHave(258)), { ok: true, value: 258 });
    assert.equal(decodeDontHave(concatBytes(encodeDontHave(1), Uint8Array.of(0))).ok, false);
  });
});
