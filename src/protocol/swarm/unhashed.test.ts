/**
 * Torrents whose pieces have no hashes: what was written is had, and metadata is neither asked for, taken nor served.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rigTorrent, SwarmRig } from '../../../test/support/swarm-rig.ts';
import { Bitfield } from '../../lib/bitfield.ts';
import type { Info } from '../metainfo/index.ts';
import {
  decodeExtendedHandshake,
  encodeMetadataRequest,
  METADATA_EXTENSION,
} from '../peer-wire/index.ts';

const PEER = { host: '50.0.1.9', port: 6881 };
/** The ids under which the core, and the peer of these tests, take ut_metadata. */
const OUR_METADATA_ID = 1;
const RIG_METADATA_ID = 13;

/** With the info bytes of a torrent, so that there would be something to serve. */
function unhashedInfo(): Info {
  const { piecesV1: _, ...info } = rigTorrent();
  return { ...info, version: 'unhashed' };
}

test('a piece that was written is had; one that could not be written is not', () => {
  const rig = new SwarmRig({ info: unhashedInfo() });
  rig.swarm.handlePiece(0, 0, {});
  rig.swarm.handlePiece(0, 1, { isFault: true });
  rig.drain();
  assert.deepEqual([...rig.swarm.have!], [0]);
  assert.equal(rig.swarm.totals.failedPieces, 0);
});

test('metadata is rejected to whoever asks, and its size is not told', () => {
  const have = new Bitfield(4);
  have.fill();
  const rig = new SwarmRig({ info: unhashedInfo(), have });
  const extensions = new Map([[METADATA_EXTENSION, RIG_METADATA_ID]]);
  const id = rig.connect({ address: PEER, handshake: { extensions } });
  rig.receive(id, (writer) => writer.extended(OUR_METADATA_ID, encodeMetadataRequest(0)));
  const said = rig.said(id).filter((message) => message.type === 'extended');
  const handshake = said.find(({ id: to }) => to === 0)!;
  const told = decodeExtendedHandshake(handshake.payload);
  assert(told.ok);
  assert.equal(told.value.metadataBytes, undefined);
  const answer = said.find(({ id: to }) => to === RIG_METADATA_ID)!;
  assert.match(Buffer.from(answer.payload).toString('latin1'), /8:msg_typei2e/);
});

test('without the metadata exchange it is not offered, nor asked for before the files are known', () => {
  const info = unhashedInfo();
  const rig = new SwarmRig({ info, isMagnet: true, usesMetadataExchange: false });
  const extensions = new Map([[METADATA_EXTENSION, RIG_METADATA_ID]]);
  const id = rig.connect({
    address: PEER,
    handshake: { extensions, metadataBytes: info.infoBytes.length },
  });
  rig.wait(5_000);
  const said = rig.said(id).filter((message) => message.type === 'extended');
  const told = decodeExtendedHandshake(said[0]!.payload);
  assert(told.ok);
  assert.equal(told.value.extensions?.get(METADATA_EXTENSION), undefined);
  assert.deepEqual(
    said.filter(({ id: to }) => to === RIG_METADATA_ID),
    [],
  );
});
