import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readU32, writeU32 } from '../../lib/bytes.ts';
import { Rng } from '../../lib/rng.ts';
import { encode } from '../bencode/index.ts';
import type { AnnouncerOutput } from './index.ts';
import { Scraper } from './scraper.ts';

const UDP = 'udp://t.example:6969/announce';
const HTTP = 'http://h.example/announce';

function hashes(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const hash = new Uint8Array(20);
    writeU32(hash, 16, index);
    return hash;
  });
}

function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  for (const [index, value] of values.entries()) writeU32(bytes, index * 4, value);
  return bytes;
}

function nextUdp(scraper: Scraper): AnnouncerOutput & { type: 'udp' } {
  const output = scraper.poll();
  assert.ok(output?.type === 'udp');
  return output;
}

test('UDP: a connection id first, then groups of 74 hashes one after another, each answered in its order', () => {
  const scraper = new Scraper({ trackers: [UDP], hashes: hashes(100), rng: new Rng(1) });
  scraper.start(0);
  const connect = nextUdp(scraper);
  assert.deepEqual([connect.bytes.length, connect.host, connect.port], [16, 't.example', 6969]);
  scraper.handleUdpReply(1, connect.requestId, words(0, connect.requestId, 7, 8));
  for (const [from, count] of [
    [0, 74],
    [74, 26],
  ] as const) {
    const scrape = nextUdp(scraper);
    assert.equal(scraper.poll(), undefined);
    assert.deepEqual([...scrape.bytes.subarray(0, 12)], [...words(7, 8, 2)]);
    assert.equal(scrape.bytes.length, 16 + 20 * count);
    assert.equal(readU32(scrape.bytes, 16 + 16), from);
    const triples = Array.from({ length: count }, (_, index) => [from + index, 2, 3]).flat();
    scraper.handleUdpReply(2, scrape.requestId, words(2, scrape.requestId, ...triples));
  }
  assert.equal(scraper.isDone, true);
  const [result] = scraper.results;
  assert.equal(result!.error, undefined);
  assert.equal(result!.counts.length, 100);
  assert.deepEqual(result!.counts[99], { seeds: 99, downloads: 2, leeches: 3 });
});

test('a silent UDP tracker gets each datagram twice, and does not keep others from answering', () => {
  const scraper = new Scraper({ trackers: [UDP, HTTP], hashes: hashes(1), rng: new Rng(1) });
  scraper.start(0);
  const first = nextUdp(scraper);
  const get = scraper.poll();
  assert.ok(get?.type === 'http');
  const files = new Map([[String.fromCharCode(...hashes(1)[0]!), { complete: 5, incomplete: 6 }]]);
  scraper.handleHttpReply(1, get.requestId, { status: 200, body: encode({ files }) });
  assert.equal(scraper.nextTimeoutMs(), 15_000);
  scraper.handleTimeout(15_000);
  const second = nextUdp(scraper);
  assert.deepEqual([second.requestId, second.bytes], [first.requestId, first.bytes]);
  assert.equal(scraper.isDone, false);
  scraper.handleTimeout(45_000);
  assert.equal(scraper.isDone, true);
  assert.match(scraper.results[0]!.error!, /got none/);
  assert.deepEqual(scraper.results[1]!.counts, [{ seeds: 5, leeches: 6 }]);
});

test('a forged, short or foreign datagram is ignored, an error ends the tracker, a short reply counts as far as it goes', () => {
  const scraper = new Scraper({ trackers: [UDP], hashes: hashes(2), rng: new Rng(1) });
  scraper.start(0);
  const { requestId } = nextUdp(scraper);
  scraper.handleUdpReply(1, requestId, words(0, requestId + 1, 7, 8));
  scraper.handleUdpReply(1, requestId, words(0, requestId));
  scraper.handleUdpReply(1, requestId, words(2, requestId, 7, 8));
  scraper.handleUdpReply(1, 99, words(0, 99, 7, 8));
  assert.equal(scraper.poll(), undefined);
  scraper.handleUdpReply(1, requestId, words(0, requestId, 7, 8));
  const scrape = nextUdp(scraper);
  scraper.handleUdpReply(2, scrape.requestId, words(1, scrape.requestId, 1, 2, 3));
  assert.equal(scraper.isDone, false);
  scraper.handleUdpReply(2, scrape.requestId, words(2, scrape.requestId, 1, 2, 3));
  assert.deepEqual(scraper.results[0]!.counts, [{ seeds: 1, downloads: 2, leeches: 3 }, undefined]);

  const refused = new Scraper({ trackers: [UDP], hashes: hashes(1), rng: new Rng(1) });
  refused.start(0);
  const { requestId: id } = nextUdp(refused);
  refused.handleUdpReply(1, id, Uint8Array.of(...words(3, id), 110, 111));
  assert.deepEqual([refused.isDone, refused.results[0]!.error], [true, 'no']);
});

test('bounds: trackers, hashes, and what the caller may not ask', () => {
  const trackers = Array.from({ length: 150 }, (_, index) => `http://t${index}.example/announce`);
  const scraper = new Scraper({
    trackers: [...trackers, ...trackers],
    hashes: hashes(1),
    rng: new Rng(1),
  });
  assert.equal(scraper.results.length, 100);
  const bad = { code: 'ERR_TRACKER_BAD_OPTION' };
  assert.throws(() => new Scraper({ trackers, hashes: [], rng: new Rng(1) }), bad);
  assert.throws(() => new Scraper({ trackers, hashes: hashes(1_001), rng: new Rng(1) }), bad);
  assert.throws(
    () => new Scraper({ trackers, hashes: [new Uint8Array(32)], rng: new Rng(1) }),
    bad,
  );
});

test('a request that could not be made ends its tracker', () => {
  const scraper = new Scraper({ trackers: [HTTP], hashes: hashes(1), rng: new Rng(1) });
  scraper.start(0);
  scraper.handleFailure(1, scraper.poll()!.type === 'http' ? 0x1_0000_0000 : 0, 'refused');
  assert.deepEqual(scraper.results, [{ url: HTTP, counts: [], error: 'refused' }]);
});
