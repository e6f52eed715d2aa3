/**
 * What is sent: names, sizes, modes and times of files that nobody hashed, in one canonical form.
 *
 * Spec: docs/protocol/send-transfer.md. A bencoded tree, so that what is out of order, there twice, or a file that is another's folder cannot be
 * written at all. Whatever is read here encodes to the same bytes again.
 * The decoder faces a hostile sender: names that would lead out of the folder are refused; what they are called on disk decides
 * `manifest-info.ts`. Bounds: the limits below, each before anything is made of the bytes it bounds.
 * @module
 */
import { toLatin1 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.ts';
import {
  BencodeDict,
  type BencodeValue,
  decodeDict,
  type Encodable,
  encode,
} from '../bencode/index.ts';
import type { ManifestErrorCode } from './manifest-errors.ts';

// Specification constants
const VERSION = 1;
const MODE_BITS = 0o777;
/** The farthest time that a JavaScript date reaches, either way. */
const TIME_LIMIT_MS = 8.64e15;
/** 2^21 pieces of 512 MiB, the most that the engine can number. */
const MAX_TOTAL_BYTES: number = 2 ** 50;
const MAX_FILE_BYTES: number = 2 ** 44 - 1;

// Implementation limits
/** Bytes of a manifest. */
export const MAX_MANIFEST_BYTES: number = 64 * 1024 * 1024;
/** Files, folders and links of a transfer, its top included. */
export const MAX_MANIFEST_ENTRIES = 1_000_000;
/** Folders above a file, the top included. */
const MAX_DEPTH = 64;
/** UTF-8 bytes of a name, as common file systems allow. */
const MAX_NAME_BYTES = 255;
/** UTF-8 bytes of a path with its separators: leaves a quarter of what systems allow to the folder it is put into. */
const MAX_PATH_BYTES = 3_072;
/** Bytes of a text message. */
export const MAX_TEXT_BYTES: number = 64 * 1024;
/** Values and keys: a million entries, and the targets of their links. */
const MAX_TOKENS = 12_000_000;

/** 'text': one small file to show instead of writing it; 'stream': one file that came from a pipe. */
export type ManifestKind = 'files' | 'text' | 'stream';

/** A file. */
export interface ManifestFile {
  readonly kind: 'file';
  /** Names from the top down, the top's own left out: none for the top itself. */
  readonly path: readonly string[];
  /** 0 … 2^44 - 1. */
  readonly sizeBytes: number;
  /** POSIX permission bits, 0 … 0o777. */
  readonly mode: number;
  /** Milliseconds since 1970, may be negative. */
  readonly mtimeMs: number;
}

/** A folder; empty ones are sent, too. */
export interface ManifestFolder extends Omit<ManifestFile, 'kind' | 'sizeBytes'> {
  readonly kind: 'folder';
}

/** A symbolic link to a file or folder that is sent as well. */
export interface ManifestLink {
  readonly kind: 'link';
  readonly path: readonly string[];
  /** A path in the same form; of a file, or of a folder that the link is not in. */
  readonly target: readonly string[];
}

/** A thing that is sent. */
export type ManifestEntry = ManifestFile | ManifestFolder | ManifestLink;

/** What is sent, all of it. */
export interface Manifest {
  readonly kind: ManifestKind;
  /** Of the top: the file, or the folder that everything lies in. */
  readonly name: string;
  /** The top first, each folder before what is in it, names in a folder in the order of their UTF-8 bytes. */
  readonly entries: readonly ManifestEntry[];
}

type Read<T> = Result<T, ManifestErrorCode>;

/**
 * The canonical bytes of a manifest. Nothing is checked: whoever made it decodes what came out.
 * @param manifest its entries in any order, folders before what is in them.
 * @throws RangeError for an entry whose folder is not there before it.
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const folders = new Map<string, Map<string, Encodable>>();
  let top: Encodable | undefined;
  for (const entry of manifest.entries) {
    const children = entry.kind === 'folder' ? new Map<string, Encodable>() : undefined;
    if (children !== undefined) folders.set(entry.path.join('/'), children);
    const value = encodableOf(entry, children);
    if (entry.path.length === 0) {
      top = value;
      continue;
    }
    const folder = folders.get(entry.path.slice(0, -1).join('/'));
    if (folder === undefined) {
      throw new RangeError(`${entry.path.join('/')}: expected its folder before it`);
    }
    folder.set(toLatin1(encodeUtf8(entry.path.at(-1)!)), value);
  }
  if (top === undefined) throw new RangeError('expected an entry without a path as the top');
  return encode({ kind: manifest.kind, name: manifest.name, top, version: VERSION });
}

function encodableOf(
  entry: ManifestEntry,
  children: Map<string, Encodable> | undefined,
): Encodable {
  if (entry.kind === 'link') return { target: entry.target };
  const { mode, mtimeMs: mtime } = entry;
  if (entry.kind === 'file') return { mode, mtime, size: entry.sizeBytes };
  return { children: children!, mode, mtime };
}

/** Reads what a sender told; every fault of it is a value. */
export function decodeManifest(bytes: Uint8Array): Read<Manifest> {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    return fail(
      'ERR_MANIFEST_TOO_LARGE',
      `expected a manifest of at most ${MAX_MANIFEST_BYTES} bytes, got ${bytes.length}`,
    );
  }
  const decoded = decodeDict(bytes, {
    maxDepth: 2 * MAX_DEPTH + 6,
    maxTokens: MAX_TOKENS,
    requireSortedKeys: true,
  });
  if (!decoded.ok) return decoded;
  const dict = decoded.value;
  const version = dict.int('version');
  if (version !== VERSION) {
    return fail('ERR_MANIFEST_VERSION', `expected manifest version ${VERSION}, got ${version}`);
  }
  const kind = dict.text('kind');
  if (dict.size !== 4 || (kind !== 'files' && kind !== 'text' && kind !== 'stream')) {
    return formFault('the keys kind (files, text or stream), name, top and version alone');
  }
  const rawName = dict.bytes('name');
  const top = dict.dict('top');
  if (rawName === undefined || top === undefined) {
    return formFault('a name and a top that is a dictionary');
  }
  const name = readName(toLatin1(rawName));
  if (!name.ok) return name;
  const reader = new TreeReader(rawName.length);
  const fault = reader.read(top, []) ?? kindFault(kind, reader.entries) ?? reader.checkLinks();
  return fault ?? ok({ kind, name: name.value, entries: reader.entries });
}

type Fault = ReturnType<typeof fail<ManifestErrorCode>>;

/** Text and streams are one file; a text is small. */
function kindFault(kind: ManifestKind, entries: readonly ManifestEntry[]): Fault | undefined {
  const top = entries[0]!;
  if (top.kind === 'link') return formFault('a file or a folder as the top, not a link');
  if (kind === 'files') return undefined;
  if (top.kind !== 'file') return formFault(`one file as a ${kind}`);
  if (kind === 'stream' || top.sizeBytes <= MAX_TEXT_BYTES) return undefined;
  return formFault(`a text of at most ${MAX_TEXT_BYTES} bytes`);
}

function formFault(expected: string): Fault {
  return fail('ERR_MANIFEST_FORM', `expected ${expected}`);
}

/** @param name its raw bytes as a latin-1 text. */
function readName(name: string): Read<string> {
  const text = isPlain(name) ? name : decodeUtf8(bytesOf(name));
  const isFormed = text === name || toLatin1(encodeUtf8(text)) === name;
  const isWord = name !== '' && name !== '.' && name !== '..';
  if (isFormed && isWord && name.length <= MAX_NAME_BYTES && !/[/\0]/.test(name)) return ok(text);
  const shown = JSON.stringify(text.slice(0, 40));
  return fail(
    'ERR_MANIFEST_NAME',
    `expected a file name of 1 to ${MAX_NAME_BYTES} bytes of UTF-8, no dots alone, no slash, no zero byte, got ${shown}`,
  );
}

function isPlain(name: string): boolean {
  return /^[\x20-\x7e]*$/.test(name);
}

function bytesOf(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (letter) => letter.charCodeAt(0));
}

/** Reads the tree into a list. */
class TreeReader {
  readonly entries: ManifestEntry[] = [];
  #totalBytes = 0;
  #pathBytes: number;

  constructor(topNameBytes: number) {
    this.#pathBytes = topNameBytes;
  }

  read(value: BencodeValue | undefined, path: readonly string[]): Fault | undefined {
    if (!(value instanceof BencodeDict)) return formFault('a dictionary for each entry');
    if (this.entries.length >= MAX_MANIFEST_ENTRIES) {
      const limit = MAX_MANIFEST_ENTRIES;
      return fail('ERR_MANIFEST_TOO_MANY_ENTRIES', `expected at most ${limit} entries, got more`);
    }
    if (value.has('target')) return this.#readLink(value, path);
    const mode = value.int('mode');
    const mtimeMs = value.int('mtime');
    if (value.size !== 3 || mode === undefined || mtimeMs === undefined) {
      return formFault('mode and mtime, and either size or children, in each entry');
    }
    if (mode < 0 || mode > MODE_BITS) return formFault(`a mode of 0 to ${MODE_BITS}, got ${mode}`);
    if (Math.abs(mtimeMs) > TIME_LIMIT_MS) return formFault(`a time in range, got ${mtimeMs}`);
    const children = value.dict('children');
    if (children !== undefined) {
      this.entries.push({ kind: 'folder', path, mode, mtimeMs });
      return this.#readChildren(children, path);
    }
    const sizeBytes = value.int('size');
    if (sizeBytes === undefined || sizeBytes < 0 || sizeBytes > MAX_FILE_BYTES) {
      return formFault(`a size of 0 to ${MAX_FILE_BYTES} bytes, or children that are a dictionary`);
    }
    this.#totalBytes += sizeBytes;
    this.entries.push({ kind: 'file', path, sizeBytes, mode, mtimeMs });
    if (this.#totalBytes <= MAX_TOTAL_BYTES) return undefined;
    return fail(
      'ERR_MANIFEST_TOO_MANY_BYTES',
      `expected at most ${MAX_TOTAL_BYTES} bytes in all files, got more`,
    );
  }

  #readChildren(children: BencodeDict, path: readonly string[]): Fault | undefined {
    for (const [raw, child] of children) {
      const name = readName(raw);
      if (!name.ok) return name;
      this.#pathBytes += raw.length + 1;
      if (path.length >= MAX_DEPTH || this.#pathBytes > MAX_PATH_BYTES) {
        return fail(
          'ERR_MANIFEST_PATH',
          `expected paths of at most ${MAX_DEPTH} folders and ${MAX_PATH_BYTES} bytes, got a longer one`,
        );
      }
      const fault = this.read(child, [...path, name.value]);
      if (fault !== undefined) return fault;
      this.#pathBytes -= raw.length + 1;
    }
    return undefined;
  }

  #readLink(value: BencodeDict, path: readonly string[]): Fault | undefined {
    const raw = value.latin1List('target');
    if (value.size !== 1 || raw === undefined) return formFault('a list as the target of a link');
    const target: string[] = [];
    for (const each of raw) {
      const name = readName(each);
      if (!name.ok) return name;
      target.push(name.value);
    }
    this.entries.push({ kind: 'link', path, target });
    return undefined;
  }

  /** Links lead to files, or to folders that they are not in: nothing that walks the tree goes round in a circle. */
  checkLinks(): Fault | undefined {
    const links = this.entries.filter((entry) => entry.kind === 'link');
    if (links.length === 0) return undefined;
    const kinds = new Map(this.entries.map(({ path, kind }) => [path.join('/'), kind]));
    const bad = links.find(({ path, target }) => {
      const kind = kinds.get(target.join('/'));
      const isAbove = target.every((name, i) => name === path[i]);
      return kind === undefined || kind === 'link' || isAbove;
    });
    if (bad === undefined) return undefined;
    return fail(
      'ERR_MANIFEST_LINK',
      `expected the link ${bad.path.join('/')} to lead to a file, or a folder it is not in, that is sent as well, got ${bad.target.join('/')}`,
    );
  }
}
