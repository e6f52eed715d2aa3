/**
 * What can be wrong with a manifest that a sender tells.
 * @module
 */
import type { BencodeErrorCode } from '../bencode/index.ts';

/** Codes of failed Results about manifests. */
export type ManifestErrorCode =
  | BencodeErrorCode
  /** More bytes than a manifest may have. */
  | 'ERR_MANIFEST_TOO_LARGE'
  /** A version that is not known here. */
  | 'ERR_MANIFEST_VERSION'
  /** A key that is missing, not expected, or of the wrong type or range. */
  | 'ERR_MANIFEST_FORM'
  /** A name that no file system gives: empty, a dot or two, with a separator, a zero byte, ill-formed UTF-8, or too long. */
  | 'ERR_MANIFEST_NAME'
  /** Folders nested too deep, or a path that is too long. */
  | 'ERR_MANIFEST_PATH'
  | 'ERR_MANIFEST_TOO_MANY_ENTRIES'
  /** All files together have too many bytes. */
  | 'ERR_MANIFEST_TOO_MANY_BYTES'
  /** A symbolic link to nothing that is sent, or to a folder above it. */
  | 'ERR_MANIFEST_LINK'
  /** Too many names that had to be changed to be told apart. */
  | 'ERR_MANIFEST_TOO_MANY_DUPLICATE_NAMES';
