/**
 * What a torrent remembers between runs: which pieces are on disk, its metadata, how its files looked.
 *
 * Two files below STARLING_HOME/resume, keyed by info-hash and absolute folder. The record is replaced atomically; the journal gets four bytes
 * for each piece after its data was written, so that `kill -9` loses nothing. Pieces are trusted as far as
 * the data cannot have changed: within the same start of the machine (unsynced data survives a dead process, not a power cut), files whose size
 * and time are as remembered. What is in doubt is reported for a recheck.
 * Bounds: a record of at most MAX_RECORD_BYTES; a journal entry beyond the piece count is ignored.
 * @module
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { bootId, readFileIfThere, writeFileAtomic } from '../io/atomic-file.ts';
import { Bitfield } from '../lib/bitfield.ts';
import { toHex } from '../lib/bytes.ts';
import { type BencodeDict, decodeDict, type Encodable, encode } from '../protocol/bencode/index.ts';

// Implementation limits
/** Largest record that is read. */
const MAX_RECORD_BYTES = 256 * 1024 * 1024;
/** How much younger than the journal a file may be before its pieces are in doubt. */
const CLOCK_SLACK_MS = 2_000;

const FORMAT = 1;

/** What is remembered. */
export interface ResumeRecord {
  /** Bits of the pieces on disk. */
  readonly have: Uint8Array;
  /** Bits of the pieces whose data was synced. */
  readonly synced: Uint8Array;
  readonly boot: string;
  /** Files kept under their own names. */
  readonly stored: Uint8Array;
  /** Size and time (ms) of each stored file when the record was written; -1 for a file that was not there. */
  readonly files: readonly { readonly sizeBytes: number; readonly mtimeMs: number }[];
  /** Nothing was written since. */
  readonly isClean: boolean;
  /** The info dictionary and piece layers, so that a magnet needs no peer the second time. */
  readonly infoBytes: Uint8Array;
  readonly layers: ReadonlyMap<string, Uint8Array>;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
}

/** What a record says about the files that are there now. */
export interface Trust {
  /** Pieces to take as had. */
  readonly have: Bitfield;
  /** Pieces to check before use. */
  readonly doubtful: Set<number>;
}

/** The resume data of one torrent in one folder. */
export class ResumeStore {
  readonly #recordPath: string;
  readonly #journalPath: string;
  #journal: number | undefined;
  /** Whole entries in the journal. */
  #journalBytes = 0;

  constructor(home: string, infoHash: Uint8Array, dir: string) {
    const key = createHash('sha256').update(infoHash).update(path.resolve(dir)).digest();
    const name = `${toHex(infoHash.subarray(0, 20))}-${toHex(key.subarray(0, 8))}`;
    this.#recordPath = path.join(home, 'resume', `${name}.resume`);
    this.#journalPath = path.join(home, 'resume', `${name}.journal`);
  }

  /** The record, or undefined when there is none or it cannot be read as one. */
  load(): ResumeRecord | undefined {
    const bytes = readFileIfThere(this.#recordPath);
    if (bytes === undefined || bytes.length > MAX_RECORD_BYTES) return undefined;
    return parseRecord(bytes);
  }

  /** The pieces that were written after the record. */
  loadJournal(pieceCount: number): { pieces: number[]; mtimeMs: number } {
    const bytes = readFileIfThere(this.#journalPath);
    if (bytes === undefined) return { pieces: [], mtimeMs: 0 };
    const pieces: number[] = [];
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 4 <= view.length; at += 4) {
      const piece = view.readUInt32BE(at);
      if (piece < pieceCount) pieces.push(piece);
    }
    return { pieces, mtimeMs: fs.statSync(this.#journalPath).mtimeMs };
  }

  /** Replaces the record; the journal starts anew. */
  save(record: ResumeRecord): void {
    writeFileAtomic(this.#recordPath, encodeRecord(record));
    this.#closeJournal();
    fs.rmSync(this.#journalPath, { force: true });
  }

  /** Notes pieces whose data has been written. */
  append(pieces: readonly number[]): void {
    if (pieces.length === 0) return;
    this.#journal ??= this.#openJournal();
    const bytes = Buffer.alloc(pieces.length * 4);
    for (const [index, piece] of pieces.entries()) bytes.writeUInt32BE(piece, index * 4);
    // At a position: after a write that a full disk cut short, the next one must not be read four bytes askew.
    const written = fs.writeSync(this.#journal, bytes, 0, bytes.length, this.#journalBytes);
    this.#journalBytes += written - (written % 4);
    if (written < bytes.length) {
      const cause = { code: 'ENOSPC', path: this.#journalPath };
      throw Object.assign(new Error('the journal was written in part'), cause);
    }
  }

  #openJournal(): number {
    fs.mkdirSync(path.dirname(this.#journalPath), { recursive: true });
    const fd = fs.openSync(this.#journalPath, fs.constants.O_RDWR | fs.constants.O_CREAT);
    const { size } = fs.fstatSync(fd);
    this.#journalBytes = size - (size % 4);
    return fd;
  }

  /** Forgets everything. */
  remove(): void {
    this.#closeJournal();
    fs.rmSync(this.#recordPath, { force: true });
    fs.rmSync(this.#journalPath, { force: true });
  }

  close(): void {
    this.#closeJournal();
  }

  #closeJournal(): void {
    if (this.#journal !== undefined) fs.closeSync(this.#journal);
    this.#journal = undefined;
  }
}

/** How files look now, in the form of a record. */
export function statFiles(paths: readonly string[]): { sizeBytes: number; mtimeMs: number }[] {
  return paths.map((file) => {
    try {
      const stat = fs.statSync(file);
      return { sizeBytes: stat.size, mtimeMs: Math.floor(stat.mtimeMs) };
    } catch {
      return { sizeBytes: -1, mtimeMs: 0 };
    }
  });
}

/** Decides what of a record and its journal can be believed. */
export function judgeRecord(options: {
  readonly record: ResumeRecord;
  readonly journal: { readonly pieces: readonly number[]; readonly mtimeMs: number };
  readonly pieceCount: number;
  /** Present look of the files that were stored then, by the same indices; lengths they must have. */
  readonly now: readonly { readonly sizeBytes: number; readonly mtimeMs: number }[];
  readonly lengths: readonly number[];
  readonly isStored: (fileIndex: number) => boolean;
  readonly filesOf: (piece: number) => readonly number[];
}): Trust {
  const { record, journal, pieceCount, now } = options;
  const claimed = Bitfield.fromWire(record.have, pieceCount) ?? new Bitfield(pieceCount);
  const synced = Bitfield.fromWire(record.synced, pieceCount) ?? new Bitfield(pieceCount);
  for (const piece of journal.pieces) claimed.add(piece);
  const isSameBoot = record.boot !== '' && record.boot === bootId();
  const latestMs = journal.mtimeMs + CLOCK_SLACK_MS;
  const states = now.map((file, index): 'good' | 'doubtful' | 'gone' => {
    if (!options.isStored(index) || options.lengths[index] === 0) return 'good';
    const then = record.files[index];
    if (file.sizeBytes < 0 || then === undefined) return 'gone';
    if (file.sizeBytes !== options.lengths[index]) return 'doubtful';
    const isAsThen = file.mtimeMs === then.mtimeMs && file.sizeBytes === then.sizeBytes;
    const wasWrittenByUs = !record.isClean && isSameBoot && file.mtimeMs <= latestMs;
    return isAsThen || wasWrittenByUs ? 'good' : 'doubtful';
  });
  const have = new Bitfield(pieceCount);
  const doubtful = new Set<number>();
  for (const piece of claimed) {
    const files = options.filesOf(piece).map((index) => states[index]);
    if (files.includes('gone')) continue;
    const isSafe = isSameBoot || synced.has(piece);
    if (isSafe && !files.includes('doubtful')) have.add(piece);
    else doubtful.add(piece);
  }
  return { have, doubtful };
}

function encodeRecord(record: ResumeRecord): Uint8Array {
  const layers = new Map<string, Encodable>();
  for (const [root, layer] of record.layers) layers.set(root, layer);
  return encode({
    format: FORMAT,
    have: record.have,
    synced: record.synced,
    boot: record.boot,
    stored: record.stored,
    sizes: record.files.map((file) => file.sizeBytes),
    times: record.files.map((file) => file.mtimeMs),
    clean: Number(record.isClean),
    info: record.infoBytes,
    layers,
    uploaded: record.uploadedBytes,
    downloaded: record.downloadedBytes,
  });
}

/** Reads a record. @returns undefined for anything that is not one, however damaged. */
export function parseRecord(bytes: Uint8Array): ResumeRecord | undefined {
  const decoded = decodeDict(bytes);
  if (!decoded.ok || decoded.value.int('format') !== FORMAT) return undefined;
  const dict = decoded.value;
  const have = dict.bytes('have');
  const synced = dict.bytes('synced');
  const stored = dict.bytes('stored');
  const infoBytes = dict.bytes('info');
  const sizes = dict.list('sizes');
  const times = dict.list('times');
  if (!have || !synced || !stored || !infoBytes || !sizes || sizes.length !== times?.length) {
    return undefined;
  }
  return {
    have,
    synced,
    stored,
    infoBytes,
    boot: dict.text('boot') ?? '',
    files: sizes.map((size, index) => ({
      sizeBytes: Number(size),
      mtimeMs: Number(times[index]),
    })),
    isClean: dict.int('clean') === 1,
    layers: readLayers(dict.dict('layers')),
    uploadedBytes: dict.int('uploaded') ?? 0,
    downloadedBytes: dict.int('downloaded') ?? 0,
  };
}

function readLayers(dict: BencodeDict | undefined): Map<string, Uint8Array> {
  const layers = new Map<string, Uint8Array>();
  for (const root of dict?.keys() ?? []) {
    const layer = dict?.bytes(root);
    if (layer !== undefined) layers.set(root, layer.slice());
  }
  return layers;
}
