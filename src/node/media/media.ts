/**
 * Which files of a torrent are media, what browsers make of them, and which subtitles belong to a video: all by their names alone.
 *
 * Types: the IANA registry of media types and, for containers that are not in it, what browsers use. Only types that cannot run anything are here: no HTML, no SVG,
 * no PDF; whatever is not here is not served as what it says it is (`respond.ts`).
 * Bounds: MAX_SUBTITLES of a video.
 * Not here: looking into files.
 * @module
 */
import type { Info } from '../../protocol/metainfo/index.ts';

// Implementation limits
/** Subtitles that are listed of one video. */
const MAX_SUBTITLES = 64;

/** What a file is to a person. */
export type MediaKind = 'video' | 'audio' | 'image';
/** Which browsers play a container with its usual codecs; a guess, since nobody looked into the file. */
export type BrowserSupport = 'all' | 'some' | 'none';
export type SubtitleFormat = 'srt' | 'vtt' | 'ass';

const TYPES: ReadonlyMap<string, readonly [type: string, support: BrowserSupport]> = new Map([
  ['mp4', ['video/mp4', 'all']],
  ['m4v', ['video/mp4', 'all']],
  ['webm', ['video/webm', 'all']],
  ['ogv', ['video/ogg', 'some']],
  ['mov', ['video/quicktime', 'some']],
  ['mkv', ['video/x-matroska', 'some']],
  ['avi', ['video/x-msvideo', 'none']],
  ['mpg', ['video/mpeg', 'none']],
  ['mpeg', ['video/mpeg', 'none']],
  ['ts', ['video/mp2t', 'none']],
  ['m2ts', ['video/mp2t', 'none']],
  ['wmv', ['video/x-ms-wmv', 'none']],
  ['flv', ['video/x-flv', 'none']],
  ['mp3', ['audio/mpeg', 'all']],
  ['m4a', ['audio/mp4', 'all']],
  ['m4b', ['audio/mp4', 'all']],
  ['aac', ['audio/aac', 'all']],
  ['flac', ['audio/flac', 'all']],
  ['wav', ['audio/wav', 'all']],
  ['ogg', ['audio/ogg', 'all']],
  ['oga', ['audio/ogg', 'all']],
  ['opus', ['audio/ogg', 'all']],
  ['wma', ['audio/x-ms-wma', 'none']],
  ['mka', ['audio/x-matroska', 'some']],
  ['jpg', ['image/jpeg', 'all']],
  ['jpeg', ['image/jpeg', 'all']],
  ['png', ['image/png', 'all']],
  ['gif', ['image/gif', 'all']],
  ['webp', ['image/webp', 'all']],
  ['avif', ['image/avif', 'all']],
  ['bmp', ['image/bmp', 'all']],
]);

const SUBTITLE_FORMATS: ReadonlyMap<string, SubtitleFormat> = new Map([
  ['srt', 'srt'],
  ['vtt', 'vtt'],
  ['ass', 'ass'],
  ['ssa', 'ass'],
]);

/** Folders beside a video that hold its subtitles. */
const SUBTITLE_FOLDERS: ReadonlySet<string> = new Set(['subs', 'sub', 'subtitles']);

/** The media type that a file is served with; undefined when it is no medium. @param path or name, by whose extension it is told. */
export function mediaTypeOf(path: string): string | undefined {
  return TYPES.get(extensionOf(path))?.[0];
}

export function mediaKindOf(path: string): MediaKind | undefined {
  return mediaTypeOf(path)?.split('/')[0] as MediaKind | undefined;
}

/** Which browsers play it. */
export function browserSupportOf(path: string): BrowserSupport {
  return TYPES.get(extensionOf(path))?.[1] ?? 'none';
}

/** True for video and audio that some browser plays. */
export function isPlayable(path: string): boolean {
  return mediaKindOf(path) !== 'image' && browserSupportOf(path) !== 'none';
}

/** The form of a subtitle file; undefined for other files. */
export function subtitleFormatOf(path: string): SubtitleFormat | undefined {
  return SUBTITLE_FORMATS.get(extensionOf(path));
}

/** Subtitles of a video. */
export interface Subtitles {
  /** Index in the torrent's `info.files`. */
  readonly file: number;
  readonly format: SubtitleFormat;
  /** For people: the language, or what the name says besides the video's. Hostile as all names are. */
  readonly label: string;
  /** BCP 47, when the name tells. */
  readonly language: string | undefined;
}

/**
 * The subtitles that belong to a video: those in its folder whose names begin as its own, and those in a folder "Subs" there that begin so, lie in a
 * folder of the video's name, or belong to the only video around.
 */
export function subtitlesOf(info: Info, video: number): Subtitles[] {
  const { path } = info.files[video]!;
  const folder = path.slice(0, -1);
  const stem = stemOf(path.at(-1)!);
  const isOnly = info.files.every(
    (file, index) =>
      index === video ||
      mediaKindOf(file.path.at(-1)!) !== 'video' ||
      file.path.slice(0, -1).join('/') !== folder.join('/'),
  );
  const found: Subtitles[] = [];
  for (const [index, file] of info.files.entries()) {
    const format = subtitleFormatOf(file.path.at(-1)!);
    const isFile = !file.isPad && file.symlinkTarget === undefined;
    if (format === undefined || !isFile || found.length >= MAX_SUBTITLES) continue;
    const rest = restOf(file.path, folder, stem, isOnly);
    if (rest !== undefined) found.push({ file: index, format, ...describe(rest) });
  }
  return found;
}

/** What the name of a subtitle file says besides the video's; undefined when it is not of this video. */
function restOf(
  path: readonly string[],
  folder: readonly string[],
  stem: string,
  isOnly: boolean,
): string | undefined {
  if (folder.some((part, index) => path[index] !== part)) return undefined;
  const below = path.slice(folder.length);
  const name = stemOf(below.at(-1)!);
  const own = afterStem(name, stem);
  if (below.length === 1) return own;
  if (!SUBTITLE_FOLDERS.has(below[0]!.toLowerCase())) return undefined;
  if (below.length === 2) return own ?? (isOnly ? name : undefined);
  if (below.length === 3 && below[1] === stem) return own ?? name;
  return undefined;
}

function afterStem(name: string, stem: string): string | undefined {
  if (name === stem) return '';
  return name.startsWith(stem) && /^[ ._([-]/.test(name.slice(stem.length))
    ? name.slice(stem.length + 1)
    : undefined;
}

function describe(rest: string): { label: string; language: string | undefined } {
  const words = rest.split(/[ ._()[\]-]+/).filter((word) => word !== '' && !/^\d+$/.test(word));
  const language = words.map(languageOf).find((found) => found !== undefined);
  if (language === undefined) return { label: words.join(' ') || 'Subtitles', language };
  const others = words.filter((word) => languageOf(word) !== language);
  const name = NAMES.of(language) ?? language;
  return { label: others.length === 0 ? name : `${name} (${others.join(' ')})`, language };
}

const NAMES = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
/** Languages that subtitles name in full. */
const NAMED: ReadonlyMap<string, string> = new Map(
  (
    'ar bg bn bs ca cs da de el en es et eu fa fi fr gl he hi hr hu hy id is it ja ka kk ko lt lv mk ml ms nb nl no pl pt ro ru sk sl sq sr sv ta ' +
    'te th tl tr uk ur vi zh'
  )
    .split(' ')
    .map((code) => [NAMES.of(code)!.toLowerCase(), code]),
);

/** A language by its English name, or by its code of two or three letters (ISO 639). */
function languageOf(word: string): string | undefined {
  const lower = word.toLowerCase();
  const named = NAMED.get(lower);
  if (named !== undefined || !/^[a-z]{2,3}$/.test(lower)) return named;
  const [code = lower] = Intl.getCanonicalLocales(lower);
  return [...NAMED.values()].includes(code) ? code : undefined;
}

function extensionOf(path: string): string {
  return /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
}

function stemOf(name: string): string {
  return name.replace(/\.[a-z0-9]+$/i, '');
}
