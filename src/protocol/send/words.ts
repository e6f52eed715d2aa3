/**
 * Codes as people say and type them: three words of the list.
 *
 * Ours: docs/protocol/send-code.md. Reading is forgiving about case, and about what stands around and between the words: blanks, dots, underscores, hyphens and dashes of any
 * kind. A word that is not in the list is refused with the nearest one that is, never replaced: a wrong guess would cost the sender's code one of its few.
 * Bounds: MAX_CODE_CHARACTERS. Not here: what is made of a code.
 * @module
 */
import { fail, ok, type Result } from '../../lib/errors.ts';
import type { SendCodeErrorCode } from './code-errors.ts';
import { WORDS } from './word-table.ts';

// Specification constants

/** Words of a code; with 2,048 of them, 33 bits. */
export const CODE_WORDS = 3;
const WORD_BITS = 11;
/** What a link to a code begins with. */
const LINK_HEAD = 'starling:receive/';

// Implementation limits

/** Longest text that is read as a code: the longest link has 43 characters. */
export const MAX_CODE_CHARACTERS = 128;
/** Longest word that a nearest one is looked for. */
export const MAX_GUESSED_LETTERS = 16;
/** A word of the list is called near when so many letters have to be changed. */
export const MAX_NEAR_LETTERS = 3;

const KNOWN: ReadonlySet<string> = new Set(WORDS);
/** Dashes of Unicode, minus signs, dots, underscores, blanks. */
const BETWEEN = /[\s._\-\u2010-\u2015\u2043\u2212\ufe58]+/;
/** What copying brings along unseen: soft hyphens, joiners, marks of byte order and of direction. */
const UNSEEN = /[\u00ad\u200b-\u200f\u2060\ufeff]/g;

/** Bytes that `makeCode` needs. */
export const CODE_RANDOM_BYTES: number = CODE_WORDS * 2;

/**
 * A new code, "word-word-word", each as likely as any other.
 * @param random CODE_RANDOM_BYTES bytes that nobody can guess. @throws RangeError for another number.
 */
export function makeCode(random: Uint8Array): string {
  if (random.length !== CODE_RANDOM_BYTES) {
    throw new RangeError(`code: expected ${CODE_RANDOM_BYTES} random bytes, got ${random.length}`);
  }
  const mask = (1 << WORD_BITS) - 1;
  const words = Array.from(
    { length: CODE_WORDS },
    (_, at) => WORDS[((random[2 * at]! << 8) | random[2 * at + 1]!) & mask]!,
  );
  return words.join('-');
}

/** A link that says the code. */
export function codeLink(code: string): string {
  return LINK_HEAD + code;
}

/** Reads a code or its link as somebody typed it. @returns it as `makeCode` writes it. */
export function parseCode(text: string): Result<string, SendCodeErrorCode> {
  if (text.length > MAX_CODE_CHARACTERS) {
    return fail(
      'ERR_SEND_CODE_FORM',
      `code: expected at most ${MAX_CODE_CHARACTERS} characters, got ${text.length}`,
    );
  }
  const plain = text.normalize('NFKC').replace(UNSEEN, '').trim().toLowerCase();
  const bare = plain.startsWith(LINK_HEAD) ? plain.slice(LINK_HEAD.length) : plain;
  const words = bare.split(BETWEEN).filter((word) => word !== '');
  if (words.length !== CODE_WORDS) {
    return fail(
      'ERR_SEND_CODE_FORM',
      `code: expected ${CODE_WORDS} words like "${WORDS[300]}-${WORDS[1100]}-${WORDS[1900]}", got ${words.length}`,
    );
  }
  const unknown = words.find((word) => !KNOWN.has(word));
  if (unknown === undefined) return ok(words.join('-'));
  const near = nearestWord(unknown);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return fail(
    'ERR_SEND_CODE_WORD',
    `code: expected words of the list, got ${JSON.stringify(unknown.slice(0, 2 * MAX_GUESSED_LETTERS))}${hint}`,
  );
}

/** The word of the list that is fewest letters away, of several the first; undefined when all are far. */
export function nearestWord(text: string): string | undefined {
  if (text.length > MAX_GUESSED_LETTERS) return undefined;
  let nearest: string | undefined;
  let least = MAX_NEAR_LETTERS + 1;
  for (const word of WORDS) {
    if (Math.abs(word.length - text.length) >= least) continue;
    const distance = letterDistance(text, word, least);
    if (distance < least) [nearest, least] = [word, distance];
  }
  // A word that keeps less than half of its letters is none that somebody meant.
  return least * 2 > text.length ? undefined : nearest;
}

/** Levenshtein distance: letters to be put in, taken out or changed. Stops when it is `enough` or more, and gives no less than that then. */
export function letterDistance(
  a: string,
  b: string,
  enough: number = Number.POSITIVE_INFINITY,
): number {
  let row = new Uint8Array(b.length + 1);
  let next = new Uint8Array(b.length + 1);
  for (let at = 0; at <= b.length; at += 1) row[at] = at;
  for (let i = 0; i < a.length; i += 1) {
    let least = i + 1;
    next[0] = least;
    const letter = a.charCodeAt(i);
    for (let at = 0; at < b.length; at += 1) {
      const changed = row[at]! + (letter === b.charCodeAt(at) ? 0 : 1);
      const best = Math.min(changed, row[at + 1]! + 1, next[at]! + 1);
      next[at + 1] = best;
      if (best < least) least = best;
    }
    if (least >= enough) return least;
    [row, next] = [next, row];
  }
  return row[b.length]!;
}
