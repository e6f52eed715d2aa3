/**
 * When two English words are easily confused by ear or by hand: the rule that the word list of codes keeps.
 *
 * A word is read as a row of coarse sounds: what differs by voice or by place only is one sound (p and b, t and d, k and g, f, v and th, s and z, m and n, sh, ch and j), vowels are
 * front, open or back. English spelling is not regular, so the reading is rough; it errs towards alike. The distance between two rows is the least sum of changes: a
 * consonant costs 1, a vowel or a weak sound (h, w, y) a half.
 * @module
 */

/** Least distance of two words of the list. */
export const LEAST_DISTANCE = 1.5;

const RULES: readonly (readonly [RegExp, string])[] = [
  // Silent letters.
  [/^(?:kn|gn|pn)/, 'n'],
  [/^wr/, 'r'],
  [/^wh/, 'w'],
  [/^ps/, 's'],
  [/^x/, 's'],
  [/mb$/, 'm'],
  [/mn$/, 'm'],
  [/gh(?=t)/, ''],
  [/ough$/, 'o'],
  [/augh/, 'of'],
  [/gh/, 'g'],
  [/lk$/, 'k'],
  [/lm$/, 'm'],
  [/stle$/, 'sl'],
  [/sten$/, 'sn'],
  [/tch/, 'J'],
  [/dge?/, 'd'],
  // Several letters for one sound; capitals are sounds already.
  [/[ts]ion/, 'Jon'],
  [/cian|tian|cean/, 'Jon'],
  [/ture/, 'Jur'],
  [/sch/, 'sk'],
  [/sc(?=[eiy])/, 's'],
  [/ch(?=[lr])/, 'k'],
  [/[cs]h/, 'J'],
  [/ph/, 'f'],
  [/th/, 'f'],
  [/qu/, 'kw'],
  [/ck/, 'k'],
  [/x/, 'ks'],
  [/c(?=[eiy])/, 's'],
  [/g(?=[eiy])/, 'J'],
  [/j/, 'J'],
  [/ng$/, 'n'],
  [/ng(?=[^aeiou])/, 'n'],
  [/es$/, 's'],
  [/e$/, ''],
  [/y(?![aeiou])/, 'i'],
  [/[aeo]w(?![aeiou])/, 'o'],
];

/** The sounds of each letter that is left. Small letters are weak. */
const SOUNDS: Readonly<Record<string, string>> = {
  p: 'P',
  b: 'P',
  t: 'T',
  d: 'T',
  k: 'K',
  c: 'K',
  g: 'K',
  q: 'K',
  f: 'F',
  v: 'F',
  s: 'S',
  z: 'S',
  J: 'J',
  m: 'N',
  n: 'N',
  l: 'L',
  r: 'R',
  h: 'h',
  w: 'w',
  y: 'y',
};

/** The coarse sounds of a word. */
export function soundsOf(word: string): string {
  let text = word;
  for (const [pattern, to] of RULES) text = text.replace(new RegExp(pattern, 'g'), to);
  return text
    .replace(/[aeiou]+/g, vowelOf)
    .replace(/[a-zJ]/g, (letter) => SOUNDS[letter] ?? letter)
    .replace(/([A-Z])\1+/g, '$1');
}

/** One digit, so that no rule takes it for a letter: front, open or back. */
function vowelOf(letters: string): string {
  if (/^(?:ee|ea|ie|ei|[ei])/.test(letters)) return '1';
  return letters.startsWith('a') ? '2' : '3';
}

function costOf(sound: string): number {
  return sound >= 'A' && sound <= 'Z' ? 1 : 0.5;
}

function isVowel(sound: string): boolean {
  return sound >= '1' && sound <= '3';
}

/** How far apart two rows of sounds are. Stops early, with at least `enough`, when they are farther than that. */
export function soundDistance(a: string, b: string, enough = Number.POSITIVE_INFINITY): number {
  let row = [0];
  for (const sound of b) row.push(row.at(-1)! + costOf(sound));
  for (const left of a) {
    const next = [row[0]! + costOf(left)];
    let least = next[0]!;
    for (let at = 0; at < b.length; at += 1) {
      const right = b[at]!;
      const change =
        left === right
          ? 0
          : isVowel(left) && isVowel(right)
            ? 0.5
            : Math.max(costOf(left), costOf(right));
      const best = Math.min(
        row[at]! + change,
        row[at + 1]! + costOf(left),
        next[at]! + costOf(right),
      );
      next.push(best);
      least = Math.min(least, best);
    }
    if (least >= enough) return least;
    row = next;
  }
  return row.at(-1)!;
}
