/**
 * What can be wrong with what the other party of a key exchange sent.
 * @module
 */

/** Codes of failed Results of this room. After any of them the run is over and its secrets are gone. */
export type PakeErrorCode =
  /** Bytes that are no message of this protocol. */
  | 'ERR_PAKE_MALFORMED'
  /** A message out of turn, or after the end. */
  | 'ERR_PAKE_ORDER'
  /** A share that encodes no element of the group, or the neutral one, or is our own. */
  | 'ERR_PAKE_SHARE'
  /** Password, session, names or messages were not the same on both sides. */
  | 'ERR_PAKE_UNEQUAL';
