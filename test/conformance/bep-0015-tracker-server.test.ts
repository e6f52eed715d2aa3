/** BEP 15, UDP trackers: one test per sentence that binds the tracker's side. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readU32, toHex } from '../../src/lib/bytes.ts';
import { parseUdpReply, parseUdpScrape } from '../../src/protocol/tracker/index.ts';
import {
  announceRequest,
  connectRequest,
  errorOf,
  HASH,
  TestCore,
  words,
} from '../support/tracker-core.ts';

test('"connect response": action 0, the transaction_id, connection_id; 16 bytes, no more than the request had', () => {
  const reply = new TestCore().send(connectRequest(0xabcd0123))!;
  assert.equal(reply.length, 16);
  assert.deepEqual(words(reply, 2), [0, 0xabcd0123]);
});

test('"The tracker verifies the connection_id and ignores the request if it doesn\'t match."', () => {
  const tracker = new TestCore();
  const id = tracker.connect();
  for (let bit = 0; bit < 64; bit += 1) {
    const wrong = id.slice();
    wrong[bit >> 3] = wrong[bit >> 3]! ^ (1 << (bit & 7));
    assert.equal(tracker.send(announceRequest(wrong)), undefined);
  }
  assert.equal(tracker.core.counters.refused.ERR_TRACKER_CONNECTION_ID, 64);
  assert.ok(tracker.send(announceRequest(id)) !== undefined);
});

test('"it is possible to spoof the source address of a UDP packet": an id is good for the address it was sent to', () => {
  const tracker = new TestCore();
  const id = tracker.connect('203.0.113.1');
  assert.equal(tracker.send(announceRequest(id), '203.0.113.2'), undefined);
  assert.equal(tracker.send(announceRequest(id), '2001:db8::1'), undefined);
  assert.ok(tracker.send(announceRequest(id), '203.0.113.1') !== undefined);
});

test('"Connection IDs should not be guessable by the client." Another secret, another minute, another address: another id', () => {
  const ids = new Set<string>();
  for (const fill of [1, 2, 3]) {
    const tracker = new TestCore({ secret: new Uint8Array(16).fill(fill) });
    for (let minute = 0; minute < 4; minute += 1) {
      tracker.nowMs = minute * 60_000;
      for (const from of ['203.0.113.1', '203.0.113.2', '2001:db8::1']) {
        ids.add(toHex(tracker.connect(from)));
      }
    }
  }
  assert.equal(ids.size, 3 * 4 * 3);
});

test('"Trackers should accept the connection ID until two minutes after it has been send.", and not for much longer', () => {
  for (const sentMs of [0, 59_999, 60_000, 1e12, 2 ** 32 * 60_000 + 30_000]) {
    const tracker = new TestCore();
    tracker.nowMs = sentMs;
    const id = tracker.connect();
    tracker.nowMs = sentMs + 120_000;
    assert.ok(tracker.send(announceRequest(id)) !== undefined, `sent at ${sentMs}`);
    for (const minutes of [3, 4, 5, 100]) {
      tracker.nowMs = sentMs + minutes * 60_000;
      assert.equal(tracker.send(announceRequest(id)), undefined, `${minutes} minutes later`);
    }
  }
});

test('"A connection ID can be used for multiple requests."', () => {
  const tracker = new TestCore();
  const id = tracker.connect();
  for (let i = 0; i < 3; i += 1) assert.ok(tracker.send(announceRequest(id)) !== undefined);
});

test('"announce response": action 1, transaction_id, interval, leechers, seeders, then 32 bits of address and 16 of port', () => {
  const tracker = new TestCore({ intervalSec: 900 });
  tracker.announceUdp({ left: 0, port: 0x0102 }, '198.51.100.1');
  const reply = tracker.announceUdp({}, '203.0.113.1');
  assert.deepEqual(words(reply, 5), [1, 99, 900, 1, 1]);
  assert.equal(toHex(reply.subarray(20)), 'c63364010102');
});

test('"IPv6 … the stride size of <IP address, TCP port> pairs in the response is 18 bytes instead of 6."', () => {
  const tracker = new TestCore();
  tracker.announceUdp({}, '2001:db8::1');
  tracker.announceUdp({}, '203.0.113.1');
  const reply = tracker.announceUdp({}, '2001:db8:1::1');
  assert.equal(toHex(reply.subarray(20)), '20010db80000000000000000000000011ae1');
  const parsed = parseUdpReply(reply, 16);
  assert.ok(parsed.ok && parsed.value.type === 'announce');
});

test('"event: 0: none; 1: completed; 2: started; 3: stopped"', () => {
  const tracker = new TestCore();
  tracker.announceUdp({ event: 2 });
  tracker.announceUdp({ event: 1, left: 0 });
  assert.equal(tracker.core.store.tally(HASH)!.downloads, 1);
  const reply = tracker.announceUdp({ event: 3 });
  assert.equal(reply.length, 20);
  assert.equal(tracker.core.store.peerCount, 0);
});

test('"num_want -1 // default": 50; more than fit in 1,232 bytes never come', () => {
  const tracker = new TestCore();
  for (let i = 0; i < 400; i += 1) {
    tracker.announceUdp({}, `198.51.${i >> 8}.${i & 255}`);
    tracker.announceUdp({}, `2001:db8:0:${i.toString(16)}::`);
  }
  const count = (wanted: number, from: string, stride: number): number =>
    (tracker.announceUdp({ wanted }, from).length - 20) / stride;
  assert.equal(count(-1, '203.0.113.1', 6), 50);
  assert.equal(count(7, '203.0.113.1', 6), 7);
  assert.equal(count(0, '203.0.113.1', 6), 0);
  assert.equal(count(1e9, '203.0.113.1', 6), 200);
  assert.equal(count(1e9, '2001:db8:1::', 18), 67);
});

test('"IP address: 0 // default": another one is believed from loopback and private networks only', () => {
  const tracker = new TestCore();
  tracker.announceUdp({ ip: '198.51.100.9' }, '203.0.113.1');
  tracker.announceUdp({ ip: '198.51.100.8' }, '10.0.0.1');
  const reply = tracker.announceUdp({ port: 1 }, '192.0.2.1');
  const peers = [reply.subarray(20, 26), reply.subarray(26, 32)].map(toHex).sort();
  assert.deepEqual(peers, ['c63364081ae1', 'cb0071011ae1']);
});

test('"Do not expect packets to be exactly of a certain size.": longer ones are read, shorter ones refused', () => {
  const tracker = new TestCore();
  const longer = new Uint8Array(40);
  longer.set(connectRequest());
  assert.equal(tracker.send(longer)!.length, 16);
  assert.equal(tracker.send(connectRequest().subarray(0, 15)), undefined);
  assert.equal(tracker.send(new Uint8Array(0)), undefined);
  const cut = announceRequest(tracker.connect()).subarray(0, 97);
  assert.equal(errorOf(tracker.send(cut)!), 'malformed request');
});

test('"error response": action 3, the transaction_id, message', () => {
  const tracker = new TestCore();
  const reply = tracker.announceUdp({ port: 0 });
  assert.deepEqual(words(reply, 2), [3, 99]);
  assert.equal(errorOf(reply), 'expected port from 1 to 65535, got 0');
});

test('"scrape response": action 2, transaction_id, then seeders, completed, leechers of each torrent, in the order asked', () => {
  const tracker = new TestCore();
  tracker.announceUdp({ left: 0, event: 1 }, '203.0.113.1');
  tracker.announceUdp({}, '203.0.113.2');
  const unknown = new Uint8Array(20);
  const reply = tracker.scrapeUdp([unknown, HASH]);
  assert.deepEqual(words(reply, 8), [2, 99, 0, 0, 0, 1, 1, 1]);
  const parsed = parseUdpScrape(reply, 2);
  assert.ok(parsed.ok && parsed.value.type === 'scrape');
});

test('"Up to about 74 torrents can be scraped at once."', () => {
  const tracker = new TestCore();
  assert.equal(tracker.scrapeUdp(Array(74).fill(HASH)).length, 8 + 74 * 12);
  assert.equal(tracker.scrapeUdp(Array(80).fill(HASH)).length, 8 + 74 * 12);
  assert.match(errorOf(tracker.scrapeUdp([])), /expected an info-hash/);
});

test('nobody gets more bytes than it sent before its address is proved', () => {
  const tracker = new TestCore();
  for (let action = 0; action < 5; action += 1) {
    for (const length of [0, 8, 16, 36, 98, 200]) {
      const bytes = new Uint8Array(length);
      if (length >= 16) {
        bytes.set(connectRequest().subarray(0, 8));
        bytes[11] = action;
      }
      assert.ok((tracker.send(bytes)?.length ?? 0) <= length);
    }
  }
});

test('an address that asks too often is told so; loopback and private networks are not counted', () => {
  const tracker = new TestCore({ requestsPerAddressBurst: 3, requestsPerAddressPerSec: 1 });
  for (let i = 0; i < 3; i += 1) assert.equal(readU32(tracker.announceUdp(), 0), 1);
  assert.equal(errorOf(tracker.announceUdp()), 'too many requests');
  assert.equal(tracker.announce().int('retry in'), 5);
  assert.equal(readU32(tracker.announceUdp({}, '203.0.113.2'), 0), 1);
  for (let i = 0; i < 9; i += 1) assert.equal(readU32(tracker.announceUdp({}, '127.0.0.1'), 0), 1);
  tracker.nowMs += 1_000;
  assert.equal(readU32(tracker.announceUdp(), 0), 1);
  assert.equal(readU32(tracker.announceUdp(), 0), 3);
});
