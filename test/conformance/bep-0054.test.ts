/** BEP 54, lt_donthave: each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bitfield } from '../../src/lib/bitfield.ts';
import { BLOCK_BYTES, encodeDontHave, MessageWriter } from '../../src/protocol/peer-wire/index.ts';
import { RIG_DONT_HAVE_ID, SwarmRig } from '../support/swarm-rig.ts';

const PEER = { host: '50.0.1.9', port: 6881 };
const OTHER = { host: '50.0.2.9', port: 6881 };
/** The id under which the core takes lt_donthave. */
const OUR_ID = 3;

function full(): Bitfield {
  const have = new Bitfield(4);
  have.fill();
  return have;
}

/** Blocks asked of a peer: `piece:block`. */
function asked(rig: SwarmRig, id: number): string[] {
  return rig
    .said(id)
    .flatMap((message) =>
      message.type === 'request' ? [`${message.piece}:${message.begin / BLOCK_BYTES}`] : [],
    )
    .sort();
}

/** A leech of two pieces and a seed that unchoked it and was asked for all. */
function leech(fast: boolean): { rig: SwarmRig; seed: number; first: string[] } {
  const rig = new SwarmRig();
  rig.swarm.setPriorities((piece) => (piece < 2 ? 4 : 0));
  const seed = rig.connect({ address: PEER, fast });
  rig.receive(seed, (writer) => {
    if (fast) writer.haveAll();
    else writer.bitfield(full().bytes);
    writer.unchoke();
  });
  return { rig, seed, first: asked(rig, seed) };
}

function lose(rig: SwarmRig, id: number, piece: number): void {
  rig.receive(id, (writer) => writer.extended(OUR_ID, encodeDontHave(piece)));
}

describe('BEP 54', () => {
  it('"The name of the extension is lt_donthave."', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: PEER });
    assert.equal(rig.handshakes(id)[0]!.extensions.get('lt_donthave'), OUR_ID);
  });

  it('"DontHave: <len=0x0006><op=20><subop=xx><index>"', () => {
    const writer = new MessageWriter();
    writer.extended(9, encodeDontHave(0x01020304));
    assert.deepEqual([...writer.take()], [0, 0, 0, 6, 20, 9, 1, 2, 3, 4]);
  });

  it('"a peer that has advertised support for the lt_donthave extension must be able to receive DontHave messages from a peer that hasn\'t advertised support"', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: PEER, handshake: { extensions: new Map() } });
    rig.receive(id, (writer) => writer.haveAll());
    assert.equal(rig.swarm.peers(0)[0]!.isSeed, true);
    lose(rig, id, 2);
    assert.equal(rig.swarm.peers(0)[0]!.isSeed, false);
    assert.equal(rig.closeReason(id), undefined);
  });

  it('"it sends a DontHave message for that piece to every peer that has advertised support for the lt_donthave extension"', () => {
    const rig = new SwarmRig({ have: full() });
    const able = rig.connect({ address: PEER });
    const unable = rig.connect({ address: OTHER, handshake: { extensions: new Map() } });
    rig.said(able);
    rig.said(unable);
    rig.swarm.losePiece(rig.nowMs, 2);
    rig.drain();
    const losses = (id: number): number[][] =>
      rig
        .said(id)
        .flatMap((message) =>
          message.type === 'extended' && message.id !== 0 ? [[message.id, ...message.payload]] : [],
        );
    assert.deepEqual(losses(able), [[RIG_DONT_HAVE_ID, 0, 0, 0, 2]]);
    assert.deepEqual(losses(unable), []);
  });

  for (const fast of [true, false]) {
    const title = fast
      ? '"If the Fast extension has been negotiated, then any outstanding requests for a chunk of the discarded piece are rejected using a Reject Request message, and any further requests for chunks of that piece are rejected using a Reject Request message."'
      : '"If the Fast extension has not been negotiated with the peer, then any outstanding requests for a chunk of the piece that has been discarded are silently dropped, and any further requests for chunks of that piece are silently dropped."';
    it(title, () => {
      const rig = new SwarmRig({ have: full() });
      const id = rig.connect({ address: PEER, fast });
      rig.receive(id, (writer) => writer.interested());
      rig.receive(id, (writer) => {
        writer.request(2, 0, BLOCK_BYTES);
        writer.request(1, 0, BLOCK_BYTES);
        writer.request(2, BLOCK_BYTES, BLOCK_BYTES);
      });
      rig.said(id);
      rig.outputs.length = 0;
      rig.swarm.losePiece(rig.nowMs, 2);
      rig.drain();
      rig.receive(id, (writer) => writer.request(2, 0, BLOCK_BYTES));
      const taken = rig.outputs.flatMap((output) =>
        output.type === 'unserve' ? [[output.piece, output.begin]] : [],
      );
      assert.deepEqual(taken, [
        [2, 0],
        [2, BLOCK_BYTES],
      ]);
      assert.ok(!rig.outputs.some(({ type }) => type === 'serve'));
      const rejected = rig
        .said(id)
        .flatMap((message) => (message.type === 'reject' ? [[message.piece, message.begin]] : []));
      const expected = [
        [2, 0],
        [2, BLOCK_BYTES],
        [2, 0],
      ];
      assert.deepEqual(rejected, fast ? expected : []);
    });
  }

  it('"When the local node receives a DontHave message with index n, it marks the piece as unavailable at the sending peer."', () => {
    const { rig, seed, first } = leech(true);
    assert.deepEqual(first, ['0:0', '0:1', '1:0', '1:1']);
    lose(rig, seed, 0);
    lose(rig, seed, 1);
    const said = rig.said(seed);
    assert.ok(
      said.some(({ type }) => type === 'not-interested'),
      'there is nothing left to want',
    );
    rig.receive(seed, (writer) => writer.have(1));
    assert.ok(rig.said(seed).some(({ type }) => type === 'interested'));
  });

  it('"If the Fast extension has not been negotiated with the sending peer, then any outstanding requests for chunks of the discarded piece are silently cancelled, just like when receiving a Choke message."', () => {
    const { rig, seed } = leech(false);
    lose(rig, seed, 0);
    assert.equal(rig.swarm.peers(0)[0]!.pendingRequests, 2);
    const other = rig.connect({ address: OTHER, fast: false });
    rig.receive(other, (writer) => {
      writer.bitfield(full().bytes);
      writer.unchoke();
    });
    assert.deepEqual(asked(rig, other), ['0:0', '0:1']);
  });

  it('"If the Fast extension has been negotiated, no requests are silently cancelled: the peer will explicitly reject any such requests, as usual."', () => {
    const { rig, seed } = leech(true);
    lose(rig, seed, 0);
    assert.equal(rig.swarm.peers(0)[0]!.pendingRequests, 4);
    // Others may be asked meanwhile.
    const other = rig.connect({ address: OTHER });
    rig.receive(other, (writer) => {
      writer.haveAll();
      writer.unchoke();
    });
    assert.deepEqual(asked(rig, other), ['0:0', '0:1']);
    rig.receive(seed, (writer) => {
      writer.reject(0, 0, BLOCK_BYTES);
      writer.reject(0, BLOCK_BYTES, BLOCK_BYTES);
    });
    const [status] = rig.swarm.peers(0);
    assert.equal(status!.pendingRequests, 2);
  });

  it('a piece that does not exist, and a message of another length, end the connection', () => {
    for (const payload of [encodeDontHave(4), new Uint8Array(3), new Uint8Array(5)]) {
      const rig = new SwarmRig();
      const id = rig.connect({ address: PEER });
      rig.receive(id, (writer) => writer.haveAll());
      rig.receive(id, (writer) => writer.extended(OUR_ID, payload));
      assert.match(rig.closeReason(id)!, /lt_donthave: expected/);
    }
  });

  it('a loss before the metadata counts in its place among the HAVEs', () => {
    const rig = new SwarmRig({ isMagnet: true });
    const id = rig.connect({ address: PEER });
    rig.receive(id, (writer) => writer.haveAll());
    lose(rig, id, 1);
    lose(rig, id, 2);
    rig.receive(id, (writer) => writer.have(1));
    rig.setTorrent();
    rig.swarm.setPriorities((piece) => (piece === 2 ? 4 : 0));
    rig.drain();
    assert.equal(rig.swarm.peers(0)[0]!.amInterested, false);
    rig.swarm.setPriorities((piece) => (piece === 1 ? 4 : 0));
    rig.drain();
    assert.equal(rig.swarm.peers(0)[0]!.amInterested, true);
  });

  it('a piece that was lost is fetched again, and told as had again', () => {
    const rig = new SwarmRig({ have: full() });
    const leecher = rig.connect({ address: OTHER });
    const seed = rig.connect({ address: PEER });
    rig.receive(seed, (writer) => {
      writer.haveAll();
      writer.unchoke();
    });
    rig.said(leecher);
    assert.equal(rig.swarm.isComplete, true);
    rig.swarm.losePiece(rig.nowMs, 2);
    rig.drain();
    assert.equal(rig.swarm.isComplete, false);
    assert.deepEqual(asked(rig, seed), ['2:0', '2:1']);
    for (const begin of [0, BLOCK_BYTES]) {
      const block = { piece: 2, begin, length: BLOCK_BYTES };
      assert.ok(rig.swarm.isExpected(seed, block.piece, begin, block.length));
      rig.swarm.handleBlock(0, seed, block, true);
    }
    rig.swarm.handlePiece(0, 2, { v1: rig.info.piecesV1!.slice(40, 60) });
    rig.wait(500);
    assert.equal(rig.swarm.isComplete, true);
    const told = rig.said(leecher).filter(({ type }) => type === 'have');
    assert.deepEqual(told, [{ type: 'have', piece: 2 }]);
  });
});
