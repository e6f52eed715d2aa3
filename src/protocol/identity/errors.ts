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
  | 'ERR_CERTIFICATE';
