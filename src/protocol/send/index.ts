/**
 * Sending to a person, without I/O: codes and what is made of them, the sender's record and its budget of guesses; what a transfer consists of, and the digest both ends compare.
 * @module
 */
export {
  deriveKeys,
  hourOf,
  hoursToTry,
  nextHourMs,
  pairHint,
  pakeChannel,
  type SendKeys,
  servedHours,
} from './code.ts';
export type { SendCodeErrorCode } from './code-errors.ts';
export { contentDigest, type DigestedFile } from './digest.ts';
export { GuessBudget, type GuessOutput, type GuessState, readGuessState } from './guesses.ts';
export {
  decodeManifest,
  encodeManifest,
  MAX_MANIFEST_BYTES,
  MAX_MANIFEST_ENTRIES,
  MAX_TEXT_BYTES,
  type Manifest,
  type ManifestEntry,
  type ManifestFile,
  type ManifestKind,
} from './manifest.ts';
export type { ManifestErrorCode } from './manifest-errors.ts';
export {
  manifestInfo,
  type Placement,
  placeEntries,
  TRANSFER_NONCE_BYTES,
  transferHash,
} from './manifest-info.ts';
export {
  decodeDigest,
  decodeKnock,
  decodeOffer,
  decodePaired,
  decodePairWord,
  decodeSendWord,
  encodeDigest,
  encodeKnock,
  encodeOffer,
  encodePaired,
  encodePairWord,
  encodeSendWord,
  type OfferWord,
  offerOf,
  PAIR_SERVICE,
  type PairWord,
  RECEIVE_SERVICE,
  SEND_SERVICE,
  type SendWord,
} from './messages.ts';
export {
  openRecord,
  RECORD_NONCE_BYTES,
  type RecordEndpoint,
  type RelayHint,
  type SenderRecord,
  sealRecord,
} from './rendezvous.ts';
export { CODE_RANDOM_BYTES, CODE_WORDS, codeLink, makeCode, parseCode } from './words.ts';
