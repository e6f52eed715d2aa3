/**
 * Gives the files of a torrent their names on disk, and decides which symlinks are kept.
 *
 * Spec: BEP 47 (symlinks). A symlink is kept when its target is a file or folder of the torrent, directly or through other links,
 * and no folder above the link itself; otherwise it becomes an empty file. No file's path leads through a link: a link whose name is
 * also a folder is renamed, as every file is (see `paths.ts`).
 * @module
 */
import { fail, ok, type Result } from '../../lib/errors.ts';
import type { MetainfoErrorCode } from './errors.ts';
import { type NameRules, PathSet, safePath } from './paths.ts';
import type { RawFile } from './raw-files.ts';
import type { TorrentFile } from './types.ts';

// Implementation limits

/** Links followed to find out whether a link leads anywhere, as many as Linux follows. */
const MAX_LINK_HOPS = 40;

/** How a torrent's files are named. */
interface Naming {
  readonly name: string;
  readonly isSingleFile: boolean;
  readonly rules: NameRules;
}

/**
 * @param offsets start of each file in piece space.
 * @returns the files in the same order; a fault after too many renames.
 */
export function safeFiles(
  raw: readonly RawFile[],
  offsets: Float64Array,
  naming: Naming,
): Result<TorrentFile[], MetainfoErrorCode> {
  const wished = raw.map((file) =>
    naming.isSingleFile ? [naming.name] : safePath(file.path, naming.rules, naming.name),
  );
  const names = new PathSet(naming.rules);
  for (let i = 0; i < raw.length; i += 1)
    if (!raw[i]!.attributes.isPad) names.addDirectories(wished[i]!);
  const paths: (readonly string[])[] = [];
  for (let i = 0; i < raw.length; i += 1) {
    // Pads are never written, so they take no name from anybody.
    const path = raw[i]!.attributes.isPad ? wished[i]! : names.addFile(wished[i]!);
    if (path === undefined) {
      return fail(
        'ERR_METAINFO_TOO_MANY_DUPLICATE_NAMES',
        'expected few files of the same name, got too many to rename',
      );
    }
    paths.push(path);
  }
  const links = new Links(raw, wished, names, naming);
  return ok(raw.map((file, i) => torrentFile(file, paths[i]!, offsets[i]!, links.target(i))));
}

function torrentFile(
  raw: RawFile,
  path: readonly string[],
  offsetBytes: number,
  symlinkTarget: readonly string[] | undefined,
): TorrentFile {
  const { lengthBytes, piecesRoot } = raw;
  const { isPad, isExecutable, isHidden } = raw.attributes;
  const file = { path, lengthBytes, offsetBytes, isPad, isExecutable, isHidden };
  // Two shapes for the common cases: a spread of optional fields doubles the time for 100,000 files.
  if (symlinkTarget !== undefined) return { ...file, symlinkTarget };
  return piecesRoot === undefined
    ? file
    : { path, lengthBytes, offsetBytes, isPad, isExecutable, isHidden, piecesRoot };
}

/** Answers which symlinks lead somewhere inside the torrent. */
class Links {
  readonly #raw: readonly RawFile[];
  readonly #wished: readonly (readonly string[])[];
  readonly #names: PathSet;
  readonly #naming: Naming;
  /** By path key: the target of a link, or undefined for a file. */
  readonly #entries = new Map<string, readonly string[] | undefined>();

  constructor(
    raw: readonly RawFile[],
    wished: readonly (readonly string[])[],
    names: PathSet,
    naming: Naming,
  ) {
    this.#raw = raw;
    this.#wished = wished;
    this.#names = names;
    this.#naming = naming;
    if (!raw.some((file) => file.attributes.symlink !== undefined)) return;
    for (let i = 0; i < raw.length; i += 1) {
      const key = names.keyOf(wished[i]!);
      if (raw[i]!.attributes.isPad || this.#entries.has(key) || names.isDirectory(wished[i]!))
        continue;
      this.#entries.set(key, this.#stated(i));
    }
  }

  target(index: number): readonly string[] | undefined {
    const target = this.#stated(index);
    if (target === undefined) return undefined;
    const link = this.#wished[index]!;
    if (target.length < link.length && target.every((name, i) => name === link[i]))
      return undefined;
    let at = target;
    for (let hops = 0; hops < MAX_LINK_HOPS; hops += 1) {
      if (this.#names.isDirectory(at)) return target;
      const key = this.#names.keyOf(at);
      if (!this.#entries.has(key)) return undefined;
      const next = this.#entries.get(key);
      if (next === undefined) return target;
      at = next;
    }
    return undefined;
  }

  /** The target as the torrent states it, made safe; undefined for what is no link. */
  #stated(index: number): readonly string[] | undefined {
    const symlink = this.#raw[index]!.attributes.symlink;
    if (symlink === undefined || symlink.length === 0 || symlink.includes('..')) return undefined;
    return safePath(symlink, this.#naming.rules, this.#naming.name);
  }
}
