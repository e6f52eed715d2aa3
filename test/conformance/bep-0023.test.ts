/** BEP 23, compact peer lists: one test per sentence that binds a client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../src/protocol/bencode/index.ts';
import { parseHttpReply } from '../../src/protocol/tracker/index.ts';
import { VirtualTrackers } from '../support/virtual-trackers.ts';

function peersOf(body: Uint8Array): unknown {
  const reply = parseHttpReply(200, body);
  assert.ok(reply.ok && reply.value.type === 'announce');
  return reply.value.peers;
}

test('"compact=1 advises the tracker that the client prefers compact format."', () => {
  const url = 'http://t.example/announce';
  const world = new VirtualTrackers({ tiers: [[url]] });
  world.start();
  assert.match(world.announces[0]!.query, /(?:^|&)compact=1(?:&|$)/);
});

test('"The first 4 bytes contain the 32-bit ipv4 address. The remaining two bytes contain the port number. Both address and port use network-byte order."', () => {
  const peers = Uint8Array.of(192, 0, 2, 1, 0x1a, 0xe1, 198, 51, 100, 255, 0, 80);
  assert.deepEqual(peersOf(encode({ interval: 60, peers })), [
    { host: '192.0.2.1', port: 6881 },
    { host: '198.51.100.255', port: 80 },
  ]);
});

test('"the tracker MAY return using either format … clients MUST continue to support both."', () => {
  const expected = [{ host: '192.0.2.1', port: 80 }];
  const compact = encode({ interval: 60, peers: Uint8Array.of(192, 0, 2, 1, 0, 80) });
  const original = encode({ interval: 60, peers: [{ ip: '192.0.2.1', port: 80 }] });
  assert.deepEqual(peersOf(compact), expected);
  assert.deepEqual(peersOf(original), expected);
});

test('"The compact format uses the same peers key … the value is a bencoded string rather than a bencoded list." (an empty one too)', () => {
  assert.deepEqual(peersOf(encode({ interval: 60, peers: '' })), []);
});
