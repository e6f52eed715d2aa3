/**
 * Turns an info dictionary into an `Info`: checks it, gives the files safe names and their places in piece space.
 *
 * Spec: BEP 3, BEP 47, BEP 52. The info-hash is taken over the exact source bytes; v1 with unsorted keys is accepted, v2 is not.
 * A hybrid has to say the same in both halves: names, order, lengths, alignment. A pad behind the last file is optional.
 * Bounds: 2^21 pieces of at most 512 MiB; see `raw-files.ts` and `paths.ts` for the rest.
 * @module
 */
import { toHex, toLatin1 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import type { Crypto } from '../../lib/ports.ts';
import { type BencodeDict, decodeDict, typeName } from '../bencode/index.ts';
import type { MetainfoErrorCode } from './errors.ts';
import {
  BLOCK_LENGTH_BYTES,
  MAX_PATH_DEPTH,
  MAX_PIECE_COUNT,
  MAX_PIECE_LENGTH_BYTES,
  V1_HASH_LENGTH_BYTES as V1_HASH,
} from './limits.ts';
import { type NameRules, safeComponent } from './paths.ts';
import { type RawFile, readFileTree, readV1Files } from './raw-files.ts';
import { safeFiles } from './safe-files.ts';
import type { HashedVersion, Info } from './types.ts';

// Implementation limits

/** Values and keys: a hybrid of 200,000 files. */
export const MAX_TOKENS = 5_000_000;
/** A file tree of full depth, inside two more dictionaries, two levels for the file's own. */
export const MAX_NESTING: number = MAX_PATH_DEPTH + 8;

/** How to read a torrent. */
export interface ParseOptions {
  /** Which file names are acceptable, default 'portable'; see `paths.ts`. */
  readonly names?: NameRules;
}

type Parsed<T> = Result<T, MetainfoErrorCode>;

/**
 * Parses an info dictionary alone, as peers send it (BEP 9). The caller compares the info-hashes with what it asked for.
 * @param infoBytes kept as a view: don't change them afterwards.
 */
export function parseInfo(
  infoBytes: Uint8Array,
  crypto: Crypto,
  options?: ParseOptions,
): Parsed<Info> {
  const decoded = decodeDict(infoBytes, { maxDepth: MAX_NESTING, maxTokens: MAX_TOKENS });
  return decoded.ok ? readInfo(decoded.value, crypto, options) : decoded;
}

/** As `parseInfo`, of a dictionary that is decoded already. */
export function readInfo(
  dict: BencodeDict,
  crypto: Crypto,
  options: ParseOptions = {},
): Parsed<Info> {
  const version = readVersion(dict);
  if (!version.ok) return version;
  const rawName = dict.bytes('name.utf-8') ?? dict.bytes('name');
  if (rawName === undefined) {
    return fail(
      'ERR_METAINFO_NAME',
      `expected a string as name, got ${typeName(dict.get('name'))}`,
    );
  }
  const pieceLength = readPieceLength(dict, version.value);
  if (!pieceLength.ok) return pieceLength;
  const content = readContent(dict, version.value, pieceLength.value, toLatin1(rawName));
  if (!content.ok) return content;
  const infoBytes = dict.raw;
  const hashes = {
    ...(version.value !== 'v2' && { infoHashV1: crypto.sha1(infoBytes) }),
    ...(version.value !== 'v1' && { infoHashV2: crypto.sha256(infoBytes) }),
  };
  const rules = options.names ?? 'portable';
  const safeName = safeComponent(toLatin1(rawName), rules);
  // A name of which nothing is left is replaced by what identifies the torrent.
  const isNameless = safeName === '' || toLatin1(rawName) === '..';
  const name = isNameless ? toHex(hashes.infoHashV1 ?? hashes.infoHashV2!) : safeName;
  const { raw, isSingleFile, offsets, pieceCount, piecesV1 } = content.value;
  const files = safeFiles(raw, offsets, { name, isSingleFile, rules });
  if (!files.ok) return files;
  let totalBytes = 0;
  for (const file of files.value) if (!file.isPad) totalBytes += file.lengthBytes;
  return ok({
    version: version.value,
    name,
    isSingleFile,
    pieceLengthBytes: pieceLength.value,
    pieceCount,
    files: files.value,
    totalBytes,
    isPrivate: dict.int('private') === 1,
    ...(piecesV1 !== undefined && { piecesV1 }),
    ...hashes,
    infoBytes,
  });
}

/** BEP 52: this check comes before all others, so that a newer torrent is called newer and not broken. */
function readVersion(dict: BencodeDict): Parsed<HashedVersion> {
  if (!dict.has('meta version')) return ok('v1');
  const found = dict.int('meta version');
  if (found !== 2) {
    return fail(
      'ERR_METAINFO_UNSUPPORTED_VERSION',
      `expected meta version 2 or none, got ${found ?? typeName(dict.get('meta version'))}`,
    );
  }
  if (!dict.hasSortedKeys) {
    return fail('ERR_METAINFO_UNSORTED_KEYS', 'expected sorted keys in a v2 info dictionary');
  }
  return ok(dict.has('pieces') ? 'hybrid' : 'v2');
}

function readPieceLength(dict: BencodeDict, version: HashedVersion): Parsed<number> {
  const length = dict.int('piece length');
  const isInRange = length !== undefined && length > 0 && length <= MAX_PIECE_LENGTH_BYTES;
  const isV2Length =
    isInRange && length >= BLOCK_LENGTH_BYTES && Number.isInteger(Math.log2(length));
  if (isInRange && (version === 'v1' || isV2Length)) return ok(length);
  const expected = version === 'v1' ? '1 byte to 512 MiB' : 'a power of two from 16 KiB to 512 MiB';
  const found = dict.get('piece length');
  const shown = typeof found === 'number' || typeof found === 'bigint' ? found : typeName(found);
  return fail('ERR_METAINFO_PIECE_LENGTH', `expected ${expected} as piece length, got ${shown}`);
}

/** What the files and hashes say, before names are made safe. */
interface Content {
  readonly raw: readonly RawFile[];
  readonly isSingleFile: boolean;
  /** Start of each file in piece space. */
  readonly offsets: Float64Array;
  readonly pieceCount: number;
  readonly piecesV1?: Uint8Array;
}

function readContent(
  dict: BencodeDict,
  version: HashedVersion,
  pieceLength: number,
  name: string,
): Parsed<Content> {
  if (version === 'v1') return readV1Content(dict, pieceLength);
  const tree = readFileTree(dict);
  if (!tree.ok) return tree;
  const raw = tree.value;
  const isSingleFile = raw.length === 1 && raw[0]!.path.length === 1 && raw[0]!.path[0] === name;
  const v2 = placeAligned(raw, pieceLength);
  if (v2.pieceCount > MAX_PIECE_COUNT) return tooManyPieces(v2.pieceCount);
  if (version === 'v2') return ok({ raw, isSingleFile, ...v2 });
  const v1 = readV1Content(dict, pieceLength);
  if (!v1.ok) return v1;
  return joinHalves(v1.value, { raw, ...v2 }, pieceLength, name);
}

function readV1Content(dict: BencodeDict, pieceLength: number): Parsed<Content> {
  const files = readV1Files(dict);
  if (!files.ok) return files;
  const offsets = new Float64Array(files.value.length);
  let end = 0;
  for (let i = 0; i < offsets.length; i += 1) {
    offsets[i] = end;
    end += files.value[i]!.lengthBytes;
  }
  if (end === 0) return fail('ERR_METAINFO_LENGTH', 'expected at least one byte, got none');
  const pieceCount = Math.ceil(end / pieceLength);
  if (pieceCount > MAX_PIECE_COUNT) return tooManyPieces(pieceCount);
  const piecesV1 = dict.bytes('pieces');
  if (piecesV1 === undefined || piecesV1.length !== pieceCount * V1_HASH) {
    const found =
      piecesV1 === undefined ? typeName(dict.get('pieces')) : `${piecesV1.length} bytes`;
    return fail(
      'ERR_METAINFO_PIECES',
      `expected pieces of ${pieceCount} hashes of ${V1_HASH} bytes, got ${found}`,
    );
  }
  return ok({
    raw: files.value,
    isSingleFile: !dict.has('files'),
    offsets,
    pieceCount,
    piecesV1,
  });
}

/** BEP 52: every non-empty file starts at a piece. */
function placeAligned(
  files: readonly RawFile[],
  pieceLength: number,
): Pick<Content, 'offsets' | 'pieceCount'> {
  const offsets = new Float64Array(files.length);
  let pieceCount = 0;
  for (let i = 0; i < offsets.length; i += 1) {
    offsets[i] = pieceCount * pieceLength;
    pieceCount += Math.ceil(files[i]!.lengthBytes / pieceLength);
  }
  return { offsets, pieceCount };
}

/** The v1 list with the v2 roots, once both are found to mean the same content (BEP 52, "Upgrade Path"). */
function joinHalves(
  v1: Content,
  v2: Pick<Content, 'raw' | 'offsets' | 'pieceCount'>,
  pieceLength: number,
  name: string,
): Parsed<Content> {
  const joined: RawFile[] = [];
  let at = 0;
  for (let i = 0; i < v1.raw.length; i += 1) {
    const file = v1.raw[i]!;
    if (file.attributes.isPad) {
      if (file.lengthBytes >= pieceLength) {
        return fail(
          'ERR_METAINFO_PAD_FILE',
          `expected pad files below the piece length in a hybrid, got ${file.lengthBytes} bytes`,
        );
      }
      joined.push(file);
      continue;
    }
    const twin = v2.raw[at];
    const path = v1.isSingleFile ? [name] : file.path;
    if (twin === undefined || !isSameFile(file, path, twin)) {
      return inconsistent(`file ${at} of the v1 half is not that of the v2 half`);
    }
    if (file.lengthBytes > 0 && v1.offsets[i] !== v2.offsets[at]) {
      return inconsistent(
        `file ${at} starts at byte ${v1.offsets[i]} in v1, ${v2.offsets[at]} in v2`,
      );
    }
    const { lengthBytes, attributes } = file;
    joined.push({ path: file.path, lengthBytes, attributes, piecesRoot: twin.piecesRoot });
    at += 1;
  }
  if (at !== v2.raw.length) {
    return inconsistent(`v1 has ${at} files, v2 has ${v2.raw.length}`);
  }
  if (v1.pieceCount !== v2.pieceCount) {
    return inconsistent(`v1 has ${v1.pieceCount} pieces, v2 has ${v2.pieceCount}`);
  }
  return ok({ ...v1, raw: joined });
}

function isSameFile(file: RawFile, path: readonly string[], twin: RawFile): boolean {
  return (
    file.lengthBytes === twin.lengthBytes &&
    isSamePath(path, twin.path) &&
    isSamePath(file.attributes.symlink ?? [], twin.attributes.symlink ?? [])
  );
}

function isSamePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((component, i) => component === b[i]);
}

function inconsistent(found: string): Parsed<never> {
  return fail(
    'ERR_METAINFO_INCONSISTENT_HYBRID',
    `expected the same files in both halves of a hybrid, got a difference: ${found}`,
  );
}

function tooManyPieces(count: number): Parsed<never> {
  return fail(
    'ERR_METAINFO_TOO_MANY_PIECES',
    `expected at most ${MAX_PIECE_COUNT} pieces, got ${count}`,
  );
}
