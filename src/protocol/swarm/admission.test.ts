/**
 * Who is let in, who gives way, and which addresses lead to the same peer.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SwarmRig } from '../../../test/support/swarm-rig.ts';
import { Bitfield } from '../../lib/bitfield.ts';
import { parseIp } from '../../lib/ip-address.ts';
import { Rng } from '../../lib/rng.ts';
import { BLOCK_BYTES, encodeExtendedHandshake } from '../peer-wire/index.ts';
import { MAX_PER_ADDRESS, MAX_PER_NETWORK } from './network-limits.ts';
import { peerPriority } from './peer-priority.ts';
import type { PeerAddress } from './types.ts';

const OWN_IP = Uint8Array.of(203, 0, 113, 5);

function address(index: number, port = 6881): PeerAddress {
  return { host: `50.${index >> 8}.${index & 255}.1`, port };
}

function priority({ host, port }: PeerAddress): number {
  return peerPriority({ ip: OWN_IP, port: 7_000 }, { ip: parseIp(host)!, port })!;
}

function full(): Bitfield {
  const have = new Bitfield(4);
  have.fill();
  return have;
}

/** A core whose incoming connections, eight of ten, are full of useless peers; the addresses by priority, the least first. */
function crowded(): { rig: SwarmRig; ids: Map<string, number>; sorted: PeerAddress[] } {
  const rig = new SwarmRig({ maxPeers: 10 });
  const addresses = Array.from({ length: 8 }, (_, i) => address(i));
  const ids = new Map(
    addresses.map((one) => [
      one.host,
      rig.connect({ address: one, handshake: { yourIp: OWN_IP } }),
    ]),
  );
  return { rig, ids, sorted: addresses.toSorted((a, b) => priority(a) - priority(b)) };
}

/** An address whose priority is above, or below, all of these. */
function beyond(addresses: readonly PeerAddress[], isAbove: boolean): PeerAddress {
  for (let index = 1_000; ; index += 1) {
    const found = address(index);
    if (addresses.every((one) => priority(one) < priority(found) === isAbove)) return found;
  }
}

describe('a full table', () => {
  it('a newcomer of higher priority takes the place of the least one', () => {
    const { rig, ids, sorted } = crowded();
    const newcomer = beyond(sorted, true);
    assert.equal(rig.swarm.admits(0, newcomer), true);
    const id = rig.connect({ address: newcomer });
    assert.equal(rig.closeReason(id), undefined);
    assert.equal(
      rig.closeReason(ids.get(sorted[0]!.host)!),
      'gave way to a peer of higher priority',
    );
    assert.equal(rig.swarm.peerCount, 8);
  });

  it('a newcomer of lower priority is refused, before its handshake is answered', () => {
    const { rig, sorted } = crowded();
    const newcomer = beyond(sorted, false);
    assert.equal(rig.swarm.admits(0, newcomer), false);
    assert.equal(rig.closeReason(rig.connect({ address: newcomer })), 'too many connections');
  });

  it('whoever is of use stays', () => {
    const { rig, ids, sorted } = crowded();
    const giver = ids.get(sorted[0]!.host)!;
    rig.receive(giver, (writer) => {
      writer.haveAll();
      writer.unchoke();
    });
    rig.connect({ address: beyond(sorted, true) });
    assert.equal(rig.closeReason(giver), undefined, 'it is asked for blocks');
    assert.ok(rig.closeReason(ids.get(sorted[1]!.host)!) !== undefined);
  });

  it('whoever is served stays', () => {
    const rig = new SwarmRig({ maxPeers: 1, have: full() });
    const taker = rig.connect({ address: address(1), handshake: { yourIp: OWN_IP } });
    rig.receive(taker, (writer) => writer.interested());
    rig.receive(taker, (writer) => writer.request(0, 0, BLOCK_BYTES));
    const late = rig.connect({ address: beyond([address(1)], true) });
    assert.equal(rig.closeReason(late), 'too many connections');
  });

  it('however often one comes, it gets the places that its priority is worth', () => {
    const { rig, sorted } = crowded();
    const middle = priority(sorted[4]!);
    let index = 2_000;
    for (let i = 0; i < 200; i += 1) {
      for (index += 1; priority(address(index)) > middle; ) index += 1;
      rig.connect({ address: address(index) });
    }
    const kept = rig.swarm.peers(0).map((status) => status.address.host);
    for (const good of sorted.slice(4)) assert.ok(kept.includes(good.host), good.host);
  });

  it('incoming connections fill eight of ten places: two are for peers that we choose', () => {
    const { rig, ids } = crowded();
    rig.swarm.addPeers(0, [address(100), address(101), address(102)], 'tracker');
    rig.drain();
    for (const { dial, address: to } of rig.dials().slice(0, 2)) {
      assert.equal(rig.closeReason(rig.connect({ address: to, dial })), undefined);
    }
    assert.equal(rig.swarm.peerCount, 10);
    for (const id of ids.values()) assert.equal(rig.closeReason(id), undefined);
  });

  it('whom a person named is not sent away', () => {
    const rig = new SwarmRig({ maxPeers: 1 });
    rig.swarm.addPeers(0, [address(1)], 'given');
    rig.drain();
    const given = rig.connectDialled(address(1), { handshake: { yourIp: OWN_IP } });
    rig.connect({ address: beyond([address(1)], true) });
    assert.equal(rig.closeReason(given), undefined);
  });
});

describe('limits of an address and a network', () => {
  it('connections of one address, and dials to it', () => {
    const rig = new SwarmRig();
    for (let i = 0; i < MAX_PER_ADDRESS; i += 1) rig.connect({ address: address(1, 100 + i) });
    assert.equal(rig.swarm.admits(0, address(1, 200)), false);
    assert.match(rig.closeReason(rig.connect({ address: address(1, 200) }))!, /with its address/);
    rig.swarm.addPeers(0, [address(1, 300), address(2)], 'tracker');
    rig.drain();
    assert.deepEqual(rig.dialled(), [`${address(2).host}:6881`]);
    rig.close(1);
    rig.wait(61_000);
    assert.ok(rig.dialled().includes(`${address(1).host}:300`), 'looked at again after a while');
  });

  it('dials under way count, and no longer when they fail', () => {
    const rig = new SwarmRig();
    const near = Array.from({ length: 20 }, (_, i) => ({ host: `60.0.0.${i}`, port: 1 }));
    rig.swarm.addPeers(0, near, 'tracker');
    rig.drain();
    assert.equal(rig.dials().length, MAX_PER_NETWORK);
    let failed = 0;
    for (let i = 0; i < 60; i += 1) {
      for (const { dial } of rig.dials().slice(failed)) rig.swarm.handleDialFailed(rig.nowMs, dial);
      failed = rig.dials().length;
      rig.wait(5_000);
    }
    assert.equal(new Set(rig.dialled()).size, 20);
  });

  it('on loopback, and where the caller says, there are none', () => {
    const local = new SwarmRig();
    for (let i = 0; i < 30; i += 1)
      local.connect({ address: { host: '127.0.0.1', port: 100 + i } });
    assert.equal(local.swarm.peerCount, 30);
    const strict = new SwarmRig({ isExempt: () => false });
    for (let i = 0; i < 30; i += 1)
      strict.connect({ address: { host: '127.0.0.1', port: 100 + i } });
    assert.equal(strict.swarm.peerCount, MAX_PER_ADDRESS);
  });
});

describe('one peer through many doors', () => {
  const peerId = new Rng(5).bytes(20);
  const door = { host: '2001:db8::5', port: 6881 };

  it('an address that leads to a connected peer is not dialled again while it is connected', () => {
    const rig = new SwarmRig();
    const first = rig.connectOut(address(1), { peerId });
    const second = rig.connectOut(door, { peerId });
    assert.equal(rig.closeReason(second), 'connected already');
    rig.wait(1_200_000);
    assert.equal(rig.dials().length, 2);
    rig.close(first);
    rig.wait(20_000);
    assert.ok(rig.dials().length > 2, 'free again');
  });

  it('the listening address of a peer that came by itself is not dialled', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: address(1, 50_000), handshake: { port: 6881 } });
    rig.swarm.addPeers(0, [address(1)], 'tracker');
    rig.wait(600_000);
    assert.deepEqual(rig.dials(), []);
    rig.close(id);
    rig.wait(20_000);
    assert.deepEqual(rig.dialled().slice(0, 1), [`${address(1).host}:6881`]);
  });

  it('when another connection takes over, the doors of the former stay shut', () => {
    // Our id is the larger one: of both connections the one that we dialled stays.
    const rig = new SwarmRig();
    const small = new Uint8Array(20).fill(1);
    const incoming = rig.connect({
      address: address(1, 50_000),
      peerId: small,
      handshake: { port: 6881 },
    });
    const dialled = rig.connectOut(door, { peerId: small });
    assert.equal(rig.closeReason(incoming), 'connected twice');
    assert.equal(rig.closeReason(dialled), undefined);
    rig.swarm.addPeers(0, [address(1)], 'tracker');
    rig.wait(600_000);
    assert.equal(rig.dials().length, 1);
  });

  it('a connection to ourselves is remembered, also when a person gave the address', () => {
    const rig = new SwarmRig();
    rig.swarm.addPeers(0, [address(1)], 'given');
    rig.drain();
    const own = rig.connectDialled(address(1), { peerId: new Uint8Array(20).fill(100) });
    assert.equal(rig.closeReason(own), 'connected to itself');
    rig.swarm.addPeers(0, [address(1)], 'given');
    rig.wait(1_200_000);
    assert.equal(rig.dials().length, 1);
    assert.equal(rig.swarm.knownAddressCount, 0);
    const failed = rig.outputs.filter(
      (output) => output.type === 'event' && output.event.type === 'dial-failed',
    );
    assert.deepEqual(failed, [], 'it is no failure to tell of');
  });

  it('a peer that tells many ports covers a few of its addresses', () => {
    const rig = new SwarmRig({ isExempt: () => true });
    const id = rig.connect({ address: address(1, 50_000), handshake: { port: 1 } });
    for (let port = 2; port <= 20; port += 1) {
      const bytes = encodeExtendedHandshake({ extensions: new Map(), port });
      rig.receive(id, (writer) => writer.extended(0, bytes));
    }
    for (let port = 1; port <= 20; port += 1) {
      rig.swarm.addPeers(0, [address(1, port)], 'tracker');
    }
    rig.drain();
    const ports = rig.dials().map((dial) => dial.address.port);
    assert.deepEqual(
      ports.sort((a, b) => a - b),
      Array.from({ length: 12 }, (_, i) => 9 + i),
    );
  });
});
