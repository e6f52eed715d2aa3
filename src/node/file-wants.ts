/**
 * Which files of a torrent are wanted, and how much, from before the metadata is known to the end; and what a change takes while data flows.
 *
 * A file that was not wanted has no place of its own: its share of border pieces lies in the parts file. When it becomes wanted, that is copied
 * (and synced) by a disk worker while all goes on; then, in one step, pieces that are being filled there are begun anew, and every table
 * knows the new place. What cannot be copied is fetched again. A file that has its own place keeps it when it is not wanted any more.
 * Bounds: one move at a time, COPY_BYTES a job; of changes that come meanwhile the last one counts.
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import type { DiskPool } from '../plane/disk-pool.ts';
import type { DiskFault, FileTable } from '../plane/file-table.ts';
import type { FileGuard } from './file-guard.ts';
import { changedPriorities, piecesOf } from './selection.ts';
import type { SwarmService } from './swarm-service.ts';
import type { TorrentFiles } from './torrent-files.ts';

// Implementation limits
/** Bytes that one job copies, about: the worker has other things to do. */
const COPY_BYTES = 16 * 1024 * 1024;

/** What changes are made to. */
export interface FileWantsOptions {
  readonly disk: DiskPool;
  readonly service: SwarmService;
  /** True: files are never written to, and what is lost is not fetched. */
  readonly isReadOnly: boolean;
  readonly signal: AbortSignal;
  /** What is wanted now is what was asked for. */
  readonly onChanged: () => void;
  readonly onFault: (fault: DiskFault) => void;
}

/** A torrent whose files were checked. */
interface Opened {
  readonly files: TorrentFiles;
  /** The one that the network thread reads with. */
  readonly table: FileTable;
  readonly guard: FileGuard;
}

/** The wants of one torrent. */
export class FileWants {
  readonly #options: FileWantsOptions;
  /** Until the metadata is known. */
  #early: readonly number[] | undefined;
  #files: TorrentFiles | undefined;
  #target: Uint8Array | undefined;
  #opened: Opened | undefined;
  #moving: Promise<void> | undefined;

  /** @param early priorities to begin with, by index. */
  constructor(options: FileWantsOptions, early: readonly number[] | undefined) {
    this.#options = options;
    this.#early = early;
  }

  /** As `Torrent.filePriorities`. */
  get priorities(): readonly number[] {
    const now = this.#target ?? this.#files?.priorities;
    return now === undefined ? (this.#early ?? []) : [...now];
  }

  /** What was said before the metadata was known. */
  get early(): readonly number[] | undefined {
    return this.#early;
  }

  /** As `Torrent.setFilePriorities`. */
  set(changes: readonly number[]): void {
    if (this.#files === undefined) {
      changedPriorities(new Uint8Array(changes.length), changes);
      this.#early = Object.assign([...(this.#early ?? [])], changes);
      return;
    }
    this.#target = changedPriorities(this.#target ?? this.#files.priorities, changes);
    this.#run();
  }

  /** The metadata is known. */
  learn(files: TorrentFiles): void {
    this.#files = files;
  }

  /** The files were checked, and data may flow. */
  open(opened: Opened): void {
    this.#opened = opened;
    this.#run();
  }

  /** The priority of each piece at this moment, for the core. */
  priorityOf(): (piece: number) => number {
    const priorities = this.#files!.piecePriorities();
    if (!this.#options.isReadOnly) return (piece) => priorities[piece]!;
    // What only seeds must not write over somebody's file.
    const { have } = this.#options.service.swarm;
    return (piece) => (have?.has(piece) === false ? 0 : priorities[piece]!);
  }

  /** Resolves when nothing is being moved. */
  async idle(): Promise<void> {
    await this.#moving;
  }

  #run(): void {
    const opened = this.#opened;
    const target = this.#target;
    if (opened === undefined || target === undefined || this.#moving !== undefined) return;
    const indices = this.#options.isReadOnly ? [] : opened.files.placeless(target);
    if (this.#left(opened, indices, new Set()).length === 0) {
      this.#settle(opened, target, indices);
      return;
    }
    this.#moving = this.#move(opened, target, indices).finally(() => {
      this.#moving = undefined;
      if (!this.#options.signal.aborted) this.#run();
    });
  }

  async #move(opened: Opened, target: Uint8Array, indices: readonly number[]): Promise<void> {
    const { signal, onFault } = this.#options;
    const copied = new Set<number>();
    for (;;) {
      // Pieces go on coming meanwhile, to the old place.
      const left = this.#left(opened, indices, copied);
      if (left.length === 0) break;
      const pieces = this.#share(opened, left);
      const fault = await this.#copy(opened, pieces, indices);
      if (signal.aborted) return;
      if (fault !== undefined) {
        onFault(fault);
        opened.guard.lose(this.#left(opened, indices, copied));
        break;
      }
      for (const piece of pieces) copied.add(piece);
    }
    this.#settle(opened, target, indices);
  }

  /** Pieces on disk that have bytes of these files and were not copied. */
  #left(opened: Opened, indices: readonly number[], copied: ReadonlySet<number>): number[] {
    if (indices.length === 0) return [];
    const { have } = this.#options.service.swarm;
    return [...piecesOf(opened.files.geometry, indices)].filter(
      (piece) => have?.has(piece) === true && !copied.has(piece),
    );
  }

  /** The first ones, as many as go into a job. */
  #share({ files }: Opened, pieces: readonly number[]): readonly number[] {
    const most = Math.max(1, Math.floor(COPY_BYTES / files.info.pieceLengthBytes));
    return pieces.slice(0, most);
  }

  #copy(
    { files }: Opened,
    pieces: readonly number[],
    indices: readonly number[],
  ): Promise<DiskFault | undefined> {
    const moved = new Set(indices);
    const segments = pieces.flatMap((piece) =>
      files.geometry
        .segments(piece)
        .filter(({ fileIndex, isPad }) => !isPad && moved.has(fileIndex))
        .map(({ pieceOffsetBytes, ...segment }) => ({ ...segment, at: pieceOffsetBytes })),
    );
    const { disk } = this.#options;
    const storage = files.spec.id;
    const job = { kind: 'copy', storage, to: files.keeping(indices), segments } as const;
    return new Promise((resolve) => {
      disk.submit(disk.idlest(), job, ({ fault }) => resolve(fault));
    });
  }

  #settle(opened: Opened, target: Uint8Array, indices: readonly number[]): void {
    const { files, table, guard } = opened;
    const { service, onChanged } = this.#options;
    if (indices.length > 0) {
      const moved = new Set(indices);
      service.giveUpOpen((piece) => files.filesOf(piece).some((index) => moved.has(index)));
      table.respec(files.keep(indices));
      guard.kept(indices);
    }
    if (target === this.#target) this.#target = undefined;
    files.choose(target);
    service.swarm.setPriorities(this.priorityOf(), monotonicMs());
    onChanged();
  }
}
