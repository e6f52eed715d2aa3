/** BEP 9, "extension message": each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes, fromLatin1, toLatin1 } from '../../src/lib/bytes.ts';
import {
  decodeExtendedHandshake,
  decodeMetadataMessage,
  encodeExtendedHandshake,
  encodeMetadataData,
  encodeMetadataReject,
  encodeMetadataRequest,
  metadataPieceBytes,
} from '../../src/protocol/peer-wire/index.ts';

describe('BEP 9', () => {
  it('"All blocks are 16KiB except the last block which may be smaller."', () => {
    assert.deepEqual(
      [0, 1, 2].map((piece) => metadataPieceBytes(40_000, piece)),
      [16_384, 16_384, 7_232],
    );
  });

  it('"It also adds \\"metadata_size\\" to the handshake message (not the \\"m\\" dictionary)"', () => {
    const bytes = encodeExtendedHandshake({
      extensions: new Map([['ut_metadata', 3]]),
      metadataBytes: 31_235,
    });
    assert.equal(toLatin1(bytes), 'd1:md11:ut_metadatai3ee13:metadata_sizei31235ee');
    const decoded = decodeExtendedHandshake(bytes);
    assert.ok(decoded.ok && decoded.value.metadataBytes === 31_235);
  });

  it("\"{'msg_type': 0, 'piece': 0}\" is a request", () => {
    const text = 'd8:msg_typei0e5:piecei0ee';
    assert.equal(toLatin1(encodeMetadataRequest(0)), text);
    assert.deepEqual(decodeMetadataMessage(fromLatin1(text)), {
      ok: true,
      value: { type: 'request', piece: 0 },
    });
  });

  it("\"{'msg_type': 1, 'piece': 0, 'total_size': 3425}\" is data, followed by the piece", () => {
    const metadata = new Uint8Array(3425).fill(0x78);
    const text = 'd8:msg_typei1e5:piecei0e10:total_sizei3425ee';
    assert.deepEqual(encodeMetadataData(0, metadata), concatBytes(fromLatin1(text), metadata));
  });

  it('"The metadata piece is appended to the bencoded dictionary, it is not a part of the dictionary"', () => {
    const message = fromLatin1('d8:msg_typei1e5:piecei0e10:total_sizei5eei1e:e');
    const decoded = decodeMetadataMessage(message);
    assert.ok(decoded.ok && decoded.value.type === 'data');
    assert.equal(toLatin1(decoded.value.data), 'i1e:e');
  });

  it('"If it is not the last piece of the metadata, it MUST be 16kiB."', () => {
    const header = fromLatin1('d8:msg_typei1e5:piecei0e10:total_sizei40000ee');
    assert.equal(decodeMetadataMessage(concatBytes(header, new Uint8Array(16_384))).ok, true);
    assert.equal(decodeMetadataMessage(concatBytes(header, new Uint8Array(16_383))).ok, false);
  });

  it("\"{'msg_type': 2, 'piece': 0}\" is a reject", () => {
    const text = 'd8:msg_typei2e5:piecei0ee';
    assert.equal(toLatin1(encodeMetadataReject(0)), text);
    assert.deepEqual(decodeMetadataMessage(fromLatin1(text)), {
      ok: true,
      value: { type: 'reject', piece: 0 },
    });
  });

  it('"In order to support future extensability, an unrecognized message ID MUST be ignored."', () => {
    assert.deepEqual(decodeMetadataMessage(fromLatin1('d8:msg_typei9ee')), {
      ok: true,
      value: { type: 'unknown', messageType: 9 },
    });
  });
});
