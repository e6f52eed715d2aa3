/**
 * Numbers of identities.
 * @module
 */

// Specification constants

/** RFC 8032: bytes of a public key, of a seed and of a signature. */
export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** libp2p peer-ids, "Keys": the protobuf of an Ed25519 public key before its 32 bytes (field 1: type 1; field 2: 32 bytes). */
export const PUBLIC_KEY_HEAD: Uint8Array = Uint8Array.of(0x08, 0x01, 0x12, 0x20);
/** libp2p peer-ids, "Peer Ids": the identity multihash of 36 bytes. */
export const IDENTITY_HEAD: Uint8Array = Uint8Array.of(0x00, 0x24);
/** CID version 1 with the codec `libp2p-key`. */
export const CID_HEAD: Uint8Array = Uint8Array.of(0x01, 0x72);
/** Bytes of a peer id: head, head of the key, key. */
export const PEER_ID_BYTES: number = IDENTITY_HEAD.length + PUBLIC_KEY_HEAD.length + KEY_BYTES;

// Implementation limits

/** Longest text that is read as a peer id: the longest form has 65 characters. */
export const MAX_PEER_ID_CHARACTERS = 128;
/** Characters of a domain tag. */
export const MAX_DOMAIN_CHARACTERS = 64;
/** Bytes of a certificate that is read; those of libp2p's vectors have about 500. */
export const MAX_CERTIFICATE_BYTES = 4_096;
/** Elements of a certificate that are read. */
export const MAX_CERTIFICATE_NODES = 256;
/** Characters of a name that a person gives a peer. */
export const MAX_NAME_CHARACTERS = 64;
/** Addresses of a peer in its card, its record, and among contacts. */
export const MAX_PEER_ADDRESSES = 8;
/** Relays in a card and a record. */
export const MAX_RELAYS = 4;
/** Longest card that is read: all of its parts at their bounds have under 1,900 characters. */
export const MAX_CARD_CHARACTERS = 4_096;
