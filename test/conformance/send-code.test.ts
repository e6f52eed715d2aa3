/** docs/protocol/send-code.md: our own specification of codes, by its sentences and its vectors (docs/protocol/vectors/send.json). */
import assert from 'node:assert/strict';
import { createHash, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeArgon2id } from '../../src/io/argon2.ts';
import { fromHex, toHex } from '../../src/lib/bytes.ts';
import { parsePeerId } from '../../src/protocol/identity/index.ts';
import { encodePakeMessage, lengthValues } from '../../src/protocol/pake/index.ts';
import { STRETCH, stretchCode } from '../../src/protocol/send/code.ts';
import { openRecord } from '../../src/protocol/send/index.ts';
import { decodeRecord, encodeRecord } from '../../src/protocol/send/rendezvous.ts';
import { SEND_VECTORS, sendVectors } from '../../tools/gen-vectors.ts';

interface KeyVector {
  readonly code: string;
  readonly hour: number;
  readonly [name: string]: string | number;
}
interface Vectors {
  readonly keys: readonly KeyVector[];
  readonly keyExchange: {
    readonly receiver: string;
    readonly sender: string;
    readonly channel: string;
    readonly messages: readonly string[];
  };
  readonly record: {
    readonly key: string;
    readonly value: string;
    readonly plainHead: string;
    readonly plainSha256: string;
    readonly record: { readonly peerId: string; readonly expiresAtMs: number };
  };
}

const hex = (text: string | number | undefined): Uint8Array => fromHex(String(text))!;
const vectors: Vectors = JSON.parse(readFileSync(SEND_VECTORS, 'utf8'));
const page = readFileSync(
  join(import.meta.dirname, '..', '..', 'docs/protocol/send-code.md'),
  'utf8',
);

describe('vectors', () => {
  it('are what the source gives; if not, run "node tools/gen-vectors.ts" and say in the page what changed', async () => {
    let runs = 0;
    const made = await sendVectors((code, hour) => {
      runs += 1;
      // Each run takes a second: the first is done, the others are taken from the file.
      if (runs === 1) return stretchCode(nodeArgon2id, code, hour);
      const known = vectors.keys.find((one) => one.code === code && one.hour === hour);
      return Promise.resolve(hex(known?.['stretched']));
    });
    assert.equal(runs, 3);
    assert.deepEqual(vectors, JSON.parse(JSON.stringify(made)));
  });

  it('have keys that HKDF-SHA-256 without salt gives, by the purposes of the page', () => {
    const lengths = { rendezvousSeed: 32, lanHash: 20, recordKey: 32, pakePassword: 32 };
    for (const one of vectors.keys) {
      for (const [name, bytes] of Object.entries(lengths)) {
        const info = `starling-send/1 ${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
        assert(page.includes(`\`${info}\``), `${info} is on the page`);
        const key = hkdfSync('sha256', hex(one['stretched']), new Uint8Array(0), info, bytes);
        assert.equal(one[name], Buffer.from(key).toString('hex'));
      }
    }
  });

  it('have salts that are SHA-256 of the domain, a zero byte and the hour', () => {
    for (const { hour, salt } of vectors.keys) {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(hour);
      const expected = createHash('sha256').update('starling-send/1 hour\0').update(bytes);
      assert.equal(salt, expected.digest('hex'));
    }
  });
});

describe('sentences', () => {
  it('"Argon2id (RFC 9106, version 1.3) with 262,144 KiB, 6 passes and 1 lane gives 32 bytes"', () => {
    assert.deepEqual(STRETCH, { memoryKib: 262_144, passes: 6, lanes: 1 });
    assert(page.includes('with 262,144 KiB, 6 passes and 1 lane gives 32 bytes'));
  });

  it('"CI is lv_cat of `starling-send/1 pake`, the receiver\'s peer id and the sender\'s"', () => {
    const { receiver, sender, channel } = vectors.keyExchange;
    const [a, b] = [parsePeerId(receiver), parsePeerId(sender)];
    assert(a.ok && b.ok);
    const expected = lengthValues(Buffer.from('starling-send/1 pake'), a.value, b.value);
    assert.equal(channel, toHex(expected));
  });

  it('"A share is the byte 1, then lv_cat(Y, AD); a confirmation is the byte 2, then the tag"', () => {
    const [first, , third] = vectors.keyExchange.messages.map(hex);
    assert.deepEqual([first![0], first![1], first![34], first!.length], [1, 32, 0, 35]);
    assert.deepEqual([third![0], third!.length], [2, 65]);
    assert.deepEqual(encodePakeMessage({ type: 'confirmation', tag: third!.slice(1) }), third);
  });

  it('"The value is a bencoded string of 840 bytes: 24 of nonce, 800 of record, 16 of tag"', () => {
    const { key, value, record, plainHead, plainSha256 } = vectors.record;
    assert.equal(hex(value).length, '840:'.length + 24 + 800 + 16);
    const opened = openRecord(hex(key), hex(value), record.expiresAtMs);
    assert(opened.ok);
    const plain = encodeRecord(opened.value);
    assert.equal(createHash('sha256').update(plain).digest('hex'), plainSha256);
    assert.equal(toHex(plain.subarray(0, plainHead.length / 2)), plainHead);
    assert(plain.subarray(plainHead.length / 2).every((byte) => byte === 0));
    assert.deepEqual(decodeRecord(plain), opened);
  });
});
