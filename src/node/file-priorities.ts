/**
 * What to download of a torrent's files, changed while it runs: how much of it is wanted, and where newly wanted files lie.
 *
 * A file that was not wanted has no name of its own: what border pieces brought of it is in the parts file (`plane/file-table.ts`). When it is
 * wanted, those bytes are copied under its name first, then all threads use that name; pieces that are being filled meanwhile are given up. A
 * stored file that is wanted no more stays as it is. Changes that come during a copy are taken together afterwards.
 * Bounds: one copy at a time, COPY_BYTES of memory.
 * @module
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { assert } from '../lib/assert.ts';
import type { Bitfield } from '../lib/bitfield.ts';
import { type DiskFault, DiskFaultError, FileTable } from '../plane/file-table.ts';
import type { FileGuard } from './file-guard.ts';
import { MAX_FILE_PRIORITY } from './selection.ts';
import type { SwarmService } from './swarm-service.ts';
import type { TorrentFiles } from './torrent-files.ts';

// Implementation limits
/** Bytes copied at once out of the parts file. */
const COPY_BYTES = 1024 * 1024;

const read = promisify(fs.read);
const write = promisify(fs.write);
const sync = promisify(fs.fdatasync);

/** What a choice is applied to, once the files were checked. */
export interface ChoiceTarget {
  readonly files: TorrentFiles;
  readonly service: SwarmService;
  readonly guard: FileGuard;
  /** The table that the send cache reads with. */
  readonly table: FileTable;
  /** True: nothing may be fetched. */
  readonly isReadOnly: boolean;
  readonly signal: AbortSignal;
  /** It was applied, and is to be remembered. */
  readonly onApplied: () => void;
  readonly onFault: (fault: DiskFault) => void;
}

/** The choice of one torrent. */
export class FilePriorities {
  #target: ChoiceTarget | undefined;
  /** What was asked for and not applied yet. */
  #asked: readonly number[] | undefined;
  #moving: Promise<void> | undefined;

  /** What was asked for and is not applied yet; for files that are about to be opened. */
  get asked(): readonly number[] | undefined {
    return this.#asked;
  }

  /** The files are opened, with what was asked for until now. */
  opened(): void {
    this.#asked = undefined;
  }

  /** The files were checked: what was asked for meanwhile is applied. */
  begin(target: ChoiceTarget): void {
    this.#target = target;
    this.#go();
  }

  /** The priorities as last asked for. */
  current(files: TorrentFiles | undefined): readonly number[] {
    return this.#asked ?? [...(files?.priorities ?? [])];
  }

  /** @param fileCount undefined: before the metadata. */
  set(priorities: readonly number[], fileCount: number | undefined): void {
    assert(
      fileCount === undefined || priorities.length === fileCount,
      `priorities: expected one for each of ${fileCount} files, got ${priorities.length}`,
    );
    const wrong = priorities.find((priority) => {
      return !Number.isInteger(priority) || priority < 0 || priority > MAX_FILE_PRIORITY;
    });
    assert(wrong === undefined, `priority: expected 0 to ${MAX_FILE_PRIORITY}, got ${wrong}`);
    this.#asked = [...priorities];
    this.#go();
  }

  /** Resolves when no copy is under way. */
  async idle(): Promise<void> {
    await this.#moving;
  }

  #go(): void {
    const target = this.#target;
    if (target === undefined || this.#asked === undefined || this.#moving !== undefined) return;
    const { files, service, signal } = target;
    const fresh = new Set(target.isReadOnly ? [] : this.#unnamed(files));
    const had = new BorderPieces(files, fresh, service.swarm.have!);
    if (had.next().length === 0) {
      this.#apply(target, fresh);
      return;
    }
    this.#moving = this.#move(target, fresh, had)
      .then(() => this.#end(target, fresh, signal.aborted))
      .catch((error: unknown) => {
        if (!(error instanceof DiskFaultError)) throw error;
        // Where the bytes are has not changed; it is for who asked to ask again.
        this.#asked = undefined;
        this.#moving = undefined;
        target.onFault(error.fault);
      });
  }

  /** Files that are wanted and have no name of their own yet. */
  #unnamed({ spec }: TorrentFiles): number[] {
    return [...spec.files.keys()].filter((index) => {
      const { isStored, isPad } = spec.files[index]!;
      return this.#asked![index]! > 0 && !isStored && !isPad;
    });
  }

  #end(target: ChoiceTarget, fresh: ReadonlySet<number>, isAborted: boolean): void {
    this.#moving = undefined;
    if (isAborted) return;
    const asked = this.#asked!;
    const isSame = [...fresh].every((index) => asked[index]! > 0);
    const isMore = this.#unnamed(target.files).some((index) => !fresh.has(index));
    if (isSame && !isMore) this.#apply(target, fresh);
    else this.#go();
  }

  async #move(target: ChoiceTarget, fresh: ReadonlySet<number>, had: BorderPieces): Promise<void> {
    const { files, signal } = target;
    const from = new FileTable(files.spec);
    const to = new FileTable(files.specWith(fresh));
    try {
      // More may have come while the last ones were copied.
      for (let pieces = had.next(); pieces.length > 0; pieces = had.next()) {
        for (const piece of pieces) {
          for (const segment of files.geometry.segments(piece)) {
            const { fileIndex, fileOffsetBytes, lengthBytes } = segment;
            if (signal.aborted) return;
            if (!fresh.has(fileIndex)) continue;
            await copy(from, to, fileIndex, fileOffsetBytes, lengthBytes);
          }
          had.done(piece);
        }
      }
    } finally {
      from.close();
      to.close();
    }
  }

  /** In one turn, so that no piece is in two places. */
  #apply(target: ChoiceTarget, fresh: ReadonlySet<number>): void {
    const { files, service, guard, table, isReadOnly, onApplied } = target;
    const { swarm } = service;
    if (fresh.size > 0) {
      service.giveUpOpen((piece) => files.filesOf(piece).some((index) => fresh.has(index)));
      files.keepUnderOwnName(fresh);
      table.adopt(files.spec);
      guard.keptUnderOwnName(fresh);
    }
    files.choose(Uint8Array.from(this.#asked!));
    this.#asked = undefined;
    const have = swarm.have!;
    const isOut = (piece: number): boolean => isReadOnly && !have.has(piece);
    swarm.setPriorities((piece) => (isOut(piece) ? 0 : files.priorityOf(piece)));
    const unwanted = new Set(swarm.cancelUnwanted());
    service.giveUpOpen((piece) => unwanted.has(piece));
    onApplied();
    // Nobody new: whoever has nothing else that is wanted was left alone, and may be dialled now.
    if (!swarm.isComplete) service.addPeers([], 'given');
    service.drain();
  }
}

/** Pieces that are had, with bytes of some files, that were not copied yet. */
class BorderPieces {
  readonly #pieces = new Set<number>();
  readonly #have: Bitfield;

  constructor(files: TorrentFiles, indices: ReadonlySet<number>, have: Bitfield) {
    this.#have = have;
    for (const index of indices) {
      const { first, count } = files.geometry.filePieces(index);
      for (let piece = first; piece < first + count; piece += 1) this.#pieces.add(piece);
    }
  }

  next(): number[] {
    return [...this.#pieces].filter((piece) => this.#have.has(piece));
  }

  done(piece: number): void {
    this.#pieces.delete(piece);
  }
}

/** Copies a run of a file from where one table has it to where another has it, and onto the disk. @throws {DiskFaultError} */
async function copy(
  from: FileTable,
  to: FileTable,
  fileIndex: number,
  offsetBytes: number,
  lengthBytes: number,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, lengthBytes));
  const source = from.acquire(fileIndex, false);
  try {
    const target = to.acquire(fileIndex, true);
    try {
      for (let at = 0; at < lengthBytes; ) {
        const most = Math.min(buffer.length, lengthBytes - at);
        const position = source.baseBytes + offsetBytes + at;
        const { bytesRead } = await read(source.fd, buffer, 0, most, position);
        if (bytesRead === 0) {
          const where = from.pathOf(fileIndex);
          const fault = { code: 'TRUNCATED', path: where, operation: 'read' } as const;
          throw new DiskFaultError(fault, undefined);
        }
        for (let done = 0; done < bytesRead; ) {
          const left = bytesRead - done;
          const { bytesWritten } = await write(target.fd, buffer, done, left, offsetBytes + at);
          done += bytesWritten;
          at += bytesWritten;
        }
      }
      await sync(target.fd);
    } catch (error) {
      throw to.fault(fileIndex, 'write', error);
    } finally {
      to.release(target);
    }
  } finally {
    from.release(source);
  }
}
