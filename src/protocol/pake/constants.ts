/**
 * Numbers of the password-authenticated key exchange.
 * Spec: draft-irtf-cfrg-cpace-21, suite CPACE-RISTR255-SHA512.
 * @module
 */

// Specification constants

/** Section "CPace group objects G_Ristretto255 …": what all hashes of this group begin with. */
export const GROUP_NAME = 'CPaceRistretto255';
/** RFC 9496: bytes of an encoded element, and of a scalar (little-endian). */
export const SHARE_BYTES = 32;
/** Bits of a sampled scalar: below the order of the group, which is a little more than 2^252. */
export const SCALAR_BITS = 252;
/** SHA-512: bytes of an input block and of a digest; the key and the tags have the latter length. */
export const HASH_BLOCK_BYTES = 128;
export const HASH_BYTES = 64;
/** First byte of our messages. */
export const SHARE_TYPE = 1;
export const CONFIRMATION_TYPE = 2;

// Implementation limits

/** Associated data of a party, sent beside its share. */
export const MAX_ASSOCIATED_BYTES = 1_024;
