import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SwarmRig } from '../../../test/support/swarm-rig.ts';

const PEER = { host: '50.0.1.9', port: 6881 };

/** Requests and cancels since this was asked last, as "request 0". */
function asked(rig: SwarmRig, id: number): string[] {
  rig.drain();
  return rig
    .said(id)
    .flatMap((each) =>
      each.type === 'request' || each.type === 'cancel' ? [`${each.type} ${each.piece}`] : [],
    );
}

for (const fast of [true, false]) {
  test(`requests for what is wanted no more are taken back, and others made in their place, with${fast ? '' : 'out'} BEP 6`, () => {
    const rig = new SwarmRig();
    rig.swarm.setOpenLimit(1);
    rig.swarm.setPriorities((piece) => (piece === 0 ? 4 : 0));
    const id = rig.connect({ address: PEER, fast });
    rig.receive(id, (writer) => {
      if (fast) writer.haveAll();
      else writer.bitfield(Uint8Array.of(0xf0));
      writer.unchoke();
    });
    assert.deepEqual(asked(rig, id), ['request 0', 'request 0']);
    rig.swarm.setPriorities((piece) => (piece === 1 ? 4 : 0));
    assert.deepEqual(asked(rig, id), [], 'piece 0 has the only place');
    assert.deepEqual(rig.swarm.cancelUnwanted(), [0]);
    assert.deepEqual(asked(rig, id), ['cancel 0', 'cancel 0', 'request 1', 'request 1']);
    assert.equal(rig.swarm.isExpected(id, 0, 0, 16_384), false);
    assert.deepEqual(rig.swarm.cancelUnwanted(), []);
  });
}

test('what is wanted again before the cancels are answered is asked for anew when they are', () => {
  const rig = new SwarmRig();
  rig.swarm.setPriorities((piece) => (piece === 0 ? 4 : 0));
  const id = rig.connect({ address: PEER });
  rig.receive(id, (writer) => {
    writer.haveAll();
    writer.unchoke();
  });
  rig.swarm.setPriorities(() => 0);
  rig.swarm.cancelUnwanted();
  rig.swarm.setPriorities((piece) => (piece === 0 ? 4 : 0));
  assert.deepEqual(asked(rig, id), ['request 0', 'request 0', 'cancel 0', 'cancel 0']);
  assert(rig.swarm.isExpected(id, 0, 0, 16_384), 'it may have crossed the cancel');
  for (const begin of [0, 16_384]) rig.receive(id, (writer) => writer.reject(0, begin, 16_384));
  assert.deepEqual(asked(rig, id), ['request 0', 'request 0']);
});

test('before the metadata nothing is taken back', () => {
  assert.deepEqual(new SwarmRig({ isMagnet: true }).swarm.cancelUnwanted(), []);
});
