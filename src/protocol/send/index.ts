/**
 * Sending by three words: codes, what is made of them, the sender's record and its budget of guesses, without I/O.
 * @module
 */
export type { SendCodeErrorCode } from './code-errors.ts';
export { CODE_RANDOM_BYTES, CODE_WORDS, codeLink, makeCode, parseCode } from './words.ts';
