/**
 * The hash trees of BitTorrent v2: roots, proofs, and one file's piece layer as it arrives from peers and is served to them.
 *
 * Spec: BEP 52, "pieces root", "piece layers" and messages 21–23. Layer 0 holds the hashes of 16 KiB blocks, missing leaves are zero;
 * layer n is one hash for every 2^n blocks. Layers are byte strings of 32-byte hashes, one after another.
 * Bounds: a range has at most 8,192 hashes when served, 512 when asked for. Nobody stores layers below the piece layer:
 * `serveBelowPiece` makes them of one piece's leaves.
 * @module
 */
import { assert } from '../../lib/assert.ts';
import { Bitfield } from '../../lib/bitfield.ts';
import { concatBytes, equalBytes } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import type { Crypto } from '../../lib/ports.ts';
import type { MerkleErrorCode } from './errors.ts';
import { BLOCK_LENGTH_BYTES, V2_HASH_LENGTH_BYTES as HASH } from './limits.ts';

// Specification constants

/** BEP 52: "Length SHOULD NOT be greater than 512". */
export const HASH_RANGE_LENGTH = 512;

// Implementation limits

/** Longest range we serve; others ask for up to this many. */
export const HASH_RANGE_LENGTH_LIMIT = 8192;

/** Which hashes of a file's tree: what messages 21–23 carry besides the root. */
export interface HashRange {
  /** Layer of the hashes, 0 = blocks. */
  readonly baseLayer: number;
  /** First hash in the layer; a multiple of `length`. */
  readonly index: number;
  /** Number of hashes; a power of two of at least 2, or cut by the end of the layer. */
  readonly length: number;
  /** Ancestor layers wanted as proof. */
  readonly proofLayers: number;
}

/** The smallest power of two that is at least `count` (of 1 … 2^30). */
export function nextPowerOfTwo(count: number): number {
  return count <= 1 ? 1 : 2 ** (32 - Math.clz32(count - 1));
}

/** log2 of a power of two. */
function log2(power: number): number {
  return 31 - Math.clz32(power);
}

/** The layer whose hashes cover one piece each. @param pieceLengthBytes a power of two, at least 16 KiB. */
export function pieceLayerOf(pieceLengthBytes: number): number {
  return log2(pieceLengthBytes / BLOCK_LENGTH_BYTES);
}

const padHashes = new WeakMap<Crypto, Uint8Array[]>();

/** The root of a tree of 2^layer zero leaves: what stands for data beyond the end of a file. */
export function padHash(crypto: Crypto, layer: number): Uint8Array {
  let known = padHashes.get(crypto);
  if (known === undefined) {
    known = [new Uint8Array(HASH)];
    padHashes.set(crypto, known);
  }
  for (let at = known.length; at <= layer; at += 1) {
    known.push(crypto.sha256(concatBytes(known[at - 1]!, known[at - 1]!)));
  }
  return known[layer]!;
}

/** The layer above: half as many hashes, an odd last one paired with `pad`. */
function parentLayer(crypto: Crypto, layer: Uint8Array, pad: Uint8Array): Uint8Array {
  const count = layer.length / HASH;
  const parents = new Uint8Array(Math.ceil(count / 2) * HASH);
  for (let i = 0; i + 1 < count; i += 2) {
    parents.set(crypto.sha256(layer.subarray(i * HASH, (i + 2) * HASH)), (i / 2) * HASH);
  }
  if (count % 2 === 1) {
    const last = crypto.sha256(concatBytes(layer.subarray((count - 1) * HASH), pad));
    parents.set(last, parents.length - HASH);
  }
  return parents;
}

/**
 * The root over hashes of one layer.
 * @param hashes 32 bytes each, at least one.
 * @param width the layer's full width, a power of two; hashes that are missing are pads.
 * @param layer which layer it is, default 0 (missing leaves are zero).
 */
export function merkleRoot(
  crypto: Crypto,
  hashes: Uint8Array,
  width: number,
  layer = 0,
): Uint8Array {
  const count = hashes.length / HASH;
  assert(Number.isInteger(count) && count >= 1, `merkle root of ${hashes.length} bytes`);
  assert(count <= width && nextPowerOfTwo(width) === width, `${count} hashes in ${width}`);
  let row = hashes;
  let at = layer;
  for (let left = width; left > 1; left /= 2) {
    row = parentLayer(crypto, row, padHash(crypto, at));
    at += 1;
  }
  return row.slice(0, HASH);
}

/** The root of a file larger than a piece, from its piece layer. */
export function rootOfPieceLayer(
  crypto: Crypto,
  hashes: Uint8Array,
  pieceLengthBytes: number,
): Uint8Array {
  const width = nextPowerOfTwo(hashes.length / HASH);
  return merkleRoot(crypto, hashes, width, pieceLayerOf(pieceLengthBytes));
}

/** How many uncle hashes follow the hashes of a range: the proof layers less those the range holds itself (BEP 52). */
export function uncleCount(range: HashRange): number {
  return Math.max(0, range.proofLayers - Math.max(0, log2(nextPowerOfTwo(range.length)) - 1));
}

/**
 * Checks hashes and their proof against a root.
 * @param hashes the range's hashes, then the uncles from the lowest up.
 * @param layers layers of the tree above layer 0: log2 of its full width in blocks.
 */
export function verifyHashesProof(
  crypto: Crypto,
  root: Uint8Array,
  range: HashRange,
  hashes: Uint8Array,
  layers: number,
): Result<void, MerkleErrorCode> {
  const width = nextPowerOfTwo(range.length);
  const rangeLayer = range.baseLayer + log2(width);
  if (range.length < 1 || range.index % width !== 0 || rangeLayer > layers) {
    return fail(
      'ERR_MERKLE_RANGE',
      `expected an aligned range in a tree of ${layers} layers, got ${describeRange(range)}`,
    );
  }
  const uncles = layers - rangeLayer;
  if (hashes.length !== (range.length + uncles) * HASH) {
    return fail(
      'ERR_MERKLE_COUNT',
      `expected ${range.length} hashes and ${uncles} uncles, got ${hashes.length} bytes`,
    );
  }
  const base = hashes.subarray(0, range.length * HASH);
  let node = merkleRoot(crypto, base, width, range.baseLayer);
  let index = range.index / width;
  for (let at = range.length * HASH; at < hashes.length; at += HASH) {
    const uncle = hashes.subarray(at, at + HASH);
    node = crypto.sha256(index % 2 === 0 ? concatBytes(node, uncle) : concatBytes(uncle, node));
    index = Math.floor(index / 2);
  }
  if (index === 0 && equalBytes(node, root)) return ok(undefined);
  return fail(
    'ERR_MERKLE_MISMATCH',
    `expected hashes below the root, got others in ${describeRange(range)}`,
  );
}

function describeRange(range: HashRange): string {
  return `${range.length} hashes at ${range.index} of layer ${range.baseLayer}`;
}

/**
 * The tree of one file larger than a piece, from the piece layer up: takes verified ranges in, serves ranges out.
 * Memory: 32 bytes a piece, and as much again from the first range served.
 */
export class HashTree {
  readonly root: Uint8Array;
  readonly pieceCount: number;
  /** The layer of piece hashes. */
  readonly pieceLayer: number;
  /** Layers above layer 0. */
  readonly layers: number;
  readonly #crypto: Crypto;
  readonly #hashes: Uint8Array;
  readonly #have: Bitfield;
  /** Rows from the piece layer up to the root, once complete and asked for. */
  #rows: Uint8Array[] | undefined;

  /**
   * @param root the file's `pieces root`, 32 bytes.
   * @param pieceCount pieces of the file, at least 2.
   * @param pieceLengthBytes a power of two, at least 16 KiB.
   * @param layer the whole piece layer when it is known and verified already.
   */
  constructor(
    crypto: Crypto,
    root: Uint8Array,
    pieceCount: number,
    pieceLengthBytes: number,
    layer?: Uint8Array,
  ) {
    assert(pieceCount >= 2, `a file of ${pieceCount} pieces has no piece layer`);
    this.#crypto = crypto;
    this.root = root;
    this.pieceCount = pieceCount;
    this.pieceLayer = pieceLayerOf(pieceLengthBytes);
    this.layers = this.pieceLayer + log2(nextPowerOfTwo(pieceCount));
    this.#have = new Bitfield(pieceCount);
    if (layer === undefined) {
      this.#hashes = new Uint8Array(pieceCount * HASH);
    } else {
      assert(layer.length === pieceCount * HASH, `piece layer of ${layer.length} bytes`);
      this.#hashes = layer;
      this.#have.fill();
    }
  }

  get isComplete(): boolean {
    return this.#have.isFull;
  }

  /** The whole piece layer, a view; undefined while hashes are missing. */
  get layer(): Uint8Array | undefined {
    return this.isComplete ? this.#hashes : undefined;
  }

  /** The hash that a piece of the file must have, a view; undefined while unknown. @param piece counted in the file. */
  hash(piece: number): Uint8Array | undefined {
    if (piece < 0 || piece >= this.pieceCount || !this.#have.has(piece)) return undefined;
    return this.#hashes.subarray(piece * HASH, (piece + 1) * HASH);
  }

  /** The range to ask for so that the hash of `piece` becomes known: up to 512 hashes with their whole proof. */
  rangeFor(piece: number): HashRange {
    const width = nextPowerOfTwo(this.pieceCount);
    const length = Math.min(HASH_RANGE_LENGTH, width);
    const index = piece - (piece % length);
    const proofLayers = this.layers - this.pieceLayer - 1;
    return { baseLayer: this.pieceLayer, index, length, proofLayers };
  }

  /** The ranges that still miss hashes, ascending. */
  *missingRanges(): Generator<HashRange> {
    for (let piece = 0; piece < this.pieceCount; piece += HASH_RANGE_LENGTH) {
      if (!this.#have.has(piece)) yield this.rangeFor(piece);
    }
  }

  /**
   * Takes the answer to a range of `rangeFor`. The caller matches answers to requests.
   * @returns the first piece and the number of pieces whose hashes are known now, or why the sender is at fault.
   */
  accept(
    range: HashRange,
    hashes: Uint8Array,
  ): Result<{ readonly first: number; readonly count: number }, MerkleErrorCode> {
    if (range.baseLayer !== this.pieceLayer || range.index >= this.pieceCount) {
      return fail(
        'ERR_MERKLE_RANGE',
        `expected a range of layer ${this.pieceLayer} within ${this.pieceCount} pieces, got ${describeRange(range)}`,
      );
    }
    const proof = verifyHashesProof(this.#crypto, this.root, range, hashes, this.layers);
    if (!proof.ok) return proof;
    // Hashes beyond the end of the file are pads: proven, not kept.
    const count = Math.min(range.length, this.pieceCount - range.index);
    this.#hashes.set(hashes.subarray(0, count * HASH), range.index * HASH);
    for (let i = 0; i < count; i += 1) this.#have.add(range.index + i);
    return ok({ first: range.index, count });
  }

  /**
   * The payload of a `hashes` message (BEP 52): the range's hashes, then the uncles.
   * @returns undefined when it has to be rejected: incomplete, below the piece layer, misaligned, too long, out of the tree.
   */
  serve(range: HashRange): Uint8Array | undefined {
    if (!this.isComplete || !this.#isServable(range)) return undefined;
    const rows = this.#allRows();
    const width = nextPowerOfTwo(range.length);
    const parts: Uint8Array[] = [];
    for (let i = 0; i < range.length; i += 1) {
      parts.push(this.#node(rows, range.baseLayer, range.index + i));
    }
    const layer = range.baseLayer + log2(width);
    parts.push(...this.uncles(layer, range.index / width, uncleCount(range)));
    return concatBytes(...parts);
  }

  /** The siblings of the node at `index` of a layer at or above the piece layer, and of its ancestors: `count` hashes from the lowest up. */
  uncles(layer: number, index: number, count: number): Uint8Array[] {
    const rows = this.#allRows();
    return Array.from({ length: count }, (_, up) =>
      this.#node(rows, layer + up, (index >> up) ^ 1),
    );
  }

  #isServable(range: HashRange): boolean {
    const { baseLayer, index, length, proofLayers } = range;
    if (baseLayer < this.pieceLayer || baseLayer >= this.layers) return false;
    if (length < 1 || length > HASH_RANGE_LENGTH_LIMIT) return false;
    const layerWidth = 2 ** (this.layers - baseLayer);
    const width = nextPowerOfTwo(length);
    if (index < 0 || index % width !== 0 || index + width > layerWidth) return false;
    // Only the end of the layer may cut a range to something that is no power of two.
    const used = Math.ceil(this.pieceCount / 2 ** (baseLayer - this.pieceLayer));
    if (length !== width && index + length !== used) return false;
    if (length < 2 && index + length !== used) return false;
    return proofLayers >= 0 && proofLayers < this.layers - baseLayer;
  }

  #allRows(): Uint8Array[] {
    if (this.#rows !== undefined) return this.#rows;
    const rows = [this.#hashes];
    for (let layer = this.pieceLayer; layer < this.layers; layer += 1) {
      rows.push(parentLayer(this.#crypto, rows.at(-1)!, padHash(this.#crypto, layer)));
    }
    this.#rows = rows;
    return rows;
  }

  #node(rows: readonly Uint8Array[], layer: number, index: number): Uint8Array {
    const row = rows[layer - this.pieceLayer]!;
    if ((index + 1) * HASH > row.length) return padHash(this.#crypto, layer);
    return row.subarray(index * HASH, (index + 1) * HASH);
  }
}

/** The leaves of one piece of a file, to serve ranges from. */
export interface PieceLeaves {
  /** SHA-256 of each block of the piece that holds bytes of the file, 32 bytes each. */
  readonly leaves: Uint8Array;
  /** Leaves to which the piece is filled up, a power of two. */
  readonly width: number;
  /** Number of the piece in its file. */
  readonly first: number;
  /** The file's tree; undefined for a file that fits into a piece. */
  readonly tree: HashTree | undefined;
}

/**
 * The payload of a `hashes` message for a range below the piece layer that lies in one piece (BEP 52): the range's hashes, then the uncles.
 * @returns undefined when it has to be rejected: outside the piece or the tree, or the layers above are not known.
 */
export function serveBelowPiece(
  crypto: Crypto,
  { leaves, width, first, tree }: PieceLeaves,
  range: HashRange,
): Uint8Array | undefined {
  const pieceLayer = log2(width);
  const layers = tree?.layers ?? pieceLayer;
  const rangeLayer = range.baseLayer + log2(range.length);
  if (range.baseLayer >= pieceLayer || rangeLayer > pieceLayer) return undefined;
  if (range.proofLayers >= layers - range.baseLayer) return undefined;
  const start = range.index - first * 2 ** (pieceLayer - range.baseLayer);
  if (start < 0 || start + range.length > 2 ** (pieceLayer - range.baseLayer)) return undefined;
  const rows = [leaves];
  while (rows.length <= pieceLayer) {
    rows.push(parentLayer(crypto, rows.at(-1)!, padHash(crypto, rows.length - 1)));
  }
  const node = (layer: number, index: number): Uint8Array => {
    const row = rows[layer]!;
    return (index + 1) * HASH <= row.length
      ? row.subarray(index * HASH, (index + 1) * HASH)
      : padHash(crypto, layer);
  };
  const parts = Array.from({ length: range.length }, (_, i) => node(range.baseLayer, start + i));
  const uncles = uncleCount(range);
  const inside = Math.min(uncles, pieceLayer - rangeLayer);
  const index = start / range.length;
  for (let up = 0; up < inside; up += 1) parts.push(node(rangeLayer + up, (index >> up) ^ 1));
  if (uncles > inside) {
    if (tree?.isComplete !== true) return undefined;
    parts.push(...tree.uncles(pieceLayer, first, uncles - inside));
  }
  return concatBytes(...parts);
}
