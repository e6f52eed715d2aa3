import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rigTorrent, SwarmRig } from '../../../test/support/swarm-rig.ts';
import { BLOCK_BYTES } from '../peer-wire/index.ts';

const PIECES = 256;
const PEER = { host: '50.0.1.9', port: 6881 };

type Block = readonly [piece: number, block: number];

function words(rig: SwarmRig, id: number, type: 'request' | 'cancel'): Block[] {
  return rig
    .said(id)
    .flatMap((each): Block[] =>
      each.type === type ? [[each.piece, each.begin / BLOCK_BYTES]] : [],
    );
}

/** A seed at 80 KiB/s that owes what it gives in two seconds. @returns what it owes, oldest first. */
function busySeed(rig: SwarmRig, fast: boolean): { readonly id: number; owes: Block[] } {
  const id = rig.connect({ address: PEER, fast });
  rig.receive(id, (writer) => {
    if (fast) writer.haveAll();
    else writer.bitfield(new Uint8Array(PIECES / 8).fill(0xff));
    writer.unchoke();
  });
  const owes = words(rig, id, 'request');
  for (let tick = 0; tick < 60; tick += 1) {
    rig.wait(500);
    for (const [piece, block] of owes.splice(0, 3)) {
      const begin = block * BLOCK_BYTES;
      const isStored = rig.swarm.isExpected(id, piece, begin, BLOCK_BYTES);
      rig.swarm.handleBlock(rig.nowMs, id, { piece, begin, length: BLOCK_BYTES }, isStored);
      rig.drain();
      const nowOwed = words(rig, id, 'request');
      owes.push(...nowOwed);
    }
  }
  return { id, owes };
}

function jump(rig: SwarmRig, piece: number, inMs = 0): void {
  rig.swarm.setDeadlines(rig.nowMs, [{ piece, dueMs: rig.nowMs + inMs }]);
  rig.drain();
}

/** A piece that nothing was asked of. */
function freshPiece(rig: SwarmRig, owes: readonly Block[]): number {
  const taken = new Set(owes.map(([piece]) => piece));
  for (let piece = PIECES - 1; ; piece -= 1) {
    if (!rig.swarm.have!.has(piece) && !taken.has(piece)) return piece;
  }
}

function newRig(): SwarmRig {
  const rig = new SwarmRig({ info: rigTorrent(PIECES) });
  rig.swarm.setSequential(true);
  return rig;
}

test('requests that can wait are taken back for a piece that is due at once, but for the next one; each block is free when the answer comes', () => {
  const rig = newRig();
  const { id, owes } = busySeed(rig, true);
  assert(owes.length > 8, `${owes.length} are owed`);
  const piece = freshPiece(rig, owes);
  jump(rig, piece);
  const said = rig.said(id);
  const cancelled = said.filter(({ type }) => type === 'cancel').length;
  assert.equal(cancelled, owes.length - 1, 'what comes within 100 ms stays');
  const asked = said.flatMap((each) =>
    each.type === 'request' ? [`${each.piece} ${each.begin / BLOCK_BYTES}`] : [],
  );
  assert.deepEqual(asked.slice(0, 2), [`${piece} 0`, `${piece} 1`], 'it comes next');
  const owed = new Set(owes.map(([other, at]) => `${other} ${at}`));
  assert(
    asked.every((other) => !owed.has(other)),
    'not yet again',
  );
  const [back, block] = owes.at(-1)!;
  assert(
    rig.swarm.isExpected(id, back, block * BLOCK_BYTES, BLOCK_BYTES),
    'it may cross the cancel',
  );
  for (const [other, at] of owes.slice(1)) {
    rig.receive(id, (writer) => writer.reject(other, at * BLOCK_BYTES, BLOCK_BYTES));
  }
  assert.equal(rig.swarm.isExpected(id, back, block * BLOCK_BYTES, BLOCK_BYTES), false);
  jump(rig, back);
  for (const [other, at] of asked.map((key) => key.split(' ').map(Number))) {
    const range = { piece: other!, begin: at! * BLOCK_BYTES, length: BLOCK_BYTES };
    assert(rig.swarm.isExpected(id, range.piece, range.begin, BLOCK_BYTES));
    rig.swarm.handleBlock(rig.nowMs, id, range, true);
    rig.drain();
  }
  assert(
    words(rig, id, 'request').some(([other]) => other === back),
    'asked for anew',
  );
});

test('nothing is taken back for what is not due before it would come anyway', () => {
  const rig = newRig();
  const { id, owes } = busySeed(rig, true);
  jump(rig, freshPiece(rig, owes), 60_000);
  assert.deepEqual(words(rig, id, 'cancel'), []);
});

test('a peer without BEP 6, which would not answer, keeps its requests', () => {
  const rig = newRig();
  const { id, owes } = busySeed(rig, false);
  jump(rig, freshPiece(rig, owes));
  assert.deepEqual(words(rig, id, 'cancel'), []);
});
