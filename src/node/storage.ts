/**
 * A torrent's place on disk: which files are kept, how pieces lie in them, and checking what is there already.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { Bitfield } from '../lib/bitfield.ts';
import { equalBytes, toHex } from '../lib/bytes.ts';
import type { JobResult, JobSegment, ScanJob } from '../plane/disk-jobs.ts';
import { type DiskPool, SCANS_PER_WORKER } from '../plane/disk-pool.ts';
import { DiskFaultError, makeFolderInside, type StorageSpec } from '../plane/file-table.ts';
import { cutSegments, type Geometry } from '../plane/geometry.ts';
import {
  type Info,
  type LayoutInfo,
  PieceLayout,
  VERSION_TRAITS,
} from '../protocol/metainfo/index.ts';

// Implementation limits
/** Bytes of a scan job, at least a piece. */
const SCAN_JOB_BYTES = 8 * 1024 * 1024;

/** Pieces, blocks and hash plans of a torrent, for the data plane. */
export class TorrentGeometry extends PieceLayout implements Geometry {
  readonly #hasV1: boolean;
  readonly #hasV2: boolean;

  constructor(info: LayoutInfo) {
    super(info);
    this.#hasV1 = VERSION_TRAITS[info.version].hasV1;
    this.#hasV2 = VERSION_TRAITS[info.version].hasV2;
  }

  /** What to compute for a piece. */
  hashPlan(piece: number): { v1Bytes: number; v2Bytes: number; leafWidth: number } {
    return {
      v1Bytes: this.#hasV1 ? this.pieceBytes(piece) : 0,
      v2Bytes: this.#hasV2 ? this.wantedBytes(piece) : 0,
      leafWidth: this.#hasV2 ? this.v2LeafWidth(piece) : 0,
    };
  }
}

/** The spec of a torrent's storage. @param isStored which files are kept under their own name. */
export function storageSpec(
  info: Info,
  dir: string,
  isStored: (fileIndex: number) => boolean,
): Omit<StorageSpec, 'id'> {
  return {
    dir,
    partsPath: partsPathOf(info, dir),
    files: info.files.map((file, index) => ({
      path: path.join(...file.path),
      lengthBytes: file.lengthBytes,
      offsetBytes: file.offsetBytes,
      isPad: file.isPad,
      isExecutable: file.isExecutable,
      isStored: isStored(index),
    })),
  };
}

/** Where bytes of files that are not kept under their own name go. */
export function partsPathOf(info: Info, dir: string): string {
  const key = toHex((info.infoHashV1 ?? info.infoHashV2!).subarray(0, 20));
  return path.join(dir, `.${key}.starling-parts`);
}

/** Creates what no piece brings: empty files; an existing entry stays. Call before data flows. @throws the system's error; ELOOP when a link leads out. */
export function createEmptyFiles(spec: Omit<StorageSpec, 'id'>, info: Info): void {
  for (const [index, file] of spec.files.entries()) {
    const isEmpty = file.lengthBytes === 0 && !file.isPad && file.isStored;
    if (!isEmpty || info.files[index]!.symlinkTarget !== undefined) continue;
    const where = path.join(spec.dir, file.path);
    if (fs.existsSync(where)) continue;
    makeFolderInside(spec.dir, path.dirname(where));
    unlessThere(() => fs.closeSync(fs.openSync(where, 'wx')));
  }
}

/** Creates the symlinks of a complete torrent (BEP 47); an existing entry stays. @throws the system's error; ELOOP when a link leads out. */
export function createSymlinks(spec: Omit<StorageSpec, 'id'>, info: Info): void {
  for (const file of info.files) {
    if (file.symlinkTarget === undefined) continue;
    const where = path.join(spec.dir, ...file.path);
    const folder = path.dirname(where);
    if (fs.lstatSync(where, { throwIfNoEntry: false }) !== undefined) continue;
    makeFolderInside(spec.dir, folder);
    // From real to real: "../" of a relative link counts from where its folder really is.
    const target = path.join(fs.realpathSync(spec.dir), ...file.symlinkTarget);
    const relative = path.relative(fs.realpathSync(folder), target);
    unlessThere(() => fs.symlinkSync(relative, where));
  }
}

function unlessThere(make: () => void): void {
  try {
    make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** What a scan compares with. */
export interface ExpectedHashes {
  readonly v1: (piece: number) => Uint8Array | undefined;
  readonly v2: (piece: number) => Uint8Array | undefined;
}

/** Options of `scanPieces`. */
export interface ScanOptions {
  readonly disk: DiskPool;
  readonly storage: number;
  readonly geometry: Geometry;
  /** Pieces to read, ascending; default all. */
  readonly pieces?: Iterable<number>;
  /** Called with the digests of each piece that could be read whole. */
  readonly onPiece: (piece: number, v1: Uint8Array, v2: Uint8Array) => void;
  /** Called as bytes are done, for progress. */
  readonly onProgress?: (doneBytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Reads and hashes pieces on all disk workers. Bytes that are missing make a piece fail silently.
 * @throws {DiskFaultError} when the disk fails otherwise.
 */
export async function scanPieces(options: ScanOptions): Promise<void> {
  const { disk, geometry } = options;
  const jobs = scanJobs(geometry, options.pieces ?? range(geometry.pieceCount));
  let doneBytes = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      options.signal?.throwIfAborted();
      const job = jobs.next();
      if (job.done === true) return;
      const { first, body } = job.value;
      const result = await new Promise<JobResult>((resolve) => {
        disk.submit(disk.idlest(), { ...body, storage: options.storage }, resolve);
      });
      if (result.fault !== undefined) throw new DiskFaultError(result.fault, undefined);
      for (let i = 0; i < body.pieces.length; i += 1) {
        doneBytes += body.pieces[i]!.readBytes;
        if (result.isPresent?.[i] !== 1) continue;
        const v1 = result.digestsV1!.subarray(i * 20, i * 20 + 20);
        const v2 = result.digestsV2!.subarray(i * 32, i * 32 + 32);
        options.onPiece(first + i, v1, v2);
      }
      options.onProgress?.(doneBytes);
    }
  };
  const lanes = Array.from({ length: disk.workerCount * SCANS_PER_WORKER }, lane);
  await Promise.all(lanes);
}

function* range(count: number): Generator<number> {
  for (let i = 0; i < count; i += 1) yield i;
}

type ScanBody = Omit<ScanJob, 'id' | 'storage'>;

/** Groups consecutive pieces into jobs. */
function* scanJobs(
  geometry: Geometry,
  pieces: Iterable<number>,
): Generator<{ first: number; body: ScanBody }> {
  let first = -1;
  let next = -1;
  let bytes = 0;
  let list: { plan: ReturnType<Geometry['hashPlan']>; readBytes: number }[] = [];
  let segments: JobSegment[] = [];
  for (const piece of pieces) {
    if (list.length > 0 && (piece !== next || bytes >= SCAN_JOB_BYTES)) {
      yield { first, body: { kind: 'scan', pieces: list, segments } };
      list = [];
      segments = [];
      bytes = 0;
    }
    if (list.length === 0) first = piece;
    const readBytes = geometry.wantedBytes(piece);
    appendMerged(segments, cutSegments(geometry.segments(piece), 0, readBytes, bytes));
    list.push({ plan: geometry.hashPlan(piece), readBytes });
    bytes += readBytes;
    next = piece + 1;
  }
  if (list.length > 0) yield { first, body: { kind: 'scan', pieces: list, segments } };
}

/** Joins a segment to the one before it when both are one run of one file: fewer, longer reads. */
function appendMerged(segments: JobSegment[], more: readonly JobSegment[]): void {
  for (const segment of more) {
    const last = segments.at(-1);
    const continues =
      last !== undefined &&
      last.fileIndex === segment.fileIndex &&
      last.fileOffsetBytes + last.lengthBytes === segment.fileOffsetBytes &&
      last.at + last.lengthBytes === segment.at;
    if (continues) {
      segments[segments.length - 1] = {
        ...last,
        lengthBytes: last.lengthBytes + segment.lengthBytes,
      };
    } else segments.push(segment);
  }
}

/** Finds which pieces are on disk and right. */
export async function checkPieces(
  options: Omit<ScanOptions, 'onPiece'> & { readonly expected: ExpectedHashes },
): Promise<Bitfield> {
  const have = new Bitfield(options.geometry.pieceCount);
  await scanPieces({
    ...options,
    onPiece: (piece, v1, v2) => {
      if (isRight(options.expected, piece, v1, v2)) have.add(piece);
    },
  });
  return have;
}

/** True when every hash that is known of a piece fits, and one is. */
export function isRight(
  expected: ExpectedHashes,
  piece: number,
  v1: Uint8Array,
  v2: Uint8Array,
): boolean {
  const expectedV1 = expected.v1(piece);
  const expectedV2 = expected.v2(piece);
  if (expectedV1 === undefined && expectedV2 === undefined) return false;
  if (expectedV1 !== undefined && !equalBytes(expectedV1, v1)) return false;
  return expectedV2 === undefined || equalBytes(expectedV2, v2);
}

/** The v2 root of each piece, as far as layers are known. */
export function expectedHashes(
  info: Info,
  layout: PieceLayout,
  layers: ReadonlyMap<string, Uint8Array>,
): ExpectedHashes {
  return {
    v1: (piece) => layout.expectedV1(piece),
    v2: (piece) => {
      if (!VERSION_TRAITS[info.version].hasV2) return undefined;
      const file = info.files[layout.fileIndexV2(piece)]!;
      if (file.piecesRoot === undefined) return undefined;
      if (file.lengthBytes <= info.pieceLengthBytes) return file.piecesRoot;
      const at = layout.pieceInFileV2(piece) * 32;
      return layers.get(toHex(file.piecesRoot))?.subarray(at, at + 32);
    },
  };
}
