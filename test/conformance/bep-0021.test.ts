/** BEP 21, partial seeds, the part in the extension handshake: each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromLatin1, toLatin1 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import {
  decodeExtendedHandshake,
  encodeExtendedHandshake,
} from '../../src/protocol/peer-wire/index.ts';
import { Choker } from '../../src/protocol/swarm/choker.ts';
import { candidate } from '../support/choke-candidate.ts';

function uploadOnly(text: string): boolean | undefined {
  const result = decodeExtendedHandshake(fromLatin1(text));
  assert.ok(result.ok);
  return result.value.uploadOnly;
}

describe('BEP 21', () => {
  it('"A peer that is a partial seed SHOULD include an extra header in the extension handshake, \'upload_only\'."', () => {
    const bytes = encodeExtendedHandshake({
      extensions: new Map([['ut_metadata', 3]]),
      uploadOnly: true,
    });
    assert.equal(toLatin1(bytes), 'd1:md11:ut_metadatai3ee11:upload_onlyi1ee');
  });

  it('"Setting the value of this key to 1 indicates that this peer is not interested in downloading anything."', () => {
    assert.equal(uploadOnly('d11:upload_onlyi1ee'), true);
    assert.equal(uploadOnly('d11:upload_onlyi0ee'), false);
    assert.equal(uploadOnly('de'), undefined);
    const choker = new Choker({ rng: new Rng(1) });
    const partialSeed = candidate(1, { isUploadOnly: true, downloadBytesPerSec: 9e6 });
    assert.deepEqual(choker.run(0, [partialSeed], 'leech').unchoke, []);
  });
});
