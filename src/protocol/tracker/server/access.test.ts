/** Keys, paths and allow lists. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../../lib/bytes.ts';
import { Access, parseAllowList, parseTrackerPath } from './access.ts';

test('paths with and without a key; everything else is no tracker', () => {
  assert.deepEqual(parseTrackerPath('/announce'), { action: 'announce', key: '' });
  assert.deepEqual(parseTrackerPath('/scrape'), { action: 'scrape', key: '' });
  assert.deepEqual(parseTrackerPath('/k.1/announce'), { action: 'announce', key: 'k.1' });
  assert.deepEqual(parseTrackerPath('/scrape/k.1'), { action: 'scrape', key: 'k.1' });
  const others = [
    '',
    '/',
    'announce',
    '/announce/',
    '/a/b/announce',
    '/announces',
    '/a%20/announce',
  ];
  for (const path of [...others, `/${'k'.repeat(65)}/announce`]) {
    assert.equal(parseTrackerPath(path), undefined, path);
  }
});

test('without keys every path is served, with keys only theirs', () => {
  assert.ok(new Access().allowsKey('whatever'));
  const access = new Access(['a', 'b']);
  assert.deepEqual(
    ['a', 'b', 'c', ''].map((key) => access.allowsKey(key)),
    [true, true, false, false],
  );
});

test('a list of torrents can be replaced and lifted; an empty one serves none', () => {
  const hash = new Uint8Array(20).fill(1);
  const access = new Access([], [hash]);
  assert.ok(access.allowsTorrent(hash.slice()));
  assert.ok(!access.allowsTorrent(new Uint8Array(20)));
  access.setAllowed([]);
  assert.ok(!access.allowsTorrent(hash));
  access.setAllowed(undefined);
  assert.ok(access.allowsTorrent(hash));
});

test('allow lists: v1 and v2 hashes, comments, empty lines, both line ends', () => {
  const list = parseAllowList(
    `# ours\r\n\n  ${'AB'.repeat(20)}  name of it\n${'cd'.repeat(32)}# v2\r\n`,
  );
  assert.ok(list.ok);
  assert.deepEqual(list.value.map(toHex), ['ab'.repeat(20), 'cd'.repeat(20)]);
});

test('a line that is no info-hash is named', () => {
  for (const line of ['abc', 'zz'.repeat(20), 'a'.repeat(41)]) {
    const list = parseAllowList(`\n${line}`);
    assert.ok(!list.ok);
    assert.match(list.message, /^line 2: expected an info-hash of 40 or 64 hex digits, got "/);
  }
});
