import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CreateFile, PieceLayout, planTorrent, type TorrentFile } from './index.ts';

const KIB16 = 16_384;

function file(lengthBytes: number, offsetBytes: number, isPad = false): TorrentFile {
  const path = ['t', isPad ? '.pad' : `f${offsetBytes}`];
  return { path, lengthBytes, offsetBytes, isPad, isExecutable: false, isHidden: false };
}

function v1Layout(
  parts: readonly [length: number, isPad?: boolean][],
  pieceLengthBytes: number,
): PieceLayout {
  let at = 0;
  const files = parts.map(([length, isPad]) => {
    const placed = file(length, at, isPad);
    at += length;
    return placed;
  });
  return new PieceLayout({
    version: 'v1',
    files,
    pieceLengthBytes,
    pieceCount: Math.ceil(at / pieceLengthBytes),
  });
}

test('pads at a tail are not wanted, pads inside are blocks of their own', () => {
  const layout = v1Layout([[20_000], [KIB16 * 3, true], [100], [KIB16 * 8, true], [5]], KIB16 * 8);
  assert.equal(layout.pieceBytes(0), KIB16 * 8);
  assert.equal(layout.wantedBytes(0), 20_000 + KIB16 * 3 + 100);
  assert.equal(layout.blockCount(0), 5);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((block) => layout.isPadBlock(0, block)),
    [false, false, true, true, false],
  );
  assert.equal(layout.blockBytes(0, 4), 20_000 + KIB16 * 3 + 100 - KIB16 * 4);
  assert.throws(() => layout.blockBytes(0, 5));
  assert.throws(() => layout.pieceBytes(layout.pieceCount));
});

test('a piece of nothing but pads is known', () => {
  const layout = v1Layout([[10], [KIB16 * 3, true], [10]], KIB16);
  assert.deepEqual(
    [0, 1, 2, 3].map((piece) => layout.isAllPad(piece)),
    [false, true, true, false],
  );
  assert.equal(layout.blockCount(1), 0);
  assert.equal(layout.segments(1)[0]!.isPad, true);
});

test('v2: pieces end with their file and trees are filled up to the right width', () => {
  const plan = planTorrent(
    [
      { path: ['a'], lengthBytes: KIB16 * 5 + 1 },
      { path: ['b'], lengthBytes: 0 },
      { path: ['c'], lengthBytes: KIB16 * 3 },
      { path: ['d'], lengthBytes: 1 },
    ],
    { name: 't', isSingleFile: false, version: 'v2', pieceLengthBytes: KIB16 * 4 },
  );
  const { layout } = plan;
  assert.equal(layout.pieceCount, 4);
  assert.deepEqual(
    [0, 1, 2, 3].map((p) => layout.pieceBytes(p)),
    [KIB16 * 4, KIB16 + 1, KIB16 * 3, 1],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((p) => layout.fileIndexV2(p)),
    [0, 0, 2, 3],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((p) => layout.pieceInFileV2(p)),
    [0, 1, 0, 0],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((p) => layout.v2LeafCount(p)),
    [4, 2, 3, 1],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((p) => layout.v2LeafWidth(p)),
    [4, 4, 4, 1],
  );
  assert.deepEqual(layout.filePieces(0), { first: 0, count: 2 });
  assert.equal(layout.filePieces(1).count, 0);
  assert.equal(layout.expectedV1(0), undefined);
});

const version = fc.constantFrom('v1' as const, 'v2' as const, 'hybrid' as const);
const lengths = fc.array(
  fc.oneof(fc.nat(100), fc.nat(200_000), fc.constantFrom(0, KIB16, KIB16 * 4)),
  { minLength: 1, maxLength: 12 },
);

test('property: the segments of all pieces cover every byte of every file exactly once, in order', () => {
  fc.assert(
    fc.property(version, lengths, fc.integer({ min: 0, max: 3 }), (kind, sizes, shift) => {
      fc.pre(sizes.some((size) => size > 0));
      const files: CreateFile[] = sizes.map((lengthBytes, i) => ({ path: [`f${i}`], lengthBytes }));
      const options = { name: 't', isSingleFile: false, version: kind };
      const plan = planTorrent(files, { ...options, pieceLengthBytes: KIB16 << shift });
      const { layout } = plan;
      const covered = plan.files.map(() => 0);
      for (let piece = 0; piece < plan.pieceCount; piece += 1) {
        let at = 0;
        for (const segment of layout.segments(piece)) {
          assert.equal(segment.pieceOffsetBytes, at);
          assert.equal(segment.fileOffsetBytes, covered[segment.fileIndex]);
          const { first, count } = layout.filePieces(segment.fileIndex);
          assert.ok(piece >= first && piece < first + count);
          covered[segment.fileIndex]! += segment.lengthBytes;
          at += segment.lengthBytes;
        }
        assert.equal(at, layout.pieceBytes(piece));
        const wanted = layout.wantedBytes(piece);
        let blocks = 0;
        for (let block = 0; block < layout.blockCount(piece); block += 1) {
          blocks += layout.blockBytes(piece, block);
          assert.equal(layout.isPadBlock(piece, block), false);
        }
        assert.equal(blocks, wanted);
        if (kind !== 'v1') {
          assert.equal(Math.ceil(wanted / KIB16), layout.v2LeafCount(piece));
          assert.ok(layout.v2LeafWidth(piece) >= layout.v2LeafCount(piece));
        }
      }
      assert.deepEqual(
        covered,
        plan.files.map((placed) => placed.lengthBytes),
      );
    }),
    { numRuns: 200 },
  );
});

test('100,000 files and 100,000 pieces take no per-piece memory and little time', () => {
  const files = Array.from({ length: 100_000 }, (_, i) => ({
    path: [`d${i % 9}`, `${i}`],
    lengthBytes: 9000,
  }));
  const { layout } = planTorrent(files, {
    name: 't',
    isSingleFile: false,
    pieceLengthBytes: KIB16,
  });
  assert.equal(layout.pieceCount, 100_000);
  let wanted = 0;
  for (let piece = 0; piece < layout.pieceCount; piece += 1) wanted += layout.wantedBytes(piece);
  assert.equal(wanted, 900_000_000);
});
