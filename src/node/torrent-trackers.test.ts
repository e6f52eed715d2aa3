import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestTracker } from '../../test/support/tracker.ts';
import { ReachPolicy } from '../io/reach-policy.ts';
import { toHex } from '../lib/bytes.ts';
import { TorrentTrackers } from './torrent-trackers.ts';
import { UdpDoor } from './udp-door.ts';

const HASH = new Uint8Array(20).fill(7);

test('scraped counts show in the status, whether the torrent is announced, was never, or is held', async (t) => {
  const scrapes: string[] = [];
  const tracker = await startTestTracker({ scrapes });
  const udp = new UdpDoor('127.0.0.1');
  t.after(async () => {
    await tracker.close();
    await udp.close();
  });
  tracker.addPeer(toHex(HASH), '127.0.0.1', 9);
  const trackers = new TorrentTrackers({
    host: {
      policy: new ReachPolicy({ offline: true }),
      udp,
      peerId: new Uint8Array(20).fill(65),
      clientName: 'test',
      listenPort: 6881,
      families: [4],
      onExternalAddress: () => {},
    },
    source: {
      kind: 'magnet',
      magnet: {
        infoHashV1: HASH,
        trackers: [],
        webSeeds: [],
        peers: [],
      } as never,
    },
    added: [tracker.httpUrl, tracker.udpUrl],
    stats: () => ({ uploadedBytes: 0, downloadedBytes: 0, leftBytes: 5 }),
    onPeers: () => {},
    onSwitch: () => {},
    onProblem: () => {},
    onRemember: () => {},
  });
  const counts = () =>
    trackers.status.map(({ seeds, leeches, downloads }) => [seeds, leeches, downloads]);
  assert.deepEqual(counts(), [
    [undefined, undefined, undefined],
    [undefined, undefined, undefined],
  ]);
  const results = await trackers.scrape({ infoHashV1: HASH });
  assert.equal(results.length, 2);
  assert.deepEqual(counts(), [
    [1, 0, 0],
    [1, 0, 0],
  ]);
  assert.equal(tracker.announces.length, 0, 'a scrape announces nothing');
  trackers.start({ infoHashV1: HASH }, false, false);
  await tracker.waitFor(({ event }) => event === 'started');
  await trackers.scrape({ infoHashV1: HASH });
  assert.deepEqual(counts(), [
    [1, 1, 0],
    [1, 1, 0],
  ]);
  trackers.stop();
  assert.deepEqual(counts(), [
    [1, 1, 0],
    [1, 1, 0],
  ]);
  await trackers.farewell();
  assert.deepEqual(scrapes.length, 4);
});
