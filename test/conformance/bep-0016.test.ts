/** BEP 16, super seeding: each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bitfield } from '../../src/lib/bitfield.ts';
import type { MessageWriter } from '../../src/protocol/peer-wire/index.ts';
import { rigTorrent, SwarmRig } from '../support/swarm-rig.ts';

const PIECES = 8;

function superSeed(): SwarmRig {
  const info = rigTorrent(PIECES);
  const have = new Bitfield(PIECES);
  have.fill();
  const rig = new SwarmRig({ info, have });
  assert(rig.swarm.setSuperSeeding(true));
  return rig;
}

/** A leech without pieces. */
function arrive(rig: SwarmRig, number: number): number {
  const id = rig.connect({ address: { host: `50.0.${number}.1`, port: 40_000 } });
  rig.receive(id, (writer: MessageWriter) => {
    writer.haveNone();
    writer.interested();
  });
  return id;
}

/** Pieces that a peer was told of since this was asked last. */
function toldOf(rig: SwarmRig, id: number): number[] {
  return rig.said(id).flatMap((message) => (message.type === 'have' ? [message.piece] : []));
}

describe('BEP 16', () => {
  it('"it will not act as a standard seed, but masquerades as a normal client with no data"', () => {
    const rig = superSeed();
    const id = rig.connect({ address: { host: '50.0.1.1', port: 40_000 } });
    const said = rig.said(id);
    assert.deepEqual(
      said.filter(({ type }) => type !== 'extended').map(({ type }) => type),
      ['have-none'],
    );
    const other = rig.connect({ address: { host: '50.0.2.1', port: 40_000 } });
    assert(rig.handshakes(other).every(({ uploadOnly }) => uploadOnly !== true));
  });

  it('"As clients connect, it will then inform them that it received a piece -- a piece that was never sent"', () => {
    const rig = superSeed();
    const told = Array.from({ length: PIECES }, (_, i) => toldOf(rig, arrive(rig, i + 1)));
    assert(told.every((pieces) => pieces.length === 1));
    assert.equal(new Set(told.flat()).size, PIECES, 'nobody is told of the same piece');
  });

  it('"or if all pieces were already sent, is very rare"', () => {
    const rig = superSeed();
    for (let i = 1; i <= PIECES; i += 1) {
      const id = arrive(rig, i);
      // All have all pieces now but two, of which one is nowhere else.
      rig.receive(id, (writer) => {
        for (let piece = 0; piece < PIECES - (i === 1 ? 1 : 2); piece += 1) writer.have(piece);
      });
      rig.said(id);
    }
    const [piece] = toldOf(rig, arrive(rig, PIECES + 1));
    assert.equal(piece, PIECES - 1);
  });

  it('"This will induce the client to attempt to download only that piece."', () => {
    const rig = superSeed();
    const id = arrive(rig, 1);
    const [told] = toldOf(rig, id);
    rig.wait(1_000);
    const other = (told! + 1) % PIECES;
    rig.said(id);
    rig.receive(id, (writer) => {
      writer.request(other, 0, 16_384);
      writer.request(told!, 0, 16_384);
    });
    const rejected = rig.said(id).flatMap((m) => (m.type === 'reject' ? [m.piece] : []));
    assert.deepEqual(rejected, [other]);
    const served = rig.outputs.flatMap((o) => (o.type === 'serve' ? [o.ranges[0]] : []));
    assert.deepEqual(served, [told]);
  });

  it('"the seed will not inform it of any other pieces until it has seen the piece it had sent previously present on at least one other client"', () => {
    const rig = superSeed();
    const [first, second] = [arrive(rig, 1), arrive(rig, 2)];
    const [piece] = toldOf(rig, first);
    rig.receive(first, (writer) => writer.have(piece!));
    rig.wait(60_000);
    assert.deepEqual(toldOf(rig, first), []);
    rig.receive(second, (writer) => writer.have(piece!));
    assert.equal(toldOf(rig, first).length, 1);
  });

  it('where nobody else could show the piece, its own HAVE is enough', () => {
    const rig = superSeed();
    const only = arrive(rig, 1);
    const [piece] = toldOf(rig, only);
    rig.receive(only, (writer) => writer.have(piece!));
    assert.equal(toldOf(rig, only).length, 1);
  });

  it('what was told before stays told, and the end of it tells the rest', () => {
    const info = rigTorrent(PIECES);
    const have = new Bitfield(PIECES);
    have.fill();
    const rig = new SwarmRig({ info, have });
    const early = arrive(rig, 1);
    assert(rig.said(early).some(({ type }) => type === 'have-all'));
    assert(rig.swarm.setSuperSeeding(true));
    const late = arrive(rig, 2);
    assert.equal(toldOf(rig, late).length, 1);
    assert(rig.swarm.setSuperSeeding(false));
    rig.drain();
    assert.equal(toldOf(rig, late).length, PIECES - 1);
    assert.deepEqual(toldOf(rig, early), []);
  });

  it('a leech cannot do it', () => {
    assert.equal(new SwarmRig().swarm.setSuperSeeding(true), false);
  });
});
