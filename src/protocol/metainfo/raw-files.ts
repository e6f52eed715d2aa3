/**
 * Reads the file lists of an info dictionary, v1 `files`/`length` and v2 `file tree`, into one shape; names stay raw.
 *
 * Spec: BEP 3 (files), BEP 47 (attributes, pads, symlinks), BEP 52 (file tree).
 * Bounds: path depth 100, file length below 2^44; the number of files by the decoder's tokens.
 * @module
 */
import { fail, ok, type Result } from '../../lib/errors.ts';
import { BencodeDict, type BencodeValue, typeName } from '../bencode/index.ts';
import type { MetainfoErrorCode } from './errors.ts';
import {
  FILE_LENGTH_LIMIT_BYTES,
  MAX_PATH_DEPTH,
  V2_HASH_LENGTH_BYTES as V2_HASH,
} from './limits.ts';

// Specification constants

/** The letters of `attr` (BEP 47): p, x, h, l. */
const ATTRIBUTE_PAD = 0x70;
const ATTRIBUTE_EXECUTABLE = 0x78;
const ATTRIBUTE_HIDDEN = 0x68;
const ATTRIBUTE_LINK = 0x6c;

/** A file as the torrent states it; names are raw bytes as latin-1 texts, without the torrent's name. */
export interface RawFile {
  /** Empty for the file of a single-file torrent. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  readonly attributes: Attributes;
  readonly piecesRoot: Uint8Array | undefined;
}

type Parsed<T> = Result<T, MetainfoErrorCode>;

/** BEP 47 attributes. */
export interface Attributes {
  readonly isPad: boolean;
  readonly isExecutable: boolean;
  readonly isHidden: boolean;
  readonly symlink?: readonly string[];
}

/** Shared by all plain files: most torrents have nothing else. */
const PLAIN: Parsed<Attributes> = ok({ isPad: false, isExecutable: false, isHidden: false });

/** The v1 half: `files`, or `length` for a single file. */
export function readV1Files(info: BencodeDict): Parsed<RawFile[]> {
  if (!info.has('files')) {
    const file = readV1File(info, []);
    return file.ok ? ok([file.value]) : file;
  }
  const list = info.list('files');
  if (list === undefined || list.length === 0) {
    return fail(
      'ERR_METAINFO_NO_FILES',
      `expected a list of files, got ${list === undefined ? typeName(info.get('files')) : 'an empty one'}`,
    );
  }
  const files: RawFile[] = [];
  for (const entry of list) {
    const file = readListedFile(entry, files.length);
    if (!file.ok) return file;
    files.push(file.value);
  }
  return ok(files);
}

function readListedFile(entry: BencodeValue, index: number): Parsed<RawFile> {
  if (!(entry instanceof BencodeDict)) {
    return fail(
      'ERR_METAINFO_NO_FILES',
      `expected file ${index} to be a dictionary, got ${typeName(entry)}`,
    );
  }
  const key = entry.has('path.utf-8') ? 'path.utf-8' : 'path';
  const path = entry.latin1List(key);
  if (path === undefined || path.length === 0) {
    // BEP 47: a pad needs no path.
    const isPad = !entry.has(key) && (entry.bytes('attr')?.includes(ATTRIBUTE_PAD) ?? false);
    if (isPad) return readV1File(entry, ['.pad', String(entry.int('length') ?? 0)]);
    return fail('ERR_METAINFO_PATH', `expected a list of strings as path of file ${index}`);
  }
  if (path.length > MAX_PATH_DEPTH) return tooDeep(path.length);
  return readV1File(entry, path);
}

function readV1File(dict: BencodeDict, path: readonly string[]): Parsed<RawFile> {
  const attributes = readAttributes(dict);
  if (!attributes.ok) return attributes;
  const lengthBytes = readLength(dict, attributes.value);
  if (!lengthBytes.ok) return lengthBytes;
  return ok({
    path,
    lengthBytes: lengthBytes.value,
    attributes: attributes.value,
    piecesRoot: undefined,
  });
}

/** A symlink takes no bytes whatever its `length` says, and needs none (BEP 47). */
function readLength(dict: BencodeDict, attributes: Attributes): Parsed<number> {
  if (attributes.symlink !== undefined) return ok(0);
  const length = dict.int('length');
  if (length !== undefined && length >= 0 && length < FILE_LENGTH_LIMIT_BYTES) return ok(length);
  const found = dict.get('length');
  const shown = typeof found === 'number' || typeof found === 'bigint' ? found : typeName(found);
  return fail('ERR_METAINFO_LENGTH', `expected a file length from 0 to 2^44 - 1, got ${shown}`);
}

function readAttributes(dict: BencodeDict): Parsed<Attributes> {
  const bytes = dict.bytes('attr');
  if (bytes === undefined) return PLAIN;
  const flags = {
    isPad: bytes.includes(ATTRIBUTE_PAD),
    isExecutable: bytes.includes(ATTRIBUTE_EXECUTABLE),
    isHidden: bytes.includes(ATTRIBUTE_HIDDEN),
  };
  if (!bytes.includes(ATTRIBUTE_LINK) || !dict.has('symlink path')) return ok(flags);
  const symlink = dict.latin1List('symlink path');
  if (symlink === undefined) {
    return fail('ERR_METAINFO_PATH', 'expected a list of strings as symlink path');
  }
  if (symlink.length > MAX_PATH_DEPTH) return tooDeep(symlink.length);
  return ok({ ...flags, symlink });
}

/** The v2 half, in tree order. */
export function readFileTree(info: BencodeDict): Parsed<RawFile[]> {
  const tree = info.dict('file tree');
  if (tree === undefined) {
    return fail(
      'ERR_METAINFO_FILE_TREE',
      `expected a dictionary as file tree, got ${typeName(info.get('file tree'))}`,
    );
  }
  const files: RawFile[] = [];
  const fault = readTree(tree, [], files);
  if (fault !== undefined) return fault;
  if (files.length === 0) {
    return fail('ERR_METAINFO_NO_FILES', 'expected at least one file in the file tree, got none');
  }
  return ok(files);
}

type Fault = Extract<Parsed<never>, { ok: false }>;

/** Recursion is bounded by the path depth. */
function readTree(tree: BencodeDict, path: readonly string[], files: RawFile[]): Fault | undefined {
  for (const [name, value] of tree.entries()) {
    if (!(value instanceof BencodeDict)) {
      return fail(
        'ERR_METAINFO_FILE_TREE',
        `expected dictionaries in the file tree, got ${typeName(value)}`,
      );
    }
    if (name === '') {
      // Properties of a directory: none are defined, but names may not hide below an empty one.
      if (!value.has('') && !value.has('length')) continue;
      return fail('ERR_METAINFO_FILE_TREE', 'expected a name in the file tree, got an empty one');
    }
    if (path.length === MAX_PATH_DEPTH) return tooDeep(path.length + 1);
    const fault = readTreeEntry(value, [...path, name], files);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function readTreeEntry(
  entry: BencodeDict,
  path: readonly string[],
  files: RawFile[],
): Fault | undefined {
  // Keys are sorted, so properties come first; a look-up would index large folders for nothing.
  if (entry.firstKey !== '') return readTree(entry, path, files);
  const properties = entry.dict('');
  const isFile = properties?.has('length') || properties?.has('symlink path');
  if (properties === undefined || !isFile) {
    if (properties === undefined) {
      return fail('ERR_METAINFO_FILE_TREE', 'expected a dictionary of file properties');
    }
    return readTree(entry, path, files);
  }
  if (entry.size !== 1) {
    return fail('ERR_METAINFO_FILE_TREE', 'expected a file without siblings at its own level');
  }
  const file = readTreeFile(properties, path);
  if (!file.ok) return file;
  files.push(file.value);
  return undefined;
}

function readTreeFile(properties: BencodeDict, path: readonly string[]): Parsed<RawFile> {
  const attributes = readAttributes(properties);
  if (!attributes.ok) return attributes;
  if (attributes.value.isPad) {
    return fail('ERR_METAINFO_PAD_FILE', 'expected no pad files in a v2 file tree, got one');
  }
  const length = readLength(properties, attributes.value);
  if (!length.ok) return length;
  const piecesRoot = length.value === 0 ? undefined : properties.bytes('pieces root');
  if (length.value > 0 && !isUsableRoot(piecesRoot)) {
    return fail(
      'ERR_METAINFO_PIECES_ROOT',
      `expected ${V2_HASH} bytes that are not all zero as pieces root of a file with bytes`,
    );
  }
  return ok({ path, lengthBytes: length.value, attributes: attributes.value, piecesRoot });
}

function isUsableRoot(root: Uint8Array | undefined): boolean {
  return root?.length === V2_HASH && root.some((byte) => byte !== 0);
}

function tooDeep(depth: number): Fault {
  return fail(
    'ERR_METAINFO_PATH_TOO_DEEP',
    `expected paths of at most ${MAX_PATH_DEPTH} components, got ${depth}`,
  );
}
