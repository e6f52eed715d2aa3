/**
 * Pictures of a torrent at a moment: for people, for trackers.
 * @module
 */
import type { Swarm } from '../protocol/swarm/index.ts';
import type { TransferStats } from '../protocol/tracker/index.ts';
import type { TorrentFiles } from './torrent-files.ts';
import type { TorrentStatus } from './torrent-types.ts';

/** Bytes wanted, and those of them that are there; both 0 before the metadata. */
export function sizesOf(
  files: TorrentFiles | undefined,
  swarm: Swarm,
): { wantedBytes: number; doneBytes: number } {
  if (files === undefined) return { wantedBytes: 0, doneBytes: 0 };
  const { geometry, wantedBytes } = files;
  // All pieces but a few are whole: counting them is enough for progress, and exact at the end.
  const left = swarm.wantedLeft;
  if (left === undefined) return { wantedBytes, doneBytes: 0 };
  return { wantedBytes, doneBytes: Math.max(0, wantedBytes - left * geometry.pieceLengthBytes) };
}

/** Bytes of each file that are in pieces on disk. */
export function fileProgressOf({ info, geometry }: TorrentFiles, { have }: Swarm): number[] {
  const { pieceLengthBytes } = info;
  return info.files.map(({ offsetBytes, lengthBytes }, index) => {
    const { first, count } = geometry.filePieces(index);
    let doneBytes = 0;
    for (let piece = first; piece < first + count; piece += 1) {
      if (have?.has(piece) !== true) continue;
      const begin = Math.max(offsetBytes, piece * pieceLengthBytes);
      const end = Math.min(offsetBytes + lengthBytes, (piece + 1) * pieceLengthBytes);
      doneBytes += Math.max(0, end - begin);
    }
    return doneBytes;
  });
}

/** What the core and the files say of themselves. */
export function progressOf(
  nowMs: number,
  files: TorrentFiles | undefined,
  swarm: Swarm,
): Omit<TorrentStatus, 'state' | 'name' | 'trackers' | 'webSeeds' | 'error'> {
  const { totals } = swarm;
  return {
    pieceCount: files?.info.pieceCount ?? 0,
    havePieces: swarm.have?.count ?? 0,
    ...sizesOf(files, swarm),
    downloadBytesPerSec: swarm.downloadBytesPerSec(nowMs),
    uploadBytesPerSec: swarm.uploadBytesPerSec(nowMs),
    downloadedBytes: totals.downloadedBytes,
    uploadedBytes: totals.uploadedBytes,
    wastedBytes: totals.wastedBytes,
    failedPieces: totals.failedPieces,
    peers: swarm.peers(nowMs),
  };
}

/** What a tracker is told. */
export function transferStatsOf(files: TorrentFiles | undefined, swarm: Swarm): TransferStats {
  const { wantedBytes, doneBytes } = sizesOf(files, swarm);
  return {
    uploadedBytes: swarm.totals.uploadedBytes,
    downloadedBytes: swarm.totals.downloadedBytes,
    leftBytes: files === undefined ? undefined : wantedBytes - doneBytes,
    isPartialSeed: swarm.isComplete && swarm.have?.isFull !== true,
  };
}
