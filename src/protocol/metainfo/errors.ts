/**
 * What can be wrong with a torrent, a magnet link or a proof (values, never thrown), and with a request to create one (thrown).
 * @module
 */
import { type AppError, defineErrors } from '../../lib/errors.ts';
import type { BencodeErrorCode } from '../bencode/index.ts';

/** Why bytes are not an acceptable torrent. */
export type MetainfoErrorCode =
  | BencodeErrorCode
  /** More bytes than a torrent may have. */
  | 'ERR_METAINFO_TOO_LARGE'
  /** No `info` dictionary. */
  | 'ERR_METAINFO_INFO_MISSING'
  /** `meta version` is neither absent nor 2. */
  | 'ERR_METAINFO_UNSUPPORTED_VERSION'
  /** A v2 info dictionary whose keys are out of order. */
  | 'ERR_METAINFO_UNSORTED_KEYS'
  /** `name` is absent or no string. */
  | 'ERR_METAINFO_NAME'
  /** `piece length` is absent, out of range, or no power of two in v2. */
  | 'ERR_METAINFO_PIECE_LENGTH'
  /** A file length is absent, negative or too large, or the torrent has no bytes. */
  | 'ERR_METAINFO_LENGTH'
  /** `pieces` is absent or not one 20-byte hash for each piece. */
  | 'ERR_METAINFO_PIECES'
  | 'ERR_METAINFO_TOO_MANY_PIECES'
  | 'ERR_METAINFO_NO_FILES'
  /** A `path` or `symlink path` is absent, empty, or not a list of strings. */
  | 'ERR_METAINFO_PATH'
  | 'ERR_METAINFO_PATH_TOO_DEEP'
  | 'ERR_METAINFO_TOO_MANY_DUPLICATE_NAMES'
  /** The v2 file tree is not a tree of dictionaries with files as its leaves. */
  | 'ERR_METAINFO_FILE_TREE'
  /** A non-empty v2 file without a usable `pieces root`. */
  | 'ERR_METAINFO_PIECES_ROOT'
  /** A piece layer of no file, of a wrong size, or that does not hash to its root. */
  | 'ERR_METAINFO_PIECE_LAYER'
  /** A pad file where none may be, or one that is too long. */
  | 'ERR_METAINFO_PAD_FILE'
  /** The v1 and v2 halves of a hybrid describe different content. */
  | 'ERR_METAINFO_INCONSISTENT_HYBRID';

/** Why a text is not an acceptable magnet link. */
export type MagnetErrorCode =
  | 'ERR_MAGNET_NOT_A_MAGNET'
  | 'ERR_MAGNET_TOO_LONG'
  /** No `xt` that names a torrent. */
  | 'ERR_MAGNET_NO_INFO_HASH'
  /** An `xt` of a known kind with a malformed hash, or two different ones of one kind. */
  | 'ERR_MAGNET_INFO_HASH'
  /** An `x.pe` that is no host:port. */
  | 'ERR_MAGNET_PEER'
  /** An `so` that is no list of indices and ranges, or selects too many. */
  | 'ERR_MAGNET_SELECT_ONLY'
  /** No `xs` with the public key of a publisher, or a malformed one. */
  | 'ERR_MAGNET_PUBLIC_KEY'
  /** An `s` that is no salt. */
  | 'ERR_MAGNET_SALT';

/** Why hashes from a peer are not accepted. */
export type MerkleErrorCode =
  /** The range does not fit the file's tree. */
  | 'ERR_MERKLE_RANGE'
  /** Not as many hashes as the range and its proof need. */
  | 'ERR_MERKLE_COUNT'
  /** The hashes do not lead to the root. */
  | 'ERR_MERKLE_MISMATCH';

/** Why a torrent cannot be created as asked; thrown. */
export type CreateErrorCode =
  | 'ERR_CREATE_NO_CONTENT'
  | 'ERR_CREATE_NAME'
  | 'ERR_CREATE_PIECE_LENGTH'
  | 'ERR_CREATE_FILE_LENGTH'
  | 'ERR_CREATE_DUPLICATE'
  | 'ERR_CREATE_SYMLINK'
  | 'ERR_CREATE_HASHES';

/** Details of every creation error: the file or option it is about, and what was wrong. */
export interface CreateErrorDetails {
  readonly subject: string;
  readonly found: string;
}

/** Makes an error of torrent creation. */
export const createError: (
  code: CreateErrorCode,
  details: CreateErrorDetails,
) => AppError<CreateErrorCode, CreateErrorDetails> = defineErrors({
  ERR_CREATE_NO_CONTENT: (details: CreateErrorDetails) =>
    `expected at least one file with bytes in ${details.subject}, got ${details.found}`,
  ERR_CREATE_NAME: (details: CreateErrorDetails) =>
    `cannot share a file called ${details.subject}: ${details.found}; rename it`,
  ERR_CREATE_PIECE_LENGTH: (details: CreateErrorDetails) =>
    `expected ${details.subject} as piece length, got ${details.found}`,
  ERR_CREATE_FILE_LENGTH: (details: CreateErrorDetails) =>
    `expected a length from 0 to 2^44 - 1 bytes for ${details.subject}, got ${details.found}`,
  ERR_CREATE_DUPLICATE: (details: CreateErrorDetails) =>
    `expected each path once, got ${details.subject} ${details.found}`,
  ERR_CREATE_SYMLINK: (details: CreateErrorDetails) =>
    `expected the symbolic link ${details.subject} to point at a file or folder of the torrent, got ${details.found}`,
  ERR_CREATE_HASHES: (details: CreateErrorDetails) =>
    `expected ${details.subject}, got ${details.found}`,
});
