/**
 * What a torrent remembers between runs: which pieces are on disk, its metadata, how its files looked.
 *
 * Two files below STARLING_HOME/resume, keyed by info-hash and absolute folder. The record (SHA-256, then a bencoded dictionary) is replaced
 * atomically; the journal gets four bytes for each piece after its data was written, so that `kill -9` loses nothing. It opens with the key that
 * its record holds: the journal of an older record claims nothing. Pieces are trusted as far as
 * the data cannot have changed: within the same start of the machine (unsynced data survives a dead process, not a power cut), files whose size
 * and time are as remembered. What is in doubt is reported for a recheck.
 * Bounds: a record of at most MAX_RECORD_BYTES; a journal entry beyond the piece count is ignored.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { bootId, readFileIfThere, writeFileAtomic } from '../io/atomic-file.ts';
import { makeFolder } from '../io/make-folder.ts';
import { Bitfield } from '../lib/bitfield.ts';
import { concatBytes, equalBytes, toHex } from '../lib/bytes.ts';
import { decodeUtf8 } from '../lib/utf8.ts';
import type { FileLook } from '../plane/file-table.ts';
import { type BencodeDict, decodeDict, type Encodable, encode } from '../protocol/bencode/index.ts';
import type { TrackerMemory } from './torrent-trackers.ts';

// Specification constants
/** Changes with the record's form; a record of another form is not read, and the files are checked instead. */
const FORMAT = 2;
const DIGEST_BYTES = 32;
/** A multiple of an entry's four bytes. */
const KEY_BYTES = 16;

// Implementation limits
/** Largest record that is read. */
const MAX_RECORD_BYTES = 256 * 1024 * 1024;
/** Trackers remembered as told `completed`: as many as are announced to, for two hashes. */
const MAX_COMPLETED_TOLD = 200;
/** How much younger than the journal a file may be before its pieces are in doubt. */
const CLOCK_SLACK_MS = 2_000;

/** What is remembered. */
export interface ResumeRecord {
  /** Bits of the pieces on disk. */
  readonly have: Uint8Array;
  /** Bits of the pieces whose data was synced. */
  readonly synced: Uint8Array;
  readonly boot: string;
  /** Files kept under their own names. */
  readonly stored: Uint8Array;
  /** Each file, under its own name, when the record was written. */
  readonly files: readonly FileLook[];
  /** The parts file, which has the bytes of all files that are not stored. */
  readonly parts: FileLook;
  /** Nothing was written since. */
  readonly isClean: boolean;
  /** The info dictionary and piece layers, so that a magnet needs no peer the second time. */
  readonly infoBytes: Uint8Array;
  readonly layers: ReadonlyMap<string, Uint8Array>;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  /** Absent in records of earlier versions. */
  readonly trackers?: TrackerMemory;
  /** Priority of each file, 0 to 7, when they were chosen one by one. */
  readonly priorities?: Uint8Array;
}

/** A record as it was read. */
export interface LoadedRecord extends ResumeRecord {
  /** The first bytes of the journal that goes with it. */
  readonly journalKey: Uint8Array;
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
  readonly #isKept: boolean;
  readonly #recordPath: string;
  readonly #journalPath: string;
  #journal: number | undefined;
  /** Key of the record that stands; zeros when there is none, and then a journal is of no use. */
  #journalKey: Uint8Array = new Uint8Array(KEY_BYTES);
  /** The journal's key and whole entries. */
  #journalBytes = 0;

  /** @param isKept false: nothing is read or written. */
  constructor(home: string, infoHash: Uint8Array, dir: string, isKept = true) {
    this.#isKept = isKept;
    [this.#recordPath, this.#journalPath] = pathsOf(home, infoHash, dir);
  }

  /** The record, or undefined when there is none or it cannot be read as one. */
  load(): LoadedRecord | undefined {
    const bytes = this.#isKept ? readFileIfThere(this.#recordPath) : undefined;
    if (bytes === undefined || bytes.length > MAX_RECORD_BYTES) return undefined;
    const record = openRecord(bytes);
    if (record !== undefined) this.#journalKey = record.journalKey;
    return record;
  }

  /** The pieces that were written after the record that was loaded or saved last. */
  loadJournal(pieceCount: number): { pieces: number[]; mtimeMs: number } {
    const bytes = this.#isKept ? readFileIfThere(this.#journalPath) : undefined;
    if (bytes === undefined || !equalBytes(bytes.subarray(0, KEY_BYTES), this.#journalKey)) {
      return { pieces: [], mtimeMs: 0 };
    }
    const pieces: number[] = [];
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = KEY_BYTES; at + 4 <= view.length; at += 4) {
      const piece = view.readUInt32BE(at);
      if (piece < pieceCount) pieces.push(piece);
    }
    return { pieces, mtimeMs: fs.statSync(this.#journalPath).mtimeMs };
  }

  /** Replaces the record; the journal starts anew. */
  save(record: ResumeRecord): void {
    if (!this.#isKept) return;
    const journalKey = randomBytes(KEY_BYTES);
    writeFileAtomic(this.#recordPath, sealRecord({ ...record, journalKey }));
    this.#journalKey = journalKey;
    this.#closeJournal();
    fs.rmSync(this.#journalPath, { force: true });
  }

  /** Notes pieces whose data has been written. */
  append(pieces: readonly number[]): void {
    if (pieces.length === 0 || !this.#isKept) return;
    this.#journal ??= this.#openJournal();
    const bytes = Buffer.alloc(pieces.length * 4);
    for (const [index, piece] of pieces.entries()) bytes.writeUInt32BE(piece, index * 4);
    this.#write(this.#journal, bytes);
  }

  /** At a position: after a write that a full disk cut short, the next one must not be read askew. */
  #write(fd: number, bytes: Uint8Array): void {
    const written = fs.writeSync(fd, bytes, 0, bytes.length, this.#journalBytes);
    this.#journalBytes += written - (written % 4);
    if (written < bytes.length) {
      const cause = { code: 'ENOSPC', path: this.#journalPath };
      throw Object.assign(new Error('the journal was written in part'), cause);
    }
  }

  #openJournal(): number {
    makeFolder(path.dirname(this.#journalPath));
    const fd = fs.openSync(this.#journalPath, fs.constants.O_RDWR | fs.constants.O_CREAT);
    try {
      const { size } = fs.fstatSync(fd);
      const key = new Uint8Array(KEY_BYTES);
      fs.readSync(fd, key, 0, KEY_BYTES, 0);
      if (size >= KEY_BYTES && equalBytes(key, this.#journalKey)) {
        this.#journalBytes = size - (size % 4);
        return fd;
      }
      fs.ftruncateSync(fd, 0);
      this.#journalBytes = 0;
      this.#write(fd, this.#journalKey);
      return fd;
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
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

function pathsOf(
  home: string,
  infoHash: Uint8Array,
  dir: string,
): [record: string, journal: string] {
  const key = createHash('sha256').update(infoHash).update(path.resolve(dir)).digest();
  const name = `${toHex(infoHash.subarray(0, 20))}-${toHex(key.subarray(0, 8))}`;
  const base = path.join(home, 'resume', name);
  return [`${base}.resume`, `${base}.journal`];
}

/** A torrent's files went to another folder as they are: what is remembered of them goes along, so that nothing is checked anew. For a torrent that is stopped. */
export function moveResume(home: string, infoHash: Uint8Array, from: string, to: string): void {
  const old = pathsOf(home, infoHash, from);
  const next = pathsOf(home, infoHash, to);
  // The record last: a journal without its record claims nothing.
  for (const at of [1, 0] as const) {
    if (fs.existsSync(old[at])) fs.renameSync(old[at], next[at]);
    else fs.rmSync(next[at], { force: true });
  }
}

/** How files look now, in the form of a record. */
export function statFiles(paths: readonly string[]): FileLook[] {
  return paths.map((file) => {
    try {
      // Not by an exception: parts files are missing nearly always, and to make one costs more than the look.
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      if (stat === undefined) return { sizeBytes: -1, mtimeMs: 0 };
      return { sizeBytes: stat.size, mtimeMs: Math.floor(stat.mtimeMs) };
    } catch {
      return { sizeBytes: -1, mtimeMs: 0 };
    }
  });
}

type FileState = 'good' | 'doubtful' | 'gone';

/** Decides what of a record and its journal can be believed. */
export function judgeRecord(options: {
  readonly record: ResumeRecord;
  readonly journal: { readonly pieces: readonly number[]; readonly mtimeMs: number };
  readonly pieceCount: number;
  /** Present look of the files that were stored then, by the same indices; lengths they must have. */
  readonly now: readonly FileLook[];
  readonly partsNow: FileLook;
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
  const judge = (now: FileLook, then: FileLook): FileState => {
    if (now.sizeBytes < 0) return 'gone';
    const isAsThen = now.mtimeMs === then.mtimeMs && now.sizeBytes === then.sizeBytes;
    const wasWrittenByUs =
      !record.isClean && isSameBoot && now.mtimeMs <= latestMs && now.sizeBytes >= then.sizeBytes;
    return isAsThen || wasWrittenByUs ? 'good' : 'doubtful';
  };
  const partsState = judge(options.partsNow, record.parts);
  const states = now.map((file, index): FileState => {
    if (options.lengths[index] === 0) return 'good';
    if (!options.isStored(index)) return partsState;
    const then = record.files[index];
    if (then === undefined) return 'gone';
    const state = judge(file, then);
    return state === 'good' && file.sizeBytes !== options.lengths[index] ? 'doubtful' : state;
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

/** A record as it stands on disk: a digest in front, so that a flipped bit is not believed. */
export function sealRecord(record: LoadedRecord): Uint8Array {
  const body = encodeRecord(record);
  return concatBytes(createHash('sha256').update(body).digest(), body);
}

/** Reads what `sealRecord` made. @returns undefined for anything else, however damaged. */
export function openRecord(bytes: Uint8Array): LoadedRecord | undefined {
  const body = bytes.subarray(DIGEST_BYTES);
  const digest = createHash('sha256').update(body).digest();
  return equalBytes(digest, bytes.subarray(0, DIGEST_BYTES)) ? parseRecord(body) : undefined;
}

function encodeRecord(record: LoadedRecord): Uint8Array {
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
    parts: [record.parts.sizeBytes, record.parts.mtimeMs],
    journal: record.journalKey,
    clean: Number(record.isClean),
    info: record.infoBytes,
    layers,
    uploaded: record.uploadedBytes,
    downloaded: record.downloadedBytes,
    trackers:
      record.trackers === undefined
        ? undefined
        : { key: record.trackers.key, completed: record.trackers.completed },
    priorities: record.priorities,
  });
}

/** Reads a record's dictionary. @returns undefined for anything that is not one, however damaged. */
export function parseRecord(bytes: Uint8Array): LoadedRecord | undefined {
  const decoded = decodeDict(bytes);
  if (!decoded.ok || decoded.value.int('format') !== FORMAT) return undefined;
  const dict = decoded.value;
  const have = dict.bytes('have');
  const synced = dict.bytes('synced');
  const stored = dict.bytes('stored');
  const infoBytes = dict.bytes('info');
  const journalKey = dict.bytes('journal');
  const files = readLooks(dict.list('sizes'), dict.list('times'));
  const parts = readLooks(dict.list('parts')?.slice(0, 1), dict.list('parts')?.slice(1))?.[0];
  if (!have || !synced || !stored || !infoBytes || !files || !parts) return undefined;
  if (journalKey?.length !== KEY_BYTES) return undefined;
  const trackers = readTrackers(dict.dict('trackers'));
  const priorities = dict.bytes('priorities');
  return {
    have,
    synced,
    stored,
    infoBytes,
    boot: dict.text('boot') ?? '',
    files,
    parts,
    journalKey,
    isClean: dict.int('clean') === 1,
    layers: readLayers(dict.dict('layers')),
    uploadedBytes: Math.max(0, dict.int('uploaded') ?? 0),
    downloadedBytes: Math.max(0, dict.int('downloaded') ?? 0),
    ...(trackers === undefined ? {} : { trackers }),
    ...(priorities === undefined ? {} : { priorities }),
  };
}

function readTrackers(dict: BencodeDict | undefined): TrackerMemory | undefined {
  const key = dict?.int('key');
  const completed = dict?.list('completed');
  if (key === undefined || key < 0 || key > 0xffff_ffff || completed === undefined)
    return undefined;
  const names = completed.slice(0, MAX_COMPLETED_TOLD).map((name) => {
    return name instanceof Uint8Array ? decodeUtf8(name) : '';
  });
  return { key, completed: names };
}

/** Pairs sizes and times. @returns undefined when one is missing or no integer. */
function readLooks(
  sizes: readonly unknown[] | undefined,
  times: readonly unknown[] | undefined,
): FileLook[] | undefined {
  if (sizes === undefined || sizes.length !== times?.length) return undefined;
  const looks: FileLook[] = [];
  for (const [index, sizeBytes] of sizes.entries()) {
    const mtimeMs = times[index];
    if (!isInteger(sizeBytes) || !isInteger(mtimeMs)) return undefined;
    looks.push({ sizeBytes, mtimeMs });
  }
  return looks;
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function readLayers(dict: BencodeDict | undefined): Map<string, Uint8Array> {
  const layers = new Map<string, Uint8Array>();
  for (const root of dict?.keys() ?? []) {
    const layer = dict?.bytes(root);
    if (layer !== undefined) layers.set(root, layer.slice());
  }
  return layers;
}
