/**
 * Decides what the files of a torrent are called on disk. Everything here treats names as hostile.
 *
 * On every machine: separators vanish, `.` is dropped, `..` and emptied names become `_`, ill-formed UTF-8 and control
 * characters become `_`, invisible and bidirectional marks vanish, names are cut to 240 bytes with their extension kept.
 * With the rules 'windows' also: `: * ? " < > |` become `_`, trailing dots and spaces vanish, device names get a `_` in front.
 * Those stay untouched elsewhere, because a seed on another system has to find its own files under their real names.
 * Collisions are settled without regard to letter case: directories win, then the earlier file; the later one becomes `name.1.ext`.
 * The rules 'verbatim' serve a torrent that this machine made from its own files: only what is unsafe changes.
 * @module
 */
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.ts';
import { MAX_NAME_LENGTH_BYTES } from './limits.ts';

/** Which names are acceptable on disk. */
export type NameRules = 'portable' | 'windows' | 'verbatim';

// Implementation limits

/** Longer "extensions" are no extensions: they are cut with the rest. */
const MAX_EXTENSION_LENGTH_BYTES = 32;
/** Renames in one torrent; more are no accident. */
const MAX_RENAMES = 10_000;

/** Separators of any system. */
const SEPARATORS = /[/\\]/g;
/** Zero-width space, direction marks, line and paragraph separators, embeddings, isolates, byte order mark. */
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const UNPRINTABLE = /[\0-\x1f\x7f-\x9f\ufffd]/g;
const NEEDS_CARE = /[^\x20-\x7e]|[/\\]/;
const NON_ASCII = /[^\x20-\x7e]/;
const WINDOWS_CHARACTERS = /[:*?"<>|]/g;
const WINDOWS_TAIL = /[. ]+$/;
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i;

/**
 * Makes one path component safe.
 * @param name the raw bytes as a latin-1 text.
 * @returns a safe component, '' when nothing of the name is left (also for `.`), `_` for `..`.
 */
export function safeComponent(name: string, rules: NameRules): string {
  let safe = name;
  if (NEEDS_CARE.test(name)) {
    safe = decodeUtf8(latin1Bytes(name)).replace(SEPARATORS, '');
    if (rules !== 'verbatim') safe = safe.replace(INVISIBLE, '').replace(UNPRINTABLE, '_');
    else safe = safe.replaceAll('\0', '_');
  }
  if (rules === 'windows') {
    safe = safe.replace(WINDOWS_CHARACTERS, '_').replace(WINDOWS_TAIL, '');
    if (WINDOWS_DEVICE.test(safe)) safe = `_${safe}`;
  }
  if (safe === '.') return '';
  if (safe === '..') return '_';
  // UTF-8 is at most three bytes for each UTF-16 unit, so short names need no count.
  if (safe.length * 3 <= MAX_NAME_LENGTH_BYTES) return safe;
  safe = shorten(safe, rules);
  return rules === 'windows' ? safe.replace(WINDOWS_TAIL, '') : safe;
}

/** Cuts a name to the limit, keeps a short extension. */
function shorten(name: string, rules: NameRules): string {
  const limit = rules === 'verbatim' ? 255 : MAX_NAME_LENGTH_BYTES;
  if (encodeUtf8(name).length <= limit) return name;
  const dot = name.lastIndexOf('.');
  let extension = dot > 0 ? name.slice(dot) : '';
  if (encodeUtf8(extension).length > MAX_EXTENSION_LENGTH_BYTES) extension = '';
  let room = limit - encodeUtf8(extension).length;
  let stem = '';
  for (const letter of name) {
    room -= encodeUtf8(letter).length;
    if (room < 0) break;
    stem += letter;
  }
  return stem + extension;
}

function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/**
 * Makes a whole path safe.
 * @param components raw bytes as latin-1 texts.
 * @param top safe component to put in front: the torrent's name.
 * @returns `top` and at least one component.
 */
export function safePath(components: readonly string[], rules: NameRules, top: string): string[] {
  const path = [top];
  for (const component of components) {
    const safe = safeComponent(component, rules);
    if (safe !== '') path.push(safe);
    else if (component !== '.') path.push('_');
  }
  if (path.length === 1) path.push('_');
  return path;
}

/** What two paths share when a file system cannot tell them apart. */
function foldPath(path: readonly string[], length: number, rules: NameRules): string {
  // No component holds a slash, so joining is unambiguous.
  const joined = (length === path.length ? path : path.slice(0, length)).join('/');
  if (rules === 'verbatim') return joined;
  return (NON_ASCII.test(joined) ? joined.normalize('NFC') : joined).toLowerCase();
}

/** The names of one torrent: which directories and files there are, as file systems see them. */
export class PathSet {
  readonly #rules: NameRules;
  readonly #directories = new Set<string>();
  readonly #files = new Set<string>();
  readonly #suffixes = new Map<string, number>();
  /** Directories seen, unfolded: most files share theirs with the one before. */
  readonly #seen = new Set<string>();
  #lastPath: readonly string[] = [];
  #renames = 0;

  constructor(rules: NameRules) {
    this.#rules = rules;
  }

  /** Registers the directories above a path. All files' come first, because directories win. */
  addDirectories(path: readonly string[]): void {
    if (isSameFolder(path, this.#lastPath)) return;
    this.#lastPath = path;
    for (let length = path.length - 1; length > 0; length -= 1) {
      const joined = path.slice(0, length).join('/');
      if (this.#seen.has(joined)) return;
      this.#seen.add(joined);
      this.#directories.add(foldPath(path, length, this.#rules));
    }
  }

  /**
   * Registers a file.
   * @returns the path it gets: its own, or one with a number when that is taken; undefined after too many renames.
   */
  addFile(path: readonly string[]): readonly string[] | undefined {
    const key = foldPath(path, path.length, this.#rules);
    if (!this.#directories.has(key) && !this.#files.has(key)) {
      this.#files.add(key);
      return path;
    }
    for (let suffix = (this.#suffixes.get(key) ?? 0) + 1; ; suffix += 1) {
      this.#renames += 1;
      if (this.#renames > MAX_RENAMES) return undefined;
      this.#suffixes.set(key, suffix);
      const renamed = [...path.slice(0, -1), numberedName(path.at(-1)!, suffix)];
      const renamedKey = foldPath(renamed, renamed.length, this.#rules);
      if (this.#directories.has(renamedKey) || this.#files.has(renamedKey)) continue;
      this.#files.add(renamedKey);
      return renamed;
    }
  }

  isDirectory(path: readonly string[]): boolean {
    return this.#directories.has(foldPath(path, path.length, this.#rules));
  }

  /** The key by which a path can be looked up in a map of the caller's. */
  keyOf(path: readonly string[]): string {
    return foldPath(path, path.length, this.#rules);
  }
}

function isSameFolder(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = a.length - 2; i >= 0; i -= 1) if (a[i] !== b[i]) return false;
  return true;
}

function numberedName(name: string, suffix: number): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? `${name.slice(0, dot)}.${suffix}${name.slice(dot)}` : `${name}.${suffix}`;
}
