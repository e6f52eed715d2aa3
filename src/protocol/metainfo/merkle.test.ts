import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../../test/support/node-crypto.ts';
import { concatBytes, toHex } from '../../lib/bytes.ts';
import { Rng } from '../../lib/rng.ts';
import {
  HashTree,
  merkleRoot,
  nextPowerOfTwo,
  padHash,
  pieceLayerOf,
  rootOfPieceLayer,
  serveBelowPiece,
  uncleCount,
  verifyHashesProof,
} from './index.ts';

const { sha256 } = nodeCrypto;

/** The definition: a full tree with zero leaves, one node at a time. */
function naiveRoot(leaves: readonly Uint8Array[], width: number): Uint8Array {
  let row = Array.from({ length: width }, (_, i) => leaves[i] ?? new Uint8Array(32));
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, i) =>
      sha256(concatBytes(row[2 * i]!, row[2 * i + 1]!)),
    );
  }
  return row[0]!;
}

function hashes(count: number, seed = 1): Uint8Array[] {
  const rng = new Rng(seed);
  return Array.from({ length: count }, () => rng.bytes(32));
}

function treeOf(count: number, pieceLengthBytes: number): HashTree {
  const layer = concatBytes(...hashes(count));
  const root = rootOfPieceLayer(nodeCrypto, layer, pieceLengthBytes);
  return new HashTree(nodeCrypto, root, count, pieceLengthBytes, layer);
}

test('powers of two', () => {
  for (const [count, power] of [
    [1, 1],
    [2, 2],
    [3, 4],
    [4, 4],
    [5, 8],
    [1025, 2048],
  ]) {
    assert.equal(nextPowerOfTwo(count!), power);
  }
  assert.equal(pieceLayerOf(16_384), 0);
  assert.equal(pieceLayerOf(131_072), 3);
});

test('pad hashes are roots of zero subtrees', () => {
  assert.equal(toHex(padHash(nodeCrypto, 0)), '0'.repeat(64));
  assert.deepEqual(padHash(nodeCrypto, 1), sha256(new Uint8Array(64)));
  assert.deepEqual(padHash(nodeCrypto, 5), naiveRoot([], 32));
});

test('roots equal those of the whole tree built leaf by leaf', () => {
  for (let count = 1; count <= 33; count += 1) {
    const leaves = hashes(count, count);
    for (const width of [nextPowerOfTwo(count), nextPowerOfTwo(count) * 4]) {
      assert.deepEqual(
        merkleRoot(nodeCrypto, concatBytes(...leaves), width),
        naiveRoot(leaves, width),
      );
    }
  }
});

test('the root of a piece layer is the root of its leaves', () => {
  const leaves = hashes(11);
  const layer = concatBytes(...[0, 4, 8].map((at) => naiveRoot(leaves.slice(at, at + 4), 4)));
  assert.deepEqual(rootOfPieceLayer(nodeCrypto, layer, 65_536), naiveRoot(leaves, 16));
});

test('uncles that the range holds itself are left out', () => {
  const range = { baseLayer: 0, index: 0, proofLayers: 9 };
  assert.equal(uncleCount({ ...range, length: 2 }), 9);
  assert.equal(uncleCount({ ...range, length: 4 }), 8);
  assert.equal(uncleCount({ ...range, length: 512 }), 1);
  assert.equal(uncleCount({ ...range, length: 512, proofLayers: 3 }), 0);
});

test('property: every range that one tree serves fills another of the same root', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 1500 }),
      fc.integer({ min: 0, max: 3 }),
      (count, shift) => {
        const full = treeOf(count, 16_384 << shift);
        const empty = new HashTree(nodeCrypto, full.root, count, 16_384 << shift);
        let known = 0;
        for (const range of empty.missingRanges()) {
          const served = full.serve(range);
          assert.ok(served !== undefined);
          const accepted = empty.accept(range, served);
          assert.ok(accepted.ok);
          assert.equal(accepted.value.first, range.index);
          known += accepted.value.count;
        }
        assert.equal(known, count);
        assert.ok(empty.isComplete);
        assert.deepEqual(empty.layer, full.layer);
        assert.deepEqual(empty.hash(count - 1), full.hash(count - 1));
        assert.equal(empty.hash(count), undefined);
      },
    ),
    { numRuns: 40 },
  );
});

test('property: a flipped bit anywhere in hashes or proof is found', () => {
  const full = treeOf(1300, 32_768);
  const range = full.rangeFor(600);
  const served = full.serve(range)!;
  fc.assert(
    fc.property(fc.nat(served.length - 1), fc.nat(7), (at, bit) => {
      const bad = served.slice();
      bad[at]! ^= 1 << bit;
      const empty = new HashTree(nodeCrypto, full.root, 1300, 32_768);
      const accepted = empty.accept(range, bad);
      assert.ok(!accepted.ok && accepted.code === 'ERR_MERKLE_MISMATCH');
      assert.equal(empty.hash(600), undefined);
    }),
    { numRuns: 50 },
  );
});

test('upper layers are served with proofs that verify', () => {
  const tree = treeOf(13, 16_384);
  for (let baseLayer = 0; baseLayer < tree.layers; baseLayer += 1) {
    const width = 2 ** (tree.layers - baseLayer);
    for (let length = 2; length <= width; length *= 2) {
      for (let index = 0; index < width; index += length) {
        const range = { baseLayer, index, length, proofLayers: tree.layers - baseLayer - 1 };
        const served = tree.serve(range);
        assert.ok(served !== undefined);
        assert.ok(verifyHashesProof(nodeCrypto, tree.root, range, served, tree.layers).ok);
      }
    }
  }
});

test('a range cut by the end of the layer is served and verifies', () => {
  const tree = treeOf(13, 16_384);
  const range = { baseLayer: 0, index: 8, length: 5, proofLayers: 3 };
  const served = tree.serve(range);
  assert.equal(served!.length, (5 + 1) * 32);
  assert.ok(verifyHashesProof(nodeCrypto, tree.root, range, served!, 4).ok);
});

test('ranges that do not fit are refused', () => {
  const tree = treeOf(13, 65_536);
  const good = { baseLayer: 2, index: 0, length: 8, proofLayers: 3 };
  assert.ok(tree.serve(good) !== undefined);
  const bad = [
    { ...good, baseLayer: 0 },
    { ...good, baseLayer: 1 },
    { ...good, baseLayer: 6 },
    { ...good, index: 4 },
    { ...good, index: 16 },
    { ...good, index: -8 },
    { ...good, length: 32 },
    { ...good, length: 7 },
    { ...good, length: 1 },
    { ...good, length: 0 },
    { ...good, length: 16_384 },
    { ...good, proofLayers: 4 },
    { ...good, proofLayers: -1 },
  ];
  for (const range of bad) assert.equal(tree.serve(range), undefined, JSON.stringify(range));
  const empty = new HashTree(nodeCrypto, tree.root, 13, 65_536);
  assert.equal(empty.serve(good), undefined);
  const wrongLayer = empty.accept({ ...good, baseLayer: 3 }, new Uint8Array(32));
  assert.ok(!wrongLayer.ok && wrongLayer.code === 'ERR_MERKLE_RANGE');
  const short = empty.accept(good, new Uint8Array(8 * 32));
  assert.ok(!short.ok && short.code === 'ERR_MERKLE_COUNT');
});

test('property: ranges below the piece layer, made of the leaves of one piece, prove themselves up to the root', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 40 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(1_000_000),
      fc.nat(1_000_000),
      (pieceCount, pieceLayer, a, b) => {
        const width = 2 ** pieceLayer;
        // The last piece may be short of leaves.
        const leafCount = pieceCount * width - (a % width);
        const leaves = Array.from({ length: leafCount }, (_, i) => new Rng(i).bytes(32));
        const layer = concatBytes(
          ...Array.from({ length: pieceCount }, (_, piece) =>
            merkleRoot(
              nodeCrypto,
              concatBytes(...leaves.slice(piece * width, (piece + 1) * width)),
              width,
            ),
          ),
        );
        const lengthBytes = 16_384 << pieceLayer;
        const root = rootOfPieceLayer(nodeCrypto, layer, lengthBytes);
        const tree = new HashTree(nodeCrypto, root, pieceCount, lengthBytes, layer);
        const first = b % pieceCount;
        const own = concatBytes(...leaves.slice(first * width, (first + 1) * width));
        const baseLayer = b % pieceLayer;
        const length = 2 ** (1 + (a % (pieceLayer - baseLayer)));
        const inPiece = 2 ** (pieceLayer - baseLayer);
        const index = first * inPiece + length * (a % (inPiece / length));
        const range = { baseLayer, index, length, proofLayers: tree.layers - baseLayer - 1 };
        const served = serveBelowPiece(nodeCrypto, { leaves: own, width, first, tree }, range);
        assert.ok(served !== undefined);
        assert.equal(verifyHashesProof(nodeCrypto, root, range, served, tree.layers).ok, true);
      },
    ),
    { numRuns: 100 },
  );
});

test('ranges that are not inside the piece are not served from its leaves', () => {
  const leaves = new Rng(1).bytes(32 * 8);
  const piece = { leaves, width: 8, first: 0, tree: undefined };
  const good = { baseLayer: 0, index: 0, length: 8, proofLayers: 2 };
  assert.equal(serveBelowPiece(nodeCrypto, piece, good)?.length, 8 * 32);
  for (const bad of [
    { ...good, length: 16 },
    { ...good, index: 8 },
    { ...good, baseLayer: 3, length: 2 },
    { ...good, proofLayers: 3 },
  ]) {
    assert.equal(serveBelowPiece(nodeCrypto, piece, bad), undefined, JSON.stringify(bad));
  }
});
