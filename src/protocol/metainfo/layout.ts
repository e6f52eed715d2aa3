/**
 * Where the bytes of pieces lie: which file ranges a piece covers, what of it is worth requesting, what its hashes cover.
 *
 * Spec: BEP 3 (pieces), BEP 47 (pad files), BEP 52 (pieces aligned to files). See `types.ts` for piece space.
 * Bounds: nothing is kept per piece, 16 bytes per file; each call costs O(log files) and what it returns.
 * @module
 */
import { assert, broken } from '../../lib/assert.ts';
import { BLOCK_LENGTH_BYTES, V1_HASH_LENGTH_BYTES as V1_HASH } from './limits.ts';
import { nextPowerOfTwo } from './merkle.ts';
import { type Info, type Segment, VERSION_TRAITS } from './types.ts';

/** What a layout needs of a torrent; a plan of one that is yet to be hashed has it too. */
export type LayoutInfo = Pick<
  Info,
  'version' | 'files' | 'pieceLengthBytes' | 'pieceCount' | 'piecesV1'
>;

/** A run of pieces. */
export interface PieceRun {
  readonly first: number;
  readonly count: number;
}

/** Maps pieces and blocks to files and back. */
export class PieceLayout {
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
  readonly #info: LayoutInfo;
  /** Files with bytes, in piece-space order: their index, start and end. */
  readonly #fileIndices: Int32Array;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #hasPads: boolean;
  /** Where piece space is dense: it ends here. */
  readonly #endBytes: number;

  constructor(info: LayoutInfo) {
    this.#info = info;
    this.pieceCount = info.pieceCount;
    this.pieceLengthBytes = info.pieceLengthBytes;
    const { files } = info;
    let count = 0;
    for (const file of files) if (file.lengthBytes > 0) count += 1;
    this.#fileIndices = new Int32Array(count);
    this.#starts = new Float64Array(count);
    this.#ends = new Float64Array(count);
    let hasPads = false;
    let at = 0;
    for (let i = 0; i < files.length; i += 1) {
      const file = files[i]!;
      if (file.lengthBytes === 0) continue;
      this.#fileIndices[at] = i;
      this.#starts[at] = file.offsetBytes;
      this.#ends[at] = file.offsetBytes + file.lengthBytes;
      hasPads ||= file.isPad;
      at += 1;
    }
    this.#hasPads = hasPads;
    this.#endBytes = count === 0 ? 0 : this.#ends[count - 1]!;
  }

  /** Bytes of a piece: what its SHA-1 covers, pads included; in v2-only torrents up to the end of the file. */
  pieceBytes(piece: number): number {
    return this.#pieceEnd(piece) - piece * this.pieceLengthBytes;
  }

  /** Bytes of a piece that are worth requesting: `pieceBytes` without the pads at its tail. */
  wantedBytes(piece: number): number {
    const start = piece * this.pieceLengthBytes;
    const end = this.#pieceEnd(piece);
    if (!this.#hasPads) return end - start;
    // The last file that starts before the end of the piece, then back over pads.
    for (let at = this.#fileAt(end - 1); at >= 0 && this.#ends[at]! > start; at -= 1) {
      if (!this.#isPad(at)) return Math.min(this.#ends[at]!, end) - start;
    }
    return 0;
  }

  /** True when a piece has nothing but zeros of pad files: it is known without any peer. */
  isAllPad(piece: number): boolean {
    return this.#hasPads && this.wantedBytes(piece) === 0;
  }

  /** Blocks of a piece that are worth requesting; 0 for a piece of pads. */
  blockCount(piece: number): number {
    return Math.ceil(this.wantedBytes(piece) / BLOCK_LENGTH_BYTES);
  }

  /** Bytes of a block: 16 KiB, or what is left at the end of `wantedBytes`. */
  blockBytes(piece: number, block: number): number {
    const bytes = Math.min(
      BLOCK_LENGTH_BYTES,
      this.wantedBytes(piece) - block * BLOCK_LENGTH_BYTES,
    );
    if (block < 0 || bytes <= 0) broken(`block ${block} of piece ${piece}`);
    return bytes;
  }

  /** True when a block lies wholly in pad files, which v1 torrents may have in the middle of a piece. */
  isPadBlock(piece: number, block: number): boolean {
    if (!this.#hasPads) return false;
    const start = piece * this.pieceLengthBytes + block * BLOCK_LENGTH_BYTES;
    const end = start + this.blockBytes(piece, block);
    for (
      let at = this.#fileAt(start);
      at < this.#starts.length && this.#starts[at]! < end;
      at += 1
    ) {
      if (!this.#isPad(at)) return false;
    }
    return true;
  }

  /** The parts of a piece in files, in order; together they are `pieceBytes`. */
  segments(piece: number): Segment[] {
    const start = piece * this.pieceLengthBytes;
    const end = this.#pieceEnd(piece);
    const segments: Segment[] = [];
    for (
      let at = this.#fileAt(start);
      at < this.#starts.length && this.#starts[at]! < end;
      at += 1
    ) {
      const from = Math.max(start, this.#starts[at]!);
      segments.push({
        fileIndex: this.#fileIndices[at]!,
        fileOffsetBytes: from - this.#starts[at]!,
        pieceOffsetBytes: from - start,
        lengthBytes: Math.min(end, this.#ends[at]!) - from,
        isPad: this.#isPad(at),
      });
    }
    return segments;
  }

  /** The pieces that hold a part of a file; count 0 for an empty file. */
  filePieces(fileIndex: number): PieceRun {
    const file = this.#info.files[fileIndex];
    assert(file !== undefined, `file ${fileIndex} of ${this.#info.files.length}`);
    const first = Math.floor(file.offsetBytes / this.pieceLengthBytes);
    if (file.lengthBytes === 0) return { first, count: 0 };
    const last = Math.floor((file.offsetBytes + file.lengthBytes - 1) / this.pieceLengthBytes);
    return { first, count: last - first + 1 };
  }

  /** v2 and hybrid: the one file that a piece belongs to. */
  fileIndexV2(piece: number): number {
    this.#checkPiece(piece);
    assert(VERSION_TRAITS[this.#info.version].hasV2, 'only v2 and hybrid torrents have v2 files');
    return this.#fileIndices[this.#fileAt(piece * this.pieceLengthBytes)]!;
  }

  /** v2 and hybrid: the number of a piece in its file, from 0. */
  pieceInFileV2(piece: number): number {
    const file = this.#info.files[this.fileIndexV2(piece)]!;
    return piece - file.offsetBytes / this.pieceLengthBytes;
  }

  /** v2 and hybrid: 16 KiB leaves of a piece that hold bytes of the file. */
  v2LeafCount(piece: number): number {
    const file = this.#info.files[this.fileIndexV2(piece)]!;
    const end = file.offsetBytes + file.lengthBytes;
    const bytes = Math.min(this.pieceLengthBytes, end - piece * this.pieceLengthBytes);
    return Math.ceil(bytes / BLOCK_LENGTH_BYTES);
  }

  /**
   * v2 and hybrid: the number of leaves, a power of two, to which a piece's tree is filled up with zero hashes.
   * A whole piece's worth in files larger than a piece; in smaller ones the next power of two of the file's leaves.
   */
  v2LeafWidth(piece: number): number {
    const file = this.#info.files[this.fileIndexV2(piece)]!;
    if (file.lengthBytes > this.pieceLengthBytes) return this.pieceLengthBytes / BLOCK_LENGTH_BYTES;
    return nextPowerOfTwo(Math.ceil(file.lengthBytes / BLOCK_LENGTH_BYTES));
  }

  /** The SHA-1 that a piece must have, a view of 20 bytes; undefined in v2-only torrents. */
  expectedV1(piece: number): Uint8Array | undefined {
    this.#checkPiece(piece);
    return this.#info.piecesV1?.subarray(piece * V1_HASH, (piece + 1) * V1_HASH);
  }

  #pieceEnd(piece: number): number {
    this.#checkPiece(piece);
    const start = piece * this.pieceLengthBytes;
    const end = VERSION_TRAITS[this.#info.version].hasGaps
      ? this.#ends[this.#fileAt(start)]!
      : this.#endBytes;
    return Math.min(start + this.pieceLengthBytes, end);
  }

  #checkPiece(piece: number): void {
    if (!(piece >= 0 && piece < this.pieceCount)) broken(`piece ${piece} of ${this.pieceCount}`);
  }

  #isPad(at: number): boolean {
    return this.#info.files[this.#fileIndices[at]!]!.isPad;
  }

  /** The last file with bytes that starts at or before a position. */
  #fileAt(positionBytes: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= positionBytes) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
