/**
 * What other clients do beside the letter of the BEPs, and the core bears.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '../../../test/support/node-crypto.ts';
import { makeTorrent } from '../../../test/support/torrents.ts';
import { Bitfield } from '../../lib/bitfield.ts';
import { Rng } from '../../lib/rng.ts';
import { parseMetainfo } from '../metainfo/index.ts';
import { BLOCK_BYTES, MessageWriter, makeReserved } from '../peer-wire/index.ts';
import { Swarm, type SwarmOutput } from './index.ts';

const PIECE_BYTES = 2 * BLOCK_BYTES;

/** A seed of one file and one interested, unchoked peer. */
function seedAndPeer(version: 'v1' | 'v2', lengthBytes: number): (w?: Write) => SwarmOutput[] {
  const options = { name: 'a', isSingleFile: true, version, pieceLengthBytes: PIECE_BYTES };
  const content = [{ path: ['a'], bytes: new Rng(1).bytes(lengthBytes) }];
  const parsed = parseMetainfo(makeTorrent(content, options).bytes, nodeCrypto);
  assert(parsed.ok);
  const { info, pieceLayers } = parsed.value;
  const infoHash = (info.infoHashV1 ?? info.infoHashV2!).subarray(0, 20);
  const swarm = new Swarm(0, {
    peerId: new Uint8Array(20).fill(1),
    crypto: nodeCrypto,
    rng: new Rng(7),
    clientName: 'test',
    ...(info.infoHashV1 === undefined ? {} : { infoHashV1: info.infoHashV1 }),
    ...(info.infoHashV2 === undefined ? {} : { infoHashV2: info.infoHashV2 }),
  });
  const have = new Bitfield(info.pieceCount);
  have.fill();
  swarm.setTorrent(0, info, pieceLayers, have);
  swarm.setPriorities(() => 4);
  swarm.handleConnected(0, {
    id: 1,
    address: { host: '10.0.1.1', port: 6881 },
    isIncoming: true,
    reserved: makeReserved({ fast: true, extension: true, v2: version === 'v2' }),
    peerId: new Uint8Array(20).fill(2),
    infoHash,
  });
  return (write) => {
    const writer = new MessageWriter();
    write?.(writer);
    const bytes = writer.take();
    for (let at = 0; at < bytes.length; ) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
      swarm.handleMessage(0, 1, bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    const outputs: SwarmOutput[] = [];
    for (let out = swarm.poll(0); out !== undefined; out = swarm.poll(0)) outputs.push(out);
    return outputs;
  };
}

type Write = (writer: MessageWriter) => void;

test('a second bitfield counts as HAVEs: aria2 tells many new pieces that way', () => {
  const say = seedAndPeer('v1', 4 * PIECE_BYTES);
  say((writer) => {
    writer.haveNone();
    writer.interested();
  });
  const outputs = say((writer) => writer.bitfield(Uint8Array.of(0b1111_0000)));
  assert.deepEqual(
    outputs.filter(({ type }) => type === 'close'),
    [],
  );
  const wrong = say((writer) => writer.bitfield(Uint8Array.of(0b0000_1000)));
  assert.equal(wrong.filter(({ type }) => type === 'close').length, 1);
});

for (const [version, isServed] of [
  ['v2', true],
  ['v1', false],
] as const) {
  const what = isServed ? 'is served' : 'is refused';
  test(`a request past the end of a ${version} file, within its last block, ${what}: libtorrent 2.0 counts v2 gaps as pads`, () => {
    const say = seedAndPeer(version, PIECE_BYTES + 100);
    say((writer) => {
      writer.haveNone();
      writer.interested();
    });
    const last = say((writer) => writer.request(1, 0, BLOCK_BYTES));
    assert.equal(last.filter(({ type }) => type === 'serve').length, isServed ? 1 : 0);
    const beyond = say((writer) => writer.request(1, BLOCK_BYTES, BLOCK_BYTES));
    assert.equal(beyond.filter(({ type }) => type === 'serve').length, 0);
  });
}
