/**
 * Checks files against a torrent, without a swarm: which pieces are right, and how complete each file is.
 * @module
 */
import os from 'node:os';
import path from 'node:path';
import { DiskPool } from '../plane/disk-pool.ts';
import { DiskFaultError } from '../plane/file-table.ts';
import { SlabPool } from '../plane/slab-pool.ts';
import type { Metainfo } from '../protocol/metainfo/index.ts';
import { nodeError } from './errors.ts';
import { shownPath } from './selection.ts';
import { checkPieces, expectedHashes, storageSpec, TorrentGeometry } from './storage.ts';

// Implementation limits
/** Hash workers at most. */
const MAX_HASH_WORKERS = 16;

/** How complete a file is. */
export interface FileReport {
  readonly path: string;
  readonly lengthBytes: number;
  /** Pieces that hold a part of it, and how many of them are right. */
  readonly pieces: number;
  readonly goodPieces: number;
}

/** The result of a check. */
export interface VerifyReport {
  readonly name: string;
  readonly pieces: number;
  readonly goodPieces: number;
  readonly isComplete: boolean;
  readonly files: readonly FileReport[];
}

/** Reads and hashes what is there. @throws {AppError} ERR_FILE when a file cannot be read; a missing one only lacks its pieces. */
export async function verifyFiles(
  metainfo: Metainfo,
  dir: string,
  options: {
    readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
    readonly signal?: AbortSignal;
  } = {},
): Promise<VerifyReport> {
  const { info, pieceLayers } = metainfo;
  const geometry = new TorrentGeometry(info);
  const workers = Math.min(os.availableParallelism(), MAX_HASH_WORKERS);
  const disk = new DiskPool(new SlabPool(1).shared, workers);
  try {
    const spec = disk.open(storageSpec(info, path.resolve(dir), () => true));
    const have = await checkPieces({
      disk,
      storage: spec.id,
      geometry,
      expected: expectedHashes(info, geometry, pieceLayers),
      onProgress: (doneBytes) => options.onProgress?.(doneBytes, info.totalBytes),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const files: FileReport[] = [];
    for (const [index, file] of info.files.entries()) {
      if (file.isPad) continue;
      const { first, count } = geometry.filePieces(index);
      let goodPieces = 0;
      for (let piece = first; piece < first + count; piece += 1) {
        if (have.has(piece)) goodPieces += 1;
      }
      const shown = shownPath(info, index);
      files.push({ path: shown, lengthBytes: file.lengthBytes, pieces: count, goodPieces });
    }
    return {
      name: info.name,
      pieces: info.pieceCount,
      goodPieces: have.count,
      isComplete: have.isFull,
      files,
    };
  } catch (error) {
    if (error instanceof DiskFaultError) throw nodeError('ERR_FILE', error.fault, error);
    throw error;
  } finally {
    await disk.close();
  }
}
