/**
 * What can be wrong with an identity that somebody names.
 * @module
 */

/** Codes of failed Results of this room. */
export type IdentityErrorCode =
  /** A text that is no peer id. */
  | 'ERR_PEER_ID_TEXT'
  /** A peer id of another kind of key. */
  | 'ERR_PEER_ID_KIND'
  /** A peer id whose key is no strict point. */
  | 'ERR_PEER_ID_KEY'
  /** A certificate that proves no identity. */
  | 'ERR_CERTIFICATE'
  /** A text that cannot be the name of a peer. */
  | 'ERR_PEER_NAME'
  /** A link that is no card of a peer. */
  | 'ERR_PEER_CARD'
  /** A value in the DHT that is no address record. */
  | 'ERR_ADDRESS_RECORD';
