/** BEP 23, compact peer lists, and BEP 21, partial seeds: what a tracker does of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../src/lib/bytes.ts';
import { BencodeDict } from '../../src/protocol/bencode/index.ts';
import { percentEncode } from '../../src/protocol/tracker/index.ts';
import { HASH, TestCore } from '../support/tracker-core.ts';

test('"It is SUGGESTED that trackers return compact format by default."', () => {
  const tracker = new TestCore();
  tracker.announce({}, '203.0.113.7');
  const reply = tracker.announce({}, '203.0.113.8');
  assert.equal(toHex(reply.bytes('peers')!), 'cb0071071ae1');
});

test('"compact=1 advises the tracker that the client prefers compact format"; "compact=0 … the original format"', () => {
  const tracker = new TestCore();
  tracker.announce({}, '203.0.113.7');
  assert.equal(tracker.announce({ compact: 1 }, '203.0.113.8').bytes('peers')!.length, 6);
  assert.equal(tracker.announce({ compact: 0 }, '203.0.113.8').list('peers')!.length, 1);
});

test('"the value is a bencoded string": an empty one when nobody is there', () => {
  assert.equal(new TestCore().announce().bytes('peers')!.length, 0);
});

test('BEP 21: "it MUST add a fourth field, \'downloaders\' … it does not include partial seeds"', () => {
  const tracker = new TestCore();
  tracker.announce({ event: 'paused' }, '203.0.113.1');
  tracker.announce({}, '203.0.113.2');
  tracker.announce({ left: 0 }, '203.0.113.3');
  const files = tracker.get(`/scrape?info_hash=${percentEncode(HASH)}`).get('files');
  assert.ok(files instanceof BencodeDict);
  const counts = [...files.entries()][0]![1];
  assert.ok(counts instanceof BencodeDict);
  assert.deepEqual(
    ['complete', 'incomplete', 'downloaders'].map((key) => counts.int(key)),
    [1, 2, 1],
  );
});

test('BEP 21: "event=paused … in every announce while it is a partial seed": without it, it downloads again', () => {
  const tracker = new TestCore();
  tracker.announce({ event: 'paused' });
  assert.equal(tracker.core.store.tally(HASH)!.leeches, 0);
  tracker.announce();
  assert.equal(tracker.core.store.tally(HASH)!.leeches, 1);
});
