/**
 * Turns requests for blocks into ranges of files, as long as possible, and answers bodies back into blocks.
 *
 * Spec: BEP 19 ("request more than one piece at a time … a single byte-range request").
 * Blocks wait in the order they were asked for. A range takes the first of them and all that follow it without a gap in the same file, over pieces;
 * pads (BEP 47) between them are filled with zeros and never fetched. A block over several files is brought by several ranges, in order.
 * Bounds: MAX_OWED_BLOCKS blocks, MAX_RANGE_BYTES a range.
 * Not here: sockets, answers (answer.ts), when to ask.
 * @module
 */
import { assert } from '../../lib/assert.ts';
import type { Segment } from '../metainfo/index.ts';
import { MAX_OWED_BLOCKS, MAX_RANGE_BYTES } from './constants.ts';

/** A block that is owed. */
export interface OwedBlock {
  readonly piece: number;
  readonly begin: number;
  readonly lengthBytes: number;
}

/** A part of a block, in one file or in a pad. */
export interface BlockPart {
  readonly block: OwedBlock;
  /** The block begins with it. */
  readonly isFirst: boolean;
  /** The block ends with it. */
  readonly isLast: boolean;
  readonly lengthBytes: number;
  readonly fileIndex: number;
  readonly fileOffsetBytes: number;
  readonly isPad: boolean;
}

/** A range of one file, and the parts of blocks that it brings, with the pads around them. */
export interface FileRange {
  readonly fileIndex: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly parts: readonly BlockPart[];
}

/** Blocks that a web seed owes and that were not asked of it yet. */
export class RangeQueue {
  readonly #segmentsOf: (piece: number) => readonly Segment[];
  #parts: BlockPart[] = [];
  #blockCount = 0;

  /** @param segmentsOf the parts of a piece in files. */
  constructor(segmentsOf: (piece: number) => readonly Segment[]) {
    this.#segmentsOf = segmentsOf;
  }

  /** Blocks of which something waits. */
  get blockCount(): number {
    return this.#blockCount;
  }

  /** Adds a block. @returns false when too many wait. */
  push(block: OwedBlock): boolean {
    if (this.#blockCount >= MAX_OWED_BLOCKS) return false;
    const { begin, lengthBytes } = block;
    const end = begin + lengthBytes;
    const cut = this.#segmentsOf(block.piece).filter(
      (segment) =>
        segment.pieceOffsetBytes < end && segment.pieceOffsetBytes + segment.lengthBytes > begin,
    );
    for (const [at, segment] of cut.entries()) {
      const from = Math.max(begin, segment.pieceOffsetBytes);
      const to = Math.min(end, segment.pieceOffsetBytes + segment.lengthBytes);
      this.#parts.push({
        block,
        isFirst: at === 0,
        isLast: at === cut.length - 1,
        lengthBytes: to - from,
        fileIndex: segment.fileIndex,
        fileOffsetBytes: segment.fileOffsetBytes + from - segment.pieceOffsetBytes,
        isPad: segment.isPad,
      });
    }
    this.#blockCount += 1;
    return true;
  }

  /** Takes a block back of which nothing was asked for. @returns false when there is none. */
  cancel(piece: number, begin: number): boolean {
    const at = this.#parts.findIndex(
      ({ block, isFirst }) => isFirst && block.piece === piece && block.begin === begin,
    );
    if (at < 0) return false;
    let end = at;
    while (!this.#parts[end]!.isLast) end += 1;
    this.#parts.splice(at, end - at + 1);
    this.#blockCount -= 1;
    return true;
  }

  /** Takes the next range; undefined when nothing waits. */
  take(): FileRange | undefined {
    const first = this.#parts.findIndex(({ isPad }) => !isPad);
    const head = this.#parts[first];
    if (head === undefined) {
      assert(this.#parts.length === 0, 'a block of pads alone was asked for');
      return undefined;
    }
    const { fileIndex, fileOffsetBytes: offsetBytes } = head;
    let lengthBytes = head.lengthBytes;
    let end = first + 1;
    for (; end < this.#parts.length; end += 1) {
      const part = this.#parts[end]!;
      if (part.isPad) continue;
      const continues =
        part.fileIndex === fileIndex &&
        part.fileOffsetBytes === offsetBytes + lengthBytes &&
        lengthBytes + part.lengthBytes <= MAX_RANGE_BYTES;
      if (!continues) break;
      lengthBytes += part.lengthBytes;
    }
    // A pad before what comes next belongs to the block that it begins, if it begins one.
    while (this.#parts[end - 1]!.isPad && this.#parts[end - 1]!.isFirst) end -= 1;
    const parts = this.#parts.splice(0, end);
    for (const part of parts) if (part.isLast) this.#blockCount -= 1;
    return { fileIndex, offsetBytes, lengthBytes, parts };
  }
}
