import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto } from '../../../test/support/node-crypto.ts';
import { type ContentFile, makeTorrent } from '../../../test/support/torrents.ts';
import { concatBytes, fromLatin1, toHex, toLatin1 } from '../../lib/bytes.ts';
import { type Encodable, encode, raw } from '../bencode/index.ts';
import { type Metainfo, type NameRules, parseInfo, parseMetainfo } from './index.ts';

type Dict = Record<string, Encodable | undefined>;

const KIB16 = 16_384;
const ROOT = new Uint8Array(32).fill(0xaa);

function parse(torrent: Encodable, names: NameRules = 'portable'): Metainfo {
  const parsed = parseMetainfo(encode(torrent), nodeCrypto, { names });
  assert.ok(parsed.ok, parsed.ok ? '' : `${parsed.code}: ${parsed.message}`);
  return parsed.value;
}

function codeOf(torrent: Encodable): string {
  const parsed = parseMetainfo(encode(torrent), nodeCrypto);
  return parsed.ok ? 'ok' : parsed.code;
}

/** A v1 single-file info of 100 bytes, changed. */
function v1(change: Dict = {}): Dict {
  return { name: 'n', 'piece length': KIB16, length: 100, pieces: new Uint8Array(20), ...change };
}

/** A v1 info of several files; `pieces` fits the lengths unless given. */
function v1Files(files: Encodable[], change: Dict = {}): Dict {
  let total = 0;
  for (const file of files) total += (file as { length?: number }).length ?? 0;
  const pieces = new Uint8Array(20 * Math.ceil(total / KIB16));
  return v1({ length: undefined, files, pieces, ...change });
}

/** A v2 info with one file `n` of 100 bytes, changed. */
function v2(change: Dict = {}): Dict {
  return {
    name: 'n',
    'piece length': KIB16,
    'meta version': 2,
    'file tree': { n: leaf(100) },
    ...change,
  };
}

function leaf(length: number, change: Dict = {}): Encodable {
  return { '': { length, ...(length > 0 && { 'pieces root': ROOT }), ...change } };
}

function pathsOf(info: Encodable, names: NameRules = 'portable'): string[] {
  return parse({ info }, names).info.files.map((file) => file.path.join('/'));
}

const named = (...path: string[]): Encodable => ({ length: 1, path });
const content = (path: string[], length: number): ContentFile => ({
  path,
  bytes: new Uint8Array(length).fill(path.length),
});

test('torrents that must be refused, by the reason', () => {
  const deep = (depth: number): Encodable => {
    let tree: Encodable = leaf(1);
    for (let i = 0; i < depth; i += 1) tree = { d: tree };
    return tree;
  };
  const cases: [what: string, info: Encodable | undefined, code: string][] = [
    ['no info', undefined, 'ERR_METAINFO_INFO_MISSING'],
    ['info is a list', [], 'ERR_METAINFO_INFO_MISSING'],
    ['no piece length', v1({ 'piece length': undefined }), 'ERR_METAINFO_PIECE_LENGTH'],
    ['piece length is a string', v1({ 'piece length': '16384' }), 'ERR_METAINFO_PIECE_LENGTH'],
    ['piece length 0', v1({ 'piece length': 0 }), 'ERR_METAINFO_PIECE_LENGTH'],
    ['piece length negative', v1({ 'piece length': -KIB16 }), 'ERR_METAINFO_PIECE_LENGTH'],
    ['piece length 2^31 - 1', v1({ 'piece length': 2 ** 31 - 1 }), 'ERR_METAINFO_PIECE_LENGTH'],
    ['v2 piece length 2^31 - 1', v2({ 'piece length': 2 ** 31 - 1 }), 'ERR_METAINFO_PIECE_LENGTH'],
    [
      'v2 piece length no power of two',
      v2({ 'piece length': 49_152 }),
      'ERR_METAINFO_PIECE_LENGTH',
    ],
    ['v2 piece length below 16 KiB', v2({ 'piece length': 8192 }), 'ERR_METAINFO_PIECE_LENGTH'],
    ['no name', v1({ name: undefined }), 'ERR_METAINFO_NAME'],
    ['name is an integer', v1({ name: 3 }), 'ERR_METAINFO_NAME'],
    ['v2 no name', v2({ name: undefined }), 'ERR_METAINFO_NAME'],
    ['length negative', v1({ length: -1 }), 'ERR_METAINFO_LENGTH'],
    ['length is a string', v1({ length: '100' }), 'ERR_METAINFO_LENGTH'],
    ['length missing', v1({ length: undefined }), 'ERR_METAINFO_LENGTH'],
    ['length 2^44', v1({ length: 2 ** 44 }), 'ERR_METAINFO_LENGTH'],
    ['length beyond 2^63', v1({ length: 2n ** 64n }), 'ERR_METAINFO_LENGTH'],
    ['length 0', v1({ length: 0, pieces: '' }), 'ERR_METAINFO_LENGTH'],
    ['all files empty', v1Files([{ length: 0, path: ['a'] }]), 'ERR_METAINFO_LENGTH'],
    ['file length negative', v1Files([{ length: -1, path: ['a'] }]), 'ERR_METAINFO_LENGTH'],
    ['file length missing', v1Files([{ path: ['a'] }]), 'ERR_METAINFO_LENGTH'],
    ['v2 length 2^44', v2({ 'file tree': { n: leaf(2 ** 44) } }), 'ERR_METAINFO_LENGTH'],
    ['v2 length negative', v2({ 'file tree': { n: leaf(-1) } }), 'ERR_METAINFO_LENGTH'],
    ['no pieces', v1({ pieces: undefined }), 'ERR_METAINFO_PIECES'],
    ['pieces is an integer', v1({ pieces: 1 }), 'ERR_METAINFO_PIECES'],
    ['pieces empty', v1({ pieces: '' }), 'ERR_METAINFO_PIECES'],
    ['pieces of 119 bytes', v1({ pieces: new Uint8Array(119) }), 'ERR_METAINFO_PIECES'],
    [
      'pieces too few',
      v1({ length: KIB16 * 7, pieces: new Uint8Array(120) }),
      'ERR_METAINFO_PIECES',
    ],
    [
      'pieces too many',
      v1({ length: KIB16 * 5, pieces: new Uint8Array(120) }),
      'ERR_METAINFO_PIECES',
    ],
    ['many pieces', v1({ length: 2 ** 40, 'piece length': 16 }), 'ERR_METAINFO_TOO_MANY_PIECES'],
    ['v2 many pieces', v2({ 'file tree': { n: leaf(2 ** 43) } }), 'ERR_METAINFO_TOO_MANY_PIECES'],
    ['files empty', v1Files([]), 'ERR_METAINFO_NO_FILES'],
    ['files is a dictionary', v1({ files: {} }), 'ERR_METAINFO_NO_FILES'],
    ['a file is a string', v1({ files: ['a'] }), 'ERR_METAINFO_NO_FILES'],
    ['path missing', v1Files([{ length: 1 }]), 'ERR_METAINFO_PATH'],
    ['path is a string', v1Files([{ length: 1, path: 'a' }]), 'ERR_METAINFO_PATH'],
    ['path empty', v1Files([{ length: 1, path: [] }]), 'ERR_METAINFO_PATH'],
    ['path of integers', v1Files([{ length: 1, path: [1] }]), 'ERR_METAINFO_PATH'],
    [
      'symlink path of integers',
      v1Files([named('a'), { attr: 'l', 'symlink path': [1], path: ['b'], length: 0 }]),
      'ERR_METAINFO_PATH',
    ],
    [
      'path of 200',
      v1Files([named(...Array<string>(200).fill('d'))]),
      'ERR_METAINFO_PATH_TOO_DEEP',
    ],
    ['v2 path of 101', v2({ 'file tree': deep(101) }), 'ERR_METAINFO_PATH_TOO_DEEP'],
    ['v2 deep recursion', v2({ 'file tree': deep(200) }), 'ERR_BENCODE_DEPTH'],
    [
      'too many of one name',
      v1Files(Array.from({ length: 10_002 }, () => named('a'))),
      'ERR_METAINFO_TOO_MANY_DUPLICATE_NAMES',
    ],
    ['meta version 3', v2({ 'meta version': 3 }), 'ERR_METAINFO_UNSUPPORTED_VERSION'],
    ['meta version 1', v2({ 'meta version': 1 }), 'ERR_METAINFO_UNSUPPORTED_VERSION'],
    ['meta version is a string', v2({ 'meta version': '2' }), 'ERR_METAINFO_UNSUPPORTED_VERSION'],
    ['no file tree', v2({ 'file tree': undefined }), 'ERR_METAINFO_FILE_TREE'],
    ['file tree is a list', v2({ 'file tree': [] }), 'ERR_METAINFO_FILE_TREE'],
    ['file tree empty', v2({ 'file tree': {} }), 'ERR_METAINFO_NO_FILES'],
    ['file tree is a file', v2({ 'file tree': leaf(1) }), 'ERR_METAINFO_FILE_TREE'],
    ['file is an integer', v2({ 'file tree': { a: 1 } }), 'ERR_METAINFO_FILE_TREE'],
    ['properties are an integer', v2({ 'file tree': { a: { '': 1 } } }), 'ERR_METAINFO_FILE_TREE'],
    ['empty file name', v2({ 'file tree': { a: { '': leaf(1) } } }), 'ERR_METAINFO_FILE_TREE'],
    [
      'file with siblings',
      v2({ 'file tree': { a: { '': { length: 0 }, b: leaf(1) } } }),
      'ERR_METAINFO_FILE_TREE',
    ],
    ['no root', v2({ 'file tree': { a: { '': { length: 1 } } } }), 'ERR_METAINFO_PIECES_ROOT'],
    [
      'no root and a link without target',
      v2({ 'file tree': { a: { '': { length: 1, attr: 'l' } } } }),
      'ERR_METAINFO_PIECES_ROOT',
    ],
    [
      'zero root',
      v2({ 'file tree': { a: leaf(1, { 'pieces root': new Uint8Array(32) }) } }),
      'ERR_METAINFO_PIECES_ROOT',
    ],
    [
      'zero root of a large file',
      v2({ 'file tree': { a: leaf(KIB16 * 9, { 'pieces root': new Uint8Array(32) }) } }),
      'ERR_METAINFO_PIECES_ROOT',
    ],
    [
      'root of 31 bytes',
      v2({ 'file tree': { a: leaf(1, { 'pieces root': new Uint8Array(31).fill(1) }) } }),
      'ERR_METAINFO_PIECES_ROOT',
    ],
    ['v2 pad file', v2({ 'file tree': { a: leaf(1, { attr: 'p' }) } }), 'ERR_METAINFO_PAD_FILE'],
  ];
  for (const [what, info, code] of cases) assert.equal(codeOf({ info }), code, what);
});

test('what is no dictionary, or has more behind it, is refused; a line end is not', () => {
  const code = (bytes: Uint8Array): string => {
    const parsed = parseMetainfo(bytes, nodeCrypto);
    return parsed.ok ? 'ok' : parsed.code;
  };
  const good = encode({ info: v1() });
  assert.equal(code(encode('string')), 'ERR_BENCODE_TYPE');
  assert.equal(code(concatBytes(good, fromLatin1('\r\n'))), 'ok');
  assert.equal(code(concatBytes(good, fromLatin1('x'))), 'ERR_BENCODE_TRAILING');
  assert.equal(code(fromLatin1('d4:infod6:lengthi00eee')), 'ERR_BENCODE_INTEGER');
  assert.equal(code(fromLatin1('d4:infod6:pieces0:6:pieces0:ee')), 'ERR_BENCODE_DUPLICATE_KEY');
});

test('large but legal values are accepted', () => {
  assert.equal(codeOf({ info: v1({ 'piece length': 32_767 * KIB16 }) }), 'ok');
  assert.equal(codeOf({ info: v2({ 'piece length': 2 ** 29 }) }), 'ok');
  assert.equal(codeOf({ info: v1({ 'piece length': 100 }) }), 'ok');
  assert.equal(codeOf({ info: v1Files([named(...Array<string>(50).fill('d'))]) }), 'ok');
  assert.equal(
    codeOf({ info: v2({ 'piece length': 2 ** 29, 'file tree': { n: leaf(2 ** 44 - 1) } }) }),
    'ok',
  );
});

test('v1 with unsorted keys is accepted, its hash taken over the bytes as they are; v2 is refused', () => {
  const unsorted = 'd4:name1:n6:lengthi1e6:pieces20:aaaaaaaaaaaaaaaaaaaa12:piece lengthi16384ee';
  const { info } = parse({ info: raw(fromLatin1(unsorted)) });
  assert.deepEqual(info.infoHashV1, nodeCrypto.sha1(fromLatin1(unsorted)));
  assert.equal(toLatin1(info.infoBytes), unsorted);
  const v2Unsorted = toLatin1(encode(v2())).replace('4:name1:n', '').replace(/^d/, 'd4:name1:n');
  assert.equal(codeOf({ info: raw(fromLatin1(v2Unsorted)) }), 'ERR_METAINFO_UNSORTED_KEYS');
  const tree = 'd1:bd0:d6:lengthi0eee1:ad0:d6:lengthi0eeee';
  const v2Tree = v2({ 'file tree': raw(fromLatin1(tree)) });
  assert.equal(codeOf({ info: v2Tree }), 'ERR_METAINFO_UNSORTED_KEYS');
});

test('paths of hostile torrents are made safe', () => {
  const cases: [paths: string[][], safe: string[]][] = [
    [[['..', 'a']], ['n/_/a']],
    [[['.', 'a']], ['n/a']],
    [
      [['/abcde'], ['/foobar']],
      ['n/abcde', 'n/foobar'],
    ],
    [[['/', '/', 'bar']], ['n/_/_/bar']],
    [[['abc/../../def', '/', 'bar']], ['n/abc....def/_/bar']],
    [[['a\\b']], ['n/ab']],
    [[['']], ['n/_']],
    [
      [['', ''], ['']],
      ['n/_/_', 'n/_.1'],
    ],
    [
      [['foo'], ['foo']],
      ['n/foo', 'n/foo.1'],
    ],
    [
      [['bar.txt'], ['BAR.txt']],
      ['n/bar.txt', 'n/BAR.1.txt'],
    ],
    [
      [['a'], ['a', 'b']],
      ['n/a.1', 'n/a/b'],
    ],
    [[['c\u202etxt.exe']], ['n/ctxt.exe']],
  ];
  for (const [paths, safe] of cases) {
    assert.deepEqual(pathsOf(v1Files(paths.map((path) => named(...path)))), safe);
  }
  assert.deepEqual(pathsOf(v2({ 'file tree': { '..': leaf(1), '/x': leaf(1) } })), ['n/_', 'n/x']);
});

test('path.utf-8 and name.utf-8 come before path and name', () => {
  const files = [{ length: 1, path: ['\xff'], 'path.utf-8': ['é'] }];
  assert.deepEqual(pathsOf(v1Files(files, { 'name.utf-8': 'ü' })), ['ü/é']);
});

test('a name of which nothing is left becomes the info-hash', () => {
  for (const name of ['', '.', '..', '/', '\u200e']) {
    const { info } = parse({ info: v1({ name }) });
    assert.equal(info.name, toHex(info.infoHashV1!), JSON.stringify(name));
    assert.deepEqual(info.files[0]!.path, [info.name]);
  }
  const { info } = parse({ info: v2({ name: '..' }) });
  assert.equal(info.name, toHex(info.infoHashV2!));
});

test('names for Windows differ only where Windows needs it', () => {
  const files = v1Files([named('a:b'), named('con', 'c. ')], { name: 'foobar ' });
  assert.deepEqual(pathsOf(files), ['foobar /a:b', 'foobar /con/c. ']);
  assert.deepEqual(pathsOf(files, 'windows'), ['foobar/a_b', 'foobar/_con/c']);
});

function targetsOf(info: Encodable): (string | undefined)[] {
  return parse({ info }).info.files.map((file) => file.symlinkTarget?.join('/'));
}

function link(path: string[], target: string[], change: Dict = {}): Encodable {
  return { attr: 'l', length: 0, path, 'symlink path': target, ...change };
}

test('symlinks are kept when they lead to something inside the torrent', () => {
  const cases: [target: string[], kept: string | undefined][] = [
    [['a'], 'n/a'],
    [['d'], 'n/d'],
    [['d', 'b'], 'n/d/b'],
    [['l2'], 'n/l2'],
    [['missing'], undefined],
    [['..', 'a'], undefined],
    [['d', '..', 'a'], undefined],
    [[], undefined],
    [['l'], undefined],
    [['loop1'], undefined],
    [['/a'], 'n/a'],
  ];
  for (const [target, kept] of cases) {
    const others = [
      named('a'),
      named('d', 'b'),
      link(['l2'], ['a']),
      link(['loop1'], ['loop2']),
      link(['loop2'], ['loop1']),
    ];
    const targets = targetsOf(v1Files([link(['l'], target), ...others]));
    assert.equal(targets[0], kept, target.join('/'));
    assert.equal(targets[3], 'n/a');
    assert.equal(targets[4], undefined);
  }
});

test('a symlink takes no bytes, needs no length, and points at no folder above itself', () => {
  const info = parse({
    info: v1Files([
      link(['x', 'up'], ['x']),
      link(['y'], ['z'], { length: undefined }),
      named('z'),
    ]),
  }).info;
  assert.deepEqual(
    info.files.map((file) => file.lengthBytes),
    [0, 0, 1],
  );
  assert.deepEqual(
    info.files.map((file) => file.symlinkTarget?.join('/')),
    [undefined, 'n/z', undefined],
  );
  const sized = v1Files([link(['l'], ['z'], { length: 5 }), named('z')], {
    pieces: new Uint8Array(20),
  });
  assert.equal(parse({ info: sized }).info.totalBytes, 1);
});

test('no path leads through a symlink', () => {
  const info = v1Files([link(['d'], ['e']), named('d', 'x'), named('e', 'y')]);
  assert.deepEqual(pathsOf(info), ['n/d.1', 'n/d/x', 'n/e/y']);
});

test('pads need no path, take no name, and count for no bytes', () => {
  const pad = { attr: 'p', length: 2124 };
  const info = parse({
    info: v1Files([named('a'), pad, pad, { ...pad, path: ['.pad', '2124'] }, named('b')]),
  }).info;
  assert.deepEqual(
    info.files.map((file) => file.isPad),
    [false, true, true, true, false],
  );
  assert.equal(info.files[1]!.path.join('/'), 'n/.pad/2124');
  assert.equal(info.totalBytes, 2);
  assert.equal(info.files[4]!.offsetBytes, 1 + 3 * 2124);
});

test('v2 files lie at pieces, empty ones anywhere', () => {
  const tree = {
    a: leaf(0),
    b: leaf(1),
    c: leaf(0),
    d: { e: leaf(KIB16 + 1, { attr: 'xh' }), f: leaf(0) },
    g: leaf(0),
  };
  const { info } = parse({ info: v2({ 'file tree': tree }) });
  assert.equal(info.pieceCount, 3);
  assert.deepEqual(
    info.files.map((file) => file.offsetBytes / KIB16),
    [0, 0, 1, 1, 3, 3],
  );
  assert.equal(info.files[0]!.piecesRoot, undefined);
  assert.equal(info.files[3]!.isExecutable && info.files[3]!.isHidden, true);
  assert.equal(info.infoHashV1, undefined);
  assert.equal(parse({ info: v2({ 'file tree': { n: leaf(0) } }) }).info.pieceCount, 0);
});

test('a lone v2 file of the torrent’s own name is a single file, another one lies in a folder', () => {
  assert.deepEqual(pathsOf(v2()), ['n']);
  assert.equal(parse({ info: v2() }).info.isSingleFile, true);
  assert.deepEqual(pathsOf(v2({ name: 'folder' })), ['folder/n']);
});

/** A hybrid of given v1 files over a v2 tree of a (5 bytes), b (20,000 bytes), c (7 bytes). */
function hybrid(files: Encodable[], change: Dict = {}): string {
  const tree = { a: leaf(5), b: leaf(20_000), c: leaf(7) };
  return codeOf({ info: v1Files(files, { 'meta version': 2, 'file tree': tree, ...change }) });
}

test('both halves of a hybrid have to agree', () => {
  const a = { length: 5, path: ['a'] };
  const b = { length: 20_000, path: ['b'] };
  const c = { length: 7, path: ['c'] };
  const pad = (length: number): Encodable => ({ attr: 'p', length, path: ['.pad', `${length}`] });
  const padA = pad(KIB16 - 5);
  const padB = pad(2 * KIB16 - 20_000);
  const padC = pad(KIB16 - 7);
  const bad = 'ERR_METAINFO_INCONSISTENT_HYBRID';
  assert.equal(hybrid([a, padA, b, padB, c]), 'ok');
  assert.equal(hybrid([a, padA, b, padB, c, padC]), 'ok', 'a pad at the end is optional');
  assert.equal(hybrid([a, padA, b, padB, c, padC, padC]), bad, 'pads beyond the last piece');
  assert.equal(hybrid([a, b, c]), bad, 'no pads');
  assert.equal(hybrid([a, padA, b, c]), bad, 'a pad missing');
  assert.equal(hybrid([a, pad(KIB16 - 6), b, padB, c]), bad, 'a pad too short');
  assert.equal(hybrid([padA, a, b, padB, c]), bad, 'a pad in front');
  assert.equal(hybrid([b, padB, a, padA, c]), bad, 'another order');
  assert.equal(hybrid([a, padA, b]), bad, 'a file missing');
  assert.equal(
    hybrid([a, padA, b, padB, c, padC, { length: 1, path: ['d'] }]),
    bad,
    'a file too many',
  );
  assert.equal(hybrid([a, padA, b, padB, { length: 7, path: ['C'] }]), bad, 'another name');
  assert.equal(hybrid([a, padA, b, padB, { length: 8, path: ['c'] }]), bad, 'another length');
  assert.equal(
    hybrid([a, pad(KIB16 * 2 - 5), b, padB, c]),
    'ERR_METAINFO_PAD_FILE',
    'a pad too long',
  );
  assert.equal(codeOf({ info: { ...v2(), length: 100, pieces: new Uint8Array(20) } }), 'ok');
  const other = { ...v2(), name: 'm', length: 100, pieces: new Uint8Array(20) };
  assert.equal(codeOf({ info: other }), bad);
});

test('piece layers have to belong to a file, fit it, and hash to its root; missing ones may come later', () => {
  const files = [
    content(['big'], KIB16 * 5),
    content(['bigger'], KIB16 * 8 + 1),
    content(['small'], 9),
  ];
  const made = makeTorrent(files, {
    name: 't',
    isSingleFile: false,
    version: 'v2',
    pieceLengthBytes: KIB16,
  });
  const whole = parseMetainfo(made.bytes, nodeCrypto);
  assert.ok(whole.ok);
  const { info, pieceLayers } = whole.value;
  assert.equal(pieceLayers.size, 2);
  const layers = new Map([...pieceLayers].map(([hex, layer]) => [latin1OfHex(hex), layer]));
  const [first] = layers.keys();
  const changed = (key: string, layer: Encodable): Encodable =>
    new Map<string, Encodable>([...layers, [key, layer]]);
  const code = (value: Encodable | undefined): string =>
    codeOf({ info: raw(info.infoBytes), 'piece layers': value });
  const layer = layers.get(first!)!;
  const bad = 'ERR_METAINFO_PIECE_LAYER';
  assert.equal(code(layers), 'ok');
  assert.equal(code(undefined), 'ok', 'no layers at all');
  assert.equal(code(new Map([[first!, layer]])), 'ok', 'one of two');
  assert.equal(code([]), bad, 'no dictionary');
  assert.equal(code(changed('x'.repeat(32), layer)), bad, 'of no file');
  assert.equal(code(changed('x', layer)), bad, 'a short root');
  assert.equal(code(changed(toLatin1(info.files[2]!.piecesRoot!), layer)), bad, 'of a small file');
  assert.equal(code(changed(first!, layer.slice(0, -1))), bad, 'no multiple of 32');
  assert.equal(code(changed(first!, layer.slice(0, -32))), bad, 'too short');
  assert.equal(code(changed(first!, concatBytes(layer, new Uint8Array(32)))), bad, 'too long');
  assert.equal(code(changed(first!, 5)), bad, 'an integer');
  const flipped = layer.slice();
  flipped[40]! ^= 1;
  assert.equal(code(changed(first!, flipped)), bad, 'another hash');
});

function latin1OfHex(hex: string): string {
  return toLatin1(Uint8Array.from(Buffer.from(hex, 'hex')));
}

test('trackers: tiers, with white space trimmed and repetitions dropped', () => {
  const trackers = (torrent: Dict): unknown => parse({ info: v1(), ...torrent }).trackers;
  assert.deepEqual(trackers({}), []);
  assert.deepEqual(trackers({ announce: ' http://a \n' }), [['http://a']]);
  const list = [['http://b', 'udp://c:1'], [], ['http://b', 'wss://d', 'gopher://e', 5]];
  assert.deepEqual(trackers({ announce: 'http://a', 'announce-list': list }), [
    ['http://b', 'udp://c:1'],
    ['wss://d'],
  ]);
  assert.deepEqual(trackers({ announce: 'http://a', 'announce-list': [] }), [['http://a']]);
  assert.deepEqual(trackers({ 'announce-list': ['http://a', 'http://b'] }), [
    ['http://a'],
    ['http://b'],
  ]);
  const many = Array.from({ length: 600 }, (_, i) => [`http://${i}`]);
  assert.equal(parse({ info: v1(), 'announce-list': many }).trackers.length, 500);
});

test('web seeds: a string or a list, spaces escaped, folders for several files', () => {
  const seeds = (value: Encodable, info: Dict = v1()): unknown =>
    parse({ info, 'url-list': value }).webSeeds;
  assert.deepEqual(seeds('http://a/f'), ['http://a/f']);
  assert.deepEqual(seeds(''), []);
  assert.deepEqual(seeds(['http://a', ' http://a ', 'http://b c', 'ftp://d', 1]), [
    'http://a',
    'http://b%20c',
  ]);
  assert.deepEqual(seeds('http://a/f', v1Files([named('x')])), ['http://a/f/']);
  assert.deepEqual(seeds(['http://a/f/'], v1Files([named('x')])), ['http://a/f/']);
});

test('nodes, comment, creator and date', () => {
  const nodes = [['h', 1], ['h', 0], ['h', 65_536], ['', 1], [1, 'h'], 'x', ['::1', 6881]];
  const full = parse({
    info: v1(),
    nodes,
    comment: 'é',
    'created by': 'x',
    'creation date': 1_234_567,
  });
  assert.deepEqual(full.nodes, [
    { host: 'h', port: 1 },
    { host: '::1', port: 6881 },
  ]);
  assert.equal(full.comment, 'é');
  assert.equal(full.createdBy, 'x');
  assert.equal(full.creationDateSec, 1_234_567);
  const bare = parse({ info: v1(), comment: 5, 'creation date': 'x' });
  assert.equal(bare.comment, undefined);
  assert.equal(bare.creationDateSec, undefined);
});

test('private is the integer 1 inside info', () => {
  assert.equal(parse({ info: v1({ private: 1 }) }).info.isPrivate, true);
  assert.equal(parse({ info: v1({ private: 0 }) }).info.isPrivate, false);
  assert.equal(parse({ info: v1({ private: '1' }) }).info.isPrivate, false);
  assert.equal(parse({ info: v1(), private: 1 }).info.isPrivate, false);
});

test('an info dictionary from a peer is read by the same rules', () => {
  const good = parseInfo(encode(v1Files([named('..', 'x')])), nodeCrypto);
  assert.ok(good.ok);
  assert.equal(good.value.files[0]!.path.join('/'), 'n/_/x');
  const bad = parseInfo(concatBytes(encode(v1()), fromLatin1('x')), nodeCrypto);
  assert.ok(!bad.ok && bad.code === 'ERR_BENCODE_TRAILING');
});
