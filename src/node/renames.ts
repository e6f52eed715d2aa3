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
  const follow = follower(renames);
  const [name] = follow([info.name]) as [string];
  const files = info.files.map((file) => ({
    ...file,
    path: follow(file.path),
    ...(file.symlinkTarget === undefined ? {} : { symlinkTarget: follow(file.symlinkTarget) }),
  }));
  return { ...info, name, files };
}

/** Where a path leads. By what is renamed, not by one rename after the other: thousands of files times a thousand renames are seconds. */
function follower(renames: readonly Rename[]): (path: readonly string[]) => readonly string[] {
  const places = new Map<string, number[]>();
  for (const [place, { path }] of renames.entries()) {
    // No component holds a slash.
    const key = path.join('/');
    const same = places.get(key);
    if (same === undefined) places.set(key, [place]);
    else same.push(place);
  }
  const nextOf = (path: readonly string[], from: number): number => {
    let next = renames.length;
    let key = '';
    for (const [i, part] of path.entries()) {
      key = i === 0 ? part : `${key}/${part}`;
      const place = places.get(key)?.find((each) => each >= from) ?? next;
      if (place < next) next = place;
    }
    return next;
  };
  return (path) => {
    let now = path;
    for (let at = nextOf(now, 0); at < renames.length; at = nextOf(now, at + 1)) {
      const { path: old, name } = renames[at]!;
      now = now.with(old.length - 1, name);
    }
    return now;
  };
}

/** One more; what is called otherwise again counts once, what is called as before not at all, unless what came between has to do with it. */
export function withRename(renames: readonly Rename[], next: Rename): readonly Rename[] {
  const goal = renamedPath(next);
  const touches = (path: readonly string[]): boolean =>
    [next.path, goal].some((own) => isAt(path, own) || isAt(own, path));
  const place = renames.findLastIndex((each) => touches(each.path) || touches(renamedPath(each)));
  const before = renames[place];
  const isSame =
    before !== undefined &&
    before.path.length === next.path.length &&
    isAt(renamedPath(before), next.path);
  if (!isSame) return [...renames, next];
  const isBack = before.path.at(-1) === next.name;
  return isBack ? renames.toSpliced(place, 1) : renames.with(place, { ...before, name: next.name });
}
