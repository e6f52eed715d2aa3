/**
 * What can be wrong with bencoded bytes (a value, never thrown) and with a value handed to the encoder (thrown).
 * @module
 */
import { defineErrors } from '../../lib/errors.ts';

/** Why bytes are not acceptable bencoding. */
export type BencodeErrorCode =
  /** The bytes end inside a value. */
  | 'ERR_BENCODE_TRUNCATED'
  /** Bytes follow the value. */
  | 'ERR_BENCODE_TRAILING'
  /** A byte that starts no value, or a dictionary key that is no string. */
  | 'ERR_BENCODE_SYNTAX'
  /** An integer without digits, with a leading zero, a minus zero, or too many digits. */
  | 'ERR_BENCODE_INTEGER'
  /** A string length with a leading zero or too many digits. */
  | 'ERR_BENCODE_LENGTH'
  /** A key occurs twice in one dictionary. */
  | 'ERR_BENCODE_DUPLICATE_KEY'
  /** Keys out of raw-byte order where order is required. */
  | 'ERR_BENCODE_UNSORTED_KEYS'
  /** Nested deeper than `maxDepth`. */
  | 'ERR_BENCODE_DEPTH'
  /** More than `maxTokens` values and keys, or more than `maxBytes` bytes. */
  | 'ERR_BENCODE_TOO_LARGE'
  /** Another type of value than asked for. */
  | 'ERR_BENCODE_TYPE';

/** Misuse of the encoder. */
export const bencodeError: <C extends 'ERR_BENCODE_UNENCODABLE'>(
  code: C,
  details: { readonly path: string; readonly found: string },
) => Error = defineErrors({
  ERR_BENCODE_UNENCODABLE: (details: { readonly path: string; readonly found: string }) =>
    `cannot bencode ${details.path}: expected an integer, string, bytes, array, Map or plain object, got ${details.found}`,
});
