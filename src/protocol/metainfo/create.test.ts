import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../../test/support/node-crypto.ts';
import {
  type ContentFile,
  makeTorrent,
  pieceOf,
  pieceRootV2,
} from '../../../test/support/torrents.ts';
import { toHex, toLatin1 } from '../../lib/bytes.ts';
import { Rng } from '../../lib/rng.ts';
import { decodeDict } from '../bencode/index.ts';
import {
  buildTorrent,
  type CreateFile,
  HashTree,
  type Metainfo,
  PieceLayout,
  type PlanOptions,
  parseMetainfo,
  planTorrent,
} from './index.ts';

const KIB16 = 16_384;
const folder = { name: 't', isSingleFile: false };

function parsed(bytes: Uint8Array): Metainfo {
  const result = parseMetainfo(bytes, nodeCrypto, { names: 'verbatim' });
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.value;
}

function refusal(files: CreateFile[], options: PlanOptions): string {
  try {
    planTorrent(files, options);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'ok';
}

test('files are in the order of a file tree, whatever order they are given in', () => {
  const names = ['b', 'a/z', 'a.b', 'a/y/x', 'é', 'Z', '\u{1f600}', '\uffee'];
  const files = names.map((name) => ({ path: name.split('/'), lengthBytes: 1 }));
  const order = (list: CreateFile[]): string[] =>
    planTorrent(list, { ...folder, version: 'v1' }).files.map((file) =>
      file.path.slice(1).join('/'),
    );
  const expected = ['Z', 'a/y/x', 'a/z', 'a.b', 'b', 'é', '\uffee', '\u{1f600}'];
  assert.deepEqual(order(files), expected);
  assert.deepEqual(order(files.toReversed()), expected);
});

test('a hybrid has pads between files and none at the end', () => {
  const files = [5, 0, KIB16, 7, 0].map((lengthBytes, i) => ({ path: [`f${i}`], lengthBytes }));
  const plan = planTorrent(files, { ...folder, pieceLengthBytes: KIB16 });
  assert.deepEqual(
    plan.files.map((file) => (file.isPad ? -file.lengthBytes : file.lengthBytes)),
    [5, 0, -(KIB16 - 5), KIB16, 7, 0],
  );
  assert.deepEqual(plan.sourceIndices, [0, 1, -1, 2, 3, 4]);
  assert.equal(plan.totalBytes, 12 + KIB16);
  assert.equal(plan.pieceCount, 3);
});

test('the default piece length grows with the torrent', () => {
  const lengthOf = (lengthBytes: number): number =>
    planTorrent([{ path: [], lengthBytes }], { name: 'n', isSingleFile: true }).pieceLengthBytes;
  assert.equal(lengthOf(1), KIB16);
  assert.equal(lengthOf(2000 * KIB16), KIB16);
  assert.equal(lengthOf(2000 * KIB16 + 1), 2 * KIB16);
  assert.equal(lengthOf(2 ** 30), 2 ** 20);
  assert.equal(lengthOf(2 ** 40), 2 ** 24);
  assert.ok(2 ** 43 / lengthOf(2 ** 43) <= 2 ** 21);
});

test('what no torrent can carry is refused with the file in the message', () => {
  const one = { path: ['a'], lengthBytes: 1 };
  const cases: [files: CreateFile[], options: Partial<PlanOptions>, code: string][] = [
    [[], {}, 'ERR_CREATE_NO_CONTENT'],
    [[{ path: ['a'], lengthBytes: 0 }], {}, 'ERR_CREATE_NO_CONTENT'],
    [[{ path: ['a'], lengthBytes: 0 }], { version: 'v2' }, 'ok'],
    [[one, { path: ['b'], lengthBytes: 1 }], { isSingleFile: true }, 'ERR_CREATE_NO_CONTENT'],
    [[{ path: ['a'], lengthBytes: -1 }], {}, 'ERR_CREATE_FILE_LENGTH'],
    [[{ path: ['a'], lengthBytes: 1.5 }], {}, 'ERR_CREATE_FILE_LENGTH'],
    [[{ path: ['a'], lengthBytes: 2 ** 44 }], {}, 'ERR_CREATE_FILE_LENGTH'],
    [[one, { path: ['l'], lengthBytes: 1, symlinkTarget: ['a'] }], {}, 'ERR_CREATE_FILE_LENGTH'],
    [[one], { pieceLengthBytes: 8192 }, 'ERR_CREATE_PIECE_LENGTH'],
    [[one], { pieceLengthBytes: 49_152 }, 'ERR_CREATE_PIECE_LENGTH'],
    [[one], { pieceLengthBytes: 2 ** 30 }, 'ERR_CREATE_PIECE_LENGTH'],
    [
      [{ path: ['a'], lengthBytes: 2 ** 40 }],
      { pieceLengthBytes: KIB16 },
      'ERR_CREATE_PIECE_LENGTH',
    ],
    [[one], { name: '' }, 'ERR_CREATE_NAME'],
    [[one], { name: '..' }, 'ERR_CREATE_NAME'],
    [[{ path: ['..', 'a'], lengthBytes: 1 }], {}, 'ERR_CREATE_NAME'],
    [[{ path: ['a\\b'], lengthBytes: 1 }], {}, 'ERR_CREATE_NAME'],
    [[{ path: ['a\0'], lengthBytes: 1 }], {}, 'ERR_CREATE_NAME'],
    [[{ path: ['\ud800'], lengthBytes: 1 }], {}, 'ERR_CREATE_NAME'],
    [[{ path: ['x'.repeat(256)], lengthBytes: 1 }], {}, 'ERR_CREATE_NAME'],
    [[{ path: [], lengthBytes: 1 }], {}, 'ERR_CREATE_NAME'],
    [[{ path: Array<string>(101).fill('d'), lengthBytes: 1 }], {}, 'ERR_CREATE_NAME'],
    [[{ path: ['t'], lengthBytes: 1 }], { version: 'v2' }, 'ERR_CREATE_NAME'],
    [[one, one], {}, 'ERR_CREATE_DUPLICATE'],
    [[one, { path: ['a', 'b'], lengthBytes: 1 }], {}, 'ERR_CREATE_DUPLICATE'],
    [[one, { path: ['A'], lengthBytes: 1 }], {}, 'ok'],
    [[one, { path: ['l'], lengthBytes: 0, symlinkTarget: ['b'] }], {}, 'ERR_CREATE_SYMLINK'],
    [[one, { path: ['d', 'l'], lengthBytes: 0, symlinkTarget: ['d'] }], {}, 'ERR_CREATE_SYMLINK'],
    [[one, { path: ['l'], lengthBytes: 0, symlinkTarget: ['a'] }], {}, 'ok'],
  ];
  for (const [files, options, code] of cases) {
    assert.equal(
      refusal(files, { ...folder, ...options }),
      code,
      JSON.stringify([files, options]).slice(0, 120),
    );
  }
  assert.throws(() => planTorrent([one, one], folder), /expected each path once, got a twice/);
});

test('hashes of another number than the plan has pieces are refused', () => {
  const plan = planTorrent([{ path: ['a'], lengthBytes: 1 }], folder);
  const piecesV1 = new Uint8Array(20);
  const build = (hashes: object) => () => buildTorrent(plan, hashes, {}, nodeCrypto);
  assert.throws(build({ piecesV1 }), /expected 1 hashes of 32 bytes, got none/);
  assert.throws(build({ piecesV1, piecesV2: new Uint8Array(64) }), /got 64 bytes/);
});

test('the same content gives the same bytes, with everything that was asked for', () => {
  const files = [{ path: ['a'], bytes: new Uint8Array(10), isExecutable: true }];
  const extras = {
    trackers: [['http://a/announce'], ['udp://b:1', 'http://c']],
    webSeeds: ['http://w/'],
    comment: 'é',
    createdBy: 'starling',
    creationDateSec: 5,
    isPrivate: true,
  };
  const { bytes } = makeTorrent(files, folder, extras);
  assert.deepEqual(makeTorrent(files, folder, extras).bytes, bytes);
  const meta = parsed(bytes);
  assert.deepEqual(meta.trackers, extras.trackers);
  assert.deepEqual(meta.webSeeds, extras.webSeeds);
  assert.equal(meta.comment, 'é');
  assert.equal(meta.creationDateSec, 5);
  assert.equal(meta.info.isPrivate, true);
  assert.equal(meta.info.files[0]!.isExecutable, true);
  const bare = decodeDict(makeTorrent(files, folder).bytes);
  assert.ok(bare.ok);
  assert.deepEqual([...bare.value.keys()], ['info', 'piece layers']);
});

test('one small hybrid, byte by byte', () => {
  const { bytes } = makeTorrent([{ path: [], bytes: new Uint8Array(0x4001).fill(0x61) }], {
    name: 'n',
    isSingleFile: true,
    pieceLengthBytes: KIB16,
  });
  const leafA = nodeCrypto.sha256(new Uint8Array(KIB16).fill(0x61));
  const leafB = nodeCrypto.sha256(Uint8Array.of(0x61));
  const root = toLatin1(nodeCrypto.sha256(Uint8Array.from([...leafA, ...leafB])));
  const v1 =
    toLatin1(nodeCrypto.sha1(new Uint8Array(KIB16).fill(0x61))) +
    toLatin1(nodeCrypto.sha1(Uint8Array.of(0x61)));
  assert.equal(
    toLatin1(bytes),
    `d4:infod9:file treed1:nd0:d6:lengthi16385e11:pieces root32:${root}eee6:lengthi16385e` +
      `12:meta versioni2e4:name1:n12:piece lengthi16384e6:pieces40:${v1}e` +
      `12:piece layersd32:${root}64:${toLatin1(leafA)}${toLatin1(leafB)}ee`,
  );
});

const version = fc.constantFrom('v1' as const, 'v2' as const, 'hybrid' as const);
const name = fc
  .stringMatching(/^[a-zA-Zé. ~-]{1,6}$/)
  .filter((text) => text !== '.' && text !== '..');
const lengthBytes = fc.oneof(fc.nat(50), fc.nat(150_000), fc.constantFrom(0, KIB16, KIB16 * 2));
const someFiles = fc.uniqueArray(
  fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), lengthBytes),
  {
    minLength: 1,
    maxLength: 8,
    selector: ([path]) => path.join('/'),
  },
);

function isTree(paths: readonly string[]): boolean {
  return !paths.some((a) => paths.some((b) => b.startsWith(`${a}/`)));
}

test('property: a created torrent parses to its plan, and every piece of the content verifies by it', () => {
  fc.assert(
    fc.property(
      version,
      someFiles,
      fc.integer({ min: 0, max: 2 }),
      fc.nat(),
      (kind, list, shift, seed) => {
        fc.pre(
          list.some(([, length]) => length > 0) && isTree(list.map(([path]) => path.join('/'))),
        );
        const rng = new Rng(seed);
        const files: ContentFile[] = list.map(([path, length]) => ({
          path,
          bytes: new Uint8Array(length).fill(rng.below(256)),
        }));
        const { bytes, plan } = makeTorrent(files, {
          ...folder,
          version: kind,
          pieceLengthBytes: KIB16 << shift,
        });
        const { info, pieceLayers } = parsed(bytes);
        assert.equal(info.version, kind);
        assert.equal(info.pieceCount, plan.pieceCount);
        assert.equal(info.totalBytes, plan.totalBytes);
        assert.deepEqual(
          info.files.map(({ piecesRoot: _, ...file }) => file),
          plan.files,
        );
        const contents = plan.sourceIndices.map((source) => files[source]?.bytes);
        const layout = new PieceLayout(info);
        for (let piece = 0; piece < info.pieceCount; piece += 1) {
          const data = pieceOf(layout, contents, piece);
          if (kind !== 'v2') assert.deepEqual(layout.expectedV1(piece), nodeCrypto.sha1(data));
          if (kind === 'v1') continue;
          const file = info.files[layout.fileIndexV2(piece)]!;
          const root = pieceRootV2(
            data.subarray(0, layout.wantedBytes(piece)),
            layout.v2LeafWidth(piece),
          );
          const { count } = layout.filePieces(layout.fileIndexV2(piece));
          if (count === 1) {
            assert.deepEqual(root, file.piecesRoot);
          } else {
            const layer = pieceLayers.get(toHex(file.piecesRoot!))!;
            const tree = new HashTree(
              nodeCrypto,
              file.piecesRoot!,
              count,
              info.pieceLengthBytes,
              layer,
            );
            assert.deepEqual(root, tree.hash(layout.pieceInFileV2(piece)));
          }
        }
      },
    ),
    { numRuns: 100 },
  );
});
