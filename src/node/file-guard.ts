/**
 * Finds out what is left of a file that another program cut, changed or deleted, and what came back of it.
 *
 * How it is noticed: at each read of a whole file its size and time are compared with those it had when it became whole, at each write its size
 * with what it must have (`plane/file-table.ts`). Then the pieces of the file that are had are hashed again: what is not right is lost, is offered
 * to nobody, and in a download is fetched again. A torrent that only seeds never writes to the files: it looks every LOOK_AGAIN_MS
 * whether a file it lost pieces of looks different, and takes what is right again.
 * Not noticed: bytes that are overwritten in a file that is still being written to here, until they are read by a check; and changes nobody asks for.
 * Bounds: a number a file; one check of a file at a time.
 * @module
 */
import type { Bitfield } from '../lib/bitfield.ts';
import type { DiskFault, FileTable } from '../plane/file-table.ts';
import type { PieceOutcome } from '../protocol/swarm/index.ts';
import type { TorrentFiles } from './torrent-files.ts';

/** Faults that say what another program did to a file. */
export const UNDERNEATH: ReadonlySet<string> = new Set([
  'TRUNCATED',
  'CHANGED',
  'VANISHED',
  'ENOENT',
]);

// Implementation limits
/** A torrent that only seeds looks so often whether lost files came back. */
const LOOK_AGAIN_MS = 5_000;

/** What the guard needs of its torrent. */
export interface FileGuardOptions {
  readonly files: TorrentFiles;
  /** The table that the send cache reads with. */
  readonly table: FileTable;
  /** What is had; owned by the core. */
  readonly have: () => Bitfield;
  /** True: the files are never written to. */
  readonly isReadOnly: boolean;
  readonly signal: AbortSignal;
  /** These pieces are not there any more. */
  readonly onLost: (pieces: readonly number[]) => void;
  /** This piece is on disk again, with these digests. */
  readonly onFound: (piece: number, outcome: PieceOutcome) => void;
}

/** Watches the files of one torrent from the time they were opened. */
export class FileGuard {
  readonly #options: FileGuardOptions;
  /** Pieces that each file lacks. */
  readonly #missing: Int32Array;
  /** A check was cut short: what is had of some file is not known. */
  isUnsure = false;
  /** Read only: files whose pieces were lost → how they looked then. */
  readonly #damaged = new Map<number, string>();
  /** Paths that wait for a check. */
  readonly #checking = new Set<string>();
  #checks: Promise<void> = Promise.resolve();
  #pendingCount = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FileGuardOptions) {
    this.#options = options;
    const { geometry, spec } = options.files;
    const have = options.have();
    options.files.verifiedLook = (index) => options.table.expected(index);
    this.#missing = new Int32Array(spec.files.length);
    for (let index = 0; index < spec.files.length; index += 1) {
      const { first, count } = geometry.filePieces(index);
      for (let piece = first; piece < first + count; piece += 1) {
        if (!have.has(piece)) this.#missing[index]! += 1;
      }
      if (this.#missing[index] === 0) this.#settle(index);
    }
  }

  /** True while a file is being checked: nothing may be written meanwhile. */
  get isBusy(): boolean {
    return this.#pendingCount > 0;
  }

  /** A piece was verified: its files may be whole, and nothing is written to a whole one. */
  pieceHad(piece: number): void {
    for (const index of this.#options.files.filesOf(piece)) {
      this.#missing[index]! -= 1;
      if (this.#missing[index] === 0) this.#settle(index);
    }
  }

  /** True when another program did this: what is left is found out, once for all faults of a file. */
  takes({ code, path }: DiskFault): boolean {
    const indices = UNDERNEATH.has(code) ? this.#options.files.indicesOf(path) : [];
    if (indices.length === 0) return false;
    // Reads fail until the check is over: each of them tells again.
    if (this.#checking.has(path)) return true;
    this.#checking.add(path);
    this.#queue(async () => {
      await this.#check(indices);
      this.#checking.delete(path);
    });
    return true;
  }

  /** These files have a place of their own from now on. */
  kept(indices: readonly number[]): void {
    for (const index of indices) if (this.#missing[index] === 0) this.#settle(index);
  }

  /** What is had of these pieces, by default everything, is to be fetched again. */
  lose(pieces: readonly number[] = [...this.#options.have()]): void {
    this.#lose(pieces);
    if (pieces.length > 0) this.#options.onLost(pieces);
  }

  /** Resolves when no check is under way. */
  idle(): Promise<void> {
    return this.#checks;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #settle(index: number): void {
    const { files, table } = this.#options;
    const file = files.spec.files[index]!;
    if (file.isPad || !file.isStored || file.lengthBytes === 0) return;
    table.expect(index, files.wholeLook(index));
  }

  #lose(pieces: readonly number[]): void {
    const { files, table, isReadOnly } = this.#options;
    for (const piece of pieces) {
      for (const index of files.filesOf(piece)) {
        this.#missing[index]! += 1;
        // What is lost will be written, to neighbours too.
        if (!isReadOnly) table.expect(index, undefined);
      }
    }
  }

  #queue(work: () => Promise<void>): void {
    this.#pendingCount += 1;
    this.#checks = this.#checks.then(work).finally(() => {
      this.#pendingCount -= 1;
    });
  }

  /** Hashes what is had of some files, and tells what is gone. */
  async #check(indices: readonly number[]): Promise<void> {
    const { files, table, signal, isReadOnly } = this.#options;
    this.isUnsure ||= signal.aborted;
    if (signal.aborted) return;
    await files.refresh();
    table.refresh();
    const looks = indices.map((index) => files.look(index));
    const have = this.#options.have();
    const pieces = new Set<number>();
    for (const index of indices) {
      const { first, count } = files.geometry.filePieces(index);
      for (let piece = first; piece < first + count; piece += 1) {
        if (have.has(piece)) pieces.add(piece);
      }
    }
    const right = new Set<number>();
    await this.#hash(pieces, (piece) => right.add(piece));
    this.isUnsure ||= signal.aborted;
    if (signal.aborted) return;
    const lost = [...pieces].filter((piece) => !right.has(piece));
    this.#lose(lost);
    for (const [at, index] of indices.entries()) {
      const isWhole = this.#missing[index] === 0;
      table.expect(index, isWhole || isReadOnly ? looks[at] : undefined);
      if (!isWhole && isReadOnly) this.#damaged.set(index, JSON.stringify(looks[at]));
    }
    if (lost.length > 0) this.#options.onLost(lost);
    if (isReadOnly) this.#armLook();
  }

  #armLook(): void {
    clearTimeout(this.#timer);
    if (this.#damaged.size === 0 || this.#options.signal.aborted) return;
    this.#timer = setTimeout(() => this.#queue(() => this.#lookAgain()), LOOK_AGAIN_MS);
    this.#timer.unref();
  }

  /** Takes back what is right of files that look different from when their pieces were lost. */
  async #lookAgain(): Promise<void> {
    const { files, table } = this.#options;
    const have = this.#options.have();
    for (const [index, before] of this.#damaged) {
      const look = JSON.stringify(files.look(index));
      if (look === before) continue;
      this.#damaged.set(index, look);
      await files.refresh();
      table.refresh();
      const { first, count } = files.geometry.filePieces(index);
      const lost = Array.from({ length: count }, (_, i) => first + i).filter((p) => !have.has(p));
      await this.#hash(new Set(lost), (piece, outcome) => this.#options.onFound(piece, outcome));
      if (this.#missing[index] === 0) this.#damaged.delete(index);
    }
    this.#armLook();
  }

  /** A fault of the disk makes no piece right that it hits, and leaves the others as they are. */
  async #hash(
    pieces: ReadonlySet<number>,
    onRight: (piece: number, outcome: PieceOutcome) => void,
  ): Promise<void> {
    const { files, signal } = this.#options;
    const left = new Set([...pieces].sort((a, b) => a - b));
    const take = (piece: number, outcome: PieceOutcome): void => {
      if (left.delete(piece)) onRight(piece, outcome);
    };
    const isWhole = await files.hash([...left], signal, take).then(
      () => true,
      () => false,
    );
    if (isWhole) return;
    for (const piece of [...left]) {
      if (signal.aborted) return;
      await files.hash([piece], signal, take).catch(() => {});
    }
  }
}
