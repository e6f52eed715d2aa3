/**
 * What a person wants to send, as it lies on disk: names, sizes, modes and times, nothing of the content.
 *
 * Symbolic links inside the folder that lead to something else in it are sent as links; those that lead out of it, to nothing, to another link or to a
 * folder above them are left out and told, as are sockets, pipes and devices. A path that is a link itself is followed: its content is meant.
 * A file that cannot be read is an error before anything is sent.
 * Bounds: those of manifests (`protocol/send`).
 * @module
 */
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { AppError } from '../lib/errors.ts';
import type { FileLook } from '../plane/file-table.ts';
import {
  decodeManifest,
  encodeManifest,
  MAX_MANIFEST_ENTRIES,
  type Manifest,
  type ManifestEntry,
  type ManifestKind,
} from '../protocol/send/index.ts';
import { nodeError } from './errors.ts';

// Specification constants
const MODE_BITS = 0o777;

// Implementation limits
/** Files looked at before others get a turn. */
const LOOKS_PER_TURN = 512;

/** A path to send. */
export interface TransferSource {
  /** As the receiver reads it. */
  readonly manifest: Manifest;
  /** What goes over the wire. */
  readonly bytes: Uint8Array;
  /** Absolute folder that holds the top. */
  readonly dir: string;
  /** What the top is called there. */
  readonly topName: string;
  /** How each file of the manifest, in its order, must look as long as it is sent. */
  readonly looks: readonly FileLook[];
  /** Paths below the top that are not sent, each with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** Options of `walkSource`. */
export interface WalkOptions {
  /** Default 'files'. */
  readonly kind?: ManifestKind;
  /** What the receiver is told as the name; default: the path's last. */
  readonly name?: string;
}

/** Looks at a path and all below it. @throws {AppError} ERR_SOURCE_FILE. */
export async function walkSource(
  where: string,
  { kind = 'files', name }: WalkOptions = {},
): Promise<TransferSource> {
  const real = realPath(where);
  const walk = new Walk(real);
  await walk.add([]);
  walk.settleLinks();
  const own = path.basename(path.resolve(where));
  const bytes = encodeManifest({ kind, name: name ?? own, entries: walk.entries });
  const decoded = decodeManifest(bytes);
  if (!decoded.ok) throw nodeError('ERR_SOURCE_FILE', { path: where, reason: decoded.message });
  const manifest = decoded.value;
  const looks = manifest.entries.flatMap((entry) =>
    entry.kind === 'file' ? [{ sizeBytes: entry.sizeBytes, mtimeMs: entry.mtimeMs }] : [],
  );
  const [dir, topName] = [path.dirname(real), path.basename(real)];
  return { manifest, bytes, dir, topName, looks, skipped: walk.skipped };
}

function realPath(where: string): string {
  try {
    return fs.realpathSync(where);
  } catch (error) {
    throw refused(where, error);
  }
}

function refused(where: string, error: unknown): Error {
  const { code = 'EIO' } = error as NodeJS.ErrnoException;
  return nodeError('ERR_SOURCE_FILE', { path: where, reason: REASONS[code] ?? code }, error);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  EACCES: 'permission to read it is denied',
  EPERM: 'permission to read it is denied',
  ELOOP: 'its symbolic links go round in a circle',
};

/** Looks at a tree. */
class Walk {
  readonly entries: ManifestEntry[] = [];
  readonly skipped: { readonly path: string; readonly reason: string }[] = [];
  readonly #top: string;

  constructor(top: string) {
    this.#top = top;
  }

  async add(below: readonly string[]): Promise<void> {
    const where = path.join(this.#top, ...below);
    for (const name of this.#look(below, where)) await this.add([...below, name]);
    // One look takes microseconds, and there may be a million.
    if (this.entries.length % LOOKS_PER_TURN === 0) await turn();
  }

  /** @returns the names in a folder. */
  #look(below: readonly string[], where: string): readonly string[] {
    try {
      return this.#note(below, where);
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw refused(where, error);
    }
  }

  #note(below: readonly string[], where: string): readonly string[] {
    if (this.entries.length >= MAX_MANIFEST_ENTRIES) {
      const reason = `it has more than ${MAX_MANIFEST_ENTRIES} files and folders; pack them into one file first`;
      throw nodeError('ERR_SOURCE_FILE', { path: this.#top, reason });
    }
    if (below.at(-1)?.includes('\ufffd') === true) {
      const reason = 'its name is no well-formed UTF-8; rename it';
      throw nodeError('ERR_SOURCE_FILE', { path: where, reason });
    }
    const stat = fs.lstatSync(where);
    const mtimeMs = Math.floor(stat.mtimeMs);
    const mode = stat.mode & MODE_BITS;
    if (stat.isFile()) {
      fs.accessSync(where, fs.constants.R_OK);
      this.entries.push({ kind: 'file', path: below, sizeBytes: stat.size, mode, mtimeMs });
    } else if (stat.isDirectory()) {
      this.entries.push({ kind: 'folder', path: below, mode, mtimeMs });
      return fs.readdirSync(where);
    } else if (stat.isSymbolicLink()) {
      const target = this.#targetOf(where);
      if (target === undefined) this.#skip(below, 'a link that leads out of what is sent');
      else this.entries.push({ kind: 'link', path: below, target });
    } else if (below.length === 0) {
      throw nodeError('ERR_SOURCE_FILE', { path: where, reason: 'it is no file and no folder' });
    } else this.#skip(below, 'no file, folder or link');
    return [];
  }

  /** Names below the top; undefined for a link that leads out of it. */
  #targetOf(where: string): readonly string[] | undefined {
    const target = path.resolve(path.dirname(where), fs.readlinkSync(where));
    const relative = path.relative(this.#top, target);
    if (relative === '') return [];
    const names = relative.split(path.sep);
    return names[0] === '..' || path.isAbsolute(relative) ? undefined : names;
  }

  /** Leaves out links that receivers refuse. */
  settleLinks(): void {
    const kinds = new Map(this.entries.map(({ path: names, kind }) => [names.join('/'), kind]));
    const kept = this.entries.filter((entry) => {
      if (entry.kind !== 'link') return true;
      const kind = kinds.get(entry.target.join('/'));
      const isAbove = entry.target.every((name, i) => name === entry.path[i]);
      if (kind !== undefined && kind !== 'link' && !isAbove) return true;
      this.#skip(
        entry.path,
        'a link to nothing that is sent, to another link, or to a folder above it',
      );
      return false;
    });
    this.entries.splice(0, this.entries.length, ...kept);
  }

  #skip(below: readonly string[], reason: string): void {
    this.skipped.push({ path: below.join('/'), reason });
  }
}
