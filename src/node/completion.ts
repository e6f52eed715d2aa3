/**
 * The end of a download: waiting for it, and what it amounts to.
 * @module
 */
import type { EventEmitter } from 'node:events';
import type { AppError } from '../lib/errors.ts';
import type { PeerStatus, Swarm } from '../protocol/swarm/index.ts';
import { formatEndpoint } from './address.ts';
import { nodeError } from './errors.ts';
import { hexHashes } from './hex-hashes.ts';
import type { TorrentFiles } from './torrent-files.ts';
import type { Summary, TorrentEvents, TorrentState } from './torrent-types.ts';

// Implementation limits
/** Addresses remembered to count who gave data. */
const MAX_GIVERS = 10_000;

/** What is needed of a torrent. */
interface Awaited extends EventEmitter<TorrentEvents> {
  readonly name: string;
  readonly state: TorrentState;
  readonly summary: Summary | undefined;
}

/** Resolves when every wanted piece is on disk. @throws {AppError} the final problem, or ERR_STOPPED; the signal's reason. */
export function whenCompleted(torrent: Awaited, signal: AbortSignal | undefined): Promise<Summary> {
  const { promise, resolve, reject } = Promise.withResolvers<Summary>();
  if (torrent.summary !== undefined) return Promise.resolve(torrent.summary);
  const stopped = (): AppError => nodeError('ERR_STOPPED', { name: torrent.name });
  if (torrent.state === 'stopped') return Promise.reject(stopped());
  const onProblem = (problem: { error: AppError; isFinal: boolean }): void => {
    if (problem.isFinal) reject(problem.error);
  };
  const onState = (change: { state: TorrentState }): void => {
    if (change.state === 'stopped') reject(stopped());
  };
  const onAbort = (): void => reject(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', onAbort, { once: true });
  torrent.once('complete', resolve).on('problem', onProblem).on('state', onState);
  return promise.finally(() => {
    signal?.removeEventListener('abort', onAbort);
    torrent.off('complete', resolve).off('problem', onProblem).off('state', onState);
  });
}

/** What a download took: how long, and who gave something. */
export class DownloadWork {
  readonly #startedMs: number;
  readonly #givers = new Set<string>();

  constructor(nowMs: number) {
    this.#startedMs = nowMs;
  }

  /** A peer left, or is asked at the end. */
  note({ address, downloadedBytes }: Pick<PeerStatus, 'address' | 'downloadedBytes'>): void {
    if (downloadedBytes === 0 || this.#givers.size >= MAX_GIVERS) return;
    this.#givers.add(formatEndpoint(address));
  }

  /** What the download amounts to, now that it is over. */
  summarize(nowMs: number, { info, wantedBytes }: TorrentFiles, swarm: Swarm): Summary {
    for (const peer of swarm.peers(nowMs)) this.note(peer);
    const seconds = (nowMs - this.#startedMs) / 1000;
    return {
      ...hexHashes(info),
      name: info.name,
      bytes: wantedBytes,
      seconds,
      wastedBytes: swarm.totals.wastedBytes,
      peers: this.#givers.size,
      bytesPerSec: wantedBytes / seconds,
    };
  }
}
