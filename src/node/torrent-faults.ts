/**
 * What a torrent does when something fails: stops asking, tells, tries again unless it is final, and finds out what is left of a file.
 * Bounds: those of `Trouble`.
 * @module
 */
import type { AppError } from '../lib/errors.ts';
import type { DiskFault } from '../plane/file-table.ts';
import { nodeError } from './errors.ts';
import { type FileGuard, UNDERNEATH } from './file-guard.ts';
import type { SwarmService } from './swarm-service.ts';
import type { TorrentFiles } from './torrent-files.ts';
import type { AddOptions, TorrentState } from './torrent-types.ts';
import { Trouble } from './trouble.ts';

/** What the faults need of their torrent. */
export interface TorrentFaultsOptions {
  readonly options: AddOptions;
  readonly service: () => SwarmService;
  /** Undefined before the metadata. */
  readonly files: () => TorrentFiles | undefined;
  /** Undefined before the files were checked. */
  readonly guard: () => FileGuard | undefined;
  readonly state: () => TorrentState;
  readonly setState: (state: TorrentState) => void;
  readonly onTold: (error: AppError, isFinal: boolean) => void;
  /** For good: nobody gets anything any more. */
  readonly onEnded: () => void;
}

/** The faults of one torrent. */
export class TorrentFaults {
  readonly #options: TorrentFaultsOptions;
  readonly #trouble: Trouble;

  constructor(options: TorrentFaultsOptions) {
    this.#options = options;
    const { service, guard, state, setState, onTold } = options;
    this.#trouble = new Trouble({
      onRaised: () => {
        service().swarm.pause();
        setState('error');
      },
      onTold,
      mayTry: () => guard()?.isBusy !== true,
      tryAgain: () => {
        service().swarm.resume();
        service().drain();
        return service().swarm.isComplete;
      },
      onOver: () => {
        if (state() === 'error') setState(service().swarm.isComplete ? 'seeding' : 'downloading');
      },
    });
  }

  /** What is wrong now. */
  get error(): AppError | undefined {
    return this.#trouble.error;
  }

  /** Something worked. */
  clear(): void {
    this.#trouble.clear();
  }

  close(): void {
    this.#trouble.close();
  }

  /** @param isFinal it will not pass by itself. */
  fail(error: AppError, isFinal: boolean): void {
    if (this.#options.state() !== 'stopped') this.#trouble.raise(error, isFinal);
  }

  /** For good, and nobody gets anything of it any more. */
  endWith(error: AppError): void {
    this.fail(error, true);
    this.#options.onEnded();
  }

  /** A file is not what it was when sending began: nobody gets more, never a mix of two versions. @returns ERR_SOURCE_CHANGED. */
  endChanged(changed: string): AppError {
    const error = nodeError('ERR_SOURCE_CHANGED', { path: changed });
    this.endWith(error);
    return error;
  }

  /** A worker, or whoever reads the files, met a fault. */
  onDisk(fault: DiskFault): void {
    const { options, files, guard, service } = this.#options;
    if (options.looks !== undefined && UNDERNEATH.has(fault.code)) {
      this.endChanged(fault.path);
      return;
    }
    this.fail(nodeError('ERR_FILE', fault), false);
    if (guard()?.takes(fault) !== true) return;
    const known = files()!;
    const hit = new Set(known.indicesOf(fault.path));
    service().giveUpOpen((piece) => known.filesOf(piece).some((index) => hit.has(index)));
  }

  /** Runs what writes to the disk. */
  guardDisk(write: () => void): void {
    try {
      write();
    } catch (error) {
      const { code = 'EIO', path: where = this.#options.options.dir } =
        error as NodeJS.ErrnoException;
      this.fail(nodeError('ERR_FILE', { path: where, code, operation: 'write' }, error), false);
    }
  }
}
