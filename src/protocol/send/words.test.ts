import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { doubleMetaphone } from 'double-metaphone';
import fc from 'fast-check';
import { LEAST_DISTANCE, soundDistance, soundsOf } from '../../../test/support/speech.ts';
import { WORDS } from './word-table.ts';
import {
  CODE_RANDOM_BYTES,
  codeLink,
  letterDistance,
  MAX_CODE_CHARACTERS,
  makeCode,
  nearestWord,
  parseCode,
} from './words.ts';

/** Pairs of the list for which something holds. */
function pairs(holds: (a: number, b: number) => boolean): string[] {
  const found: string[] = [];
  for (let a = 0; a < WORDS.length; a += 1) {
    for (let b = a + 1; b < WORDS.length; b += 1) {
      if (holds(a, b)) found.push(`${WORDS[a]} ${WORDS[b]}`);
    }
  }
  return found;
}

describe('the list of words', () => {
  it('has 2,048 words of 3 to 8 small letters, in order, none twice', () => {
    assert.equal(WORDS.length, 2_048);
    assert.deepEqual(
      WORDS.filter((word) => !/^[a-z]{3,8}$/.test(word)),
      [],
    );
    assert.deepEqual([...new Set(WORDS)].sort(), WORDS);
  });

  it('has no two words with the same first four letters, and none that another begins with, so that no word is a form of another', () => {
    assert.equal(new Set(WORDS.map((word) => word.slice(0, 4))).size, WORDS.length);
    assert.deepEqual(
      pairs((a, b) => WORDS[b]!.startsWith(WORDS[a]!)),
      [],
    );
  });

  it('has no two words that one wrong letter turns into each other', () => {
    assert.deepEqual(
      pairs(
        (a, b) =>
          Math.abs(WORDS[a]!.length - WORDS[b]!.length) < 2 &&
          letterDistance(WORDS[a]!, WORDS[b]!, 2) < 2,
      ),
      [],
    );
  });

  it('has no two words with the same consonants by Double Metaphone', () => {
    assert.equal(new Set(WORDS.map((word) => doubleMetaphone(word)[0])).size, WORDS.length);
  });

  it(`has no two words that sound less than ${LEAST_DISTANCE} apart`, () => {
    const sounds = WORDS.map(soundsOf);
    assert.deepEqual(
      pairs((a, b) => soundDistance(sounds[a]!, sounds[b]!, LEAST_DISTANCE) < LEAST_DISTANCE),
      [],
    );
  });
});

describe('the rule for sounds', () => {
  it('holds words for alike that people confuse, and others for different', () => {
    const distance = (a: string, b: string): number => soundDistance(soundsOf(a), soundsOf(b));
    for (const pair of [
      'flower flour',
      'knight night',
      'bat pad',
      'cat coat',
      'mail nail',
      'phone bone',
      'thin fin',
      'pilot plate',
      'sheep cheap',
      'write right',
      'apple apples',
    ]) {
      const [a, b] = pair.split(' ');
      assert(distance(a!, b!) < LEAST_DISTANCE, pair);
      assert.equal(distance(a!, b!), distance(b!, a!), pair);
    }
    for (const pair of ['apple banana', 'window garden', 'tiger orchard']) {
      const [a, b] = pair.split(' ');
      assert(distance(a!, b!) >= LEAST_DISTANCE, pair);
    }
  });

  it('stops early only where it may', () => {
    const word = fc.constantFrom(...WORDS);
    fc.assert(
      fc.property(word, word, (a, b) => {
        const [x, y] = [soundsOf(a), soundsOf(b)];
        const isNear = soundDistance(x, y) < LEAST_DISTANCE;
        assert.equal(soundDistance(x, y, LEAST_DISTANCE) < LEAST_DISTANCE, isNear);
        assert.equal(letterDistance(a, b, 3) < 3, letterDistance(a, b) < 3);
      }),
    );
  });
});

const code = fc.array(fc.constantFrom(...WORDS), { minLength: 3, maxLength: 3 });

describe('codes', () => {
  it('are three words of the list, each bit of 33 from the random bytes', () => {
    assert.equal(
      makeCode(Uint8Array.of(0, 0, 7, 255, 8, 1)),
      `${WORDS[0]}-${WORDS[2047]}-${WORDS[1]}`,
    );
    assert.throws(() => makeCode(new Uint8Array(CODE_RANDOM_BYTES - 1)), RangeError);
  });

  it('are read whatever stands around and between the words, in either case', () => {
    const between = fc.constantFrom(
      '-',
      ' ',
      '.',
      '_',
      '\u2013',
      '\u2014',
      '\u2011',
      ' - ',
      '\u00a0',
      '\u2212',
    );
    const around = fc.constantFrom('', ' ', '\n', '\t ', '- ', '\ufeff', '\u200b');
    fc.assert(
      fc.property(
        code,
        between,
        between,
        around,
        around,
        fc.boolean(),
        (words, b, c, d, e, isUpper) => {
          const [x, y, z] = words;
          const text = `${d}${x}${b}${y}${c}${z}${e}`;
          const read = parseCode(isUpper ? text.toUpperCase() : text);
          assert.deepEqual(read, { ok: true, value: words.join('-') });
        },
      ),
    );
  });

  it('are read from their links', () => {
    const text = `${WORDS[5]}-${WORDS[6]}-${WORDS[7]}`;
    assert.deepEqual(parseCode(codeLink(text)), { ok: true, value: text });
    assert.deepEqual(parseCode(` ${codeLink(text).toUpperCase()} `), { ok: true, value: text });
  });

  it('are no codes with fewer or more words, or too many letters', () => {
    for (const text of [
      '',
      'pencil',
      'pencil-tiger',
      'pencil-tiger-acorn-yam',
      '---',
      'x'.repeat(MAX_CODE_CHARACTERS + 1),
    ]) {
      const read = parseCode(text);
      assert(!read.ok && read.code === 'ERR_SEND_CODE_FORM', text);
    }
  });

  it('with a wrong word are refused, and the nearest word is named', () => {
    const read = parseCode('acorn-umbrela-tiger');
    assert(!read.ok && read.code === 'ERR_SEND_CODE_WORD');
    assert.match(read.message, /got "umbrela"; did you mean "umbrella"\?/);
    const far = parseCode('acorn-qqqqqqq-tiger');
    assert(!far.ok && far.code === 'ERR_SEND_CODE_WORD');
    assert.doesNotMatch(far.message, /did you mean/);
  });

  it('with one wrong letter in a word of five or more get that word named', () => {
    const long = fc.constantFrom(...WORDS.filter(({ length }) => length >= 5));
    fc.assert(
      fc.property(long, fc.nat(), (word, at) => {
        const wrong = `${word.slice(0, at % word.length)}#${word.slice((at % word.length) + 1)}`;
        const near = nearestWord(wrong);
        assert(near !== undefined && letterDistance(wrong, near) === 1);
      }),
    );
  });
});
