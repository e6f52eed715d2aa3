/** BEP 52, "metainfo files" to "infohash", the hash messages' trees, and "Upgrade Path": one test for each sentence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, toHex } from '../../src/lib/bytes.ts';
import { decodeDict, type Encodable, encode, raw } from '../../src/protocol/bencode/index.ts';
import {
  HashTree,
  type Metainfo,
  merkleRoot,
  PieceLayout,
  padHash,
  parseMetainfo,
  planTorrent,
  rootOfPieceLayer,
  uncleCount,
} from '../../src/protocol/metainfo/index.ts';
import { nodeCrypto } from '../support/node-crypto.ts';
import { type ContentFile, makeTorrent } from '../support/torrents.ts';

const KIB16 = 16_384;
const ROOT = new Uint8Array(32).fill(7);
const { sha256 } = nodeCrypto;

function parse(torrent: Encodable): string | Metainfo {
  const result = parseMetainfo(encode(torrent), nodeCrypto);
  return result.ok ? result.value : result.code;
}

function good(torrent: Encodable): Metainfo {
  const result = parse(torrent);
  assert.ok(typeof result !== 'string', String(result));
  return result;
}

function v2(tree: Encodable, change: Record<string, Encodable> = {}): Encodable {
  return {
    info: { name: 'n', 'piece length': KIB16, 'meta version': 2, 'file tree': tree, ...change },
  };
}

const leaf = (length: number): Encodable => ({
  '': { length, ...(length > 0 && { 'pieces root': ROOT }) },
});

function made(
  lengths: readonly number[],
  pieceLengthBytes: number,
  version: 'v2' | 'hybrid' = 'v2',
): Metainfo {
  const files: ContentFile[] = lengths.map((length, i) => ({
    path: [`f${i}`],
    bytes: new Uint8Array(length).fill(i + 1),
  }));
  const { bytes } = makeTorrent(files, {
    name: 't',
    isSingleFile: false,
    version,
    pieceLengthBytes,
  });
  const result = parseMetainfo(bytes, nodeCrypto);
  assert.ok(result.ok);
  return result.value;
}

test('"piece layers: For each file in the file tree that is larger than the piece size it contains one string value."', () => {
  const { pieceLayers, info } = made([KIB16 * 2, KIB16 * 2 + 1, 1], KIB16 * 2);
  assert.deepEqual([...pieceLayers.keys()], [toHex(info.files[1]!.piecesRoot!)]);
});

test('"The keys are the merkle roots while the values consist of concatenated hashes of one layer within that merkle tree."', () => {
  const { pieceLayers, info } = made([KIB16 * 5], KIB16);
  const [[root, layer]] = [...pieceLayers] as [[string, Uint8Array]];
  assert.equal(root, toHex(info.files[0]!.piecesRoot!));
  assert.deepEqual(merkleRoot(nodeCrypto, layer, 8), info.files[0]!.piecesRoot);
});

test('"For example if the piece size is 16KiB then the leaf hashes are used."', () => {
  const [layer] = made([KIB16 * 2], KIB16).pieceLayers.values();
  assert.deepEqual(layer!.subarray(0, 32), sha256(new Uint8Array(KIB16).fill(1)));
});

test('"If a piece size of 128KiB is used then 3rd layer up from the leaf hashes is used."', () => {
  const [layer] = made([KIB16 * 16], KIB16 * 8).pieceLayers.values();
  const leafHash = sha256(new Uint8Array(KIB16).fill(1));
  const leaves = concatBytes(...Array.from({ length: 8 }, () => leafHash));
  assert.deepEqual(layer!.subarray(0, 32), merkleRoot(nodeCrypto, leaves, 8));
});

test('"Layer hashes which exclusively cover data beyond the end of file, i.e. are only needed to balance the tree, are omitted."', () => {
  const [layer] = made([KIB16 * 5], KIB16).pieceLayers.values();
  assert.equal(layer!.length, 5 * 32);
});

test('"A torrent is not valid if … the contained hashes do not match the merkle roots or are not from the correct layer."', () => {
  const { info, pieceLayers } = made([KIB16 * 8], KIB16 * 2);
  const root = Buffer.from(info.files[0]!.piecesRoot!).toString('latin1');
  const [layer] = pieceLayers.values();
  const torrent = (hashes: Uint8Array): Encodable => ({
    info: raw(info.infoBytes),
    'piece layers': new Map([[root, hashes]]),
  });
  assert.ok(typeof parse(torrent(layer!)) !== 'string');
  const other = concatBytes(layer!.subarray(32), layer!.subarray(0, 31), Uint8Array.of(0));
  assert.equal(parse(torrent(other)), 'ERR_METAINFO_PIECE_LAYER');
  const above = concatBytes(sha256(layer!.subarray(0, 64)), sha256(layer!.subarray(64)));
  assert.equal(parse(torrent(above)), 'ERR_METAINFO_PIECE_LAYER');
});

test('"name: A display name for the torrent. It is purely advisory."', () => {
  assert.equal(good(v2({ a: leaf(1) }, { name: '/../x' })).info.name, '..x');
});

test('"piece length: … It must be a power of two and at least 16KiB."', () => {
  for (const length of [0, 1, 8192, 16_383, 16_385, 49_152]) {
    assert.equal(
      parse(v2({ a: leaf(1) }, { 'piece length': length })),
      'ERR_METAINFO_PIECE_LENGTH',
    );
  }
  for (const length of [KIB16, 2 ** 20])
    assert.ok(typeof parse(v2({ a: leaf(1) }, { 'piece length': length })) !== 'string');
});

test('"Files are mapped into this piece address space so that each non-empty file is aligned to a piece boundary and occurs in the same order as in the file tree."', () => {
  const { info } = good(v2({ a: leaf(1), b: { c: leaf(KIB16 + 1) }, d: leaf(2) }));
  assert.deepEqual(
    info.files.map((file) => file.offsetBytes),
    [0, KIB16, 3 * KIB16],
  );
});

test('"The last piece of each file may be shorter than the specified piece length, resulting in an alignment gap."', () => {
  const layout = new PieceLayout(made([KIB16 + 5, 3], KIB16).info);
  assert.deepEqual(
    [0, 1, 2].map((piece) => layout.pieceBytes(piece)),
    [KIB16, 5, 3],
  );
});

test('"Implementations must check this field first and indicate that a torrent is of a newer version than they can handle before performing other validations."', () => {
  assert.equal(
    parse(v2(5, { 'meta version': 3, 'piece length': 1 })),
    'ERR_METAINFO_UNSUPPORTED_VERSION',
  );
});

test('"file tree: A tree of dictionaries where dictionary keys represent UTF-8 encoded path elements."', () => {
  const { info } = good(v2({ é: { b: leaf(1) } }));
  assert.deepEqual(info.files[0]!.path, ['n', 'é', 'b']);
});

test('"Keys may contain invalid UTF-8 sequences or characters and names that are reserved on specific filesystems. Implementations must be prepared to sanitize them."', () => {
  const tree = new Map<string, Encodable>([
    ['a\xff', leaf(1)],
    ['con', leaf(1)],
  ]);
  const result = parseMetainfo(encode(v2(tree)), nodeCrypto, { names: 'windows' });
  assert.ok(result.ok);
  assert.deepEqual(
    result.value.info.files.map((file) => file.path[1]),
    ['a_', '_con'],
  );
});

test("\"On most platforms path components exactly matching '.' and '..' must be sanitized.\"", () => {
  const { info } = good(v2({ '.': { a: leaf(1) }, '..': { a: leaf(1) } }));
  assert.deepEqual(
    info.files.map((file) => file.path.join('/')),
    ['n/a', 'n/_/a'],
  );
});

test('"this sanitizing step must happen after normalizing overlong UTF-8 encodings."', () => {
  const { info } = good(v2(new Map<string, Encodable>([['\xc0\xae\xc0\xae', { a: leaf(1) }]])));
  assert.deepEqual(info.files[0]!.path, ['n', '____', 'a']);
});

test('"The file tree root dictionary itself must not be a file, i.e. it must not contain a zero-length key with a dictionary containing a length key."', () => {
  assert.equal(parse(v2(leaf(1))), 'ERR_METAINFO_FILE_TREE');
});

test('"length: … Presence of this field indicates that the dictionary describes a file, not a directory. Which means it must not have any sibling entries."', () => {
  assert.equal(parse(v2({ a: { '': { length: 0 }, b: leaf(1) } })), 'ERR_METAINFO_FILE_TREE');
});

test('"For non-empty files this is the the root hash of a merkle tree with a branching factor of 2, constructed from 16KiB blocks of the file."', () => {
  const { info } = made([KIB16 * 2], KIB16 * 4);
  const hash = sha256(new Uint8Array(KIB16).fill(1));
  assert.deepEqual(info.files[0]!.piecesRoot, sha256(concatBytes(hash, hash)));
  assert.equal(parse(v2({ a: { '': { length: 1 } } })), 'ERR_METAINFO_PIECES_ROOT');
});

test('"The last block may be shorter than 16KiB."', () => {
  const { info } = made([5], KIB16);
  assert.deepEqual(info.files[0]!.piecesRoot, sha256(new Uint8Array(5).fill(1)));
});

test('"The remaining leaf hashes beyond the end of the file required to construct upper layers of the merkle tree are set to zero."', () => {
  const { info } = made([KIB16 * 3], KIB16 * 4);
  const hash = sha256(new Uint8Array(KIB16).fill(1));
  const right = sha256(concatBytes(hash, new Uint8Array(32)));
  assert.deepEqual(
    info.files[0]!.piecesRoot,
    sha256(concatBytes(sha256(concatBytes(hash, hash)), right)),
  );
  const [layer] = made([KIB16 * 9], KIB16 * 4).pieceLayers.values();
  assert.deepEqual(layer!.subarray(64), merkleRoot(nodeCrypto, hash, 4));
  assert.equal(
    padHash(nodeCrypto, 0).every((byte) => byte === 0),
    true,
  );
});

test('"Note that identical files always result in the same root hash."', () => {
  const bytes = new Uint8Array(KIB16 * 5).fill(9);
  const roots = [KIB16, KIB16 * 4, KIB16 * 16].map((pieceLengthBytes) => {
    const options = { name: 'f', isSingleFile: true, version: 'v2' as const, pieceLengthBytes };
    const parsed = parseMetainfo(makeTorrent([{ path: [], bytes }], options).bytes, nodeCrypto);
    assert.ok(parsed.ok);
    return toHex(parsed.value.info.files[0]!.piecesRoot!);
  });
  assert.equal(new Set(roots).size, 1);
});

test('"file tree: {name.ext: {"": {length: ...}}} a single-file torrent"', () => {
  const { info } = good(v2({ 'name.ext': leaf(1) }, { name: 'name.ext' }));
  assert.equal(info.isSingleFile, true);
  assert.deepEqual(info.files[0]!.path, ['name.ext']);
});

test('"implementations may offer users to optionally prepend the torrent name as root to avoid file name collisions."', () => {
  const { info } = good(v2({ 'nameA.ext': leaf(1), 'nameB.ext': leaf(1) }));
  assert.deepEqual(
    info.files.map((file) => file.path.join('/')),
    ['n/nameA.ext', 'n/nameB.ext'],
  );
});

test('"For meta version 2 SHA2-256 is used."', () => {
  const { info } = made([1], KIB16);
  assert.deepEqual(info.infoHashV2, sha256(info.infoBytes));
});

test('"Conversely that means implementations must either reject invalid metainfo files or extract the substring directly."', () => {
  const { info } = made([1], KIB16);
  const text = Buffer.from(info.infoBytes).toString('latin1');
  const shuffled = `d${text.slice(text.indexOf('4:name'), -1)}${text.slice(1, text.indexOf('4:name'))}e`;
  assert.equal(parse({ info: raw(Buffer.from(shuffled, 'latin1')) }), 'ERR_METAINFO_UNSORTED_KEYS');
});

test('"A proof layer is omitted if the requested hashes include the entire child layer. In other words, the first log2(length)-1 proof layers are ommitted."', () => {
  assert.equal(uncleCount({ baseLayer: 0, index: 0, length: 8, proofLayers: 5 }), 3);
});

test('"Hashes starts with the base layer and ends with the uncle hash closest to the root."', () => {
  const layer = concatBytes(...Array.from({ length: 8 }, (_, i) => sha256(Uint8Array.of(i))));
  const root = rootOfPieceLayer(nodeCrypto, layer, KIB16);
  const tree = new HashTree(nodeCrypto, root, 8, KIB16, layer);
  const served = tree.serve({ baseLayer: 0, index: 2, length: 2, proofLayers: 2 })!;
  assert.deepEqual(served.subarray(0, 64), layer.subarray(64, 128));
  assert.deepEqual(served.subarray(64, 96), sha256(layer.subarray(0, 64)));
  assert.deepEqual(served.subarray(96), merkleRoot(nodeCrypto, layer.subarray(128), 4));
});

test("\"To do so the 'pieces' field and 'files' or 'length' in the info dictionary must be generated to describe the same data in the same order.\"", () => {
  const { info } = made([5, KIB16, 3], KIB16, 'hybrid');
  const dict = decodeDict(info.infoBytes);
  assert.ok(dict.ok);
  assert.deepEqual([...dict.value.dict('file tree')!.keys()], ['f0', 'f1', 'f2']);
  assert.equal(info.piecesV1!.length, 60);
});

test('"Since the old format did not align files to piece boundaries a multifile torrent must use BEP 47 padding files to achieve identical alignment."', () => {
  const files = [5, 3].map((lengthBytes, i) => ({ path: [`${i}`], lengthBytes }));
  const plan = planTorrent(files, { name: 't', isSingleFile: false, pieceLengthBytes: KIB16 });
  assert.deepEqual(
    plan.files.map((file) => file.isPad),
    [false, true, false],
  );
  assert.equal(plan.files[2]!.offsetBytes, KIB16);
});

test('"Before doing so they must validate that the content (file names, order, piece alignment) is identical."', () => {
  const tree = { a: leaf(5), b: leaf(6) };
  const pieces = new Uint8Array(20);
  const files = [
    { length: 5, path: ['a'] },
    { length: 6, path: ['b'] },
  ];
  assert.equal(parse(v2(tree, { files, pieces })), 'ERR_METAINFO_INCONSISTENT_HYBRID');
});
