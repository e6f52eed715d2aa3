import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../../test/support/node-crypto.ts';
import { makeTorrent } from '../../../test/support/torrents.ts';
import { type HashedVersion, type Info, PieceLayout, parseMetainfo } from '../metainfo/index.ts';
import { type AnswerHeaders, type AskedRange, judgeAnswer, rangeHeader } from './answer.ts';
import { BackOff } from './back-off.ts';
import { MAX_OWED_BLOCKS, MAX_RANGE_BYTES, MAX_SKIP_BYTES } from './constants.ts';
import { type FileRange, RangeQueue } from './range-queue.ts';
import { shownWebSeed, webSeedUrl } from './web-seed-url.ts';

const BLOCK = 16_384;

function torrentOf(
  files: readonly (readonly [path: string, lengthBytes: number])[],
  version: HashedVersion = 'v1',
  pieceLengthBytes = 2 * BLOCK,
): Info {
  const { bytes } = makeTorrent(
    files.map(([path, length]) => ({ path: path.split('/'), bytes: new Uint8Array(length) })),
    { name: 'name', isSingleFile: false, version, pieceLengthBytes },
  );
  const parsed = parseMetainfo(bytes, nodeCrypto);
  assert(parsed.ok);
  return parsed.value.info;
}

/** Asks for all blocks of these pieces. */
function queueOf(info: Info, pieces: readonly number[]): RangeQueue {
  const layout = new PieceLayout(info);
  const queue = new RangeQueue((piece) => layout.segments(piece));
  for (const piece of pieces) {
    for (let block = 0; block < layout.blockCount(piece); block += 1) {
      if (layout.isPadBlock(piece, block)) continue;
      const lengthBytes = layout.blockBytes(piece, block);
      assert(queue.push({ piece, begin: block * BLOCK, lengthBytes }));
    }
  }
  return queue;
}

function ranges(queue: RangeQueue): FileRange[] {
  const taken: FileRange[] = [];
  for (let range = queue.take(); range !== undefined; range = queue.take()) taken.push(range);
  return taken;
}

function shape(list: readonly FileRange[]): [number, number, number][] {
  return list.map(({ fileIndex, offsetBytes, lengthBytes }) => [
    fileIndex,
    offsetBytes,
    lengthBytes,
  ]);
}

describe('ranges', () => {
  it('go over pieces that follow each other, in one request', () => {
    const info = torrentOf([['a', 8 * BLOCK]]);
    assert.deepEqual(shape(ranges(queueOf(info, [1, 2, 3]))), [[0, 2 * BLOCK, 6 * BLOCK]]);
  });

  it('end where a gap begins', () => {
    const info = torrentOf([['a', 8 * BLOCK]]);
    assert.deepEqual(shape(ranges(queueOf(info, [0, 2]))), [
      [0, 0, 2 * BLOCK],
      [0, 4 * BLOCK, 2 * BLOCK],
    ]);
  });

  it('end with their file, in the middle of a block', () => {
    const info = torrentOf([
      ['a', BLOCK + 5],
      ['b', 2 * BLOCK - 5],
    ]);
    const taken = ranges(queueOf(info, [0, 1]));
    assert.deepEqual(shape(taken), [
      [0, 0, BLOCK + 5],
      [1, 0, 2 * BLOCK - 5],
    ]);
    assert.deepEqual(
      taken[1]!.parts.map(({ isFirst, isLast }) => [isFirst, isLast]),
      [
        [false, true],
        [true, true],
      ],
    );
  });

  it('have no more than MAX_RANGE_BYTES', () => {
    const pieceLengthBytes = 8 * 1024 * 1024;
    const info = torrentOf([['a', 3 * pieceLengthBytes]], 'v1', pieceLengthBytes);
    const queue = queueOf(info, [0, 1]);
    assert.deepEqual(shape(ranges(queue)), [[0, 0, MAX_RANGE_BYTES]]);
  });

  it('leave out blocks that were cancelled, but not those under way', () => {
    const info = torrentOf([['a', 8 * BLOCK]]);
    const queue = queueOf(info, [0, 1]);
    assert(queue.cancel(0, BLOCK));
    assert.equal(queue.cancel(0, BLOCK), false);
    assert.deepEqual(shape(ranges(queue)), [
      [0, 0, BLOCK],
      [0, 2 * BLOCK, 2 * BLOCK],
    ]);
    assert.equal(queue.cancel(0, 0), false);
  });

  it(`wait for ${MAX_OWED_BLOCKS} blocks at most`, () => {
    const queue = new RangeQueue(() => torrentSegment);
    for (let i = 0; i < MAX_OWED_BLOCKS; i += 1) {
      assert(queue.push({ piece: 0, begin: i * BLOCK, lengthBytes: BLOCK }));
    }
    assert.equal(queue.push({ piece: 1, begin: 0, lengthBytes: BLOCK }), false);
    queue.take();
    assert.equal(queue.blockCount, 0);
  });
});

const torrentSegment = [
  {
    fileIndex: 0,
    fileOffsetBytes: 0,
    pieceOffsetBytes: 0,
    lengthBytes: 2 ** 30,
    isPad: false,
  },
];

test('whatever is asked for, ranges bring each block once and whole, in order, and pads are never fetched', () => {
  const size = fc.oneof(fc.nat(3), fc.integer({ min: 1, max: 5 * BLOCK }));
  fc.assert(
    fc.property(
      fc.array(size, { minLength: 1, maxLength: 6 }),
      fc.constantFrom<HashedVersion>('v1', 'v2', 'hybrid'),
      fc.infiniteStream(fc.nat()),
      (sizes, version, numbers) => {
        if (sizes.every((bytes) => bytes === 0)) return;
        const info = torrentOf(
          sizes.map((bytes, i) => [`${i}`, bytes]),
          version,
        );
        const pieces = Array.from({ length: info.pieceCount }, (_, piece) => piece)
          .map((piece) => ({ piece, key: numbers.next().value! % 5 }))
          .sort((a, b) => a.key - b.key)
          .map(({ piece }) => piece);
        const layout = new PieceLayout(info);
        const asked = pieces.flatMap((piece) =>
          Array.from(
            { length: layout.blockCount(piece) },
            (_, block) => `${piece} ${block * BLOCK}`,
          ),
        );
        const came: string[] = [];
        let owed = 0;
        for (const { fileIndex, offsetBytes, lengthBytes, parts } of ranges(
          queueOf(info, pieces),
        )) {
          const file = info.files[fileIndex]!;
          assert(!file.isPad && lengthBytes > 0);
          assert(offsetBytes + lengthBytes <= file.lengthBytes);
          let at = offsetBytes;
          for (const { block, isFirst, isLast, lengthBytes: bytes, ...part } of parts) {
            if (isFirst) {
              assert.equal(owed, 0);
              owed = block.lengthBytes;
              came.push(`${block.piece} ${block.begin}`);
            }
            owed -= bytes;
            assert.equal(isLast, owed === 0);
            if (part.isPad) continue;
            assert.equal(part.fileIndex, fileIndex);
            assert.equal(part.fileOffsetBytes, at);
            at += bytes;
          }
          assert.equal(at, offsetBytes + lengthBytes);
        }
        assert.deepEqual(came, asked);
      },
    ),
  );
});

describe('answers', () => {
  const asked: AskedRange = { offsetBytes: 100, lengthBytes: 50, fileBytes: 1000 };
  const kind = (status: number, headers: AnswerHeaders, of = asked): string =>
    judgeAnswer(status, headers, of).kind;

  it('206 has the range that was asked for', () => {
    assert.equal(rangeHeader(asked), 'bytes=100-149');
    assert.equal(
      kind(206, { 'content-range': 'bytes 100-149/1000', 'content-length': '50' }),
      'body',
    );
    assert.equal(kind(206, { 'content-range': 'bytes 100-149/*' }), 'body');
  });

  it('206 with another range, length or file is a fault', () => {
    for (const headers of [
      {},
      { 'content-range': 'bytes 100-148/1000' },
      { 'content-range': 'bytes 0-49/1000' },
      { 'content-range': 'bytes 100-149/999' },
      { 'content-range': 'bytes 100-149/1000', 'content-length': '49' },
      { 'content-range': 'bytes 100-149/1000', 'content-encoding': 'gzip' },
      { 'content-type': 'multipart/byteranges; boundary=x' },
    ]) {
      assert.equal(kind(206, headers), 'fault', JSON.stringify(headers));
    }
  });

  it('200 has the whole file: what comes before the range is thrown away, unless it is much', () => {
    assert.deepEqual(judgeAnswer(200, { 'content-length': '1000' }, asked), {
      kind: 'body',
      skipBytes: 100,
    });
    assert.equal(kind(200, { 'content-length': '999' }), 'fault');
    const far = { offsetBytes: MAX_SKIP_BYTES + 1, lengthBytes: 1, fileBytes: 2 ** 31 };
    assert.equal(kind(200, {}, far), 'fault');
  });

  it('busy, missing and the rest are told apart', () => {
    for (const status of [429, 500, 503]) assert.equal(kind(status, {}), 'busy');
    for (const status of [403, 404, 410]) assert.equal(kind(status, {}), 'missing');
    for (const status of [204, 304, 401, 416]) assert.equal(kind(status, {}), 'fault');
  });
});

describe('back-off', () => {
  it('doubles with each failure in a row, up to ten minutes, and begins anew after data came', () => {
    const backOff = new BackOff();
    assert(backOff.isDue(0));
    for (const waitMs of [1_000, 2_000, 4_000]) {
      backOff.failed(0, { kind: 'broken' });
      assert(!backOff.isDue(waitMs - 1));
      assert(backOff.isDue(waitMs));
    }
    for (let i = 0; i < 40; i += 1) backOff.failed(0, { kind: 'broken' });
    assert(backOff.isDue(600_000));
    backOff.succeeded();
    backOff.failed(0, { kind: 'broken' });
    assert(backOff.isDue(1_000));
  });

  it('keeps to Retry-After, within an hour', () => {
    const backOff = new BackOff();
    backOff.failed(0, { kind: 'busy', retryAfterMs: 120_000 });
    assert(!backOff.isDue(119_999));
    assert(backOff.isDue(120_000));
    backOff.failed(0, { kind: 'busy', retryAfterMs: 86_400_000 });
    assert(backOff.isDue(3_600_000));
    backOff.failed(0, { kind: 'busy', retryAfterMs: 0 });
    assert(!backOff.isDue(999));
  });

  it('ends for good when the data was wrong', () => {
    const backOff = new BackOff();
    backOff.discard();
    assert(!backOff.isDue(Number.MAX_SAFE_INTEGER));
  });
});

describe('URLs', () => {
  it('escape what RFC 3986 does not leave unreserved', () => {
    const info = torrentOf([["d ir/ü?#%&+'(a)!*.bin", 5]]);
    assert.equal(
      webSeedUrl('http://h/x/', info, 0),
      'http://h/x/name/d%20ir/%C3%BC%3F%23%25%26%2B%27%28a%29%21%2A.bin',
    );
  });

  it('are shown without what may be secret', () => {
    assert.equal(shownWebSeed('http://me:pass@h/x?key=1#y'), 'http://h/x');
  });
});
