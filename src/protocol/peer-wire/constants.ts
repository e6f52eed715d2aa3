/**
 * Numbers of the peer wire protocol.
 * Specs: BEP 3 (messages 0–8), BEP 5 (9), BEP 6 (13–17), BEP 9, BEP 10 (20), BEP 52 (21–23).
 * @module
 */

// Specification constants

/** Type bytes of the messages. */
export const MESSAGE_ID = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
  hashRequest: 21,
  hashes: 22,
  hashReject: 23,
} as const;

/** Bytes of a full block, the unit of requests (BEP 3: 2^14); the last block of a piece may be shorter. */
export const BLOCK_BYTES = 16_384;

/** 1 + 19 + 8 + 20 + 20 (BEP 3). */
export const HANDSHAKE_BYTES = 68;

/** The protocol name behind its length byte in the handshake (BEP 3). */
export const PROTOCOL_NAME = 'BitTorrent protocol';

/** Type byte, piece and begin: what precedes the data of a `piece` message. */
export const PIECE_HEADER_BYTES = 9;
/** A `request` with its length prefix. */
export const REQUEST_FRAME_BYTES = 17;

/** Extended message id of the extension handshake (BEP 10). */
export const EXTENDED_HANDSHAKE_ID = 0;

/** Bytes of a metadata piece; the last may be shorter (BEP 9). */
export const METADATA_PIECE_BYTES = 16_384;

/** Allowed-fast set size that the specification uses (BEP 6). */
export const ALLOWED_FAST_COUNT = 10;

/** Most hashes a hash request should ask for (BEP 52). */
export const HASH_REQUEST_MAX_LENGTH = 512;

// Implementation limits

/** Longest message accepted, length prefix not counted: room for the bitfield of 2^23 - 8 pieces. */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** Longest `piece` message that can answer a request of ours. */
export const MAX_PIECE_MESSAGE_BYTES: number = PIECE_HEADER_BYTES + BLOCK_BYTES;

/** Longest extended message: a metadata piece with its dictionary, or a large peer exchange, fits with room. */
export const MAX_EXTENDED_MESSAGE_BYTES = 131_072;

/** Most hashes served in one answer; larger than the specification's advice because other clients ask for more. */
export const MAX_HASHES_SERVED = 8192;

/** Most proof hashes in a `hashes` message: a tree of 2^64 leaves has no more layers. */
export const MAX_PROOF_HASHES = 64;

/** Largest info dictionary accepted from peers: 2^21 pieces of 20 bytes take 40 MiB, so this covers all but the extreme. */
export const MAX_METADATA_BYTES = 33_554_432;

/** Extension names kept for a peer; later ones are ignored. */
export const MAX_EXTENSIONS = 64;

/** Longest extension name kept, in bytes. */
export const MAX_EXTENSION_NAME_BYTES = 64;

/** Longest client name kept, in characters. */
export const MAX_CLIENT_NAME_LENGTH = 64;

/** Most contacts added, and as many dropped, in a message of peer exchange; BEP 11 allows 50 after the first message. */
export const MAX_PEX_CONTACTS = 1_000;

/** Largest `reqq` believed: more could not be in flight before our own pipeline cap. */
export const MAX_REQQ = 65_535;
