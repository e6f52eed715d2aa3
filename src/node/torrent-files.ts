/**
 * The files of one torrent as its node knows them: what is wanted, what is there and right, and what is remembered about it.
 *
 * Resume data (resume.ts) is written when the files were opened, with every piece (journal), with `sync`, and at the end; a record that still says
 * what is true is left as it is, so that a thousand seeds start and stop without writing.
 * @module
 */
import path from 'node:path';
import { bootId } from '../io/atomic-file.ts';
import { nodeCrypto } from '../io/crypto.ts';
import { Bitfield } from '../lib/bitfield.ts';
import { equalBytes } from '../lib/bytes.ts';
import type { DiskPool } from '../plane/disk-pool.ts';
import {
  DiskFaultError,
  type FileLook,
  type StorageSpec,
  type StoredFile,
} from '../plane/file-table.ts';
import { type Info, parseInfo, VERSION_TRAITS } from '../protocol/metainfo/index.ts';
import type { PieceOutcome } from '../protocol/swarm/index.ts';
import { nodeError } from './errors.ts';
import { type Rename, renamed } from './renames.ts';
import { judgeRecord, type ResumeRecord, type ResumeStore, statFiles } from './resume.ts';
import {
  changedPriorities,
  DEFAULT_PRIORITY,
  piecePriorities,
  piecesOf,
  selectFiles,
} from './selection.ts';
import {
  checkPieces,
  createEmptyFiles,
  createSymlinks,
  expectedHashes,
  isRight,
  scanPieces,
  storageSpec,
  TorrentGeometry,
} from './storage.ts';
import type { TrackerMemory } from './torrent-trackers.ts';
import type { AddOptions, InfoHashes } from './torrent-types.ts';

/** The metadata in resume data, or else what was `kept` elsewhere, when it is of the torrent with these hashes. */
export function rememberedMetadata(
  resume: ResumeStore,
  hashes: InfoHashes,
  kept: Uint8Array | undefined,
): { info: Info; layers: ReadonlyMap<string, Uint8Array> } | undefined {
  const record = resume.load();
  const info = infoOf(record?.infoBytes, hashes);
  if (info !== undefined) return { info, layers: record!.layers };
  const keptInfo = infoOf(kept, hashes);
  return keptInfo && { info: keptInfo, layers: new Map() };
}

/** An info dictionary that was kept; undefined when it is none of the torrent with these hashes. */
export function infoOf(kept: Uint8Array | undefined, hashes: InfoHashes): Info | undefined {
  // A copy: what is kept of it must not hold the file that it was read from.
  const parsed = kept && parseInfo(kept.slice(), nodeCrypto);
  if (parsed?.ok !== true) return undefined;
  const info = parsed.value;
  const isSame = (a?: Uint8Array, b?: Uint8Array): boolean =>
    a === undefined || (b !== undefined && equalBytes(a, b));
  return isSame(hashes.infoHashV1, info.infoHashV1) && isSame(hashes.infoHashV2, info.infoHashV2)
    ? info
    : undefined;
}

/** Options of `new TorrentFiles`. */
export interface TorrentFilesOptions {
  readonly info: Info;
  readonly renames?: readonly Rename[] | undefined;
  readonly layers: ReadonlyMap<string, Uint8Array>;
  /** Absolute. */
  readonly dir: string;
  readonly disk: DiskPool;
  readonly resume: ResumeStore;
  /** Patterns of `selectFiles`; none: `selectOnly`, or all. */
  readonly select: readonly string[];
  /** BEP 53 `so`. */
  readonly selectOnly: readonly number[] | undefined;
  /** Of each file, 0 to 7, in place of `select`. */
  readonly priorities?: readonly number[] | undefined;
  /** How each file must look whenever it is read; default: as it is found when it is whole. */
  readonly looks?: readonly FileLook[] | undefined;
}

/** The files of a torrent. */
export class TorrentFiles {
  /** With the names that things have on disk. */
  readonly info: Info;
  /** With those that the torrent gives them. */
  readonly original: Info;
  readonly geometry: TorrentGeometry;
  /** Bytes of the pieces that hold a byte of a wanted file. */
  wantedBytes = 0;
  #spec: StorageSpec;
  /** Of each file. */
  #priorities: Uint8Array;
  /** They were chosen one by one, and are remembered. */
  #isChosen: boolean;
  layers: ReadonlyMap<string, Uint8Array>;
  /** How a whole file looked when it was verified: what the record must say, whatever became of it since. */
  verifiedLook: (index: number) => FileLook | undefined = () => undefined;
  readonly #looks: readonly FileLook[] | undefined;
  readonly #disk: DiskPool;
  readonly #resume: ResumeStore;
  /** Let go after the check: it holds the whole file that it was read from. */
  #record: ResumeRecord | undefined;
  /** The record on disk says what is true, and data has not been written since. */
  #stands = false;
  /** What earlier runs moved. */
  readonly #before: TransferTotals;
  /** What earlier runs told the trackers. */
  readonly trackers: TrackerMemory | undefined;
  /** What is to be remembered of them now. */
  trackerMemory: () => TrackerMemory | undefined = () => this.trackers;
  /** Files that an earlier run kept under their own names. */
  readonly #wasStored: ReadonlySet<number>;
  readonly #paths: readonly string[];
  /** Pieces whose data was synced. */
  #synced: Bitfield;

  /** Opens no file. @throws {AppError} ERR_NO_MATCH. */
  constructor(options: TorrentFilesOptions) {
    const { layers, disk, resume } = options;
    const info = renamed(options.info, options.renames ?? []);
    this.info = info;
    this.original = options.info;
    this.layers = layers;
    this.#disk = disk;
    this.#looks = options.looks;
    this.#resume = resume;
    this.#record = resume.load();
    this.#wasStored = this.#record === undefined ? new Set() : storedFiles(this.#record);
    this.#before = {
      uploadedBytes: this.#record?.uploadedBytes ?? 0,
      downloadedBytes: this.#record?.downloadedBytes ?? 0,
    };
    this.trackers = this.#record?.trackers;
    this.geometry = new TorrentGeometry(info);
    const chosen = chosenPriorities(options, this.#record);
    this.#isChosen = chosen !== undefined;
    this.#priorities = chosen ?? selectedPriorities(options);
    const isStored = (index: number): boolean =>
      this.#priorities[index]! > 0 || this.#wasStored.has(index);
    this.#spec = disk.open(storageSpec(info, options.dir, isStored));
    this.#paths = this.spec.files.map((file) => path.join(this.spec.dir, file.path));
    this.#countWanted();
    this.#synced =
      (this.#record && Bitfield.fromWire(this.#record.synced, info.pieceCount)) ??
      new Bitfield(info.pieceCount);
  }

  /** Where the bytes lie; changes when files get a place of their own. */
  get spec(): StorageSpec {
    return this.#spec;
  }

  /** Of each file, 0 (not wanted) to 7 (first). */
  get priorities(): Uint8Array {
    return this.#priorities;
  }

  /** The priority of a piece is the highest of its files; what it returns is of the moment. */
  piecePriorities(): Uint8Array {
    return piecePriorities(this.info, this.geometry, this.#priorities);
  }

  /** Files that would be wanted and have no place of their own: their bytes would go to the parts file. */
  placeless(priorities: Uint8Array): number[] {
    const isOut = ({ isPad, isStored }: StoredFile, index: number): boolean =>
      !isPad && !isStored && priorities[index]! > 0;
    return [...this.spec.files.keys()].filter((index) => isOut(this.spec.files[index]!, index));
  }

  /** These files have a place of their own from now on. @returns where, for whoever has the files open. */
  keep(indices: readonly number[]): StorageSpec {
    this.#spec = this.keeping(indices);
    this.#disk.respec(this.#spec);
    return this.#spec;
  }

  /** As `keep`, but nothing changes. */
  keeping(indices: readonly number[]): StorageSpec {
    const kept = new Set(indices);
    const files = this.spec.files.map((file, index) =>
      kept.has(index) ? { ...file, isStored: true } : file,
    );
    return { ...this.spec, files };
  }

  /** Changes what is wanted, and remembers it with the next record. */
  choose(priorities: Uint8Array): void {
    this.#priorities = priorities;
    this.#isChosen = true;
    this.#stands = false;
    this.#countWanted();
  }

  #countWanted(): void {
    this.wantedBytes = 0;
    for (const [piece, priority] of this.piecePriorities().entries()) {
      if (priority > 0) this.wantedBytes += this.geometry.wantedBytes(piece);
    }
  }

  /** The first file that should have bytes and is not there. */
  findMissing(): string | undefined {
    const now = statFiles(this.#paths);
    const at = this.spec.files.findIndex(
      (file, index) => file.lengthBytes > 0 && !file.isPad && now[index]!.sizeBytes < 0,
    );
    return at < 0 ? undefined : this.#paths[at];
  }

  /**
   * As `check`, for what the torrent was added for: files made just now are not looked at, a seed needs all of them.
   * @throws {AppError} besides those of `check`: ERR_FILES_MISSING, ERR_FILES_DAMAGED.
   */
  async checkAs(
    { isFresh, mode, dir }: Pick<AddOptions, 'isFresh' | 'mode' | 'dir'>,
    signal: AbortSignal,
    onProgress: (doneBytes: number, totalBytes: number) => void,
  ): Promise<Bitfield> {
    if (isFresh === true) {
      const all = new Bitfield(this.info.pieceCount);
      all.fill();
      return all;
    }
    const missing = mode === 'seed' ? this.findMissing() : undefined;
    if (missing !== undefined) throw nodeError('ERR_FILES_MISSING', { path: missing });
    const have = await this.check(signal, onProgress);
    if (mode === 'seed' && !have.isFull) {
      throw nodeError('ERR_FILES_DAMAGED', { dir, have: have.count, pieces: have.size });
    }
    return have;
  }

  /**
   * Finds which pieces are on disk: by resume data where it can be believed, by hashing what is in doubt, or all there is without it.
   * @throws {AppError} ERR_FILE when a file is there and cannot be read; the signal's reason.
   */
  async check(
    signal: AbortSignal,
    onProgress: (doneBytes: number, totalBytes: number) => void,
  ): Promise<Bitfield> {
    const now = statFiles(this.#paths);
    const record = this.#record;
    this.#record = undefined;
    if (record === undefined) {
      const there = new Set<number>();
      for (const [index, file] of this.spec.files.entries()) {
        if (file.isStored && !file.isPad && now[index]!.sizeBytes >= 0) there.add(index);
      }
      return this.#hash([...piecesOf(this.geometry, there)], signal, onProgress);
    }
    const journal = this.#resume.loadJournal(this.info.pieceCount);
    const { have, doubtful } = judgeRecord({
      record,
      journal,
      pieceCount: this.info.pieceCount,
      now,
      partsNow: statFiles([this.spec.partsPath])[0]!,
      lengths: this.spec.files.map((file) => file.lengthBytes),
      isStored: (index) => this.#wasStored.has(index),
      filesOf: (piece) => this.filesOf(piece),
    });
    this.#dropMoved(have, doubtful);
    this.#stands =
      record.isClean &&
      journal.pieces.length === 0 &&
      equalBytes(record.have, have.bytes) &&
      equalBytes(record.stored, this.#storedBits()) &&
      record.layers.size === this.layers.size &&
      record.trackers !== undefined &&
      (record.priorities !== undefined) === this.#isChosen &&
      equalBytes(record.priorities ?? this.#priorities, this.#priorities) &&
      (record.boot === bootId() || equalBytes(record.synced, have.bytes));
    if (doubtful.size > 0) {
      const pieces = [...doubtful].sort((a, b) => a - b);
      for (const piece of await this.#hash(pieces, signal, onProgress)) have.add(piece);
    }
    for (const piece of this.#synced) if (!have.has(piece)) this.#synced.delete(piece);
    return have;
  }

  /** Before data flows: creates empty files; those of a transfer come at its end, with all that is not data. @throws the system's error. */
  createEmpty(): void {
    if (VERSION_TRAITS[this.info.version].isUnhashed) return;
    createEmptyFiles(this.spec, this.info);
  }

  /** After all data came: creates symlinks. @throws the system's error. */
  createLinks(): void {
    createSymlinks(this.spec, this.info);
  }

  /** A file that was deleted while we wrote to it takes our data along without an error: its path. */
  findVanished(have: Bitfield): string | undefined {
    // Nothing is written to what only is sent, and each read of it looks.
    if (this.#looks !== undefined) return undefined;
    const now = statFiles(this.#paths);
    const at = this.spec.files.findIndex((file, index) => {
      if (file.isPad || !file.isStored || file.lengthBytes === 0) return false;
      const { first } = this.geometry.filePieces(index);
      return have.has(first) && now[index]!.sizeBytes < file.lengthBytes;
    });
    return at < 0 ? undefined : this.#paths[at];
  }

  /** The files that a piece has bytes of. */
  filesOf(piece: number): number[] {
    const segments = this.geometry.segments(piece).filter((segment) => !segment.isPad);
    return segments.map((segment) => segment.fileIndex);
  }

  /** The files whose bytes lie at a path: several where it is the parts file. */
  indicesOf(where: string): number[] {
    const isThere = (index: number): boolean =>
      this.spec.files[index]!.isStored
        ? this.#paths[index] === where
        : this.spec.partsPath === where;
    return [...this.spec.files.keys()].filter(
      (index) => !this.spec.files[index]!.isPad && isThere(index),
    );
  }

  /** How a file must look that is whole now. */
  wholeLook(index: number): FileLook {
    return this.#looks?.[index] ?? this.look(index);
  }

  /** How the file with these bytes looks now. */
  look(index: number): FileLook {
    const isStored = this.spec.files[index]!.isStored;
    return statFiles([isStored ? this.#paths[index]! : this.spec.partsPath])[0]!;
  }

  /** Has every worker open the files anew. */
  async refresh(): Promise<void> {
    await this.#disk.onAll('refresh', this.spec.id);
  }

  /**
   * Hashes pieces, ascending, and tells those that are right.
   * @throws {DiskFaultError} when the disk fails otherwise than by missing bytes; the signal's reason.
   */
  async hash(
    pieces: readonly number[],
    signal: AbortSignal,
    onRight: (piece: number, outcome: PieceOutcome) => void,
  ): Promise<void> {
    const { hasV1, hasV2, isUnhashed } = VERSION_TRAITS[this.info.version];
    // Nothing can be found right: what is in doubt is lost.
    if (isUnhashed) return;
    const expected = expectedHashes(this.info, this.geometry, this.layers);
    await scanPieces({
      disk: this.#disk,
      storage: this.spec.id,
      geometry: this.geometry,
      pieces,
      signal,
      onPiece: (piece, v1, v2) => {
        if (!isRight(expected, piece, v1, v2)) return;
        onRight(piece, {
          ...(hasV1 ? { v1 } : {}),
          ...(hasV2 ? { v2 } : {}),
        });
      },
    });
  }

  /** Bytes moved by all runs together. @param session what this one moved. */
  totals(session: TransferTotals): TransferTotals {
    return {
      uploadedBytes: this.#before.uploadedBytes + session.uploadedBytes,
      downloadedBytes: this.#before.downloadedBytes + session.downloadedBytes,
    };
  }

  /** Before data flows: writes the record, unless the one there stays true because nothing is to be fetched. @throws the system's error. */
  begin(have: Bitfield, isComplete: boolean): void {
    if (!this.#stands || !isComplete) this.save(have, NOTHING_MOVED, false);
  }

  /** After the last write: the record is clean. @throws the system's error. */
  end(have: Bitfield, totals: TransferTotals): void {
    const isQuiet = totals.uploadedBytes === 0 && totals.downloadedBytes === 0;
    if (!this.#stands || !isQuiet) this.save(have, totals, true);
  }

  /** Notes pieces whose data was written. @throws the system's error. */
  journal(pieces: readonly number[]): void {
    if (pieces.length > 0) this.#stands = false;
    this.#resume.append(pieces);
  }

  /** Syncs data to the disk, then says so in the record. @throws {AppError} ERR_FILE. */
  async sync(have: Bitfield, totals: TransferTotals): Promise<void> {
    if (this.#synced.count === have.count) {
      this.save(have, totals, false);
      return;
    }
    const written = Bitfield.fromWire(have.bytes, have.size)!;
    const fault = await this.#disk.onAll('sync', this.spec.id);
    if (fault !== undefined) throw nodeError('ERR_FILE', fault);
    this.#synced = written;
    this.save(have, totals, false);
  }

  /** Forgets all resume data: everything is hashed at the next start. */
  forget(): void {
    this.#resume.remove();
  }

  /** Replaces the record. @param isClean nothing will be written after it. @throws the system's error. */
  save(have: Bitfield, totals: TransferTotals, isClean: boolean): void {
    this.#stands = false;
    const trackers = this.trackerMemory();
    this.#resume.save({
      have: have.bytes,
      synced: this.#synced.bytes,
      boot: bootId(),
      stored: this.#storedBits(),
      files: statFiles(this.#paths).map((now, index) => this.verifiedLook(index) ?? now),
      parts: statFiles([this.spec.partsPath])[0]!,
      isClean,
      infoBytes: this.info.infoBytes,
      layers: this.layers,
      ...(trackers === undefined ? {} : { trackers }),
      ...(this.#isChosen ? { priorities: this.#priorities } : {}),
      ...this.totals(totals),
    });
  }

  #storedBits(): Uint8Array {
    const stored = new Bitfield(this.spec.files.length);
    for (const [index, file] of this.spec.files.entries()) if (file.isStored) stored.add(index);
    return stored.bytes;
  }

  /** Pieces whose bytes lay in the parts file and belong to a file selected since: they are fetched again. */
  #dropMoved(have: Bitfield, doubtful: Set<number>): void {
    for (const [index, file] of this.spec.files.entries()) {
      if (file.isPad || !file.isStored || this.#wasStored.has(index)) continue;
      const { first, count } = this.geometry.filePieces(index);
      for (let piece = first; piece < first + count; piece += 1) {
        have.delete(piece);
        doubtful.delete(piece);
      }
    }
  }

  async #hash(
    pieces: readonly number[],
    signal: AbortSignal,
    onProgress: (doneBytes: number, totalBytes: number) => void,
  ): Promise<Bitfield> {
    // Without hashes nothing is found right by reading it: it is fetched again.
    if (VERSION_TRAITS[this.info.version].isUnhashed) return new Bitfield(this.info.pieceCount);
    let totalBytes = 0;
    for (const piece of pieces) totalBytes += this.geometry.wantedBytes(piece);
    try {
      return await checkPieces({
        disk: this.#disk,
        storage: this.spec.id,
        geometry: this.geometry,
        pieces,
        expected: expectedHashes(this.info, this.geometry, this.layers),
        onProgress: (doneBytes) => onProgress(doneBytes, totalBytes),
        signal,
      });
    } catch (error) {
      if (error instanceof DiskFaultError) throw nodeError('ERR_FILE', error.fault, error);
      throw error;
    }
  }
}

/** What a record keeps of the transfer. */
export interface TransferTotals {
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
}

const NOTHING_MOVED: TransferTotals = { uploadedBytes: 0, downloadedBytes: 0 };

/** What was chosen file by file, now or in an earlier run; patterns given now count more than the latter. @throws {AppError} ERR_CONFIG. */
function chosenPriorities(
  { info, select, priorities }: TorrentFilesOptions,
  record: ResumeRecord | undefined,
): Uint8Array | undefined {
  const all = new Uint8Array(info.files.length).fill(DEFAULT_PRIORITY);
  if (priorities !== undefined) return changedPriorities(all, priorities);
  const before = select.length > 0 ? undefined : record?.priorities;
  const isWhole = before?.length === all.length && before.every((priority) => priority <= 7);
  return isWhole ? before.slice() : undefined;
}

/** @throws {AppError} ERR_NO_MATCH. */
function selectedPriorities({ info, select, selectOnly }: TorrentFilesOptions): Uint8Array {
  const priorities = new Uint8Array(info.files.length);
  const selected = select.length > 0 ? selectFiles(info, select) : selectOnly;
  if (selected === undefined) return priorities.fill(DEFAULT_PRIORITY);
  for (const index of selected) if (index < priorities.length) priorities[index] = DEFAULT_PRIORITY;
  return priorities;
}

function storedFiles(record: ResumeRecord): Set<number> {
  const stored = Bitfield.fromWire(record.stored, record.files.length);
  return new Set(stored ?? []);
}
