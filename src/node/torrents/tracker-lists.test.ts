import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTiers, parseTiers } from '../../contract/index.ts';
import { TRACKERS_MAX } from '../../protocol/tracker/index.ts';
import { judgedTiers, withAdded, withChanged } from './tracker-lists.ts';

const [A, B, C] = [
  'http://a.example/announce',
  'udp://b.example:80',
  'https://c.example/',
] as const;

test('a text is read as tiers, parted by blank lines, and written as it was read', () => {
  const tiers = parseTiers(`\n\n${A}\r\n ${B}\n\n\n${C}\n\n`);
  assert.deepEqual(tiers, [[A, B], [C]]);
  assert.deepEqual(parseTiers(formatTiers(tiers)), tiers);
  assert.deepEqual(parseTiers(''), []);
});

test('what is added is a tier of its own; what is there, or no tracker, is passed over', () => {
  assert.deepEqual(withAdded([[A]], [B, A, 'ftp://x.example/', 'nothing', C]), [[A], [B], [C]]);
});

test('single ones are taken away and replaced by their place, and a tier without any is gone', () => {
  const tiers = [[A, B], [C]];
  assert.deepEqual(withChanged(tiers, new Map([[2, undefined]])), [[A, B]]);
  const both = new Map<number, string | undefined>([
    [0, undefined],
    [1, C],
  ]);
  assert.deepEqual(withChanged([[A, B]], both), [[C]]);
  assert.deepEqual(withChanged(tiers, new Map([[7, undefined]])), tiers);
});

test('a list that cannot be announced to is refused: no tracker, one twice, too many', () => {
  const refused = (...tiers: string[][]): void =>
    assert.throws(() => judgedTiers(tiers), { code: 'ERR_API_INVALID' });
  refused(['ftp://x.example/']);
  refused([A], [A]);
  refused(Array.from({ length: TRACKERS_MAX + 1 }, (_, at) => `http://a.example/${at}`));
  assert.deepEqual(judgedTiers([[A], [], [B, C]]), [[A], [B, C]]);
});
