/**
 * Sending by three words: codes, what is made of them, the sender's record and its budget of guesses, without I/O.
 * @module
 */
export {
  deriveKeys,
  hourOf,
  hoursToTry,
  nextHourMs,
  pakeChannel,
  type SendKeys,
  servedHours,
} from './code.ts';
export type { SendCodeErrorCode } from './code-errors.ts';
export { GuessBudget, type GuessOutput, type GuessState, readGuessState } from './guesses.ts';
export {
  openRecord,
  RECORD_NONCE_BYTES,
  type RecordEndpoint,
  type RelayHint,
  type SenderRecord,
  sealRecord,
} from './rendezvous.ts';
export { CODE_RANDOM_BYTES, CODE_WORDS, codeLink, makeCode, parseCode } from './words.ts';
