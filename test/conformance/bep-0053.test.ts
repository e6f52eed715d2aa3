/** BEP 53, selecting files in a magnet link: one test for each sentence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMagnet, parseMagnet } from '../../src/protocol/metainfo/index.ts';

const XT = 'magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567';

function selection(text: string): unknown {
  const result = parseMagnet(text);
  return result.ok ? result.value.selectOnly : result.code;
}

test('"so=0,2,4,6-8 means select only, and the numbers are the file indices."', () => {
  assert.deepEqual(selection(`${XT}&dn=NAME&tr=TRACKER&so=0,2,4,6-8`), [0, 2, 4, 6, 7, 8]);
});

test('"Files are zero-indexed."', () => {
  assert.deepEqual(selection(`${XT}&so=0`), [0]);
});

test('"Dashes mean inclusive ranges, so 6,7, and 8 are also added."', () => {
  assert.deepEqual(selection(`${XT}&so=6-8`), [6, 7, 8]);
  assert.deepEqual(selection(`${XT}&so=6-6`), [6]);
});

test('"This extension would add an optional array of file indices to the magnet link."', () => {
  assert.equal(selection(XT), undefined);
});

test('a selection is written as it is read', () => {
  const parsed = parseMagnet(`${XT}&so=8,6,7,0,2,4`);
  assert.ok(parsed.ok);
  assert.equal(formatMagnet(parsed.value), `${XT}&so=0,2,4,6-8`);
});
