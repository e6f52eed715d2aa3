/**
 * What an HTTP server says about a file of a torrent that is played or saved: status, headers, and which bytes follow.
 *
 * Specs: RFC 9110 sections 13 and 14, by the same code as web seeds (protocol/web-seed/serve.ts): one range is answered; several, other units and what
 * is no range are ignored, as section 14.2 allows. RFC 6266 and 8187 for the name.
 * Only media and WebVTT are sent as what they are; all else comes as bytes to save, so that what a torrent holds (a page, a script, an SVG) can never run in the
 * origin that serves it.
 * Bounds: MAX_NAME_CHARACTERS of the name.
 * Not here: sockets, reading (reader.ts), who may ask.
 * @module
 */
import type { Info } from '../../protocol/metainfo/index.ts';
import {
  answerFile,
  entityTag,
  type FileAnswer,
  type FileRequest,
} from '../../protocol/web-seed/index.ts';
import { mediaTypeOf } from './media.ts';

// Implementation limits
/** Characters of a file's name as it is told; file systems take no more. */
const MAX_NAME_CHARACTERS = 255;

/** How a file is wanted. */
export interface MediaRequest extends FileRequest {
  /** True: to save, whatever it is. */
  readonly isDownload?: boolean;
}

/** Answers for a file of a torrent. */
export function respondMedia(request: MediaRequest, info: Info, fileIndex: number): FileAnswer {
  const { path, lengthBytes } = info.files[fileIndex]!;
  const name = path.at(-1)!;
  const type = mediaTypeOf(name);
  const answer = answerFile(request, { lengthBytes, etag: entityTag(info, fileIndex) });
  if (answer.status !== 200 && answer.status !== 206) return answer;
  const isInline = type !== undefined && request.isDownload !== true;
  return {
    ...answer,
    headers: {
      ...answer.headers,
      'content-type': type ?? 'application/octet-stream',
      'content-disposition': contentDisposition(isInline ? 'inline' : 'attachment', name),
      'cross-origin-resource-policy': 'same-origin',
    },
  };
}

/** Headers of subtitles that `srtToVtt` made. */
export function vttHeaders(vtt: string): Readonly<Record<string, string>> {
  return {
    'content-type': 'text/vtt; charset=utf-8',
    'content-length': String(Buffer.byteLength(vtt)),
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  };
}

/** The header (RFC 6266 section 4). @param name of a file, by whomever; it comes out as one name, without controls and marks that turn text around. */
export function contentDisposition(type: 'inline' | 'attachment', name: string): string {
  const safe = safeName(name);
  // Appendix D: no escapes and no percent signs in the plain form, which old programs read.
  const plain = safe.replace(/[^\x20-\x7e]|["\\%]/gu, '_');
  const extended = encodeURIComponent(safe).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return plain === safe
    ? `${type}; filename="${plain}"`
    : `${type}; filename="${plain}"; filename*=UTF-8''${extended}`;
}

/** Section 4.3: what leads elsewhere, or hides what the file is, is taken out. */
function safeName(name: string): string {
  const clean = name
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[/\\:]/g, '_')
    .replace(/^[. ]+/, '')
    .trim();
  return shorten(clean) || 'file';
}

/** Keeps the extension. */
function shorten(name: string): string {
  const extension = /\.[^.]{1,16}$/u.exec(name)?.[0] ?? '';
  const most = MAX_NAME_CHARACTERS - extension.length;
  const stem = name.slice(0, name.length - extension.length);
  return `${stem.slice(0, most)}${extension}`.toWellFormed();
}
