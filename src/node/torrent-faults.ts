/**
 * What a fault of the disk, or of the torrent itself, does to a torrent: it is in `error` until it is over (trouble.ts), and what another program did to
 * a file is looked into (file-guard.ts).
 * @module
 */
import type { AppError } from '../lib/errors.ts';
import type { DiskFault } from '../plane/file-table.ts';
import { nodeError } from './errors.ts';
import type { FileGuard } from './file-guard.ts';
import type { SwarmService } from './swarm-service.ts';
import type { TorrentFiles } from './torrent-files.ts';
import type { TorrentState } from './torrent-types.ts';
import { Trouble } from './trouble.ts';

/** The torrent that has the faults. */
export interface TorrentFaultsHost {
  readonly dir: string;
  readonly service: () => SwarmService;
  /** Undefined before the files are checked. */
  readonly guard: () => FileGuard | undefined;
  readonly files: () => TorrentFiles | undefined;
  readonly state: () => TorrentState;
  readonly setState: (state: TorrentState) => void;
  readonly onTold: (error: AppError, isFinal: boolean) => void;
}

/** The faults of one torrent. */
export class TorrentFaults {
  readonly #host: TorrentFaultsHost;
  readonly #trouble: Trouble;

  constructor(host: TorrentFaultsHost) {
    this.#host = host;
    const afterwards = (): TorrentState =>
      host.service().swarm.isComplete ? 'seeding' : 'downloading';
    this.#trouble = new Trouble({
      onRaised: () => {
        host.service().swarm.pause();
        host.setState('error');
      },
      onTold: host.onTold,
      mayTry: () => host.guard()?.isBusy !== true,
      tryAgain: () => {
        host.service().swarm.resume();
        host.service().drain();
        return host.service().swarm.isComplete;
      },
      onOver: () => {
        if (host.state() === 'error') host.setState(afterwards());
      },
    });
  }

  get error(): AppError | undefined {
    return this.#trouble.error;
  }

  /** What will not pass by itself. */
  get finalError(): AppError | undefined {
    return this.#trouble.isFinal ? this.#trouble.error : undefined;
  }

  /** @param isFinal it will not pass by itself. */
  fail(error: AppError, isFinal: boolean): void {
    if (this.#host.state() !== 'stopped') this.#trouble.raise(error, isFinal);
  }

  /** Something worked. */
  clear(): void {
    this.#trouble.clear();
  }

  close(): void {
    this.#trouble.close();
  }

  /** Runs what writes to the disk. */
  guardDisk(write: () => void): void {
    try {
      write();
    } catch (error) {
      const { code = 'EIO', path = this.#host.dir } = error as NodeJS.ErrnoException;
      this.fail(nodeError('ERR_FILE', { path, code, operation: 'write' }, error), false);
    }
  }

  /** A read or a write failed. */
  take(fault: DiskFault): void {
    this.fail(nodeError('ERR_FILE', fault), false);
    if (this.#host.guard()?.takes(fault) !== true) return;
    const files = this.#host.files()!;
    const hit = new Set(files.indicesOf(fault.path));
    this.#host
      .service()
      .giveUpOpen((piece) => files.filesOf(piece).some((index) => hit.has(index)));
  }
}
