/** BEP 48, scrape: one test per sentence that binds the tracker's side. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1 } from '../../src/lib/bytes.ts';
import { parseIp } from '../../src/lib/ip-address.ts';
import { parseHttpScrape, percentEncode } from '../../src/protocol/tracker/index.ts';
import { HASH, reasonOf, TestCore } from '../support/tracker-core.ts';

const OTHER = fromLatin1('otherhash-otherhash!');
const query = (...hashes: readonly Uint8Array[]): string =>
  hashes.map((hash) => `info_hash=${percentEncode(hash)}`).join('&');

test('"complete", "incomplete", "downloaded" for each info_hash; "This key can be appended multiple times"', () => {
  const tracker = new TestCore();
  tracker.announce({ left: 0, event: 'completed' }, '203.0.113.1');
  tracker.announce({}, '203.0.113.2');
  tracker.announce({ info_hash: percentEncode(OTHER) }, '203.0.113.2');
  const unknown = new Uint8Array(20);
  const target = `/scrape?${query(HASH, OTHER, unknown)}`;
  const { body, status } = tracker.core.handleHttp(0, target, parseIp('203.0.113.9')!, false);
  const parsed = parseHttpScrape(status, body, [HASH, OTHER, unknown]);
  assert.ok(parsed.ok && parsed.value.type === 'scrape');
  const counts = parsed.value.counts.map((one) => one && [one.seeds, one.leeches, one.downloads]);
  assert.deepEqual(counts, [[1, 1, 1], [0, 1, 0], undefined]);
});

test('"scrape exchanges have no effect on a peer\'s participation in a swarm"', () => {
  const tracker = new TestCore();
  tracker.get(`/scrape?${query(HASH)}`);
  assert.deepEqual([tracker.core.store.torrentCount, tracker.core.store.peerCount], [0, 0]);
});

test('"The response to an unsuccessful request is a bencoded dictionary with the key failure reason": a scrape of all torrents too', () => {
  const tracker = new TestCore();
  assert.match(reasonOf(tracker.get('/scrape')), /a scrape of all torrents is not served/);
  assert.match(reasonOf(tracker.get('/scrape?info_hash=short')), /expected info_hash of 20 bytes/);
});

test('more than 74 info-hashes: the first 74 are answered', () => {
  const tracker = new TestCore();
  const hashes = Array.from({ length: 80 }, (_, index) => new Uint8Array(20).fill(index + 1));
  for (const hash of hashes) tracker.announce({ info_hash: percentEncode(hash) });
  const target = `/scrape?${query(...hashes)}`;
  const { body } = tracker.core.handleHttp(0, target, parseIp('203.0.113.9')!, false);
  const parsed = parseHttpScrape(200, body, hashes);
  assert.ok(parsed.ok && parsed.value.type === 'scrape');
  assert.equal(parsed.value.counts.filter((one) => one !== undefined).length, 74);
});

test('with a key, a scrape needs it as an announce does; /KEY/announce becomes /KEY/scrape', () => {
  const tracker = new TestCore({ keys: ['k1', 'k2'] });
  assert.match(reasonOf(tracker.get(`/scrape?${query(HASH)}`)), /needs a valid key/);
  for (const path of ['/k1/scrape', '/scrape/k2']) {
    assert.equal(reasonOf(tracker.get(`${path}?${query(HASH)}`)), '');
  }
});
