/**
 * Where a file of a torrent lies on a web seed.
 *
 * Spec: BEP 19 ("Metadata Extension", "Multi-File Torrents"), RFC 3986 section 2.1 for the escapes.
 * Bounds: those of URLs and paths in torrents. Paths are the safe ones: a name that no file system may have (with a slash in it, or "..") differs
 * from the torrent's own, and so does its URL.
 * Not here: whether the URL may be asked (reach policy).
 * @module
 */
import type { Info } from '../metainfo/index.ts';

/**
 * The URL of a file: the base itself for a torrent of one file, unless it ends in a slash; else the base, the torrent's name and the file's path.
 * @param base http or https, as in `url-list` or `ws`.
 */
export function webSeedUrl(base: string, info: Info, fileIndex: number): string {
  if (info.isSingleFile && !base.endsWith('/')) return base;
  const folder = base.endsWith('/') ? base : `${base}/`;
  return folder + info.files[fileIndex]!.path.map(escapeComponent).join('/');
}

/** All but unreserved characters as %XX of their UTF-8 bytes. */
function escapeComponent(component: string): string {
  return encodeURIComponent(component).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The URL without what may be secret (user, query), for people and as a name of the web seed. */
export function shownWebSeed(base: string): string {
  return base
    .slice(0, 300)
    .replace(/[?#].*$/s, '')
    .replace(/\/\/[^/]*@/, '//');
}
