/**
 * A disk worker: hashes filled parts of pieces while they are hot and writes them from where they lie; reads and hashes for checks.
 *
 * SHA-1 needs a piece's parts in order, and they may fill in any order: a part that comes early is written at once and read back
 * (from the page cache) when its turn comes, so that no memory waits for it. Measured: parts come in order for all but a few pieces.
 * @module
 */
import { createHash, type Hash, hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type {
  BlocksJob,
  CopyJob,
  DigestJob,
  DigestRun,
  FromWorker,
  Job,
  JobResult,
  JobSegment,
  PartJob,
  ScanJob,
  ToWorker,
  WorkerInit,
} from './disk-jobs.ts';
import { DiskFaultError, diskFaultOf, FileTable } from './file-table.ts';
import { finishTree } from './finish-tree.ts';
import { BlockDigests, PieceHasher } from './piece-hasher.ts';

// Implementation limits
/** Bytes read at once. */
const SCAN_BYTES = 1024 * 1024;

interface PieceInProgress {
  readonly opening: number;
  readonly hasher: PieceHasher;
  writtenBytes: number;
  /** Parts that were written before their turn, by piece offset. */
  readonly early: Map<number, PartJob>;
}

const memory = Buffer.from((workerData as WorkerInit).memory);
const tables = new Map<number, FileTable>();
const pieces = new Map<string, PieceInProgress>();
/** The opening of a piece that ended with a fault: its other parts may still be queued, and count for nothing. */
const failedOpenings = new Map<string, number>();
/** The digest of the file that is being followed, by storage. */
const fileHashes = new Map<number, Hash>();
const scanBuffer = Buffer.allocUnsafeSlow(SCAN_BYTES);

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'open') {
    const table = tables.get(message.spec.id);
    if (table === undefined) tables.set(message.spec.id, new FileTable(message.spec));
    else table.respec(message.spec);
    return;
  }
  const results = message.jobs.map((job) => run(job));
  parentPort?.postMessage({ results } satisfies FromWorker);
});

function run(job: Job): JobResult {
  const table = tables.get(job.storage);
  if (table === undefined) {
    // Work that was queued behind the close of its storage.
    const fault = { code: 'ECLOSED', path: '', operation: 'open' } as const;
    return job.kind === 'close' ? { id: job.id } : { id: job.id, isPieceDone: true, fault };
  }
  try {
    if (job.kind === 'part') return runPart(table, job);
    if (job.kind === 'spill') {
      writeSegments(table, job.segments, memory.subarray(job.memoryAt));
      return { id: job.id };
    }
    if (job.kind === 'scan') return runScan(table, job);
    if (job.kind === 'blocks') return runBlocks(table, job);
    if (job.kind === 'digest') return runDigest(table, job);
    if (job.kind === 'copy') return runCopy(table, job);
    if (job.kind === 'finish') {
      finishTree(job.step, job.dir, job.entries);
      return { id: job.id };
    }
    if (job.kind === 'sync') table.sync();
    else if (job.kind === 'refresh') table.refresh();
    else {
      table.close();
      tables.delete(job.storage);
      fileHashes.delete(job.storage);
      for (const map of [pieces, failedOpenings]) {
        for (const key of map.keys()) if (key.startsWith(`${job.storage}:`)) map.delete(key);
      }
    }
    return { id: job.id };
  } catch (error) {
    return { id: job.id, fault: diskFaultOf(error) };
  }
}

function runPart(table: FileTable, job: PartJob): JobResult {
  const key = `${job.storage}:${job.piece}`;
  const piece = pieceOf(key, job);
  if (piece === undefined) return { id: job.id };
  const part =
    job.memoryAt < 0
      ? scanBuffer.subarray(0, job.lengthBytes).fill(0)
      : memory.subarray(job.memoryAt, job.memoryAt + job.lengthBytes);
  try {
    for (const segment of job.spilled) readBack(table, segment, part);
    piece.hasher.updateV2(part, job.pieceOffsetBytes);
    if (piece.hasher.nextByte === job.pieceOffsetBytes) piece.hasher.updateV1(part);
    else piece.early.set(job.pieceOffsetBytes, job);
    writeSegments(table, job.segments, part);
    piece.writtenBytes += job.lengthBytes;
    if (piece.hasher.isOrdered) hashEarlyParts(table, piece);
  } catch (error) {
    pieces.delete(key);
    failedOpenings.set(key, job.opening);
    return { id: job.id, isPieceDone: true, fault: diskFaultOf(error) };
  }
  if (piece.writtenBytes < job.wantedBytes) return { id: job.id };
  pieces.delete(key);
  return { id: job.id, isPieceDone: true, ...piece.hasher.finish() };
}

/** The piece that a part belongs to; undefined when that opening of it has failed. */
function pieceOf(key: string, job: PartJob): PieceInProgress | undefined {
  const failed = failedOpenings.get(key);
  if (failed !== undefined) {
    if (failed >= job.opening) return undefined;
    failedOpenings.delete(key);
  }
  let piece = pieces.get(key);
  if (piece === undefined || piece.opening !== job.opening) {
    const { opening } = job;
    piece = { opening, hasher: new PieceHasher(job.plan), writtenBytes: 0, early: new Map() };
    pieces.set(key, piece);
  }
  return piece;
}

function writeSegments(table: FileTable, segments: readonly JobSegment[], bytes: Buffer): void {
  for (const { fileIndex, fileOffsetBytes, at, lengthBytes, isPad } of segments) {
    if (!isPad) table.write(fileIndex, bytes.subarray(at, at + lengthBytes), fileOffsetBytes);
  }
}

function hashEarlyParts(table: FileTable, piece: PieceInProgress): void {
  for (;;) {
    const job = piece.early.get(piece.hasher.nextByte);
    if (job === undefined) return;
    piece.early.delete(job.pieceOffsetBytes);
    const bytes = scanBuffer.subarray(0, job.lengthBytes);
    const count = readSegments(table, job.segments, bytes, 0);
    if (count < bytes.length) throw truncated(table, job.segments, count);
    piece.hasher.updateV1(bytes);
  }
}

/** Reads what was spilled of a part. */
function readBack(table: FileTable, segment: JobSegment, part: Buffer): void {
  if (segment.isPad) return;
  const bytes = part.subarray(segment.at, segment.at + segment.lengthBytes);
  const count = table.read(segment.fileIndex, bytes, segment.fileOffsetBytes);
  if (count < bytes.length) throw truncated(table, [segment], segment.at + count);
}

/** What was written is not there any more: a fault of the disk, or the sender of a good piece would be blamed. */
function truncated(table: FileTable, segments: readonly JobSegment[], at: number): DiskFaultError {
  const segment = segments.find((each) => at < each.at + each.lengthBytes)!;
  const where = table.pathOf(segment.fileIndex);
  return new DiskFaultError({ code: 'TRUNCATED', path: where, operation: 'read' }, undefined);
}

/** Fills `bytes` (which begin at byte `from` of the segments' space). @returns how many bytes were there, from the start. */
function readSegments(
  table: FileTable,
  segments: readonly JobSegment[],
  bytes: Buffer,
  from: number,
): number {
  for (const { fileIndex, fileOffsetBytes, at, lengthBytes, isPad } of segments) {
    const start = Math.max(at, from);
    const end = Math.min(at + lengthBytes, from + bytes.length);
    if (start >= end) continue;
    const target = bytes.subarray(start - from, end - from);
    if (isPad) {
      target.fill(0);
    } else {
      const count = table.read(fileIndex, target, fileOffsetBytes + (start - at));
      if (count < target.length) return start - from + count;
    }
  }
  return bytes.length;
}

function runBlocks(table: FileTable, job: BlocksJob): JobResult {
  const leaves = new BlockDigests(job.lengthBytes);
  for (let at = 0; at < job.lengthBytes; at += SCAN_BYTES) {
    const bytes = scanBuffer.subarray(0, Math.min(SCAN_BYTES, job.lengthBytes - at));
    const count = readSegments(table, job.segments, bytes, at);
    if (count < bytes.length) throw truncated(table, job.segments, at + count);
    leaves.add(bytes, at);
  }
  return { id: job.id, blockDigests: leaves.digests };
}

function runCopy(table: FileTable, job: CopyJob): JobResult {
  const to = new FileTable(job.to);
  try {
    for (const segment of job.segments) {
      for (let at = 0; at < segment.lengthBytes; at += SCAN_BYTES) {
        const bytes = scanBuffer.subarray(0, Math.min(SCAN_BYTES, segment.lengthBytes - at));
        const from = segment.fileOffsetBytes + at;
        const count = table.read(segment.fileIndex, bytes, from);
        if (count < bytes.length) throw truncated(table, [segment], segment.at);
        to.write(segment.fileIndex, bytes, from);
      }
    }
    to.sync();
  } finally {
    to.close();
  }
  return { id: job.id };
}

function runDigest(table: FileTable, job: DigestJob): JobResult {
  const digests = Buffer.alloc(32 * job.runs.filter(({ isEnd }) => isEnd).length);
  let at = 0;
  for (const run of job.runs) {
    const digest = digestRun(table, job.storage, run);
    if (digest === undefined) continue;
    digests.set(digest, at);
    at += 32;
  }
  return { id: job.id, fileDigests: digests };
}

/** @returns the digest when the file ends. */
function digestRun(table: FileTable, storage: number, run: DigestRun): Uint8Array | undefined {
  const { fileIndex, fromBytes, lengthBytes, isEnd } = run;
  const fill = (at: number): Buffer => {
    const bytes = scanBuffer.subarray(0, Math.min(SCAN_BYTES, lengthBytes - at));
    const count = table.read(fileIndex, bytes, fromBytes + at);
    if (count === bytes.length) return bytes;
    const where = table.pathOf(fileIndex);
    throw new DiskFaultError({ code: 'TRUNCATED', path: where, operation: 'read' }, undefined);
  };
  // One-shot costs a third less: most files are small.
  if (fromBytes === 0 && isEnd && lengthBytes <= SCAN_BYTES)
    return hash('sha256', fill(0), 'buffer');
  if (fromBytes === 0) fileHashes.set(storage, createHash('sha256'));
  const running = fileHashes.get(storage)!;
  for (let at = 0; at < lengthBytes; at += SCAN_BYTES) running.update(fill(at));
  if (!isEnd) return undefined;
  fileHashes.delete(storage);
  return running.digest();
}

function runScan(table: FileTable, job: ScanJob): JobResult {
  const count = job.pieces.length;
  const result = {
    id: job.id,
    digestsV1: new Uint8Array(count * 20),
    digestsV2: new Uint8Array(count * 32),
    isPresent: new Uint8Array(count),
  };
  const source = new ScanSource(table, job.segments);
  let at = 0;
  for (const [index, { plan, readBytes }] of job.pieces.entries()) {
    const hasher = new PieceHasher(plan);
    let isWhole = true;
    for (let done = 0; done < readBytes && isWhole; ) {
      const bytes = source.at(at + done, readBytes - done);
      isWhole = bytes !== undefined;
      if (bytes === undefined) break;
      hasher.updateV1(bytes);
      hasher.updateV2(bytes, done);
      done += bytes.length;
    }
    at += readBytes;
    if (!isWhole) continue;
    const digests = hasher.finish();
    if (digests.v1 !== undefined) result.digestsV1.set(digests.v1, index * 20);
    if (digests.v2 !== undefined) result.digestsV2.set(digests.v2, index * 32);
    result.isPresent[index] = 1;
  }
  return result;
}

/** Serves consecutive reads of a job from one buffer, so that small pieces do not cost a system call each. */
class ScanSource {
  readonly #table: FileTable;
  readonly #segments: readonly JobSegment[];
  readonly #endByte: number;
  #from = 0;
  #validBytes = 0;

  constructor(table: FileTable, segments: readonly JobSegment[]) {
    this.#table = table;
    this.#segments = segments;
    const last = segments.at(-1);
    this.#endByte = last === undefined ? 0 : last.at + last.lengthBytes;
  }

  /** Up to `maxBytes` bytes at `at`, whole blocks unless the end is near; undefined when they are not there. */
  at(at: number, maxBytes: number): Buffer | undefined {
    const wanted = Math.min(maxBytes, SCAN_BYTES);
    if (at < this.#from || at + wanted > this.#from + this.#validBytes) {
      this.#from = at;
      const bytes = scanBuffer.subarray(0, Math.min(SCAN_BYTES, this.#endByte - at));
      this.#validBytes = this.#fill(bytes);
    }
    if (at + wanted > this.#from + this.#validBytes) return undefined;
    return scanBuffer.subarray(at - this.#from, at - this.#from + wanted);
  }

  #fill(bytes: Buffer): number {
    try {
      return readSegments(this.#table, this.#segments, bytes, this.#from);
    } catch (error) {
      // A file that is not there has no pieces; any other fault is for the caller.
      if (diskFaultOf(error).code === 'ENOENT') return 0;
      throw error;
    }
  }
}
