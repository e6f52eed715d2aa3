/**
 * What a web seed answers: which file a request means, and which bytes of it.
 *
 * Specs: BEP 19 (where the files of a torrent lie), RFC 9110 sections 9.3.2 (HEAD), 13 (If-Range, If-None-Match), 14 (ranges). A path is looked up
 * among those of the torrent and never put together with anything, so that it can lead nowhere else; pads and links have none.
 * One range of a file is answered. Several at once, other units and what is no range are ignored, as the RFC allows: the whole file comes instead.
 * Entity tags are strong: what a torrent's hash names never changes. There is no Last-Modified, so an If-Range with a date never holds.
 * Bounds: MAX_PATH_CHARACTERS of a path.
 * Not here: sockets (io/http-server.ts), reading (node/web-seed-server.ts).
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import type { Info } from '../metainfo/index.ts';
import type { AnswerHeaders } from './answer.ts';

// Implementation limits
/** Characters of a request's path, escapes included. */
const MAX_PATH_CHARACTERS = 4_096;

/** What was asked, as far as it matters. */
export interface FileRequest {
  readonly method: string;
  readonly headers: AnswerHeaders;
}

/** A file that is served. */
export interface ServedFile {
  readonly lengthBytes: number;
  /** With its quotes. */
  readonly etag: string;
}

/** An answer: with a status of 200 or 206 these bytes follow, unless HEAD was asked. */
export interface FileAnswer {
  readonly status: 200 | 206 | 304 | 405 | 416;
  readonly headers: Readonly<Record<string, string>>;
  readonly offsetBytes: number;
  /** Of the body; 0: there is none. */
  readonly lengthBytes: number;
}

/** The files of a torrent by their path below its base, "name/folder/file". */
export function servedPaths(info: Info): ReadonlyMap<string, number> {
  const paths = new Map<string, number>();
  for (const [index, file] of info.files.entries()) {
    if (!file.isPad && file.symlinkTarget === undefined) paths.set(file.path.join('/'), index);
  }
  return paths;
}

/** The unescaped path of a request without its first slash; undefined for what names no file. */
export function requestedPath(target: string): string | undefined {
  // RFC 9112 section 3.2.2: a whole URL is taken too.
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  if (path.length > MAX_PATH_CHARACTERS || !path.startsWith('/')) return undefined;
  try {
    const components = path.slice(1).split('/').map(decodeURIComponent);
    return components.some((one) => one.includes('/')) ? undefined : components.join('/');
  } catch {
    return undefined;
  }
}

/** The entity tag of a file. */
export function entityTag(info: Info, fileIndex: number): string {
  const hash = toHex((info.infoHashV1 ?? info.infoHashV2!).subarray(0, 20));
  return `"${hash}-${fileIndex}"`;
}

/** What to answer. */
export function answerFile({ method, headers }: FileRequest, file: ServedFile): FileAnswer {
  const { lengthBytes, etag } = file;
  if (method !== 'GET' && method !== 'HEAD') return bodiless(405, { allow: 'GET, HEAD' });
  if (listsTag(headers['if-none-match'], etag)) return bodiless(304, { etag });
  const told = {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    etag,
  };
  const ifRange = headers['if-range'];
  const isRangeMeant = method === 'GET' && (ifRange === undefined || ifRange === etag);
  const range = isRangeMeant ? rangeOf(headers['range'], lengthBytes) : undefined;
  if (range === 'unsatisfiable') {
    return bodiless(416, { ...told, 'content-range': `bytes */${lengthBytes}` });
  }
  const offsetBytes = range?.first ?? 0;
  const count = range === undefined ? lengthBytes : range.last - range.first + 1;
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...told,
      'content-length': String(count),
      ...(range && { 'content-range': `bytes ${range.first}-${range.last}/${lengthBytes}` }),
    },
    offsetBytes,
    lengthBytes: method === 'HEAD' ? 0 : count,
  };
}

function bodiless(status: 304 | 405 | 416, headers: Readonly<Record<string, string>>): FileAnswer {
  const length = status === 304 ? {} : { 'content-length': '0' };
  return { status, headers: { ...headers, ...length }, offsetBytes: 0, lengthBytes: 0 };
}

/** Weak tags compare as strong ones here (RFC 9110 section 13.1.2). */
function listsTag(value: AnswerHeaders[string], etag: string): boolean {
  if (typeof value !== 'string') return false;
  return value.split(',').some((one) => ['*', etag, `W/${etag}`].includes(one.trim()));
}

/** First and last byte; undefined: the whole file is meant. */
function rangeOf(
  value: AnswerHeaders[string],
  lengthBytes: number,
): { first: number; last: number } | 'unsatisfiable' | undefined {
  const found = typeof value === 'string' ? /^bytes=(\d*)-(\d*)$/i.exec(value.trim()) : null;
  if (found === null) return undefined;
  const [, from, to] = found as unknown as [string, string, string];
  if (from === '') {
    if (to === '') return undefined;
    const count = Math.min(Number(to), lengthBytes);
    return count === 0 ? 'unsatisfiable' : { first: lengthBytes - count, last: lengthBytes - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return undefined;
  if (first >= lengthBytes) return 'unsatisfiable';
  return { first, last: to === '' ? lengthBytes - 1 : Math.min(Number(to), lengthBytes - 1) };
}
