/**
 * Makes a torrent of a file or folder: walks it, lays it out, hashes it on all cores, writes the bytes.
 * The same content, names and options give the same torrent; hidden files are included, symlinks kept as such where they stay inside.
 * @module
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { nodeCrypto } from '../io/crypto.ts';
import type { AppError } from '../lib/errors.ts';
import { DiskPool } from '../plane/disk-pool.ts';
import { DiskFaultError } from '../plane/file-table.ts';
import { SlabPool } from '../plane/slab-pool.ts';
import {
  buildTorrent,
  type CreateFile,
  type HashedVersion,
  type Metainfo,
  type Plan,
  parseMetainfo,
  planTorrent,
  type TorrentExtras,
} from '../protocol/metainfo/index.ts';
import { CLIENT_NAME } from './config.ts';
import { nodeError } from './errors.ts';
import { scanPieces, TorrentGeometry } from './storage.ts';

// Implementation limits
/** Hash workers at most. */
const MAX_HASH_WORKERS = 16;

/** Options of `createTorrent`. */
export interface CreateOptions extends Omit<TorrentExtras, 'createdBy'> {
  /** Default 'hybrid'. */
  readonly version?: HashedVersion;
  /** A power of two from 16 KiB to 512 MiB; default by size. */
  readonly pieceLengthBytes?: number;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** A new torrent: the file's bytes and their meaning. */
export interface CreatedTorrent {
  readonly bytes: Uint8Array;
  readonly metainfo: Metainfo;
  /** Folder that holds the torrent's top name. */
  readonly dir: string;
}

interface Found extends CreateFile {
  /** Relative to the folder that holds the top name. */
  readonly where: string;
}

/**
 * Creates a torrent from a file or folder.
 * @throws {AppError} ERR_NOT_THERE, ERR_FILE when something cannot be read, or changes meanwhile; ERR_CREATE_* of metainfo.
 */
export async function createTorrent(
  target: string,
  options: CreateOptions = {},
): Promise<CreatedTorrent> {
  const root = path.resolve(target);
  const name = path.basename(root);
  const dir = path.dirname(root);
  const stat = await fs.stat(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw nodeError('ERR_NOT_THERE', { path: root }, error);
    throw fileError(root, error);
  });
  const found = stat.isDirectory()
    ? await walk(root, name)
    : [{ path: [name], lengthBytes: stat.size, isExecutable: isExecutable(stat), where: name }];
  const plan = planTorrent(found, {
    name,
    isSingleFile: !stat.isDirectory(),
    ...(options.version === undefined ? {} : { version: options.version }),
    ...(options.pieceLengthBytes === undefined
      ? {}
      : { pieceLengthBytes: options.pieceLengthBytes }),
  });
  const hashes = await hashPlan(plan, found, dir, options);
  const bytes = buildTorrent(plan, hashes, { ...options, createdBy: CLIENT_NAME }, nodeCrypto);
  // Names stay as they are here: these files exist on this machine.
  const parsed = parseMetainfo(bytes, nodeCrypto, { names: 'verbatim' });
  if (!parsed.ok) throw nodeError('ERR_SOURCE', { what: root, reason: parsed.message });
  return { bytes, metainfo: parsed.value, dir };
}

function isExecutable(stat: { mode: number }): boolean {
  return process.platform !== 'win32' && (stat.mode & 0o111) !== 0;
}

function fileError(where: string, error: NodeJS.ErrnoException): AppError {
  return nodeError(
    'ERR_FILE',
    { path: where, code: error.code ?? 'EIO', operation: 'read' },
    error,
  );
}

async function walk(root: string, name: string): Promise<Found[]> {
  const found: Found[] = [];
  const visit = async (folder: string, parts: readonly string[]): Promise<void> => {
    const entries = await fs.readdir(folder, { withFileTypes: true }).catch((error) => {
      throw fileError(folder, error);
    });
    for (const entry of entries) {
      const full = path.join(folder, entry.name);
      const inner = [...parts, entry.name];
      const where = path.join(name, ...inner);
      if (entry.isDirectory()) await visit(full, inner);
      else if (entry.isSymbolicLink()) {
        const link = await linkInside(root, full);
        if (link !== undefined) {
          found.push({ path: inner, lengthBytes: 0, symlinkTarget: link, where });
          continue;
        }
        const stat = await fs.stat(full).catch((error) => {
          throw fileError(full, error);
        });
        // A link out of the folder stands for what it points at; a folder out there is left out.
        if (stat.isFile()) {
          const size = stat.size;
          found.push({ path: inner, lengthBytes: size, isExecutable: isExecutable(stat), where });
        }
      } else if (entry.isFile()) {
        const stat = await fs.stat(full).catch((error) => {
          throw fileError(full, error);
        });
        const lengthBytes = stat.size;
        found.push({ path: inner, lengthBytes, isExecutable: isExecutable(stat), where });
      }
    }
  };
  await visit(root, []);
  return found;
}

/** Components below the root of what a link points at, when that is inside and there. */
async function linkInside(root: string, link: string): Promise<string[] | undefined> {
  const target = path.resolve(path.dirname(link), await fs.readlink(link));
  const relative = path.relative(root, target);
  const isInside = relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
  if (!isInside) return undefined;
  const isThere = await fs.lstat(target).then(
    (stat) => !stat.isSymbolicLink(),
    () => false,
  );
  return isThere ? relative.split(path.sep) : undefined;
}

async function hashPlan(
  plan: Plan,
  found: readonly Found[],
  dir: string,
  options: CreateOptions,
): Promise<{ piecesV1?: Uint8Array; piecesV2?: Uint8Array }> {
  const workers = Math.min(os.availableParallelism(), MAX_HASH_WORKERS);
  const disk = new DiskPool(new SlabPool(1).shared, workers);
  const spec = disk.open({
    dir,
    partsPath: '',
    files: plan.files.map((file, index) => ({
      path: found[plan.sourceIndices[index]!]?.where ?? '',
      lengthBytes: file.lengthBytes,
      offsetBytes: file.offsetBytes,
      isPad: file.isPad,
      isExecutable: false,
      isStored: true,
    })),
  });
  const piecesV1 = new Uint8Array(plan.pieceCount * 20);
  const piecesV2 = new Uint8Array(plan.pieceCount * 32);
  let hashed = 0;
  try {
    await scanPieces({
      disk,
      storage: spec.id,
      geometry: new TorrentGeometry(plan),
      onPiece: (piece, v1, v2) => {
        hashed += 1;
        piecesV1.set(v1, piece * 20);
        piecesV2.set(v2, piece * 32);
      },
      onProgress: (doneBytes) => options.onProgress?.(doneBytes, plan.totalBytes),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (error) {
    if (error instanceof DiskFaultError) throw nodeError('ERR_FILE', error.fault, error);
    throw error;
  } finally {
    await disk.close();
  }
  if (hashed < plan.pieceCount) {
    const where = path.join(dir, plan.name);
    throw nodeError('ERR_FILE', { path: where, code: 'TRUNCATED', operation: 'read' });
  }
  return {
    ...(plan.version === 'v2' ? {} : { piecesV1 }),
    ...(plan.version === 'v1' ? {} : { piecesV2 }),
  };
}
