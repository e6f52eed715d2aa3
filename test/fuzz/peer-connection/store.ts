/**
 * Where blocks go while pieces are filled: the rules of the data plane's piece store, without bytes.
 * @module
 */
import type { PieceLayout } from '../../../src/protocol/metainfo/index.ts';

const EMPTY = 0;
const FILLING = 1;
const FILLED = 2;

interface OpenPiece {
  readonly opening: number;
  readonly blocks: Uint8Array;
  readonly bad: Set<number>;
}

/** The pieces that are being filled, and those that wait for their verdict. */
export class Store {
  readonly #layout: PieceLayout;
  readonly open = new Map<number, OpenPiece>();
  /** Whole pieces → their wrong blocks. */
  readonly full = new Map<number, ReadonlySet<number>>();
  #nextOpening = 1;

  constructor(layout: PieceLayout) {
    this.#layout = layout;
  }

  /** @returns the opening that the block belongs to, or undefined: throw it away. */
  begin(piece: number, block: number): number | undefined {
    const open = this.open.get(piece) ?? this.#openPiece(piece);
    if (open.blocks[block] !== EMPTY) return undefined;
    open.blocks[block] = FILLING;
    return open.opening;
  }

  /** True while what was begun in an opening still has its place. */
  isCurrent(piece: number, opening: number): boolean {
    return this.open.get(piece)?.opening === opening;
  }

  complete(piece: number, block: number, isBad: boolean): void {
    const open = this.open.get(piece)!;
    open.blocks[block] = FILLED;
    if (isBad) open.bad.add(block);
    if (open.blocks.some((state) => state !== FILLED)) return;
    this.open.delete(piece);
    this.full.set(piece, open.bad);
  }

  abandon(piece: number, block: number, opening: number): void {
    const open = this.open.get(piece);
    if (open?.opening === opening) open.blocks[block] = EMPTY;
  }

  /** The disk failed: what there is of a piece is lost. */
  fail(piece: number): void {
    this.open.delete(piece);
    this.full.delete(piece);
  }

  #openPiece(piece: number): OpenPiece {
    const blocks = new Uint8Array(this.#layout.blockCount(piece));
    for (let block = 0; block < blocks.length; block += 1) {
      if (this.#layout.isPadBlock(piece, block)) blocks[block] = FILLED;
    }
    const open = { opening: this.#nextOpening, blocks, bad: new Set<number>() };
    this.#nextOpening += 1;
    this.open.set(piece, open);
    return open;
  }
}
