/**
 * Computes the SHA-256 of files while they come or go: a disk worker reads just behind what was written or served, so from the page cache.
 *
 * Files are read in order, as far as `advance` allows. Bounds: one job under way, of at most JOB_BYTES and JOB_FILES; 32 bytes a file.
 * @module
 */
import type { DigestRun, JobResult } from '../plane/disk-jobs.ts';
import type { DiskPool } from '../plane/disk-pool.ts';
import type { DiskFault } from '../plane/file-table.ts';

// Specification constants
const DIGEST_BYTES = 32;

// Implementation limits
/** Bytes that a job reads: what comes meanwhile to its worker waits so long, a few milliseconds. */
const JOB_BYTES = 8 * 1024 * 1024;
const JOB_FILES = 256;

/** A file to digest. */
export interface FollowedFile {
  /** In the storage. */
  readonly index: number;
  readonly lengthBytes: number;
}

/** Options of `new DigestFollower`. */
export interface FollowerOptions {
  readonly disk: DiskPool;
  readonly storage: number;
  readonly files: readonly FollowedFile[];
  /** The digest of an empty file, which may not be there yet. */
  readonly emptyDigest: Uint8Array;
  /** A file could not be read; the follower waits for `reset`. */
  readonly onFault: (fault: DiskFault) => void;
}

/** Digests of files, in order. */
export class DigestFollower {
  readonly #options: FollowerOptions;
  readonly #digests: Buffer;
  /** What may be read, in bytes of all files together. */
  #limitBytes = 0;
  /** What has been read, or is being read. */
  #doneBytes = 0;
  #file = 0;
  #fileBytes = 0;
  #digested = 0;
  /** Jobs of an earlier run count for nothing. */
  #run = 0;
  #isBusy = false;
  #isStuck = false;
  #isClosed = false;
  #waiting: ((digests: Uint8Array) => void)[] = [];

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#digests = Buffer.alloc(options.files.length * DIGEST_BYTES);
  }

  /** Everything before this byte may be read. Never goes back: that takes `reset`. */
  advance(limitBytes: number): void {
    this.#limitBytes = Math.max(this.#limitBytes, limitBytes);
    this.#pump();
  }

  /** Bytes that were digested, or are being. */
  get doneBytes(): number {
    return this.#doneBytes;
  }

  /** A file could not be read: nothing goes on before `reset`. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** Begins anew: what was read may not be what is there now. */
  reset(): void {
    this.#run += 1;
    this.#limitBytes = 0;
    this.#doneBytes = 0;
    this.#file = 0;
    this.#fileBytes = 0;
    this.#digested = 0;
    this.#isStuck = false;
  }

  /** Resolves with 32 bytes a file when all were read; never while it may not read on. */
  digests(): Promise<Uint8Array> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    this.#waiting.push(resolve);
    this.#settle();
    return promise;
  }

  close(): void {
    this.#isClosed = true;
  }

  #pump(): void {
    if (this.#isBusy || this.#isStuck || this.#isClosed) return;
    const runs = this.#nextRuns();
    if (runs.length === 0) {
      this.#settle();
      return;
    }
    const { disk, storage } = this.#options;
    const ends = this.#file;
    const run = this.#run;
    this.#isBusy = true;
    disk.submit(disk.workerCount - 1, { kind: 'digest', storage, runs }, (result) => {
      this.#isBusy = false;
      if (run === this.#run && !this.#isClosed) this.#take(runs, ends, result);
      this.#pump();
    });
  }

  /** Takes what may be read, and moves on behind it; empty files need no reading. */
  #nextRuns(): DigestRun[] {
    const { files, emptyDigest } = this.#options;
    const runs: DigestRun[] = [];
    let room = Math.min(JOB_BYTES, this.#limitBytes - this.#doneBytes);
    while (this.#file < files.length && runs.length < JOB_FILES) {
      const { index, lengthBytes: size } = files[this.#file]!;
      const lengthBytes = Math.min(room, size - this.#fileBytes);
      if (lengthBytes === 0 && size > 0) break;
      const isEnd = this.#fileBytes + lengthBytes === size;
      if (size === 0) this.#digests.set(emptyDigest, this.#file * DIGEST_BYTES);
      else runs.push({ fileIndex: index, fromBytes: this.#fileBytes, lengthBytes, isEnd });
      room -= lengthBytes;
      this.#doneBytes += lengthBytes;
      this.#fileBytes += lengthBytes;
      if (!isEnd) break;
      this.#file += 1;
      this.#fileBytes = 0;
    }
    if (runs.length === 0) this.#digested = this.#file;
    return runs;
  }

  /** @param ends the file behind the last one that ended. */
  #take(runs: readonly DigestRun[], ends: number, { fault, fileDigests }: JobResult): void {
    if (fault !== undefined) {
      this.#isStuck = true;
      this.#options.onFault(fault);
      return;
    }
    const { files } = this.#options;
    let file = this.#digested;
    let at = 0;
    for (const { isEnd } of runs) {
      if (!isEnd) continue;
      while (files[file]!.lengthBytes === 0) file += 1;
      const digest = fileDigests!.subarray(at, at + DIGEST_BYTES);
      this.#digests.set(digest, file * DIGEST_BYTES);
      file += 1;
      at += DIGEST_BYTES;
    }
    this.#digested = ends;
  }

  #settle(): void {
    if (this.#isBusy || this.#digested < this.#options.files.length) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(Uint8Array.from(this.#digests));
  }
}
