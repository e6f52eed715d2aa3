/** BEP 3, section "trackers": one test per sentence that binds a client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1 } from '../../src/lib/bytes.ts';
import { buildAnnounceUrl, parseHttpReply } from '../../src/protocol/tracker/index.ts';
import { VirtualTrackers } from '../support/virtual-trackers.ts';

const T = 'http://t.example/announce';
const HOUR = 3_600_000;

function query(name: string, world: VirtualTrackers, index = 0): string | undefined {
  return new RegExp(`(?:^|&)${name}=([^&]*)`).exec(world.announces[index]!.query)?.[1];
}

function started(left = 1000): VirtualTrackers {
  const world = new VirtualTrackers({ tiers: [[T]] });
  world.stats(left);
  world.start();
  return world;
}

test('"info_hash: The 20 byte sha1 hash … This value will almost certainly have to be escaped."', () => {
  const infoHash = Uint8Array.from({ length: 20 }, (_, i) => (i === 0 ? 0x41 : 0xf0 + i));
  const url = buildAnnounceUrl(T, {
    infoHash,
    peerId: fromLatin1('p'.repeat(20)),
    port: 1,
    uploadedBytes: 0,
    downloadedBytes: 0,
    leftBytes: 0,
    event: 'none',
    key: 0,
    numWant: 0,
  });
  assert.match(url, /\?info_hash=A%F1%F2%F3%F4%F5%F6%F7%F8%F9%FA%FB%FC%FD%FE%FF%00%01%02%03&/);
});

test('"peer_id: A string of length 20 which this downloader uses as its id."', () => {
  assert.equal(query('peer_id', started()), 'A'.repeat(20));
});

test('"ip: An optional parameter giving the IP (or dns name) which this peer is at." (not sent)', () => {
  assert.equal(query('ip', started()), undefined);
});

test('"port: The port number this peer is listening on."', () => {
  assert.equal(query('port', started()), '6881');
});

test('"uploaded: The total amount uploaded so far, encoded in base ten ascii."', () => {
  assert.equal(query('uploaded', started()), '5');
});

test('"downloaded: The total amount downloaded so far, encoded in base ten ascii."', () => {
  assert.equal(query('downloaded', started()), '7');
});

test('"left: The number of bytes this peer still has to download, encoded in base ten ascii."', () => {
  assert.equal(query('left', started(2 ** 52)), '4503599627370496');
});

test('"If not present, this is one of the announcements done at regular intervals."', () => {
  const world = started();
  world.advance(HOUR);
  assert.equal(query('event', world, 1), undefined);
});

test('"An announcement using started is sent when a download first begins"', () => {
  const world = started();
  world.advance(HOUR);
  assert.deepEqual(world.log, ['t started', 't none', 't none']);
});

test('"and one using completed is sent when the download is complete."', () => {
  const world = started();
  world.complete();
  assert.deepEqual(world.log, ['t started', 't completed']);
  assert.equal(query('left', world, 1), '0');
});

test('"No completed is sent if the file was complete when started."', () => {
  const world = started(0);
  world.complete();
  world.advance(HOUR);
  assert.ok(!world.log.includes('t completed'));
});

test('"Downloaders send an announcement using stopped when they cease downloading."', () => {
  const world = started();
  world.stop();
  assert.deepEqual(world.log, ['t started', 't stopped']);
});

test('"If a tracker response has a key failure reason … no other keys are required."', () => {
  const reply = parseHttpReply(200, fromLatin1('d14:failure reason4:nopee'));
  assert.deepEqual(reply, { ok: true, value: { type: 'refusal', reason: 'nope' } });
});

test('"interval, which maps to the number of seconds the downloader should wait between regular rerequests"', () => {
  const world = new VirtualTrackers({ tiers: [[T]] });
  world.script(T, { interval: 700 });
  world.start();
  world.advance(HOUR);
  const times = world.announces.map(({ atMs }) => atMs);
  assert.ok(times.slice(1).every((time, index) => time - times[index]! === 700_000));
});

test('"peers maps to a list of dictionaries … each of which contains the keys peer id, ip, and port"', () => {
  const id = `7:peer id20:${'x'.repeat(20)}`;
  const body = `d8:intervali60e5:peersld2:ip9:192.0.2.1${id}4:porti1eed2:ip9:p.example${id}4:porti2eeee`;
  const reply = parseHttpReply(200, fromLatin1(body));
  assert.ok(reply.ok && reply.value.type === 'announce');
  assert.deepEqual(reply.value.peers, [
    { host: '192.0.2.1', port: 1 },
    { host: 'p.example', port: 2 },
  ]);
});

test('"downloaders may rerequest on nonscheduled times if an event happens or they need more peers."', () => {
  const world = started();
  world.advance(61_000);
  world.needPeers();
  world.complete();
  assert.deepEqual(world.log, ['t started', 't none', 't completed']);
});
