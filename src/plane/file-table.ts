/**
 * The files of one storage: where each lies, which are open, and which of them exist at all.
 *
 * A file is opened when first needed and created sparse at its full length when first written. Files that were not selected are not
 * created: their share of border pieces lives in one sparse parts file, at its place in piece space. Open files are kept in an LRU of
 * MAX_OPEN_FILES (`open-files.ts`); each thread has a table of its own.
 * Safety: writing never follows a symlink in the last component and refuses a parent that leads out of the folder, before it makes one.
 * Reading follows links: what is read was hashed first.
 * Other programs: a file that is cut, deleted or replaced while it is written to makes a fault at the next write, and one whose size or time
 * is not as `expect` was told makes one at the next read: nothing is added to, or sent of, what may not be ours any more.
 * A closed table stays closed: late work must not open files that nobody will close.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../io/make-folder.ts';
import { assert } from '../lib/assert.ts';
import { openFilesLimit, openFilesUnder } from './open-files.ts';

/** Open files that a table of this process keeps. */
const OPEN_FILES = openFilesUnder(openFilesLimit());

/** One file, as a worker needs to know it. */
export interface StoredFile {
  /** Relative to the folder, with the system's separators. */
  readonly path: string;
  readonly lengthBytes: number;
  /** Start in piece space. */
  readonly offsetBytes: number;
  readonly isPad: boolean;
  readonly isExecutable: boolean;
  /** False: not selected, its bytes go to the parts file. */
  readonly isStored: boolean;
}

/** Where a torrent's bytes are kept; plain data, sent to workers. */
export interface StorageSpec {
  readonly id: number;
  /** Absolute folder that holds the torrent's top name. */
  readonly dir: string;
  /** Absolute path of the parts file. */
  readonly partsPath: string;
  readonly files: readonly StoredFile[];
}

/** Size and time of a file; -1 and 0 for one that is not there. */
export interface FileLook {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/**
 * A disk operation that failed; `path` names the file, `code` is the system's (ENOSPC, EACCES, ENOENT, …) or ours: TRUNCATED, CHANGED and
 * VANISHED tell what somebody else did to it, ECLOSED that its storage was closed.
 */
export interface DiskFault {
  readonly code: string;
  readonly path: string;
  readonly operation: 'open' | 'read' | 'write' | 'sync';
}

/** Carries a DiskFault through code that throws. */
export class DiskFaultError extends Error {
  readonly fault: DiskFault;
  constructor(fault: DiskFault, cause: unknown) {
    super(`${fault.operation} ${fault.path}: ${fault.code}`, { cause });
    this.fault = fault;
  }
}

/** The DiskFault in an error; an unexpected error is passed on. */
export function diskFaultOf(error: unknown): DiskFault {
  if (error instanceof DiskFaultError) return error.fault;
  throw error;
}

interface OpenFile {
  readonly fd: number;
  readonly canWrite: boolean;
  users: number;
  /** It had a name when it was opened; some file systems count none. */
  readonly isNamed: boolean;
  /** It is in no table any more: its last user closes it. */
  isStale: boolean;
}

/** A place in a file: what an open call gives. */
export interface FilePlace {
  readonly fd: number;
  /** Add to an offset in the torrent's file to get the offset in the opened one. */
  readonly baseBytes: number;
  readonly key: number;
  readonly open: OpenFile;
}

const PARTS_KEY = -1;
/** Absent on Windows. */
const NO_FOLLOW = fs.constants.O_NOFOLLOW ?? 0;

/** Opens and closes the files of one storage. */
export class FileTable {
  #spec: StorageSpec;
  readonly #open = new Map<number, OpenFile>();
  /** Files opened for writing before: when such a file is gone, data is gone, and making it anew would hide that. */
  readonly #made = new Set<number>();
  /** Files with data that was written after the last sync, evicted ones too. */
  readonly #unsynced = new Set<number>();
  /** How files look that nobody writes to any more. */
  readonly #expected = new Map<number, FileLook>();
  /** The folder that a file was made in last: its way down was looked at, and small files come by the thousand. */
  #lastFolder = '';
  #isClosed = false;

  constructor(spec: StorageSpec) {
    this.#spec = spec;
  }

  get spec(): StorageSpec {
    return this.#spec;
  }

  /** Files of the same storage have a place of their own now; what was read and written before lies where it lay. */
  respec(spec: StorageSpec): void {
    this.#spec = spec;
  }

  /** The absolute path that holds a file's bytes. */
  pathOf(fileIndex: number): string {
    const file = this.spec.files[fileIndex]!;
    return file.isStored ? path.join(this.spec.dir, file.path) : this.spec.partsPath;
  }

  /** Opens a file and keeps it open until `release`. @throws {DiskFaultError} also after `close` (ECLOSED). */
  acquire(fileIndex: number, canWrite: boolean): FilePlace {
    const file = this.spec.files[fileIndex]!;
    const key = file.isStored ? fileIndex : PARTS_KEY;
    if (this.#isClosed) {
      throw new DiskFaultError(
        { code: 'ECLOSED', path: this.#pathOfKey(key), operation: 'open' },
        undefined,
      );
    }
    let open = this.#open.get(key);
    if (open !== undefined && canWrite && !open.canWrite) {
      assert(open.users === 0, `file ${fileIndex}: expected no reader when it is opened to write`);
      this.#close(key, open);
      open = undefined;
    }
    if (open === undefined) {
      while (this.#open.size >= OPEN_FILES && this.#evict());
      const fd = this.#openFile(fileIndex, key, canWrite);
      open = { fd, canWrite, users: 0, isNamed: fs.fstatSync(fd).nlink > 0, isStale: false };
    } else {
      this.#open.delete(key);
    }
    this.#open.set(key, open);
    open.users += 1;
    return { open, fd: open.fd, baseBytes: file.isStored ? 0 : file.offsetBytes, key };
  }

  /** The end of an `acquire`; after `close` the last one closes the file. */
  release(place: FilePlace): void {
    const { open } = place;
    open.users -= 1;
    if ((this.#isClosed || open.isStale) && open.users === 0) fs.closeSync(open.fd);
  }

  /** How a file must look when it is read from now on; undefined: as it likes, since it is written to. */
  expect(fileIndex: number, look: FileLook | undefined): void {
    if (look === undefined) this.#expected.delete(fileIndex);
    else this.#expected.set(fileIndex, look);
  }

  /** How a file must look, if anybody said. */
  expected(fileIndex: number): FileLook | undefined {
    return this.#expected.get(fileIndex);
  }

  /** Looks at a file that was acquired for reading. @returns a fault when it is not as it should be. */
  changeOf(fileIndex: number, place: FilePlace): DiskFault | undefined {
    const expected = this.#expected.get(fileIndex);
    if (expected === undefined) return undefined;
    const { size, mtimeMs, nlink } = fs.fstatSync(place.fd);
    const isSame = size === expected.sizeBytes && Math.floor(mtimeMs) === expected.mtimeMs;
    const isGone = place.open.isNamed && nlink === 0;
    if (isSame && !isGone) return undefined;
    const code = codeOfChange(isGone, size, expected.sizeBytes) ?? 'CHANGED';
    return { code, path: this.pathOf(fileIndex), operation: 'read' };
  }

  /** Closes everything, so that files are opened anew, and made anew where they are gone; those in use close when they are released. */
  refresh(): void {
    for (const open of this.#open.values()) {
      if (open.users === 0) fs.closeSync(open.fd);
      else open.isStale = true;
    }
    this.#open.clear();
    this.#made.clear();
    this.#lastFolder = '';
  }

  /** Writes `bytes` at `offsetBytes` of a file, all of them. @throws {DiskFaultError} */
  write(fileIndex: number, bytes: Uint8Array, offsetBytes: number): void {
    const place = this.acquire(fileIndex, true);
    try {
      this.#checkUnderneath(fileIndex, place);
      this.#unsynced.add(place.key);
      let at = 0;
      while (at < bytes.length) {
        const from = place.baseBytes + offsetBytes + at;
        const count = fs.writeSync(place.fd, bytes, at, bytes.length - at, from);
        if (count === 0) throw systemError('EIO', 'the system took no bytes');
        at += count;
      }
    } catch (error) {
      throw this.fault(fileIndex, 'write', error);
    } finally {
      this.release(place);
    }
  }

  /** What was verified may be gone with what somebody cut off or replaced: a fault, before more is added. */
  #checkUnderneath(fileIndex: number, place: FilePlace): void {
    const { size, nlink } = fs.fstatSync(place.fd);
    const file = this.spec.files[fileIndex]!;
    const isGone = place.open.isNamed && nlink === 0;
    const code = codeOfChange(isGone, size, file.isStored ? file.lengthBytes : 0);
    if (code !== undefined) {
      throw new DiskFaultError(
        { code, path: this.pathOf(fileIndex), operation: 'write' },
        undefined,
      );
    }
  }

  /** Reads into `bytes` from `offsetBytes`; a short count means that the file ends there. @throws {DiskFaultError} */
  read(fileIndex: number, bytes: Uint8Array, offsetBytes: number): number {
    const place = this.acquire(fileIndex, false);
    try {
      let at = 0;
      while (at < bytes.length) {
        const from = place.baseBytes + offsetBytes + at;
        const count = fs.readSync(place.fd, bytes, at, bytes.length - at, from);
        if (count === 0) break;
        at += count;
      }
      return at;
    } catch (error) {
      throw this.fault(fileIndex, 'read', error);
    } finally {
      this.release(place);
    }
  }

  /** Forces all data written since the last sync to the disk, that of evicted files too. @throws {DiskFaultError} */
  sync(): void {
    for (const key of this.#unsynced) {
      const open = this.#open.get(key);
      try {
        if (open?.canWrite === true) fs.fdatasyncSync(open.fd);
        else this.#syncClosed(key);
      } catch (error) {
        throw this.fault(key, 'sync', error);
      }
      this.#unsynced.delete(key);
    }
  }

  /** Closes every file, those in use when their last user releases them; nothing can be opened afterwards. */
  close(): void {
    this.#isClosed = true;
    for (const open of this.#open.values()) if (open.users === 0) fs.closeSync(open.fd);
    this.#open.clear();
  }

  /** Wraps a system error so that it names the file. */
  fault(fileIndex: number, operation: DiskFault['operation'], error: unknown): DiskFaultError {
    if (error instanceof DiskFaultError) return error;
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    return new DiskFaultError({ code, path: this.#pathOfKey(fileIndex), operation }, error);
  }

  #pathOfKey(key: number): string {
    return key === PARTS_KEY ? this.spec.partsPath : this.pathOf(key);
  }

  #openFile(fileIndex: number, key: number, canWrite: boolean): number {
    for (;;) {
      try {
        return canWrite
          ? this.#openToWrite(fileIndex, key)
          : fs.openSync(this.pathOf(fileIndex), 'r');
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // Other tables and sockets share the process's limit: give one of ours back and try again.
        if ((code === 'EMFILE' || code === 'ENFILE') && this.#evict()) continue;
        throw this.fault(fileIndex, 'open', error);
      }
    }
  }

  #openToWrite(fileIndex: number, key: number): number {
    const file = this.spec.files[fileIndex]!;
    const where = this.pathOf(fileIndex);
    const mode = file.isExecutable ? 0o777 : 0o666;
    const flags = fs.constants.O_RDWR | NO_FOLLOW;
    const isNew = !this.#made.has(key);
    if (isNew) {
      const folder = path.dirname(where);
      if (!file.isStored) makeFolderOf(folder);
      else if (folder !== this.#lastFolder) makeFolderInside(this.spec.dir, folder);
      if (file.isStored) this.#lastFolder = folder;
    }
    let fd: number;
    try {
      fd = fs.openSync(where, isNew ? flags | fs.constants.O_CREAT : flags, mode);
    } catch (error) {
      // Said once: the next attempt makes it again, and its folder.
      this.#made.delete(key);
      this.#lastFolder = '';
      throw error;
    }
    try {
      if (file.isStored && fs.fstatSync(fd).size < file.lengthBytes) {
        fs.ftruncateSync(fd, file.lengthBytes);
      }
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    this.#made.add(key);
    return fd;
  }

  #syncClosed(key: number): void {
    const fd = fs.openSync(this.#pathOfKey(key), fs.constants.O_RDWR | NO_FOLLOW);
    try {
      fs.fdatasyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Closes the idle file used longest ago. @returns false when every file is in use. */
  #evict(): boolean {
    for (const [key, open] of this.#open) {
      if (open.users > 0) continue;
      this.#close(key, open);
      return true;
    }
    return false;
  }

  #close(key: number, open: OpenFile): void {
    this.#open.delete(key);
    fs.closeSync(open.fd);
  }
}

/** A file without a name was deleted or replaced; one that is shorter was cut. */
function codeOfChange(isGone: boolean, size: number, leastBytes: number): string | undefined {
  if (isGone) return 'VANISHED';
  return size < leastBytes ? 'TRUNCATED' : undefined;
}

/**
 * Makes a folder below `dir`, and `dir` too, without leaving it: links on the way are followed as far as they stay inside.
 * @throws the system's error; ELOOP when a link leads out, ENOTDIR when a file is in the place of a folder.
 */
export function makeFolderInside(dir: string, folder: string): void {
  makeFolderOf(dir);
  // Follows the part of the path that exists; what mkdir adds to it has no links.
  let existing = folder;
  while (fs.lstatSync(existing, { throwIfNoEntry: false }) === undefined) {
    existing = path.dirname(existing);
  }
  const relative = path.relative(fs.realpathSync(dir), fs.realpathSync(existing));
  if (relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative)) {
    throw systemError('ELOOP', 'a link leads out of the folder');
  }
  makeFolderOf(folder);
}

function makeFolderOf(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    // A file where a folder should be: ENOTDIR further up the path, EEXIST at its end.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw systemError('ENOTDIR', 'a file is in the place of a folder', error);
  }
}

function systemError(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}
