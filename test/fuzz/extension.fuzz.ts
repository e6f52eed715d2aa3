/** Any bytes as payload of an extended message: no throw, every field inside its bounds. */
import assert from 'node:assert/strict';
import { fromLatin1 } from '../../src/lib/bytes.ts';
import {
  decodeDontHave,
  decodeExtendedHandshake,
  decodeMetadataMessage,
  encodeExtendedHandshake,
  MAX_METADATA_BYTES,
  PeerExtensions,
} from '../../src/protocol/peer-wire/index.ts';

/** Read by the fuzz runner. */
export const target = {
  name: 'extension',
  seeds: [
    'de',
    'd1:md11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei31235e1:pi6881e4:reqqi250e1:v12:Starling 0.1e',
    'd11:upload_onlyi1e6:yourip4:abcd4:ipv616:abcdefghijklmnope',
    'd8:msg_typei0e5:piecei0ee',
    'd8:msg_typei1e5:piecei0e10:total_sizei4eeabcd',
    'd8:msg_typei2e5:piecei0ee',
    '\0\0\0\x07',
  ].map(fromLatin1),
  run(bytes: Uint8Array): void {
    const handshake = decodeExtendedHandshake(bytes);
    if (handshake.ok) {
      const { value } = handshake;
      assert.ok(value.extensions.size <= 64);
      assert.ok((value.client?.length ?? 0) <= 64);
      assert.ok((value.metadataBytes ?? 1) <= MAX_METADATA_BYTES);
      new PeerExtensions().apply(value.extensions);
      // A cut surrogate pair of the name may come back as a replacement character; all else is stable.
      const again = decodeExtendedHandshake(encodeExtendedHandshake(value));
      assert.ok(again.ok);
      assert.deepEqual({ ...again.value, client: '' }, { ...value, client: '' });
    }
    const message = decodeMetadataMessage(bytes);
    if (message.ok && message.value.type === 'data') {
      assert.ok(message.value.data.length <= 16_384);
    }
    decodeDontHave(bytes);
  },
};
