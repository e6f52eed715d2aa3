/**
 * What the data plane must know of a torrent's shape; a metainfo layout fits it.
 * @module
 */
import type { JobSegment } from './disk-jobs.ts';
import type { HashPlan } from './piece-hasher.ts';

/** A part of a piece that lies in one file. */
export interface GeometrySegment {
  readonly fileIndex: number;
  readonly fileOffsetBytes: number;
  readonly pieceOffsetBytes: number;
  readonly lengthBytes: number;
  readonly isPad: boolean;
}

/** The shape of a torrent: pieces, blocks, and where they lie. */
export interface Geometry {
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
  /** Bytes that SHA-1 covers, pads included. */
  pieceBytes(piece: number): number;
  /** Bytes to transfer: `pieceBytes` less pads at the tail. */
  wantedBytes(piece: number): number;
  blockCount(piece: number): number;
  blockBytes(piece: number, block: number): number;
  /** True for a block that lies wholly in pads. */
  isPadBlock(piece: number, block: number): boolean;
  segments(piece: number): readonly GeometrySegment[];
  hashPlan(piece: number): HashPlan;
}

/** The segments of `[from, from + lengthBytes)` of a piece, placed at `at` of a job. */
export function cutSegments(
  segments: readonly GeometrySegment[],
  from: number,
  lengthBytes: number,
  at = 0,
): JobSegment[] {
  const cut: JobSegment[] = [];
  for (const segment of segments) {
    const start = Math.max(segment.pieceOffsetBytes, from);
    const end = Math.min(segment.pieceOffsetBytes + segment.lengthBytes, from + lengthBytes);
    if (start >= end) continue;
    cut.push({
      fileIndex: segment.fileIndex,
      fileOffsetBytes: segment.fileOffsetBytes + start - segment.pieceOffsetBytes,
      at: at + start - from,
      lengthBytes: end - start,
      isPad: segment.isPad,
    });
  }
  return cut;
}
