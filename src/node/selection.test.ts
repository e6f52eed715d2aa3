import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Info, PieceLayout, planTorrent } from '../protocol/metainfo/index.ts';
import {
  changedPriorities,
  piecePriorities,
  piecesOf,
  selectFiles,
  shownPath,
} from './selection.ts';

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
    assert.deepEqual([...piecesOf(layout, selected)], bytesOf(selected), path);
  }
  assert.equal(piecesOf(layout, []).count, 0);
});

test('a piece has the highest priority of the files that it holds a byte of; pads have none to give', () => {
  const paths = PATHS.map((path, index) => ({
    path: path.split('/'),
    lengthBytes: 7_000 * (index + 1),
  }));
  const padded = planTorrent(paths, {
    name: 'top',
    isSingleFile: false,
    version: 'hybrid',
    pieceLengthBytes: BLOCK,
  }) as unknown as Info;
  for (const each of [info, padded]) {
    const layout = new PieceLayout(each);
    const { length } = each.files;
    const priorities = fc.uint8Array({ max: 7, minLength: length, maxLength: length });
    fc.assert(
      fc.property(priorities, (chosen) => {
        for (const [piece, priority] of piecePriorities(each, layout, chosen).entries()) {
          const files = layout.segments(piece).filter(({ isPad }) => !isPad);
          assert.equal(priority, Math.max(...files.map(({ fileIndex }) => chosen[fileIndex]!)));
        }
      }),
    );
  }
});

test('a change of priorities leaves files without a number as they are, and refuses what is no priority', () => {
  const before = Uint8Array.of(4, 0, 7);
  assert.deepEqual([...changedPriorities(before, [])], [4, 0, 7]);
  const sparse: number[] = [];
  sparse[1] = 6;
  assert.deepEqual([...changedPriorities(before, sparse)], [4, 6, 7]);
  assert.deepEqual([...changedPriorities(before, [0, 1])], [0, 1, 7]);
  for (const wrong of [[8], [-1], [1.5], [Number.NaN], [4, 4, 4, 4]]) {
    assert.throws(() => changedPriorities(before, wrong), /file priorities: expected 0 to 7/);
  }
});
