/**
 * The messages between the network thread and the disk workers: plain data, sent in batches.
 * @module
 */
import type { DiskFault, StorageSpec } from './file-table.ts';
import type { FinishEntry } from './finish-tree.ts';
import type { HashPlan } from './piece-hasher.ts';

/** Where a run of bytes lies in the files: bytes `[at, at + lengthBytes)` of the job. */
export interface JobSegment {
  readonly fileIndex: number;
  readonly fileOffsetBytes: number;
  readonly at: number;
  readonly lengthBytes: number;
  readonly isPad: boolean;
}

/** Hash and write a filled part of a piece; all parts of a piece go to one worker. */
export interface PartJob {
  readonly kind: 'part';
  readonly id: number;
  readonly storage: number;
  readonly piece: number;
  /** Counts the openings of pieces: parts of an earlier opening never mix with those of a later one. */
  readonly opening: number;
  /** Where the part lies in the slabs' memory; -1 for a part of pads alone, which needs none. */
  readonly memoryAt: number;
  readonly lengthBytes: number;
  readonly pieceOffsetBytes: number;
  /** Bytes of all parts together: the piece is whole when they are in. */
  readonly wantedBytes: number;
  readonly plan: HashPlan;
  readonly segments: readonly JobSegment[];
  /** What was spilled of the part and must be read back first. */
  readonly spilled: readonly JobSegment[];
}

/** Write the blocks that a part has so far, since its memory is needed; by the worker that its piece belongs to. */
export interface SpillJob {
  readonly kind: 'spill';
  readonly id: number;
  readonly storage: number;
  readonly memoryAt: number;
  readonly segments: readonly JobSegment[];
}

/** Read consecutive pieces and hash them; bytes that are missing make a piece fail, they are no fault. */
export interface ScanJob {
  readonly kind: 'scan';
  readonly id: number;
  readonly storage: number;
  readonly pieces: readonly { readonly plan: HashPlan; readonly readBytes: number }[];
  /** Over all bytes of the pieces, one after another. */
  readonly segments: readonly JobSegment[];
}

/** Read a piece and digest its blocks one by one, to find who sent a bad one or to serve them as leaf hashes. */
export interface BlocksJob {
  readonly kind: 'blocks';
  readonly id: number;
  readonly storage: number;
  readonly lengthBytes: number;
  readonly segments: readonly JobSegment[];
}

/** A run of bytes of one file for a digest. */
export interface DigestRun {
  readonly fileIndex: number;
  readonly fromBytes: number;
  readonly lengthBytes: number;
  /** The file ends with it. */
  readonly isEnd: boolean;
}

/** Read runs of files, each file's in order, and go on with the SHA-256 of each file; all jobs of a storage go to one worker. */
export interface DigestJob {
  readonly kind: 'digest';
  readonly id: number;
  readonly storage: number;
  readonly runs: readonly DigestRun[];
}

/** Make what no data brings of a tree below `dir`, or give its entries their modes and times (`finish-tree.ts`). */
export interface FinishJob {
  readonly kind: 'finish';
  readonly id: number;
  readonly storage: number;
  readonly step: 'make' | 'dress';
  readonly dir: string;
  readonly entries: readonly FinishEntry[];
}

/** Copy bytes that lie in the parts file to the files that they belong to, and sync them; what is read from afterwards is `respec`'s to say. */
export interface CopyJob {
  readonly kind: 'copy';
  readonly id: number;
  readonly storage: number;
  /** As it will be: the files have a place of their own there. */
  readonly to: StorageSpec;
  readonly segments: readonly JobSegment[];
}

/** Force a storage's written data to disk; open its files anew; or close them and forget it for good. */
export interface FileJob {
  readonly kind: 'sync' | 'refresh' | 'close';
  readonly id: number;
  readonly storage: number;
}

/** A job of a worker. */
export type Job =
  | PartJob
  | SpillJob
  | ScanJob
  | BlocksJob
  | DigestJob
  | FinishJob
  | CopyJob
  | FileJob;

/** What the network thread sends. */
export type ToWorker =
  | { readonly type: 'open'; readonly spec: StorageSpec }
  | { readonly type: 'jobs'; readonly jobs: readonly Job[] };

/** The answer to a job. */
export interface JobResult {
  readonly id: number;
  /** part: the piece is whole, and these are its digests. */
  readonly v1?: Uint8Array;
  readonly v2?: Uint8Array;
  readonly isPieceDone?: boolean;
  /** scan: 20 and 32 bytes a piece, and a 1 for each piece whose bytes were all there. */
  readonly digestsV1?: Uint8Array;
  readonly digestsV2?: Uint8Array;
  readonly isPresent?: Uint8Array;
  /** blocks: SHA-256 of each block, 32 bytes each. */
  readonly blockDigests?: Uint8Array;
  /** digest: SHA-256 of each file that ended, 32 bytes each. */
  readonly fileDigests?: Uint8Array;
  readonly fault?: DiskFault;
}

/** What a worker sends. */
export interface FromWorker {
  readonly results: readonly JobResult[];
}

/** What a worker gets at birth. */
export interface WorkerInit {
  readonly memory: SharedArrayBuffer;
}
