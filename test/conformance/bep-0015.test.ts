/** BEP 15, UDP tracker protocol: its time tables and the checks it asks of a client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readU32, toHex } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import {
  Announcer,
  type AnnouncerOutput,
  encodeUdpAnnounce,
  encodeUdpConnect,
  parseUdpReply,
  parseUdpScrape,
  Scraper,
} from '../../src/protocol/tracker/index.ts';
import { VirtualTrackers } from '../support/virtual-trackers.ts';

const T = 'udp://t.example:6969';
const HASH = new Uint8Array(20).fill(3);

/** Seconds since the start and actions (c, a) of all datagrams. */
function timetable(world: VirtualTrackers): string[] {
  const start = world.datagrams[0]!.atMs;
  return world.datagrams.map(({ atMs, action }) => `${(atMs - start) / 1000}${'ca'[action]}`);
}

/** An announcer that was started, and a way to hand it 32-bit words as a reply. */
function raw(): {
  next: () => AnnouncerOutput & { type: 'udp' };
  reply: (id: number, words: number[]) => void;
  announcer: Announcer;
} {
  const options = { tiers: [[T]], hashes: [HASH], peerId: HASH, port: 1, rng: new Rng(9) };
  const announcer = new Announcer(options);
  announcer.start(0);
  return {
    announcer,
    next: () => {
      const output = announcer.poll();
      assert.ok(output?.type === 'udp');
      return output;
    },
    reply: (id, words) => {
      const view = new DataView(new ArrayBuffer(words.length * 4));
      for (const [index, word] of words.entries()) view.setUint32(index * 4, word);
      announcer.handleUdpReply(0, id, new Uint8Array(view.buffer));
    },
  };
}

test('"retransmit the request, where n starts at 0 and is increased up to 8 (3840 seconds)" / "Connect times out"', () => {
  const world = new VirtualTrackers({ tiers: [[T]] });
  world.script(T, 'silence');
  world.start();
  world.advance(7_664_999);
  const expected = ['0c', '15c', '45c', '105c', '225c', '465c', '945c', '1905c', '3825c'];
  assert.deepEqual(timetable(world), expected);
});

test('"Announce times out": announced again at 15 s and 45 s, connected again when the connection ID expired', () => {
  const world = new VirtualTrackers({ tiers: [[T]] });
  let answersConnect = true;
  world.script(T, ({ event }) => {
    if (event !== 'connect') return 'silence';
    const answer = answersConnect ? {} : ('silence' as const);
    answersConnect = false;
    return answer;
  });
  world.start();
  world.advance(226_000);
  // The table of the BEP begins with the announce at t = 2, so all its times are 2 s later.
  assert.deepEqual(timetable(world), ['0c', '0a', '15a', '45a', '105c', '225c']);
});

test('"A client can use a connection ID until one minute after it has received it." / "Multiple requests"', () => {
  const world = new VirtualTrackers({ tiers: [[T]] });
  world.stats(100);
  world.start();
  world.advance(4_000);
  world.complete();
  world.advance(55_000);
  world.announcer.addHash(world.nowMs, new Uint8Array(20).fill(4));
  world.drain();
  world.advance(1_000);
  world.needPeers();
  assert.deepEqual(timetable(world), ['0c', '0a', '4a', '59a']);
  world.advance(4_000);
  world.needPeers();
  assert.deepEqual(timetable(world), ['0c', '0a', '4a', '59a', '64c', '64a']);
});

test('"Choose a random transaction ID."', () => {
  const ids = new Set<number>();
  for (let seed = 0; seed < 100; seed += 1) {
    const world = new VirtualTrackers({ tiers: [[T]], rng: new Rng(seed) });
    world.start();
    for (const { id } of world.datagrams) ids.add(id);
  }
  assert.equal(ids.size, 200);
});

test('"connect request": magic constant, action 0, transaction_id', () => {
  assert.equal(toHex(encodeUdpConnect(1)), '00000417271019800000000000000001');
});

test('"Check whether the packet is at least 16 bytes."', () => {
  const { reply, next, announcer } = raw();
  const { requestId } = next();
  reply(requestId, [0, requestId, 1]);
  assert.equal(announcer.poll(), undefined);
});

test('"Check whether the transaction ID is equal to the one you chose."', () => {
  const { reply, next, announcer } = raw();
  const { requestId } = next();
  reply(requestId, [0, requestId + 1, 1, 2]);
  assert.equal(announcer.poll(), undefined);
});

test('"Check whether the action is connect."', () => {
  const { reply, next, announcer } = raw();
  const { requestId } = next();
  reply(requestId, [1, requestId, 1, 2, 3]);
  assert.equal(announcer.poll(), undefined);
});

test('"Store the connection ID for future use."', () => {
  const { reply, next } = raw();
  const { requestId } = next();
  reply(requestId, [0, requestId, 0xaabbccdd, 0x11223344]);
  assert.equal(toHex(next().bytes.subarray(0, 8)), 'aabbccdd11223344');
});

test('"Check whether the packet is at least 20 bytes." "Check whether the action is announce."', () => {
  const { reply, next, announcer } = raw();
  const connect = next();
  reply(connect.requestId, [0, connect.requestId, 1, 2]);
  const { requestId } = next();
  reply(requestId, [1, requestId, 1800, 1]);
  reply(requestId, [0, requestId, 1800, 1, 1]);
  reply(requestId, [2, requestId, 1800, 1, 1]);
  assert.equal(announcer.status[0]!.activity, 'announcing');
  reply(requestId, [1, requestId, 1800, 1, 1]);
  assert.equal(announcer.status[0]!.activity, 'working');
});

test('"Do not announce again until interval seconds have passed or an event has occurred."', () => {
  const world = new VirtualTrackers({ tiers: [[T]] });
  world.stats(100);
  world.script(T, { interval: 900 });
  world.start();
  world.advance(899_999);
  assert.equal(world.announces.length, 1);
  world.advance(1);
  assert.equal(world.announces.length, 2);
  world.complete();
  assert.equal(world.announces.length, 3);
});

test('"IPv4 announce request": the offsets of all fields', () => {
  const bytes = encodeUdpAnnounce({
    connectionId: Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1),
    transactionId: 2,
    infoHash: HASH,
    peerId: new Uint8Array(20).fill(4),
    downloadedBytes: 5,
    leftBytes: 6,
    uploadedBytes: 7,
    event: 'stopped',
    key: 8,
    numWant: 9,
    port: 10,
    urlData: '',
  });
  assert.equal(bytes.length, 98);
  const words = [8, 12, 60, 68, 76, 80, 84, 88, 92].map((offset) => readU32(bytes, offset));
  assert.deepEqual(words, [1, 2, 5, 6, 7, 3, 0, 8, 9]);
  assert.deepEqual(bytes.subarray(16, 36), HASH);
  assert.deepEqual(bytes.subarray(36, 56), new Uint8Array(20).fill(4));
  assert.deepEqual([...bytes.subarray(96)], [0, 10]);
});

test('"the stride size of <IP address, TCP port> pairs in the response is 18 bytes instead of 6."', () => {
  const bytes = new Uint8Array(20 + 36).fill(0x20);
  bytes.set([0, 0, 0, 1], 0);
  const reply = parseUdpReply(bytes, 16);
  assert.ok(reply.ok && reply.value.type === 'announce');
  const host = '2020:2020:2020:2020:2020:2020:2020:2020';
  assert.deepEqual(reply.value.peers, [{ host, port: 0x2020 }]);
});

test('"IP address field … should always be set to 0." (IPv6, and IPv4 alike)', () => {
  const { reply, next } = raw();
  const { requestId } = next();
  reply(requestId, [0, requestId, 1, 2]);
  assert.equal(readU32(next().bytes, 84), 0);
});

test('"Clients and trackers should not assume packets to be of a certain size."', () => {
  const connect = parseUdpReply(new Uint8Array(40), 4);
  assert.ok(connect.ok && connect.value.type === 'connect');
  const bytes = new Uint8Array(20 + 6 + 5).fill(9);
  bytes.set([0, 0, 0, 1], 0);
  const announce = parseUdpReply(bytes, 4);
  assert.ok(announce.ok && announce.value.type === 'announce');
  assert.equal(announce.value.peers.length, 1);
});

test('"If the tracker encounters an error, it might send an error packet."', () => {
  const { reply, next, announcer } = raw();
  const { requestId } = next();
  reply(requestId, [3, requestId, 0x62757379]);
  assert.deepEqual(announcer.poll(), {
    type: 'failure',
    trackerUrl: T,
    infoHash: HASH,
    code: 'ERR_TRACKER_REFUSED',
    message: 'busy',
  });
});

test('"Before announcing or scraping, you have to obtain a connection ID." / "Up to about 74 torrents can be scraped at once."', () => {
  const hashes = Array.from({ length: 80 }, (_, index) => new Uint8Array(20).fill(index));
  const scraper = new Scraper({ trackers: [T], hashes, rng: new Rng(9) });
  scraper.start(0);
  const connect = scraper.poll();
  assert.ok(connect?.type === 'udp');
  assert.deepEqual(connect.bytes, encodeUdpConnect(connect.requestId));
  const reply = new DataView(new ArrayBuffer(16));
  reply.setUint32(4, connect.requestId);
  reply.setUint32(12, 77);
  scraper.handleUdpReply(0, connect.requestId, new Uint8Array(reply.buffer));
  const scrape = scraper.poll();
  assert.ok(scrape?.type === 'udp');
  // connection_id, action 2, transaction_id, then info_hash after info_hash
  assert.equal(toHex(scrape.bytes.subarray(0, 12)), '000000000000004d00000002');
  assert.equal(readU32(scrape.bytes, 12), scrape.requestId);
  assert.equal(scrape.bytes.length, 16 + 74 * 20);
  assert.deepEqual(scrape.bytes.subarray(36, 56), hashes[1]);
});

test('scrape response: "seeders", "completed", "leechers" for each info-hash, in this order', () => {
  const words = [2, 9, 1, 2, 3, 4, 5, 6];
  const view = new DataView(new ArrayBuffer(words.length * 4));
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word);
  const reply = parseUdpScrape(new Uint8Array(view.buffer), 2);
  assert.ok(reply.ok && reply.value.type === 'scrape');
  assert.deepEqual(reply.value.counts, [
    { seeds: 1, downloads: 2, leeches: 3 },
    { seeds: 4, downloads: 5, leeches: 6 },
  ]);
});
