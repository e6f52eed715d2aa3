/** BEP 12, "Metadata Extension": what a torrent says; the order of announcing is the tracker client's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeDict, type Encodable, encode } from '../../src/protocol/bencode/index.ts';
import { parseMetainfo } from '../../src/protocol/metainfo/index.ts';
import { nodeCrypto } from '../support/node-crypto.ts';
import { makeTorrent } from '../support/torrents.ts';

const info = { name: 'n', 'piece length': 16_384, length: 1, pieces: new Uint8Array(20) };

function trackers(around: Record<string, Encodable>): unknown {
  const result = parseMetainfo(encode({ info, ...around }), nodeCrypto);
  return result.ok ? result.value.trackers : result.code;
}

test('"This key will refer to a list of lists of URLs, and will contain a list of tiers of announces."', () => {
  const tiers = [['http://tracker1/', 'http://tracker2/'], ['http://backup1/']];
  assert.deepEqual(trackers({ 'announce-list': tiers }), tiers);
});

test('"In addition to the standard "announce" key, in the main area of the metadata file and not part of the "info" section, will be a new key, "announce-list"."', () => {
  assert.deepEqual(trackers({ info: { ...info, 'announce-list': [['http://a/']] } }), []);
  const options = { name: 'n', isSingleFile: true };
  const made = makeTorrent([{ path: [], bytes: new Uint8Array(1) }], options, {
    trackers: [['http://a/'], ['http://b/']],
  });
  const root = decodeDict(made.bytes);
  assert.ok(root.ok);
  assert.equal(root.value.text('announce'), 'http://a/');
  assert.equal(root.value.list('announce-list')!.length, 2);
  assert.equal(root.value.dict('info')!.has('announce-list'), false);
});

test('"if the "announce-list" key is present, the client will ignore the "announce" key and only use the URLs in "announce-list"."', () => {
  const around = { announce: 'http://old/', 'announce-list': [['http://new/']] };
  assert.deepEqual(trackers(around), [['http://new/']]);
});
