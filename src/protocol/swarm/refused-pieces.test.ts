/**
 * Peers that refuse what they claimed: others are asked, and the refuser again when its time has come.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rigTorrent, SwarmRig } from '../../../test/support/swarm-rig.ts';
import { Bitfield } from '../../lib/bitfield.ts';
import { BLOCK_BYTES } from '../peer-wire/index.ts';
import { RefusedPieces } from './refused-pieces.ts';

const REFUSER = { host: '50.0.1.9', port: 6881 };
const OTHER = { host: '50.0.2.9', port: 6881 };

/** Blocks asked of a peer since this was asked last, as piece:block. */
function asked(rig: SwarmRig, id: number): string[] {
  return rig
    .said(id)
    .flatMap((message) =>
      message.type === 'request' ? [`${message.piece}:${message.begin / BLOCK_BYTES}`] : [],
    );
}

function refuse(rig: SwarmRig, id: number, blocks: readonly string[]): void {
  rig.receive(id, (writer) => {
    for (const block of blocks) {
      const [piece, index] = block.split(':').map(Number) as [number, number];
      writer.reject(piece, index * BLOCK_BYTES, BLOCK_BYTES);
    }
  });
}

function seed(rig: SwarmRig, address: typeof OTHER): number {
  const id = rig.connect({ address });
  rig.receive(id, (writer) => {
    writer.haveAll();
    writer.unchoke();
  });
  return id;
}

/** A peer with the first two of eight pieces at most, which were all asked of it. */
function twoPieces(rig: SwarmRig): number {
  const id = rig.connect({ address: REFUSER });
  rig.receive(id, (writer) => {
    writer.bitfield(Uint8Array.of(0xc0));
    writer.unchoke();
  });
  assert.deepEqual(asked(rig, id).sort(), ['0:0', '0:1', '1:0', '1:1']);
  return id;
}

test('the last blocks are asked of another peer once they were refused', () => {
  const rig = new SwarmRig({ info: rigTorrent(1) });
  const refuser = seed(rig, REFUSER);
  const first = asked(rig, refuser);
  assert.deepEqual(first, ['0:0', '0:1']);
  const other = seed(rig, OTHER);
  refuse(rig, refuser, first);
  assert.deepEqual(asked(rig, refuser), []);
  assert.deepEqual(asked(rig, other).sort(), ['0:0', '0:1']);
});

test('a piece that was refused is asked for again after a wait that doubles', () => {
  const rig = new SwarmRig({ info: rigTorrent(1) });
  const id = seed(rig, REFUSER);
  for (const waitMs of [10_000, 20_000, 40_000]) {
    refuse(rig, id, asked(rig, id));
    rig.wait(waitMs - 500);
    assert.deepEqual(asked(rig, id), []);
    rig.wait(1_000);
    rig.receive(id, (writer) => writer.keepAlive());
    rig.wait(500);
  }
  assert.deepEqual(asked(rig, id).sort(), ['0:0', '0:1']);
});

test('other pieces are asked for at once', () => {
  const rig = new SwarmRig({ info: rigTorrent(4) });
  const id = twoPieces(rig);
  refuse(rig, id, ['0:0', '0:1']);
  assert.deepEqual(asked(rig, id), []);
  rig.receive(id, (writer) => writer.have(2));
  assert.deepEqual(asked(rig, id).sort(), ['2:0', '2:1']);
});

test('a refused piece is asked for again when it is told of again', () => {
  const rig = new SwarmRig({ info: rigTorrent(4) });
  const id = twoPieces(rig);
  refuse(rig, id, ['0:0', '0:1']);
  rig.receive(id, (writer) => writer.have(0));
  assert.deepEqual(asked(rig, id).sort(), ['0:0', '0:1']);
});

test('an allowed piece that is refused while choked is not asked for again', () => {
  const rig = new SwarmRig({ info: rigTorrent(2) });
  const id = rig.connect({ address: REFUSER });
  rig.receive(id, (writer) => {
    writer.haveAll();
    writer.allowedFast(1);
  });
  const all = asked(rig, id).sort();
  assert.deepEqual(all, ['1:0', '1:1']);
  refuse(rig, id, all);
  rig.wait(60_000);
  assert.deepEqual(asked(rig, id), []);
});

test('refusals of blocks that were asked for together are one refusal', () => {
  const refused = new RefusedPieces();
  for (let i = 0; i < 5; i += 1) refused.add(1_000, 7);
  assert.equal(refused.isRefused(10_999, 7), true);
  assert.equal(refused.isRefused(11_000, 7), false);
  assert.equal(refused.hasEnded(10_999), false);
  assert.equal(refused.hasEnded(11_000), true);
  assert.equal(refused.hasEnded(11_000), false);
  const rest = refused.without(2_000, 'seed', 9);
  assert(rest instanceof Bitfield);
  assert.deepEqual([...rest], [0, 1, 2, 3, 4, 5, 6, 8]);
  assert.equal(refused.without(11_000, 'seed', 9), 'seed');
});
