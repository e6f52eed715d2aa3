/**
 * Text of strangers, for showing: nothing in it moves a cursor, colours a terminal or turns the order of letters around.
 * @module
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line: what must not be shown is a blank. */
export function printableLine(text: string): string {
  return text.replace(UNPRINTABLE, ' ');
}

/** As `printableLine`, but line ends and tabs stay. */
export function printableText(text: string): string {
  return text.replace(UNPRINTABLE, (one) => (one === '\n' || one === '\t' ? one : ' '));
}
