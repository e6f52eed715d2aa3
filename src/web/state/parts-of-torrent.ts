/**
 * The rows of one kind of the torrent that is looked at.
 * @module
 */
import type { TorrentFile, TorrentPeer, TorrentTracker } from '../../contract/index.ts';
import { torrent } from './live.ts';
import { useDerived } from './use-collection.ts';

interface Kinds {
  readonly file: TorrentFile;
  readonly peer: TorrentPeer;
  readonly tracker: TorrentTracker;
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at]);
}

/** Rows whose key begins with the kind; the same array as long as none of them changed. */
export function useParts<Kind extends keyof Kinds>(kind: Kind): readonly Kinds[Kind][] {
  return useDerived(
    torrent,
    (all) => {
      const rows: Kinds[Kind][] = [];
      for (const [key, row] of all.entries()) {
        if (key.startsWith(`${kind}:`)) rows.push(row as Kinds[Kind]);
      }
      return rows;
    },
    isSameList,
    kind,
  );
}
