/**
 * A disk that takes time and fails on demand.
 * Jobs end in the order they were given, each after a seek and its bytes at the disk's rate.
 * @module
 */
import type { Rng } from '../../src/lib/rng.ts';
import type { VirtualClock } from './clock.ts';

/** What a disk is like. */
export interface DiskOptions {
  /** Default 0.5 … 4. */
  readonly seekMs?: readonly [number, number];
  /** Default 100 MB/s. */
  readonly bytesPerSec?: number;
}

/** Why a job failed. */
export type DiskFaultCode = 'ENOSPC' | 'EIO' | 'EROFS' | 'EACCES' | 'EMFILE';

/** One disk of one host. */
export class SimDisk {
  readonly #clock: VirtualClock;
  readonly #rng: Rng;
  readonly #seekMs: readonly [number, number];
  #bytesPerSec: number;
  #freeMs = 0;
  #writeFault: DiskFaultCode | undefined;
  #readFault: DiskFaultCode | undefined;
  #corruptShare = 0;

  constructor(clock: VirtualClock, rng: Rng, options: DiskOptions = {}) {
    this.#clock = clock;
    this.#rng = rng;
    this.#seekMs = options.seekMs ?? [0.5, 4];
    this.#bytesPerSec = options.bytesPerSec ?? 100e6;
  }

  /** From now on it is so fast. */
  setSpeed(bytesPerSec: number): void {
    this.#bytesPerSec = bytesPerSec;
  }

  /** Writes fail from now on; undefined mends. */
  failWrites(code: DiskFaultCode | undefined): void {
    this.#writeFault = code;
  }

  /** Reads fail from now on; undefined mends. */
  failReads(code: DiskFaultCode | undefined): void {
    this.#readFault = code;
  }

  /** This share of what is read comes back wrong, 0 … 1. */
  corruptReads(share: number): void {
    this.#corruptShare = share;
  }

  write(bytes: number, done: (fault: DiskFaultCode | undefined) => void): void {
    this.#queue(bytes, () => done(this.#writeFault));
  }

  read(bytes: number, done: (fault: DiskFaultCode | undefined, isCorrupt: boolean) => void): void {
    this.#queue(bytes, () => {
      const isCorrupt = this.#corruptShare > 0 && this.#rng.float() < this.#corruptShare;
      done(this.#readFault, isCorrupt);
    });
  }

  #queue(bytes: number, done: () => void): void {
    const [least, most] = this.#seekMs;
    const seekMs = least + this.#rng.float() * (most - least);
    const startMs = Math.max(this.#clock.nowMs, this.#freeMs);
    this.#freeMs = startMs + seekMs + (bytes * 1000) / this.#bytesPerSec;
    this.#clock.at(this.#freeMs, done);
  }
}
