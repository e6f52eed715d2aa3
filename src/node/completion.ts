/**
 * The end of a download: waiting for it, and what it amounts to.
 * @module
 */
import type { EventEmitter } from 'node:events';
import type { AppError } from '../lib/errors.ts';
import type { Info } from '../protocol/metainfo/index.ts';
import { nodeError } from './errors.ts';
import { hexHashes } from './hex-hashes.ts';
import type { Summary, TorrentEvents, TorrentState } from './torrent-types.ts';

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

/** What a download amounts to. */
export function summarize(
  info: Info,
  facts: Pick<Summary, 'bytes' | 'seconds' | 'wastedBytes' | 'peers'>,
): Summary {
  return {
    ...hexHashes(info),
    name: info.name,
    ...facts,
    bytesPerSec: facts.bytes / facts.seconds,
  };
}
