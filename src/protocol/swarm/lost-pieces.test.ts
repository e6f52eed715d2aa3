/**
 * Losses at odd moments: before the metadata, of pieces that were told again, under requests that had timed out.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SwarmRig } from '../../../test/support/swarm-rig.ts';
import { Bitfield } from '../../lib/bitfield.ts';
import { BLOCK_BYTES, encodeDontHave } from '../peer-wire/index.ts';

const PEER = { host: '50.0.1.9', port: 6881 };
const OTHER = { host: '50.0.2.9', port: 6881 };
/** The id under which the core takes lt_donthave. */
const OUR_ID = 3;

function asked(rig: SwarmRig, id: number): string[] {
  return rig
    .said(id)
    .flatMap((message) =>
      message.type === 'request' ? [`${message.piece}:${message.begin / BLOCK_BYTES}`] : [],
    )
    .sort();
}

function lose(rig: SwarmRig, id: number, piece: number): void {
  rig.receive(id, (writer) => writer.extended(OUR_ID, encodeDontHave(piece)));
}

for (const how of ['another bitfield', 'have-all'] as const) {
  test(`before the metadata, a piece that was lost and told again by ${how} is there`, () => {
    const rig = new SwarmRig({ isMagnet: true });
    const id = rig.connect({ address: PEER });
    rig.receive(id, (writer) => writer.bitfield(Uint8Array.of(0xf0)));
    lose(rig, id, 0);
    lose(rig, id, 1);
    rig.receive(id, (writer) =>
      how === 'have-all' ? writer.haveAll() : writer.bitfield(Uint8Array.of(0x80)),
    );
    rig.setTorrent();
    const isThere = (piece: number): boolean => {
      rig.swarm.setPriorities((other) => (other === piece ? 4 : 0));
      return rig.swarm.peers(rig.nowMs)[0]!.amInterested;
    };
    assert.equal(isThere(0), true);
    assert.equal(isThere(1), how === 'have-all');
  });
}

test('before the metadata, what the first bitfield tells of is there, whatever was lost before it', () => {
  const rig = new SwarmRig({ isMagnet: true });
  const id = rig.connect({ address: PEER });
  lose(rig, id, 0);
  rig.receive(id, (writer) => writer.bitfield(Uint8Array.of(0x80)));
  rig.setTorrent();
  assert.equal(rig.swarm.peers(rig.nowMs)[0]!.amInterested, true);
});

test('without BEP 6 a loss ends requests that had timed out too: they may be made again', () => {
  const rig = new SwarmRig();
  rig.swarm.setPriorities((piece) => (piece === 0 ? 4 : 0));
  const id = rig.connect({ address: PEER, fast: false });
  rig.receive(id, (writer) => {
    writer.bitfield(Uint8Array.of(0x80));
    writer.unchoke();
  });
  assert.deepEqual(asked(rig, id), ['0:0', '0:1']);
  rig.wait(70_000);
  asked(rig, id);
  lose(rig, id, 0);
  rig.receive(id, (writer) => writer.have(0));
  const again = asked(rig, id);
  assert.equal(again.length, 1, 'a snubbed peer is asked for one block');
  const begin = again[0] === '0:0' ? 0 : BLOCK_BYTES;
  const block = { piece: 0, begin, length: BLOCK_BYTES };
  rig.swarm.handleBlock(rig.nowMs, id, block, true);
  rig.drain();
  again.push(...asked(rig, id));
  assert.deepEqual(again.sort(), ['0:0', '0:1'], 'nothing of what was asked before is owed');
});

test('the end of super seeding tells a guest of the pieces that it has too, since it may lose them', () => {
  const have = new Bitfield(4);
  have.fill();
  const rig = new SwarmRig({ have });
  rig.swarm.setSuperSeeding(true);
  const id = rig.connect({ address: OTHER });
  rig.receive(id, (writer) => writer.bitfield(Uint8Array.of(0xc0)));
  const haves = (): number[] =>
    rig.said(id).flatMap((message) => (message.type === 'have' ? [message.piece] : []));
  const before = haves();
  rig.swarm.setSuperSeeding(false);
  rig.drain();
  assert.deepEqual([...before, ...haves()].sort(), [0, 1, 2, 3]);
});
