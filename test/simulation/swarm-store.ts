/**
 * The piece store of the data plane without its bytes: which blocks are being written, are there, are corrupt.
 * Same rules as the real one: a block has one writer at a time, a part goes to the disk once it is filled, a fault ends the piece.
 * @module
 */
import { BLOCK_BYTES } from '../../src/protocol/peer-wire/index.ts';
import type { SimDisk } from './disk.ts';
import type { SimTorrent } from './swarm-torrent.ts';

const EMPTY = 0;
const FILLING = 1;
const FILLED = 2;

interface OpenPiece {
  readonly blocks: Uint8Array;
  readonly missing: number[];
  partsLeft: number;
  readonly corrupt: Set<number>;
}

/** As in the real pool: beyond so much that waits for the disk, sockets rest. */
const FULL_BACKLOG_BYTES = 1_048_576;

/** Assembles the pieces of one torrent. */
export class SimStore {
  /** Blocks of a part; the real one has 64. */
  readonly #partBlocks: number;
  readonly #torrent: SimTorrent;
  readonly #disk: SimDisk;
  readonly #onPiece: (piece: number, isCorrupt: boolean, isFault: boolean) => void;
  readonly #open = new Map<number, OpenPiece>();
  /** Wrong blocks of the pieces that went to disk. */
  readonly #onDisk = new Map<number, ReadonlySet<number>>();
  /** Pieces that another program took away, and nobody noticed yet. */
  readonly #stolen = new Set<number>();
  #backlogBytes = 0;
  #waiting: (() => void)[] = [];
  /** Pieces that are on disk as they should be. */
  readonly written = new Set<number>();
  isClosed = false;

  constructor(options: {
    readonly torrent: SimTorrent;
    readonly disk: SimDisk;
    readonly partBlocks: number;
    readonly onPiece: (piece: number, isCorrupt: boolean, isFault: boolean) => void;
  }) {
    this.#torrent = options.torrent;
    this.#disk = options.disk;
    this.#partBlocks = options.partBlocks;
    this.#onPiece = options.onPiece;
  }

  /** Bytes that wait to be written. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  get isBehind(): boolean {
    return this.#backlogBytes > FULL_BACKLOG_BYTES;
  }

  whenCaughtUp(wake: () => void): void {
    this.#waiting.push(wake);
  }

  /** Another program cuts what this piece is in; reading it tells. */
  steal(piece: number): void {
    if (this.written.has(piece)) this.#stolen.add(piece);
  }

  /** A read of a piece found nothing: all that is gone is known from now on. @returns which; none when all is there. */
  findStolen(piece: number): number[] {
    if (!this.#stolen.has(piece)) return [];
    const gone = [...this.#stolen];
    this.#stolen.clear();
    for (const each of gone) this.written.delete(each);
    return gone;
  }

  /** True while what was begun in an opening of a piece has its place. */
  isFilling(piece: number, block: number): boolean {
    return this.#open.get(piece)?.blocks[block] === FILLING;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** @returns false: throw the data away. */
  begin(piece: number, block: number): boolean {
    const open = this.#open.get(piece) ?? this.#openPiece(piece);
    if (this.isClosed || open.blocks[block] !== EMPTY) return false;
    open.blocks[block] = FILLING;
    return true;
  }

  complete(piece: number, block: number, isCorrupt: boolean): void {
    const open = this.#open.get(piece);
    if (open === undefined || open.blocks[block] !== FILLING) return;
    open.blocks[block] = FILLED;
    if (isCorrupt) open.corrupt.add(block);
    const part = Math.floor(block / this.#partBlocks);
    open.missing[part]! -= 1;
    if (open.missing[part] === 0) this.#submit(piece, open);
  }

  abandon(piece: number, block: number): void {
    const open = this.#open.get(piece);
    if (open !== undefined && open.blocks[block] === FILLING) open.blocks[block] = EMPTY;
  }

  /** Reads a piece and digests its blocks; undefined when the disk failed. */
  digest(piece: number, done: (digests: Uint8Array | undefined) => void): void {
    this.#disk.read(this.#torrent.layout.wantedBytes(piece), (fault) => {
      if (this.isClosed) return;
      const corrupt = this.#onDisk.get(piece) ?? new Set<number>();
      done(fault === undefined ? this.#torrent.digestsOf(piece, corrupt) : undefined);
    });
  }

  #openPiece(piece: number): OpenPiece {
    const { layout } = this.#torrent;
    const blockCount = layout.blockCount(piece);
    const open: OpenPiece = {
      blocks: new Uint8Array(blockCount),
      missing: new Array<number>(Math.ceil(blockCount / this.#partBlocks)).fill(0),
      partsLeft: 0,
      corrupt: new Set(),
    };
    for (let block = 0; block < blockCount; block += 1) {
      if (layout.isPadBlock(piece, block)) open.blocks[block] = FILLED;
      else open.missing[Math.floor(block / this.#partBlocks)]! += 1;
    }
    open.partsLeft = open.missing.filter((count) => count > 0).length;
    this.#open.set(piece, open);
    return open;
  }

  #submit(piece: number, open: OpenPiece): void {
    const bytes = Math.min(this.#partBlocks * BLOCK_BYTES, this.#torrent.layout.wantedBytes(piece));
    this.#backlogBytes += bytes;
    this.#disk.write(bytes, (fault) => {
      this.#backlogBytes -= bytes;
      if (!this.isBehind) for (const wake of this.#waiting.splice(0)) wake();
      if (this.isClosed || this.#open.get(piece) !== open) return;
      open.partsLeft -= 1;
      if (fault === undefined && open.partsLeft > 0) return;
      this.#open.delete(piece);
      const isCorrupt = open.corrupt.size > 0;
      if (fault === undefined && !isCorrupt) this.written.add(piece);
      this.#onDisk.set(piece, open.corrupt);
      this.#onPiece(piece, isCorrupt, fault !== undefined);
    });
  }
}
