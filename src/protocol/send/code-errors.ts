/**
 * What can be wrong with a code, with the record of a sender, and with who guesses.
 * @module
 */

/** Codes of failed Results of codes, records and guesses. */
export type SendCodeErrorCode =
  /** A text that is not three words. */
  | 'ERR_SEND_CODE_FORM'
  /** A word that is not in the list. */
  | 'ERR_SEND_CODE_WORD'
  /** A value of the DHT that is no sealed record, or sealed with the key of another code or hour. */
  | 'ERR_SEND_RECORD_SEALED'
  /** A record that opened and is none of ours. */
  | 'ERR_SEND_RECORD_MALFORMED'
  /** A record whose time is over. */
  | 'ERR_SEND_RECORD_EXPIRED'
  /** A guess too soon after the one before; it was not counted. */
  | 'ERR_SEND_GUESS_SOON'
  /** The code is dead: too many wrong guesses. */
  | 'ERR_SEND_CODE_DEAD'
  /** Somebody else has used the code. */
  | 'ERR_SEND_CODE_BOUND'
  /** The transfer is complete, or the receiver's time is over. */
  | 'ERR_SEND_CODE_OVER'
  /** A stored state of guesses that is none of ours. */
  | 'ERR_SEND_GUESS_STATE';
