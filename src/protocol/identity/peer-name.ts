/**
 * Names that people give peers: which ones can be, and which two are the same.
 *
 * A name is one line of letters, marks, digits, punctuation and symbols in Unicode's NFC, with single spaces inside. No control characters and none that
 * change the direction of a text or cannot be seen: a name must not look like another one by them. None that reads as an option, a peer id or a link.
 * Bound: MAX_NAME_CHARACTERS. Not here: letters of different scripts that look alike; who compares fingerprints needs no names.
 * @module
 */
import { fail, ok, type Result } from '../../lib/errors.ts';
import { MAX_NAME_CHARACTERS } from './constants.ts';
import type { IdentityErrorCode } from './errors.ts';
import { parsePeerId } from './peer-id.ts';

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+(?: [\p{L}\p{M}\p{N}\p{P}\p{S}]+)*$/u;
/** What fits PRINTABLE but shows nothing: fillers of Hangul, selectors of variants and the like. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;
/** Reads as an option, or begins with a mark that has no letter to stand on. */
const BAD_START = /^[-\p{M}]/u;

/** A name in its one form. */
export function parsePeerName(text: string): Result<string, IdentityErrorCode> {
  const got = JSON.stringify(text.slice(0, 80));
  // Before anything is computed: NFC may at most triple a text.
  if (text.length > 4 * MAX_NAME_CHARACTERS) return tooLong(text.length);
  const name = text.normalize('NFC');
  const length = [...name].length;
  if (length > MAX_NAME_CHARACTERS) return tooLong(length);
  if (!PRINTABLE.test(name) || INVISIBLE.test(name)) {
    return fail(
      'ERR_PEER_NAME',
      `expected a name of printable characters with single spaces between words, got ${got}`,
    );
  }
  if (BAD_START.test(name) || /^starling:/i.test(name) || parsePeerId(name).ok) {
    return fail(
      'ERR_PEER_NAME',
      `expected a name that reads as nothing else, got ${got}, which reads as an option, a peer id or a link`,
    );
  }
  return ok(name);
}

/** Two names with the same key are the same to people: case and forms of compatibility do not tell them apart. */
export function peerNameKey(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFC');
}

function tooLong(length: number): Result<never, IdentityErrorCode> {
  return fail(
    'ERR_PEER_NAME',
    `expected a name of 1 to ${MAX_NAME_CHARACTERS} characters, got ${length}`,
  );
}
