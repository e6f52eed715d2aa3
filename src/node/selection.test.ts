import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Info, PieceLayout, planTorrent } from '../protocol/metainfo/index.ts';
import { selectFiles, shownPath, wantedPieces } from './selection.ts';

const BLOCK = 16_384;
const PATHS = ['a.txt', 'Music/One.flac', 'Music/two.flac', 'Music/Live/[x].flac', 'z/empty'];

function infoOf(isSingleFile: boolean): Info {
  const plan = planTorrent(
    PATHS.slice(0, isSingleFile ? 1 : PATHS.length).map((path, index) => ({
      path: path.split('/'),
      lengthBytes: index === 4 ? 0 : BLOCK + 1,
    })),
    { name: 'top', isSingleFile, version: 'v1', pieceLengthBytes: BLOCK },
  );
  return plan as unknown as Info;
}

const info = infoOf(false);
const indexOf = (path: string): number =>
  info.files.findIndex((_, index) => shownPath(info, index) === path);

test('a path is shown below the top name; a single file by its name', () => {
  assert.deepEqual(
    info.files.map((_, index) => shownPath(info, index)).toSorted(),
    PATHS.toSorted(),
  );
  assert.equal(shownPath(infoOf(true), 0), 'top');
});

for (const [patterns, paths] of [
  [['a.txt'], ['a.txt']],
  [['*.flac'], ['Music/One.flac', 'Music/two.flac', 'Music/Live/[x].flac']],
  [['Music/*.flac'], ['Music/One.flac', 'Music/two.flac']],
  [['Music/**'], ['Music/One.flac', 'Music/two.flac', 'Music/Live/[x].flac']],
  [['music/'], ['Music/One.flac', 'Music/two.flac', 'Music/Live/[x].flac']],
  [['LIVE'], ['Music/Live/[x].flac']],
  [
    ['?.txt', 'two'],
    ['a.txt', 'Music/two.flac'],
  ],
  [['[Oz]ne.flac'], ['Music/One.flac']],
  [['nothing', 'z/empty'], ['z/empty']],
] as const) {
  test(`${patterns.join(' and ')} selects ${paths.join(', ')}`, () => {
    assert.deepEqual([...selectFiles(info, patterns)].toSorted(), paths.map(indexOf).toSorted());
  });
}

test('patterns that match nothing are an error that names them', () => {
  assert.throws(() => selectFiles(info, ['x*', 'nothing']), {
    code: 'ERR_NO_MATCH',
    message: /No file of top matches x\*, nothing/,
  });
});

test('pads are never selected', () => {
  const plan = planTorrent(
    [
      { path: ['a'], lengthBytes: 1 },
      { path: ['b'], lengthBytes: 1 },
    ],
    { name: 'top', isSingleFile: false, version: 'hybrid', pieceLengthBytes: BLOCK },
  ) as unknown as Info;
  const selected = [...selectFiles(plan, ['**'])];
  assert.equal(selected.length, 2);
  assert.ok(selected.every((index) => !plan.files[index]!.isPad));
});

test('the pieces of a selection are those that hold a byte of it', () => {
  const layout = new PieceLayout(info);
  const bytesOf = (selected: ReadonlySet<number>): number[] => {
    const pieces: number[] = [];
    for (let piece = 0; piece < layout.pieceCount; piece += 1) {
      if (layout.segments(piece).some((segment) => selected.has(segment.fileIndex)))
        pieces.push(piece);
    }
    return pieces;
  };
  for (const path of PATHS) {
    const selected = new Set([indexOf(path)]);
    assert.deepEqual([...wantedPieces(layout, selected)], bytesOf(selected), path);
  }
  assert.equal(wantedPieces(layout, undefined).isFull, true);
  assert.equal(wantedPieces(layout, new Set()).count, 0);
});
