import assert from 'node:assert/strict';
import { it } from 'node:test';
import { printableLine, printableText } from './printable.ts';

it('texts of strangers move no cursor, colour nothing and turn nothing around', () => {
  assert.equal(printableLine('a\u001b[31mb\nc\u202ed\u0085e'), 'a [31mb c d e');
  assert.equal(printableText('a\u001b[2Jb\n\tc\u2066d\re'), 'a [2Jb\n\tc d e');
  assert.equal(printableLine('Grüße, 世界 👋'), 'Grüße, 世界 👋');
});
