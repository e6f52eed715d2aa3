/**
 * The numbers that bound a torrent, shared by parsing, layout and creation.
 * @module
 */

// Specification constants

/** Bytes in a block: what one request asks for (BEP 3), and what one v2 leaf covers (BEP 52). */
export const BLOCK_LENGTH_BYTES = 16_384;
/** Bytes in a SHA-1 digest. */
export const V1_HASH_LENGTH_BYTES = 20;
/** Bytes in a SHA-256 digest. */
export const V2_HASH_LENGTH_BYTES = 32;

// Implementation limits

/** 512 MiB. */
export const MAX_PIECE_LENGTH_BYTES: number = 2 ** 29;
/** 2,097,152 pieces: their bitfield is 256 KiB. */
export const MAX_PIECE_COUNT: number = 2 ** 21;
/** File lengths stay below this: 16 TiB. */
export const FILE_LENGTH_LIMIT_BYTES: number = 2 ** 44;
/** Components of a path, the torrent's name not counted. */
export const MAX_PATH_DEPTH = 100;
/** UTF-8 bytes of one path component; leaves room for suffixes below the 255 of common file systems. */
export const MAX_NAME_LENGTH_BYTES = 240;
