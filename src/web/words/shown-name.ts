/**
 * Names that strangers chose, made safe to look at: characters that are invisible, or that turn the writing direction so that "exe.jpg" reads as something else,
 * become visible marks. Markup needs nothing here: React writes text, never HTML.
 * @module
 */

// Implementation limits
/** Characters of a name that are shown; a longer one ends with "…". */
const MAX_SHOWN = 1_000;

/** Controls, bidirectional controls, blanks without width, line separators, tags. Joiners stay: scripts and emoji need them. */
const HIDDEN =
  /[\p{Cc}\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

function mark(character: string): string {
  return `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/** "a⟨U+202E⟩b" for a name with a hidden character. */
export function shownName(name: string): string {
  const short = name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name;
  return short.replace(HIDDEN, mark);
}

/** A message of somebody, whole: it is kept nowhere else. Its lines and tabs stay. */
export function shownText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(HIDDEN, (character) => (/[\n\t]/.test(character) ? character : mark(character)));
}

/** A contact's name; of somebody who is none the end of the peer id, by which two can be told apart. */
export function personName(nameOrPeerId: string): string {
  return /^12D3KooW\w{44}$/.test(nameOrPeerId)
    ? `peer …${nameOrPeerId.slice(-6)}`
    : shownName(nameOrPeerId);
}
