/** BEP 7, IPv6 tracker extension: one test per sentence that binds a client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../src/protocol/bencode/index.ts';
import { parseHttpReply } from '../../src/protocol/tracker/index.ts';
import { VirtualTrackers } from '../support/virtual-trackers.ts';

const T = 'http://t.example/announce';

test('"The client SHOULD include a key parameter in its announces."', () => {
  const world = new VirtualTrackers({ tiers: [[T]] });
  world.start();
  assert.match(world.announces[0]!.query, /&key=[0-9A-F]{8}(&|$)/);
});

test('"The key should remain the same for a particular infohash during a torrent session."', () => {
  const world = new VirtualTrackers({ tiers: [[T]] });
  world.start();
  world.advance(10 * 3_600_000);
  world.stop();
  assert.ok(world.announces.length > 10);
  assert.equal(new Set(world.announces.map(({ key }) => key)).size, 1);
});

test('"An announce to the tracker should be made for each local IP address" (one announcer each, one key)', () => {
  const worlds = [1, 2].map(() => new VirtualTrackers({ tiers: [[T]], key: 0x1234abcd }));
  for (const world of worlds) world.start();
  assert.deepEqual(
    worlds.map((world) => world.announces[0]!.key),
    ['1234abcd', '1234abcd'],
  );
});

test('"(&ipv4= and &ipv6=). These are discouraged" (sent only when given)', () => {
  const world = new VirtualTrackers({ tiers: [[T]] });
  world.start();
  assert.doesNotMatch(world.announces[0]!.query, /ipv4|ipv6/);
});

test('"IPv6 addresses can be passed back this way." (in the expanded string form)', () => {
  const body = encode({ interval: 60, peers: [{ ip: '2001:db8::7', port: 9 }] });
  const reply = parseHttpReply(200, body);
  assert.ok(reply.ok && reply.value.type === 'announce');
  assert.deepEqual(reply.value.peers, [{ host: '2001:db8::7', port: 9 }]);
});

test('"peers6 … same layout as peers in compact mode, but instead of using 6 bytes per endpoint, 18 bytes are used."', () => {
  const address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const peers6 = Uint8Array.from([...address, 1, 0x1a, 0xe1, ...address, 2, 0x1a, 0xe2]);
  for (const peers of [undefined, Uint8Array.of(192, 0, 2, 1, 0, 80)]) {
    const reply = parseHttpReply(200, encode({ interval: 1800, peers, peers6 }));
    assert.ok(reply.ok && reply.value.type === 'announce');
    const v4 = peers === undefined ? [] : [{ host: '192.0.2.1', port: 80 }];
    assert.deepEqual(reply.value.peers, [
      ...v4,
      { host: '2001:db8::1', port: 6881 },
      { host: '2001:db8::2', port: 6882 },
    ]);
  }
});
