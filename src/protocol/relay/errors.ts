/**
 * Why a relay says no.
 * @module
 */

/** Codes of failed Results of this room. */
export type RelayErrorCode =
  /** Words to or of a relay that are none. */
  | 'ERR_RELAY_MESSAGE'
  /** The relay serves its contacts, and this is none. */
  | 'ERR_RELAY_STRANGER'
  /** All places are taken. */
  | 'ERR_RELAY_FULL'
  /** The peer that is asked for has no reservation. */
  | 'ERR_RELAY_NO_RESERVATION'
  /** Bytes, connections or requests of this identity are used up. */
  | 'ERR_RELAY_QUOTA'
  /** A token that is unknown, used up or too old. */
  | 'ERR_RELAY_TOKEN';
