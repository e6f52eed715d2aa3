/**
 * Creates torrents without touching a file: first a plan (order, pads, piece length), which the caller hashes by its layout, then bytes.
 *
 * Spec: BEP 3, 12, 19, 27, 47, 52. The same files and options give the same bytes: files are ordered as in a v2 file tree (raw bytes,
 * component by component), nothing depends on time unless a date is given. Hybrids get a pad behind each file but the last one.
 * Bounds: those of `limits.ts`, so that whatever is created can be parsed.
 * @module
 */
import { toLatin1 } from '../../lib/bytes.ts';
import type { Crypto } from '../../lib/ports.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import { type Encodable, encode, raw } from '../bencode/index.ts';
import { createError } from './errors.ts';
import { PieceLayout } from './layout.ts';
import {
  BLOCK_LENGTH_BYTES,
  FILE_LENGTH_LIMIT_BYTES,
  MAX_PATH_DEPTH,
  MAX_PIECE_COUNT,
  MAX_PIECE_LENGTH_BYTES,
  V1_HASH_LENGTH_BYTES as V1_HASH,
  V2_HASH_LENGTH_BYTES as V2_HASH,
} from './limits.ts';
import { rootOfPieceLayer } from './merkle.ts';
import { safeComponent } from './paths.ts';
import type { HashedVersion, TorrentFile } from './types.ts';

// Implementation limits

/** The default piece length aims at no more pieces than this: a torrent of 40 KB a hash, and pieces that finish soon. */
const DEFAULT_PIECE_COUNT = 2000;
/** Largest default: beyond it a bad piece costs too much. */
const DEFAULT_PIECE_LENGTH_LIMIT_BYTES = 16_777_216;

/** A file to share. */
export interface CreateFile {
  /** Components below the torrent's folder; not used in a single-file torrent. */
  readonly path: readonly string[];
  /** 0 to 2^44 - 1; 0 for a symlink. */
  readonly lengthBytes: number;
  readonly isExecutable?: boolean;
  /** Components below the torrent's folder of what a symlink points at. */
  readonly symlinkTarget?: readonly string[];
}

/** How to lay a torrent out. */
export interface PlanOptions {
  /** Name of the folder, or of the only file. */
  readonly name: string;
  /** The torrent is one file called `name`. */
  readonly isSingleFile: boolean;
  /** Default 'hybrid'. */
  readonly version?: HashedVersion;
  /** A power of two from 16 KiB to 512 MiB; default: about 2,000 pieces, 16 KiB to 16 MiB. */
  readonly pieceLengthBytes?: number;
}

/** A torrent that is laid out and not hashed yet. */
export interface Plan {
  readonly version: HashedVersion;
  readonly name: string;
  readonly isSingleFile: boolean;
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  /** Bytes of all files without pads. */
  readonly totalBytes: number;
  /** In piece-space order, pads included. */
  readonly files: readonly TorrentFile[];
  /** For each of `files`, its index in what was given; -1 for pads. */
  readonly sourceIndices: readonly number[];
  /** Drives the hashing. */
  readonly layout: PieceLayout;
}

/** What hashing by a plan's layout found. */
export interface PieceHashes {
  /** v1 and hybrid: SHA-1 of each piece's `segments`, pads as zeros; 20 bytes a piece. */
  readonly piecesV1?: Uint8Array;
  /** v2 and hybrid: merkle root over each piece's leaves, filled up to `v2LeafWidth` zero leaves; 32 bytes a piece. */
  readonly piecesV2?: Uint8Array;
}

/** What else a torrent says. */
export interface TorrentExtras {
  /** BEP 12 tiers. */
  readonly trackers?: readonly (readonly string[])[];
  /** BEP 19. */
  readonly webSeeds?: readonly string[];
  readonly comment?: string;
  readonly createdBy?: string;
  /** Seconds since 1970; left out when absent. */
  readonly creationDateSec?: number;
  /** BEP 27, default false. */
  readonly isPrivate?: boolean;
}

/**
 * Lays out a torrent.
 * @throws AppError ERR_CREATE_*: no content, a name no torrent can carry, a path given twice, a dangling symlink, a bad piece length.
 */
export function planTorrent(files: readonly CreateFile[], options: PlanOptions): Plan {
  const version = options.version ?? 'hybrid';
  const totalBytes = checkLengths(files, options.name, version);
  const pieceLengthBytes = options.pieceLengthBytes ?? defaultPieceLength(totalBytes);
  checkPieceLength(pieceLengthBytes);
  checkName(options.name, options.name);
  if (options.isSingleFile && files.length !== 1) {
    throw createError('ERR_CREATE_NO_CONTENT', {
      subject: `the single file ${options.name}`,
      found: `${files.length} files`,
    });
  }
  const order = options.isSingleFile ? [0] : treeOrder(files);
  if (!options.isSingleFile) checkTree(files, options, version);
  const placed = place(files, order, pieceLengthBytes, options, version);
  const plan = { version, name: options.name, isSingleFile: options.isSingleFile };
  const layout = new PieceLayout({ ...placed, version, pieceLengthBytes });
  return { ...plan, pieceLengthBytes, totalBytes, ...placed, layout };
}

function checkLengths(files: readonly CreateFile[], name: string, version: HashedVersion): number {
  let totalBytes = 0;
  for (const file of files) {
    const { lengthBytes } = file;
    const isLink = file.symlinkTarget !== undefined;
    const isValid =
      Number.isInteger(lengthBytes) && lengthBytes >= 0 && lengthBytes < FILE_LENGTH_LIMIT_BYTES;
    if (!isValid || (isLink && lengthBytes !== 0)) {
      const subject = file.path.join('/');
      throw createError('ERR_CREATE_FILE_LENGTH', { subject, found: String(lengthBytes) });
    }
    totalBytes += lengthBytes;
  }
  // v1 cannot say "nothing": a torrent without a piece is invalid there.
  if (files.length === 0 || (totalBytes === 0 && version !== 'v2')) {
    const found = files.length === 0 ? 'no files' : 'only empty files';
    throw createError('ERR_CREATE_NO_CONTENT', { subject: name, found });
  }
  return totalBytes;
}

/** The smallest power of two that keeps a torrent near 2,000 pieces, from 16 KiB to 16 MiB (more only where pieces would be too many). */
function defaultPieceLength(totalBytes: number): number {
  let length = BLOCK_LENGTH_BYTES;
  while (
    (length < DEFAULT_PIECE_LENGTH_LIMIT_BYTES && totalBytes / length > DEFAULT_PIECE_COUNT) ||
    totalBytes / length > MAX_PIECE_COUNT / 2
  ) {
    length *= 2;
  }
  return length;
}

function checkPieceLength(pieceLengthBytes: number): void {
  const isInRange =
    pieceLengthBytes >= BLOCK_LENGTH_BYTES && pieceLengthBytes <= MAX_PIECE_LENGTH_BYTES;
  if (isInRange && Number.isInteger(Math.log2(pieceLengthBytes))) return;
  throw createError('ERR_CREATE_PIECE_LENGTH', {
    subject: `a power of two from ${BLOCK_LENGTH_BYTES} to ${MAX_PIECE_LENGTH_BYTES}`,
    found: String(pieceLengthBytes),
  });
}

/** A component has to come out of the strictest reader that a seed uses as it went in. */
function checkName(name: string, shown: string): void {
  if (name !== '' && safeComponent(rawKey(name), 'verbatim') === name) return;
  const found =
    encodeUtf8(name).length > 255
      ? 'its name is longer than 255 bytes'
      : 'its name is empty, a dot, or holds a separator, a NUL or a broken character';
  throw createError('ERR_CREATE_NAME', { subject: JSON.stringify(shown), found });
}

/** The names of all files and folders, checked: no path twice, no file that is also a folder, links that lead somewhere. */
function checkTree(
  files: readonly CreateFile[],
  options: PlanOptions,
  version: HashedVersion,
): void {
  const paths = new Set<string>();
  const folders = new Set<string>();
  for (const file of files) {
    const shown = file.path.join('/');
    if (file.path.length === 0 || file.path.length > MAX_PATH_DEPTH) {
      const found = `its path has ${file.path.length} components`;
      throw createError('ERR_CREATE_NAME', { subject: JSON.stringify(shown), found });
    }
    for (const component of file.path) checkName(component, shown);
    if (paths.has(shown)) {
      throw createError('ERR_CREATE_DUPLICATE', { subject: shown, found: 'twice' });
    }
    paths.add(shown);
    for (let length = file.path.length - 1; length > 0; length -= 1) {
      const folder = file.path.slice(0, length).join('/');
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  for (const path of paths) {
    if (!folders.has(path)) continue;
    throw createError('ERR_CREATE_DUPLICATE', { subject: path, found: 'as file and as folder' });
  }
  checkLinks(files, paths, folders);
  if (version === 'v2' && files.length === 1 && files[0]!.path.join('/') === options.name) {
    // A v2 file tree would read as a single file.
    const found = 'its folder has the same name and nothing else in it, which v2 alone cannot say';
    throw createError('ERR_CREATE_NAME', { subject: JSON.stringify(options.name), found });
  }
}

function checkLinks(
  files: readonly CreateFile[],
  paths: ReadonlySet<string>,
  folders: ReadonlySet<string>,
): void {
  for (const file of files) {
    if (file.symlinkTarget === undefined) continue;
    const target = file.symlinkTarget.join('/');
    const subject = file.path.join('/');
    // A link to a folder above itself would send every reader in circles.
    if ((paths.has(target) || folders.has(target)) && !subject.startsWith(`${target}/`)) continue;
    throw createError('ERR_CREATE_SYMLINK', { subject, found: target });
  }
}

/** The indices of `files` in file-tree order: components compared as raw UTF-8 bytes. */
function treeOrder(files: readonly CreateFile[]): number[] {
  const keys = files.map((file) => file.path.map(rawKey));
  return files.map((_, i) => i).sort((a, b) => comparePaths(keys[a]!, keys[b]!));
}

/** The UTF-8 bytes of a name as a latin-1 text, which most names are already. */
function rawKey(name: string): string {
  return /^[\0-\x7f]*$/.test(name) ? name : toLatin1(encodeUtf8(name));
}

function comparePaths(a: readonly string[], b: readonly string[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    if (a[i]! !== b[i]!) return a[i]! < b[i]! ? -1 : 1;
  }
  return a.length - b.length;
}

/** Puts files into piece space, with pads where a hybrid needs them. */
function place(
  files: readonly CreateFile[],
  order: readonly number[],
  pieceLength: number,
  options: PlanOptions,
  version: HashedVersion,
): Pick<Plan, 'files' | 'sourceIndices' | 'pieceCount'> {
  const placed: TorrentFile[] = [];
  const sourceIndices: number[] = [];
  let at = 0;
  for (const index of order) {
    const file = files[index]!;
    const gap = file.lengthBytes === 0 ? 0 : (pieceLength - (at % pieceLength)) % pieceLength;
    if (gap > 0 && version === 'hybrid') {
      placed.push(padFile(options.name, gap, at));
      sourceIndices.push(-1);
    }
    // v2-only has gaps that belong to no file.
    if (version !== 'v1') at += gap;
    const isAlignedEmpty = version === 'v2' && file.lengthBytes === 0;
    placed.push({
      path: options.isSingleFile ? [options.name] : [options.name, ...file.path],
      lengthBytes: file.lengthBytes,
      offsetBytes: isAlignedEmpty ? Math.ceil(at / pieceLength) * pieceLength : at,
      isPad: false,
      isExecutable: file.isExecutable ?? false,
      isHidden: false,
      ...(file.symlinkTarget !== undefined && {
        symlinkTarget: [options.name, ...file.symlinkTarget],
      }),
    });
    sourceIndices.push(index);
    at += file.lengthBytes;
  }
  const pieceCount = Math.ceil(at / pieceLength);
  if (pieceCount > MAX_PIECE_COUNT) {
    throw createError('ERR_CREATE_PIECE_LENGTH', {
      subject: `a length that makes at most ${MAX_PIECE_COUNT} pieces`,
      found: `${pieceLength}, which makes ${pieceCount}`,
    });
  }
  return { files: placed, sourceIndices, pieceCount };
}

/** BEP 47 recommends this path. */
function padFile(name: string, lengthBytes: number, offsetBytes: number): TorrentFile {
  const path = [name, '.pad', String(lengthBytes)];
  return { path, lengthBytes, offsetBytes, isPad: true, isExecutable: false, isHidden: false };
}

/**
 * Writes the torrent file of a plan.
 * @param hashes as many as the plan has pieces, of the kinds its version needs.
 * @throws AppError ERR_CREATE_HASHES for another number of hashes.
 */
export function buildTorrent(
  plan: Plan,
  hashes: PieceHashes,
  extras: TorrentExtras,
  crypto: Crypto,
): Uint8Array {
  const info = new Map<string, Encodable>([
    ['name', plan.name],
    ['piece length', plan.pieceLengthBytes],
  ]);
  const layers = new Map<string, Encodable>();
  if (plan.version !== 'v1') {
    const piecesV2 = checkedHashes(plan, hashes.piecesV2, V2_HASH);
    info.set('meta version', 2);
    info.set('file tree', fileTree(plan, piecesV2, layers, crypto));
  }
  if (plan.version !== 'v2') {
    info.set('pieces', checkedHashes(plan, hashes.piecesV1, V1_HASH));
    if (plan.isSingleFile) for (const [key, value] of v1Entry(plan.files[0]!)) info.set(key, value);
    else info.set('files', plan.files.map(v1ListEntry));
  }
  if (extras.isPrivate === true) info.set('private', 1);
  const trackers = (extras.trackers ?? []).filter((tier) => tier.length > 0);
  const trackerCount = trackers.reduce((count, tier) => count + tier.length, 0);
  return encode({
    announce: trackers[0]?.[0],
    'announce-list': trackerCount > 1 ? trackers : undefined,
    comment: extras.comment,
    'created by': extras.createdBy,
    'creation date': extras.creationDateSec,
    info: raw(encode(info)),
    // BEP 52 wants the key even when no file is larger than a piece.
    'piece layers': plan.version === 'v1' ? undefined : layers,
    'url-list': webSeedList(extras.webSeeds ?? []),
  });
}

/** A lone web seed is written as a string, which every reader knows. */
function webSeedList(webSeeds: readonly string[]): Encodable | undefined {
  if (webSeeds.length === 0) return undefined;
  return webSeeds.length === 1 ? webSeeds[0]! : webSeeds;
}

function checkedHashes(plan: Plan, hashes: Uint8Array | undefined, hashLength: number): Uint8Array {
  if (hashes?.length === plan.pieceCount * hashLength) return hashes;
  throw createError('ERR_CREATE_HASHES', {
    subject: `${plan.pieceCount} hashes of ${hashLength} bytes`,
    found: hashes === undefined ? 'none' : `${hashes.length} bytes`,
  });
}

/** What v1 says of a file besides its path. */
function v1Entry(file: TorrentFile): Map<string, Encodable> {
  const entry = new Map<string, Encodable>([['length', file.lengthBytes]]);
  addAttributes(entry, file);
  return entry;
}

function v1ListEntry(file: TorrentFile): Map<string, Encodable> {
  return v1Entry(file).set('path', file.path.slice(1));
}

function addAttributes(entry: Map<string, Encodable>, file: TorrentFile): void {
  const attr =
    (file.symlinkTarget === undefined ? '' : 'l') +
    (file.isPad ? 'p' : '') +
    (file.isExecutable ? 'x' : '');
  if (attr !== '') entry.set('attr', attr);
  if (file.symlinkTarget !== undefined) entry.set('symlink path', file.symlinkTarget.slice(1));
}

type Tree = Map<string, Encodable>;

function fileTree(plan: Plan, piecesV2: Uint8Array, layers: Tree, crypto: Crypto): Tree {
  const root: Tree = new Map();
  for (let i = 0; i < plan.files.length; i += 1) {
    const file = plan.files[i]!;
    if (file.isPad) continue;
    const path = plan.isSingleFile ? [plan.name] : file.path.slice(1);
    let folder = root;
    for (const component of path) {
      const key = rawKey(component);
      let inner = folder.get(key) as Tree | undefined;
      if (inner === undefined) {
        inner = new Map();
        folder.set(key, inner);
      }
      folder = inner;
    }
    const properties: Tree = new Map([['length', file.lengthBytes]]);
    addAttributes(properties, file);
    if (file.lengthBytes > 0) {
      const { first, count } = plan.layout.filePieces(i);
      const layer = piecesV2.subarray(first * V2_HASH, (first + count) * V2_HASH);
      const isLayered = file.lengthBytes > plan.pieceLengthBytes;
      const hash = isLayered ? rootOfPieceLayer(crypto, layer, plan.pieceLengthBytes) : layer;
      properties.set('pieces root', hash);
      if (isLayered) layers.set(toLatin1(hash), layer);
    }
    folder.set('', properties);
  }
  return root;
}
