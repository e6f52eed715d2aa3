/**
 * Where a transfer arrives: a hidden folder in the one that a person chose, until all is there and right; then its top appears under its name at once.
 *
 * What is kept in `transfers/<id>.json` below the home folder, so that a process may be killed at any point: the digest, once the data is right
 * (from then on nothing is fetched, and files may have modes that forbid to read them), then the name that the top gets, then that it has it. It
 * goes with `forget`, or after RECEIPT_DAYS.
 * A name that is there is never overwritten: a file is linked, a folder's name is taken by an empty one first, and both fail where something
 * is; "name (2)" is the next try.
 * Bounds: FINISH_ENTRIES entries a job; MAX_NAME_TRIES names.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../io/atomic-file.ts';
import { makeFolder } from '../io/make-folder.ts';
import { toHex } from '../lib/bytes.ts';
import type { JobResult } from '../plane/disk-jobs.ts';
import type { DiskPool } from '../plane/disk-pool.ts';
import { dress, type FinishEntry } from '../plane/finish-tree.ts';
import type { Manifest, Placement } from '../protocol/send/index.ts';
import { nodeError } from './errors.ts';

// Implementation limits
/** Entries that a worker finishes at once. */
const FINISH_ENTRIES = 1_000;
/** "name (2)" … "name (999)". */
const MAX_NAME_TRIES = 999;
/** How long it is remembered where a transfer went whose end nobody confirmed. */
const RECEIPT_DAYS = 7;
/** A state file holds one name. */
const MAX_STATE_BYTES = 4_096;

/** What is remembered of a transfer whose data is right. */
interface SinkState {
  /** Hex. */
  readonly digest: string;
  /** What the top is called, or was about to be. */
  readonly target?: string;
  readonly isDone?: boolean;
}

/** Options of `new TransferSink`. */
export interface SinkOptions {
  readonly manifest: Manifest;
  readonly placement: Placement;
  /** 20 bytes. */
  readonly hash: Uint8Array;
  /** The folder that the top goes into; absolute. */
  readonly dir: string;
  readonly home: string;
  readonly disk: DiskPool;
}

/** The place of one transfer. */
export class TransferSink {
  /** The hidden folder; nothing is there before `open`. */
  readonly staging: string;
  readonly #options: SinkOptions;
  readonly #statePath: string;
  readonly #topName: string;
  readonly #wasSealed: boolean;
  #state: SinkState | undefined;

  constructor(options: SinkOptions) {
    this.#options = options;
    const id = toHex(options.hash.subarray(0, 8));
    this.staging = path.join(options.dir, `.starling-${id}`);
    this.#statePath = path.join(options.home, 'transfers', `${id}.json`);
    this.#topName = options.placement.paths[0]![0]!;
    this.#state = readState(this.#statePath);
    this.#wasSealed = this.#state !== undefined;
  }

  /** The digest, when all data came and was found right, in this run or an earlier one. */
  get digest(): string | undefined {
    return this.#state?.digest;
  }

  /** Makes room. @throws {AppError} ERR_NO_SPACE, ERR_FILE; nothing is there then that was not before. */
  open(): void {
    const { dir } = this.#options;
    this.#checkSpace();
    try {
      makeFolder(dir);
      // For us alone: files get their own modes at the end.
      makeFolder(this.staging, 0o700);
    } catch (error) {
      throw writeError(this.staging, error);
    }
  }

  #checkSpace(): void {
    const { manifest, placement, dir } = this.#options;
    let neededBytes = 0;
    const isFresh = !fs.existsSync(this.staging);
    for (const [index, entry] of manifest.entries.entries()) {
      if (entry.kind !== 'file') continue;
      const where = path.join(this.staging, ...placement.paths[index]!);
      const stat = isFresh ? undefined : fs.statSync(where, { throwIfNoEntry: false });
      // Blocks, not the size: files are made at their whole length.
      const thereBytes = (stat?.blocks ?? 0) * 512;
      neededBytes += Math.max(0, entry.sizeBytes - thereBytes);
    }
    let folder = dir;
    while (!fs.existsSync(folder)) folder = path.dirname(folder);
    const { bavail, bsize } = fs.statfsSync(folder);
    const freeBytes = bavail * bsize;
    if (neededBytes > freeBytes) throw nodeError('ERR_NO_SPACE', { dir, neededBytes, freeBytes });
  }

  /** The data is right: nothing of it is fetched any more. */
  seal(digest: string): void {
    if (this.#state === undefined) this.#save({ digest });
  }

  /**
   * Finishes the tree and gives its top its name. After `seal`; may be cut short anywhere and called again.
   * @returns the absolute path of the top. @throws {AppError} ERR_FILE.
   */
  async finish(): Promise<string> {
    const { dir, manifest } = this.#options;
    const source = path.join(this.staging, this.#topName);
    if (this.#state?.isDone !== true) {
      // Moved, but not noted: the top has a name and left no other.
      const isMoved = this.#state?.target !== undefined && !fs.existsSync(source);
      if (!isMoved) {
        await this.#dressAll();
        this.#move(source);
      }
      const target = path.join(dir, this.#state!.target!);
      const top = manifest.entries[0]!;
      // A folder that must not be written to could not have been moved.
      if (top.kind !== 'link') attempt(target, () => dress(target, top));
      this.#save({ ...this.#state!, isDone: true });
    }
    fs.rmSync(this.staging, { recursive: true, force: true });
    return path.join(dir, this.#state!.target!);
  }

  /** Removes what came. */
  discard(): void {
    // Folders that were dressed may forbid it.
    unlock(this.staging);
    fs.rmSync(this.staging, { recursive: true, force: true });
    this.forget();
  }

  /** Both ends know that it is over. */
  forget(): void {
    this.#state = undefined;
    removeStates(this.#statePath);
  }

  async #dressAll(): Promise<void> {
    const { disk } = this.#options;
    // A run that was killed may have dressed folders that now forbid to look into them.
    if (this.#wasSealed) unlock(this.staging);
    const entries = this.#finishEntries();
    const storage = disk.open({ dir: this.staging, partsPath: '', files: [] });
    // One worker: jobs of several would not keep their order, and folders come before what is in them.
    const worker = disk.idlest();
    const run = async (step: 'make' | 'dress', all: readonly FinishEntry[]): Promise<void> => {
      for (let at = 0; at < all.length; at += FINISH_ENTRIES) {
        const part = all.slice(at, at + FINISH_ENTRIES);
        const job = { kind: 'finish', storage: storage.id, step, dir: this.staging } as const;
        const { fault } = await new Promise<JobResult>((resolve) => {
          disk.submit(worker, { ...job, entries: part }, resolve);
        });
        if (fault !== undefined) throw nodeError('ERR_FILE', fault);
      }
    };
    try {
      await run('make', entries);
      // What is in a folder before the folder; a top that is one is dressed when it has moved.
      await run('dress', entries.filter(({ kind }, i) => i > 0 || kind === 'file').reverse());
    } finally {
      await disk.onAll('close', storage.id);
    }
  }

  #finishEntries(): FinishEntry[] {
    const { manifest, placement } = this.#options;
    const { entries } = manifest;
    const places = new Map<string, readonly string[]>();
    if (entries.some(({ kind }) => kind === 'link')) {
      for (const [index, { path: names }] of entries.entries()) {
        places.set(names.join('/'), placement.paths[index]!);
      }
    }
    return entries.map((entry, index) => {
      const place = placement.paths[index]!;
      const own = { kind: entry.kind, path: path.join(...place), sizeBytes: -1, target: '' };
      if (entry.kind !== 'link') {
        const { mode, mtimeMs } = entry;
        return { ...own, mode, mtimeMs, sizeBytes: entry.kind === 'file' ? entry.sizeBytes : -1 };
      }
      const target = places.get(entry.target.join('/'))!;
      const relative = path.relative(path.join('/', ...place, '..'), path.join('/', ...target));
      return { ...own, mode: 0, mtimeMs: 0, target: relative };
    });
  }

  #move(source: string): void {
    const { dir } = this.#options;
    const isFolder = fs.statSync(source).isDirectory();
    for (let tries = 1; tries <= MAX_NAME_TRIES; tries += 1) {
      const known = tries === 1 ? this.#state!.target : undefined;
      const name = known ?? numbered(this.#topName, tries, isFolder);
      const target = path.join(dir, name);
      if (known === undefined && fs.lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
        continue;
      }
      // Noted before it is done: whoever comes after a crash knows whose name it is.
      this.#save({ digest: this.#state!.digest, target: name });
      const isMoved = attempt(target, () =>
        isFolder ? moveFolder(source, target, known !== undefined) : moveFile(source, target),
      );
      if (isMoved) return;
    }
    throw nodeError('ERR_FILE', {
      path: path.join(dir, this.#topName),
      code: 'EEXIST',
      operation: 'write',
    });
  }

  #save(state: SinkState): void {
    attempt(this.#statePath, () => {
      writeFileAtomic(this.#statePath, new TextEncoder().encode(JSON.stringify(state)));
    });
    this.#state = state;
  }
}

/** @returns false when the name is taken. */
function moveFolder(source: string, target: string, wasBegun: boolean): boolean {
  try {
    fs.mkdirSync(target);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // An empty folder may be what a run that was killed left in its place; a rename takes no other.
    if (!wasBegun) return false;
  }
  try {
    fs.renameSync(source, target);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error))) throw error;
    return false;
  }
  return true;
}

/** @returns false when the name is taken. */
function moveFile(source: string, target: string): boolean {
  try {
    fs.linkSync(source, target);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') {
      const [ours, theirs] = [fs.lstatSync(source), fs.lstatSync(target)];
      // A run that was killed came as far as this.
      if (ours.ino !== theirs.ino || ours.dev !== theirs.dev) return false;
    } else if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) {
      return moveFileWithoutLinks(source, target);
    } else throw error;
  }
  fs.unlinkSync(source);
  return true;
}

/** Where the file system has no hard links: the name is taken by an empty file first. */
function moveFileWithoutLinks(source: string, target: string): boolean {
  try {
    fs.closeSync(fs.openSync(target, 'wx'));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return false;
  }
  fs.renameSync(source, target);
  return true;
}

/** "name (2)", "name (2).ext", as browsers do. @param tries 1: the name itself. */
function numbered(name: string, tries: number, isFolder: boolean): string {
  if (tries === 1) return name;
  const dot = isFolder ? 0 : name.lastIndexOf('.');
  return dot > 0 ? `${name.slice(0, dot)} (${tries})${name.slice(dot)}` : `${name} (${tries})`;
}

function readState(file: string): SinkState | undefined {
  const bytes = readFileIfThere(file);
  if (bytes === undefined || bytes.length > MAX_STATE_BYTES) return undefined;
  try {
    const state: SinkState = JSON.parse(new TextDecoder().decode(bytes));
    const { digest, target } = state;
    const isName =
      target === undefined || (typeof target === 'string' && path.basename(target) === target);
    return typeof digest === 'string' && isName ? state : undefined;
  } catch {
    // Not ours, or damaged: the data is fetched again.
    return undefined;
  }
}

/** Removes a state, with what a killed process left of writing it, and what nobody asked for in a week. */
function removeStates(statePath: string): void {
  const folder = path.dirname(statePath);
  const oldMs = Date.now() - RECEIPT_DAYS * 86_400_000;
  for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
    const where = path.join(folder, name);
    const isOld = (fs.statSync(where, { throwIfNoEntry: false })?.mtimeMs ?? 0) < oldMs;
    if (isOld || where.startsWith(statePath)) fs.rmSync(where, { recursive: true, force: true });
  }
}

/** Makes folders writable again, so that they can be removed. */
function unlock(folder: string): void {
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return;
  fs.chmodSync(folder, 0o700);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) unlock(path.join(folder, entry.name));
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO';
}

function writeError(where: string, error: unknown): Error {
  return nodeError('ERR_FILE', { path: where, code: codeOf(error), operation: 'write' }, error);
}

function attempt<T>(where: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw writeError(where, error);
  }
}
