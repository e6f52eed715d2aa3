/** BEP 3, trackers: one test per sentence that binds the tracker's side. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toLatin1 } from '../../src/lib/bytes.ts';
import { HASH, PEER_ID, peerDicts, reasonOf, TestCore } from '../support/tracker-core.ts';

test('"info_hash: The 20 byte sha1 hash", "peer_id: A string of length 20"', () => {
  const tracker = new TestCore();
  const escaped = '%00%ff%26%3D%25aaaaaaaaaaaaaaa';
  assert.equal(tracker.announce({ info_hash: escaped }).int('interval'), 1800);
  assert.equal(
    tracker.core.store.tally(Uint8Array.from([0, 255, 38, 61, 37, ...Array(15).fill(97)]))!
      .incomplete,
    1,
  );
  for (const bad of [undefined, '', 'a'.repeat(19), 'a'.repeat(21), `%zz${'a'.repeat(19)}`]) {
    assert.match(reasonOf(tracker.announce({ info_hash: bad })), /expected info_hash of 20 bytes/);
    assert.match(reasonOf(tracker.announce({ peer_id: bad })), /expected peer_id of 20 bytes/);
  }
});

test('"ip: An optional parameter giving the IP (or dns name) … used for the origin if it\'s on the same machine as the tracker."', () => {
  const tracker = new TestCore();
  const told = (): string[] =>
    peerDicts(tracker.announce({ compact: 0, port: 1 }, '203.0.113.99')).map((peer) =>
      toLatin1(peer.bytes('ip')!),
    );
  tracker.announce({ ip: '198.51.100.7' }, '127.0.0.1');
  assert.deepEqual(told(), ['198.51.100.7']);
  tracker.announce({ ip: '198.51.100.8', port: 2 }, '192.168.1.5');
  assert.deepEqual(told().sort(), ['198.51.100.7', '198.51.100.8']);
});

test('ip is believed of nobody else, of no proxy, and never as a name or an address that nobody can dial', () => {
  const claims: [string, string, boolean][] = [
    ['198.51.100.7', '203.0.113.5', false],
    ['198.51.100.7', '127.0.0.1', true],
    ['host.example', '127.0.0.1', false],
    ['224.0.0.1', '127.0.0.1', false],
    ['0.0.0.0', '127.0.0.1', false],
  ];
  for (const [ip, from, isForwarded] of claims) {
    const tracker = new TestCore();
    tracker.announce({ ip }, from, isForwarded);
    const [peer] = peerDicts(tracker.announce({ compact: 0, port: 1 }, '203.0.113.99'));
    assert.equal(toLatin1(peer!.bytes('ip')!), from);
  }
});

test('"port: The port number this peer is listening on." (0 cannot be dialled)', () => {
  const tracker = new TestCore();
  for (const port of [0, 65_536, -1, '6881x', '', undefined]) {
    assert.match(reasonOf(tracker.announce({ port })), /expected port from 1 to 65535/);
  }
  assert.equal(tracker.core.store.peerCount, 0);
});

test('"left: The number of bytes this peer still has to download, encoded in base ten ascii."', () => {
  const tracker = new TestCore();
  assert.equal(tracker.announce({ left: 0 }).int('complete'), 1);
  assert.equal(tracker.announce({ left: '9223372036854775807', port: 2 }).int('incomplete'), 1);
  assert.match(reasonOf(tracker.announce({ left: '1e3' })), /expected left as a number/);
});

test('"event: started, completed, or stopped (or empty, which is the same as not being present)"', () => {
  const tracker = new TestCore();
  tracker.announce({ event: 'started' });
  tracker.announce({ event: '' });
  assert.equal(tracker.announce().int('incomplete'), 1);
  const completed = tracker.announce({ event: 'completed', left: 0 });
  assert.deepEqual([completed.int('complete'), completed.int('downloaded')], [1, 1]);
  const stopped = tracker.announce({ event: 'stopped', left: 0 });
  assert.deepEqual([stopped.int('complete'), stopped.int('downloaded')], [0, 1]);
});

test('"If a tracker response has a key failure reason … no other keys are required." "Tracker responses are bencoded dictionaries."', () => {
  const refusal = new TestCore().get('/announce');
  assert.deepEqual(
    [...refusal.entries()].map(([key]) => key),
    ['failure reason'],
  );
});

test('"it must have two keys: interval … and peers … a list of dictionaries … peer id, ip, and port"', () => {
  const tracker = new TestCore({ intervalSec: 900 });
  tracker.announce({ port: 6881 }, '203.0.113.1');
  tracker.announce({ port: 6882 }, '2001:db8::1');
  const reply = tracker.announce({ compact: 0, port: 1 }, '203.0.113.2');
  assert.equal(reply.int('interval'), 900);
  const peers = peerDicts(reply).map((peer) => [
    toLatin1(peer.bytes('peer id')!),
    toLatin1(peer.bytes('ip')!),
    peer.int('port'),
  ]);
  assert.deepEqual(peers, [
    [toLatin1(PEER_ID), '203.0.113.1', 6881],
    [toLatin1(PEER_ID), '2001:db8::1', 6882],
  ]);
  const short = tracker.announce({ compact: 0, no_peer_id: 1, port: 1 }, '203.0.113.2');
  assert.equal(peerDicts(short)[0]!.bytes('peer id'), undefined);
});

test('"downloaders may rerequest on nonscheduled times if an event happens or they need more peers": the same peer is entered once', () => {
  const tracker = new TestCore();
  for (let i = 0; i < 5; i += 1) tracker.announce();
  assert.equal(tracker.core.store.tally(HASH)!.incomplete, 1);
});

test('a peer that does not rerequest in two intervals is gone', () => {
  const tracker = new TestCore({ intervalSec: 60 });
  tracker.announce();
  tracker.nowMs += 120_000;
  tracker.core.handleTimeout(tracker.nowMs);
  assert.equal(tracker.core.store.peerCount, 1);
  tracker.nowMs += 121_000;
  assert.ok(tracker.core.nextTimeoutMs() <= tracker.nowMs);
  tracker.core.handleTimeout(tracker.nowMs);
  assert.equal(tracker.core.store.peerCount, 0);
});
