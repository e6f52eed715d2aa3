/** What the dashboard makes of numbers and of names that strangers chose. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../test/support/any-text.ts';
import { countSet, decodeBitfield } from './bitfield.ts';
import { bytesText, durationText, parseBytes, percentText } from './format.ts';
import { personName, shownName, shownText } from './shown-name.ts';

describe('words', () => {
  it('write sizes with three digits at most', () => {
    assert.deepEqual([0, 999, 1_000, 1_536, 1_048_575, 5 * 2 ** 30].map(bytesText), [
      '0 B',
      '999 B',
      '1.0 KiB',
      '1.5 KiB',
      '1.0 MiB',
      '5.0 GiB',
    ]);
  });

  it('say 100 % only of what is whole', () => {
    assert.equal(percentText(0.99999), '99.9 %');
    assert.equal(percentText(1), '100 %');
  });

  it('write times with two units at most', () => {
    assert.deepEqual([59, 60, 3_900, 90_000, 1e9].map(durationText), [
      '59 s',
      '1 min',
      '1 h 5 min',
      '1 d 1 h',
      '> 1 year',
    ]);
  });

  it('read limits as people type them, and nothing else', () => {
    assert.deepEqual(['0', '500 K', '2,5 MiB/s', '1g'].map(parseBytes), [
      0,
      512_000,
      2_621_440,
      2 ** 30,
    ]);
    assert.deepEqual(['', 'many', '-1', '1 X'].map(parseBytes), [
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('read bitfields from the high bit on, and broken ones as empty', () => {
    const bits = decodeBitfield('gEA=');
    assert.equal(countSet(bits, 8), 1);
    assert.equal(countSet(bits, 16), 2);
    assert.equal(decodeBitfield('%').length, 0);
  });
});

describe('shownName', () => {
  it('makes visible what turns or hides text', () => {
    assert.equal(shownName('a\u202Egpj.exe\u0000'), 'a⟨U+202E⟩gpj.exe⟨U+0000⟩');
  });

  it('leaves joined emoji and scripts that need joiners alone', () => {
    const name = '👩‍🚀 می‌خواهم';
    assert.equal(shownName(name), name);
  });

  it('never lets a control or bidirectional character through', () => {
    fc.assert(
      fc.property(anyText(), (name) => {
        assert.doesNotMatch(
          shownName(name),
          /[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u,
        );
      }),
    );
  });
});

describe('shownText', () => {
  it('keeps the lines of a message, and all of it', () => {
    assert.equal(shownText('a\r\nb\n\tc\u202Ed'), 'a\nb\n\tc⟨U+202E⟩d');
    assert.equal(shownText('x'.repeat(5_000)).length, 5_000);
  });
});

describe('personName', () => {
  it('shortens the peer id of somebody who is no contact, and nothing else', () => {
    assert.equal(personName(`12D3KooW${'a'.repeat(38)}XVVC9a`), 'peer …XVVC9a');
    assert.equal(personName('12D3KooW and friends'), '12D3KooW and friends');
  });
});
