/**
 * When a torrent's resume data is written: its journal with the pieces of each turn, its record some time after data moved.
 *
 * It has no timer: the node's pulse asks. Bounds: the pieces of one turn.
 * @module
 */
import type { Swarm } from '../protocol/swarm/index.ts';
import type { TorrentFiles } from './torrent-files.ts';

// Implementation limits
/** A resume record is written, and data synced, this often while data moves. */
const RECORD_INTERVAL_MS = 120_000;

/** What is written, and who is told. */
export interface TorrentRecordsOptions {
  /** Undefined before the metadata. */
  readonly files: () => TorrentFiles | undefined;
  readonly swarm: () => Swarm;
  readonly isStopped: () => boolean;
  /** Runs what writes to the disk, and deals with its errors. */
  readonly guardDisk: (write: () => void) => void;
  /** The piece is in the journal. */
  readonly onPiece: (piece: number) => void;
}

/** The resume data of one torrent. */
export class TorrentRecords {
  readonly #options: TorrentRecordsOptions;
  readonly #unjournaled: number[] = [];
  /** When the record is to be written; Infinity: nothing moved since. */
  #dueMs: number = Number.POSITIVE_INFINITY;
  #recordedUploadBytes = 0;

  constructor(options: TorrentRecordsOptions) {
    this.#options = options;
  }

  /** A piece is on disk. */
  note(nowMs: number, piece: number): void {
    this.#soon(nowMs);
    // One write for all pieces of a turn: small pieces come by the dozen.
    if (this.#unjournaled.push(piece) === 1) queueMicrotask(() => this.writeJournal());
  }

  /** Writes what waits for the end of its turn. */
  writeJournal(): void {
    const pieces = this.#unjournaled.splice(0);
    const { files, guardDisk, isStopped, onPiece } = this.#options;
    if (!isStopped()) guardDisk(() => files()?.journal(pieces));
    for (const piece of pieces) onPiece(piece);
  }

  /** About once a second. @throws {AppError} ERR_FILE when data cannot be synced. */
  async pulse(nowMs: number): Promise<void> {
    const { files, swarm, isStopped } = this.#options;
    const { have, totals } = swarm();
    if (totals.uploadedBytes !== this.#recordedUploadBytes) this.#soon(nowMs);
    if (nowMs < this.#dueMs || isStopped()) return;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#recordedUploadBytes = totals.uploadedBytes;
    if (have !== undefined) await files()?.sync(have, totals);
  }

  /** Replaces the record now. */
  save(): void {
    const { files, swarm, guardDisk } = this.#options;
    const { have, totals } = swarm();
    if (have !== undefined) guardDisk(() => files()?.save(have, totals, false));
  }

  #soon(nowMs: number): void {
    if (this.#dueMs === Number.POSITIVE_INFINITY) this.#dueMs = nowMs + RECORD_INTERVAL_MS;
  }
}
