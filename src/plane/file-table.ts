/**
 * The files of one storage: where each lies, which are open, and which of them exist at all.
 *
 * A file is opened when first needed and created sparse at its full length when first written. Files that were not selected are not
 * created: their share of border pieces lives in one sparse parts file, at its place in piece space. Open files are kept in an LRU of
 * MAX_OPEN_FILES; each thread has a table of its own.
 * Safety: a last component that is a symlink is never followed, and a parent that leads out of the folder is refused.
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';

// Implementation limits
/** Open files a table keeps. */
export const MAX_OPEN_FILES = 64;

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

/** A disk operation that failed; `path` names the file, `code` is the system's (ENOSPC, EACCES, ENOENT, …). */
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
}

/** A place in a file: what an open call gives. */
export interface FilePlace {
  readonly fd: number;
  /** Add to an offset in the torrent's file to get the offset in the opened one. */
  readonly baseBytes: number;
  readonly key: number;
}

const PARTS_KEY = -1;

/** Opens and closes the files of one storage. */
export class FileTable {
  readonly spec: StorageSpec;
  readonly #open = new Map<number, OpenFile>();
  #realDir: string | undefined;

  constructor(spec: StorageSpec) {
    this.spec = spec;
  }

  /** The absolute path that holds a file's bytes. */
  pathOf(fileIndex: number): string {
    const file = this.spec.files[fileIndex]!;
    return file.isStored ? path.join(this.spec.dir, file.path) : this.spec.partsPath;
  }

  /** Opens a file and keeps it open until `release`. @throws {DiskFaultError} */
  acquire(fileIndex: number, canWrite: boolean): FilePlace {
    const file = this.spec.files[fileIndex]!;
    const key = file.isStored ? fileIndex : PARTS_KEY;
    let open = this.#open.get(key);
    if (open !== undefined && canWrite && !open.canWrite && open.users === 0) {
      this.#close(key, open);
      open = undefined;
    }
    if (open === undefined) {
      open = { fd: this.#openFile(fileIndex, canWrite), canWrite, users: 0 };
      this.#evict();
    } else {
      this.#open.delete(key);
    }
    this.#open.set(key, open);
    open.users += 1;
    return { fd: open.fd, baseBytes: file.isStored ? 0 : file.offsetBytes, key };
  }

  release(place: FilePlace): void {
    const open = this.#open.get(place.key);
    if (open !== undefined) open.users -= 1;
  }

  /** Writes `bytes` at `offsetBytes` of a file, all of them. @throws {DiskFaultError} */
  write(fileIndex: number, bytes: Uint8Array, offsetBytes: number): void {
    const place = this.acquire(fileIndex, true);
    try {
      let at = 0;
      while (at < bytes.length) {
        const from = place.baseBytes + offsetBytes + at;
        at += fs.writeSync(place.fd, bytes, at, bytes.length - at, from);
      }
    } catch (error) {
      throw this.fault(fileIndex, 'write', error);
    } finally {
      this.release(place);
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

  /** Forces written data of the open files to the disk. @throws {DiskFaultError} */
  sync(): void {
    for (const [key, open] of this.#open) {
      if (!open.canWrite) continue;
      try {
        fs.fdatasyncSync(open.fd);
      } catch (error) {
        throw this.fault(key, 'sync', error);
      }
    }
  }

  close(): void {
    for (const [key, open] of this.#open) this.#close(key, open);
  }

  /** Wraps a system error so that it names the file. */
  fault(fileIndex: number, operation: DiskFault['operation'], error: unknown): DiskFaultError {
    if (error instanceof DiskFaultError) return error;
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    const where = fileIndex === PARTS_KEY ? this.spec.partsPath : this.pathOf(fileIndex);
    return new DiskFaultError({ code, path: where, operation }, error);
  }

  #openFile(fileIndex: number, canWrite: boolean): number {
    const file = this.spec.files[fileIndex]!;
    const where = this.pathOf(fileIndex);
    const { O_RDONLY, O_RDWR, O_CREAT, O_NOFOLLOW } = fs.constants;
    const noFollow = O_NOFOLLOW ?? 0;
    try {
      if (!canWrite) return fs.openSync(where, O_RDONLY);
      fs.mkdirSync(path.dirname(where), { recursive: true });
      if (file.isStored) this.#refuseEscape(path.dirname(where));
      const mode = file.isExecutable ? 0o777 : 0o666;
      const fd = fs.openSync(where, O_RDWR | O_CREAT | noFollow, mode);
      if (file.isStored && fs.fstatSync(fd).size < file.lengthBytes) {
        fs.ftruncateSync(fd, file.lengthBytes);
      }
      return fd;
    } catch (error) {
      throw this.fault(fileIndex, 'open', error);
    }
  }

  #refuseEscape(parent: string): void {
    this.#realDir ??= fs.realpathSync(this.spec.dir);
    const relative = path.relative(this.#realDir, fs.realpathSync(parent));
    if (relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative)) {
      throw Object.assign(new Error('a link leads out of the folder'), { code: 'ELOOP' });
    }
  }

  #evict(): void {
    if (this.#open.size < MAX_OPEN_FILES) return;
    for (const [key, open] of this.#open) {
      if (open.users > 0) continue;
      this.#close(key, open);
      return;
    }
  }

  #close(key: number, open: OpenFile): void {
    this.#open.delete(key);
    fs.closeSync(open.fd);
  }
}
