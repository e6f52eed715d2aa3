/**
 * Torrents under fuzz: whatever parses has safe and distinct paths, a consistent layout, and parses again from its info alone.
 * @module
 */
import assert from 'node:assert/strict';
import {
  type Info,
  PieceLayout,
  parseInfo,
  parseMetainfo,
} from '../../src/protocol/metainfo/index.ts';
import { nodeCrypto } from '../support/node-crypto.ts';
import { makeTorrent } from '../support/torrents.ts';
import type { FuzzTarget } from './driver.ts';

function checkPaths(info: Info): void {
  const seen = new Set<string>();
  for (const file of info.files) {
    for (const component of [...file.path, ...(file.symlinkTarget ?? [])]) {
      assert.ok(component !== '' && component !== '.' && component !== '..');
      assert.ok(!/[/\\\0]/.test(component));
      assert.ok(Buffer.byteLength(component) <= 255);
    }
    assert.equal(file.path[0], info.name);
    if (file.isPad) continue;
    const key = file.path.join('/').normalize('NFC').toLowerCase();
    assert.ok(!seen.has(key), `${key} twice`);
    seen.add(key);
  }
  for (const file of info.files) {
    if (file.isPad) continue;
    for (let length = 1; length < file.path.length; length += 1) {
      const folder = file.path.slice(0, length).join('/').normalize('NFC').toLowerCase();
      assert.ok(!seen.has(folder), `${folder} is a file and a folder`);
    }
  }
}

function checkLayout(info: Info): void {
  const layout = new PieceLayout(info);
  const step = Math.max(1, Math.floor(info.pieceCount / 50));
  for (let piece = 0; piece < info.pieceCount; piece += step) {
    let bytes = 0;
    for (const segment of layout.segments(piece)) {
      assert.equal(segment.pieceOffsetBytes, bytes);
      bytes += segment.lengthBytes;
    }
    assert.equal(bytes, layout.pieceBytes(piece));
    assert.ok(bytes > 0 && bytes <= info.pieceLengthBytes);
    assert.ok(layout.wantedBytes(piece) <= bytes);
    if (info.version !== 'v1') assert.ok(layout.v2LeafCount(piece) <= layout.v2LeafWidth(piece));
  }
}

const file = (path: string[], length: number) => ({
  path,
  bytes: new Uint8Array(length).fill(length),
});
const files = [file(['b'], 40_000), file(['a', 'c.txt'], 17_000), file(['e'], 0), file(['é'], 5)];
const link = { path: ['l'], bytes: new Uint8Array(0), symlinkTarget: ['a', 'c.txt'] };
const options = { name: 'top', isSingleFile: false, pieceLengthBytes: 16_384 };
const extras = {
  trackers: [['http://a/announce', 'udp://b:1'], ['http://c']],
  webSeeds: ['http://d/'],
  comment: 'c',
};

export const target: FuzzTarget = {
  name: 'metainfo',
  seeds: [
    makeTorrent([...files, link], { ...options, version: 'v1' }, extras).bytes,
    makeTorrent([...files, link], { ...options, version: 'v2' }, extras).bytes,
    makeTorrent([...files, link], { ...options, version: 'hybrid' }, extras).bytes,
    makeTorrent([file([], 100)], { name: 'x.txt', isSingleFile: true, version: 'v1' }).bytes,
    makeTorrent([file([], 100)], { name: 'x.txt', isSingleFile: true, version: 'v2' }).bytes,
    makeTorrent([file([], 100)], { name: 'x.txt', isSingleFile: true }).bytes,
  ],
  run(bytes) {
    for (const names of ['portable', 'windows'] as const) {
      const parsed = parseMetainfo(bytes, nodeCrypto, { names });
      if (!parsed.ok) return;
      const { info } = parsed.value;
      checkPaths(info);
      checkLayout(info);
      const again = parseInfo(info.infoBytes, nodeCrypto, { names });
      assert.ok(again.ok);
      assert.deepEqual(again.value, info);
    }
  },
};
