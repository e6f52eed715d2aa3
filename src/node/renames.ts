/**
 * Files and folders of a torrent that a person calls otherwise than the torrent does.
 *
 * What lies on disk and what is shown has the person's names; peers, web seeds and hashes know the torrent's alone.
 * Not here: the disk, and which names are fit (torrents/rename-files.ts).
 * @module
 */
import type { Info } from '../protocol/metainfo/index.ts';

/** A file or folder got another name. */
export interface Rename {
  /** As it was called before, from the top name on. */
  readonly path: readonly string[];
  /** In place of the last component: a safe one. */
  readonly name: string;
}

/** The path after it. */
export function renamedPath({ path, name }: Rename): string[] {
  return [...path.slice(0, -1), name];
}

/** Whether a path is this file or folder, or below it. */
export function isAt(path: readonly string[], at: readonly string[]): boolean {
  // The last component first: siblings share all others.
  for (let i = at.length - 1; i >= 0; i -= 1) if (path[i] !== at[i]) return false;
  return true;
}

/** The torrent with other names; the hashes and `infoBytes` stay what they are. @param renames one after the other. */
export function renamed(info: Info, renames: readonly Rename[]): Info {
  if (renames.length === 0) return info;
  const follow = (path: readonly string[]): readonly string[] =>
    renames.reduce<readonly string[]>(
      (now, { path: at, name }) => (isAt(now, at) ? now.with(at.length - 1, name) : now),
      path,
    );
  const [name] = follow([info.name]) as [string];
  const files = info.files.map((file) => ({
    ...file,
    path: follow(file.path),
    ...(file.symlinkTarget === undefined ? {} : { symlinkTarget: follow(file.symlinkTarget) }),
  }));
  return { ...info, name, files };
}

/** One more; what is called otherwise again counts once, what is called as before not at all. */
export function withRename(renames: readonly Rename[], next: Rename): readonly Rename[] {
  const last = renames.at(-1);
  const isSame =
    last !== undefined &&
    last.path.length === next.path.length &&
    isAt(renamedPath(last), next.path);
  if (!isSame) return [...renames, next];
  const before = renames.slice(0, -1);
  return last.path.at(-1) === next.name ? before : [...before, { ...last, name: next.name }];
}
