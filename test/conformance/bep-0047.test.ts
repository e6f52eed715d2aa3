/** BEP 47, padding files and extended file attributes: one test for each sentence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Encodable, encode } from '../../src/protocol/bencode/index.ts';
import {
  type Info,
  PieceLayout,
  parseMetainfo,
  planTorrent,
} from '../../src/protocol/metainfo/index.ts';
import { nodeCrypto } from '../support/node-crypto.ts';
import { makeTorrent } from '../support/torrents.ts';

function parse(files: Encodable[]): Info {
  const info = { name: 'n', 'piece length': 16_384, files, pieces: new Uint8Array(20) };
  const result = parseMetainfo(encode({ info }), nodeCrypto);
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.value.info;
}

const file = (name: string, change: object = {}): Encodable => ({
  length: 1,
  path: [name],
  ...change,
});

test('"l = symlink, x = executable, h = hidden, p = padding file."', () => {
  const link = { length: 0, attr: 'l', path: ['l'], 'symlink path': ['x'] };
  const { files } = parse([
    file('x', { attr: 'x' }),
    file('h', { attr: 'h' }),
    file('p', { attr: 'p' }),
    link,
  ]);
  assert.equal(files[0]!.isExecutable, true);
  assert.equal(files[1]!.isHidden, true);
  assert.equal(files[2]!.isPad, true);
  assert.deepEqual(files[3]!.symlinkTarget, ['n', 'x']);
});

test('"Characters appear in no particular order and unknown characters should be ignored."', () => {
  const [first] = parse([file('x', { attr: 'zhQx1' })]).files;
  assert.deepEqual([first!.isExecutable, first!.isHidden, first!.isPad], [true, true, false]);
});

test('"attr" in the single-file format', () => {
  const info = {
    name: 'n',
    'piece length': 16_384,
    length: 1,
    attr: 'hx',
    pieces: new Uint8Array(20),
  };
  const result = parseMetainfo(encode({ info }), nodeCrypto);
  assert.equal(result.ok && result.value.info.files[0]!.isExecutable, true);
});

test('"sha1: … The hash should only be considered as a hint."', () => {
  assert.equal(parse([file('a', { sha1: 'wrong' })]).files.length, 1);
});

test('"symlink path: An array of strings. Path of the symlink target relative to the torrent root directory."', () => {
  const link = { length: 0, attr: 'l', path: ['d', 'l'], 'symlink path': ['e', 't'] };
  const { files } = parse([link, { length: 1, path: ['e', 't'] }]);
  assert.deepEqual(files[0]!.symlinkTarget, ['n', 'e', 't']);
});

test('"The length of a symlink is always zero since it just points to another file already present in the piece space."', () => {
  const { files, totalBytes } = parse([
    { length: 500, attr: 'l', path: ['l'], 'symlink path': ['a'] },
    file('a'),
  ]);
  assert.equal(files[0]!.lengthBytes, 0);
  assert.equal(totalBytes, 1);
});

test('"clients implementing with this BEP should not require their presence on symlink files when parsing it"', () => {
  const { files } = parse([{ attr: 'l', path: ['l'], 'symlink path': ['a'] }, file('a')]);
  assert.deepEqual(files[0]!.symlinkTarget, ['n', 'a']);
});

test('"For backwards compatibility the length=0 should be included when creating a torrent"', () => {
  const { bytes } = makeTorrent(
    [
      { path: ['a'], bytes: new Uint8Array(1) },
      { path: ['l'], bytes: new Uint8Array(0), symlinkTarget: ['a'] },
    ],
    { name: 't', isSingleFile: false, version: 'v1' },
  );
  assert.match(
    Buffer.from(bytes).toString('latin1'),
    /d4:attr1:l6:lengthi0e4:pathl1:le12:symlink pathl1:aee/,
  );
});

test('"the symlink path is relative to the torrent root and must not contain .. elements."', () => {
  const { files } = parse([
    { attr: 'l', path: ['l'], 'symlink path': ['d', '..', 'a'] },
    file('a'),
    { length: 1, path: ['d', 'b'] },
  ]);
  assert.equal(files[0]!.symlinkTarget, undefined);
});

test('"It should also target another file within the torrent, otherwise a dangling symlink will be created."', () => {
  const { files } = parse([{ attr: 'l', path: ['l'], 'symlink path': ['gone'] }, file('a')]);
  assert.equal(files[0]!.symlinkTarget, undefined);
});

test('"That means their length should fill up the remainder of the piece length of the file that is supposed to be padded."', () => {
  const files = [10, 5].map((lengthBytes, i) => ({ path: [`${i}`], lengthBytes }));
  const plan = planTorrent(files, { name: 't', isSingleFile: false, pieceLengthBytes: 16_384 });
  assert.equal(plan.files[1]!.lengthBytes, 16_384 - 10);
});

test('"should also avoid requesting byte-ranges covering their contents … But for backwards-compatibility they must service such requests."', () => {
  const info = parse([file('a'), { length: 9000, attr: 'p', path: ['.pad', '9000'] }]);
  const layout = new PieceLayout(info);
  assert.equal(layout.wantedBytes(0), 1);
  assert.equal(layout.pieceBytes(0), 9001);
  assert.equal(layout.segments(0)[1]!.isPad, true);
});

test('"The recommended path is [".pad", "N"] where N is the length of the padding file in base10."', () => {
  const files = [10, 5].map((lengthBytes, i) => ({ path: [`${i}`], lengthBytes }));
  const plan = planTorrent(files, { name: 't', isSingleFile: false, pieceLengthBytes: 16_384 });
  assert.deepEqual(plan.files[1]!.path, ['t', '.pad', '16374']);
});

test('"To eventually allow the path field to be omitted clients implementing this BEP should not require it to be present on padding files."', () => {
  assert.equal(parse([file('a'), { length: 5, attr: 'p' }]).files[1]!.isPad, true);
});

test('"The presence of padding files does not imply that all files are piece-aligned."', () => {
  const { files } = parse([file('a'), { length: 5, attr: 'p' }, file('b')]);
  assert.equal(files[2]!.offsetBytes, 6);
});
