import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rigTorrent, SwarmRig } from '../../../test/support/swarm-rig.ts';

const DHT_PORT = 6_900;
const PEER = { host: '10.0.0.1', port: 1_000 };

function portsTold(rig: SwarmRig, id: number): number[] {
  return rig.said(id).flatMap((message) => (message.type === 'port' ? [message.port] : []));
}

function nodesHeard(rig: SwarmRig): unknown[] {
  return rig.outputs.flatMap((output) =>
    output.type === 'event' && output.event.type === 'dht-node' ? [output.event.address] : [],
  );
}

describe('the DHT port (BEP 5)', () => {
  it('is told to peers that have a DHT node, and to no others', () => {
    const rig = new SwarmRig({ dhtPort: DHT_PORT });
    const [with_, without] = [
      rig.connect({ address: PEER, dht: true }),
      rig.connect({ address: { ...PEER, host: '10.0.0.2' } }),
    ];
    assert.deepEqual([portsTold(rig, with_), portsTold(rig, without)], [[DHT_PORT], []]);
  });

  it('is not told without a node of our own, nor in private torrents', () => {
    for (const options of [{}, { dhtPort: DHT_PORT, info: rigTorrent(4, true) }]) {
      const rig = new SwarmRig(options);
      assert.deepEqual(portsTold(rig, rig.connect({ address: PEER, dht: true })), []);
    }
  });

  it('of a peer is passed on once, with the host that the peer really has', () => {
    const rig = new SwarmRig({ dhtPort: DHT_PORT });
    const id = rig.connect({ address: PEER, dht: true });
    for (const port of [0, 5_001, 5_002]) rig.receive(id, (writer) => writer.port(port));
    assert.deepEqual(nodesHeard(rig), [{ host: PEER.host, port: 5_001 }]);
  });

  it('of a peer of a private torrent is not passed on, nor without a node of our own', () => {
    for (const options of [{}, { dhtPort: DHT_PORT, info: rigTorrent(4, true) }]) {
      const rig = new SwarmRig(options);
      const id = rig.connect({ address: PEER, dht: true });
      rig.receive(id, (writer) => writer.port(5_001));
      assert.deepEqual(nodesHeard(rig), []);
    }
  });
});

describe('a magnet that turns out to be private', () => {
  it('leaves whoever was found by open ways before its files are checked, and takes back peer exchange', () => {
    const rig = new SwarmRig({ isMagnet: true, dhtPort: DHT_PORT, info: rigTorrent(4, true) });
    const of = (last: number) => ({ host: `10.0.${last}.1`, port: 1_000 });
    for (const [i, source] of (['tracker', 'dht', 'lan', 'given', 'kept'] as const).entries()) {
      rig.swarm.addPeers(0, [of(i)], source);
      rig.drain();
      rig.connectDialled(of(i));
    }
    const sources = () => rig.swarm.peers(0).map(({ source }) => source);
    assert.deepEqual(sources(), ['tracker', 'dht', 'lan', 'given', 'kept']);
    const [tracker] = rig.swarm.peers(0);
    rig.said(tracker!.id);
    rig.swarm.setPrivate(0);
    rig.drain();
    assert.deepEqual(sources(), ['tracker', 'given']);
    const [handshake] = rig.handshakes(tracker!.id);
    assert.equal(handshake?.extensions.get('ut_pex'), 0);
    rig.swarm.addPeers(0, [of(7)], 'tracker');
    rig.drain();
    assert.equal(rig.dials().length, 6);
  });
});
