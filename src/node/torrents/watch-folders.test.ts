import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AddTorrent } from '../../contract/index.ts';
import type { Settings } from '../settings/settings.ts';
import type { Additions } from './additions.ts';
import { WatchFolders } from './watch-folders.ts';

function rigOf(t: TestContext, refusals: Readonly<Record<string, Error>> = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), 'starling-watch-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const added: AddTorrent[] = [];
  const warnings: string[] = [];
  const settings = { get: () => [path.join(dir, 'gone'), `${dir}=films`] };
  const additions = {
    add: async (wish: AddTorrent) => {
      const refusal = refusals[wish.link ?? ''];
      if (refusal !== undefined) throw refusal;
      added.push(wish);
    },
  };
  const silent = (): void => {};
  const log = {
    error: silent,
    info: silent,
    debug: silent,
    warn: (text: string) => warnings.push(text),
  };
  const folders = new WatchFolders(
    settings as unknown as Settings,
    additions as unknown as Additions,
    log as never,
  );
  const put = (name: string, text: string): void => writeFileSync(path.join(dir, name), text);
  return { folders, added, warnings, put, names: () => readdirSync(dir).toSorted() };
}

test('a file is added once, with its category, when it rests between two looks', async (t) => {
  const { folders, added, put, names } = rigOf(t);
  put('a.torrent', 'half');
  put('b.magnet', 'magnet:?1\n\n  magnet:?2\n');
  put('note.txt', 'nothing');
  await folders.look();
  put('a.torrent', 'half and more');
  await folders.look();
  assert.deepEqual(added, [
    { link: 'magnet:?1', category: 'films' },
    { link: 'magnet:?2', category: 'films' },
  ]);
  await folders.look();
  await folders.look();
  assert.deepEqual(added.slice(2), [
    { torrent: Buffer.from('half and more').toString('base64'), category: 'films' },
  ]);
  assert.deepEqual(names(), ['a.torrent.added', 'b.magnet.added', 'note.txt']);
});

test('what cannot be taken is put aside with a reason, what is known counts as added', async (t) => {
  const { folders, warnings, put, names } = rigOf(t, {
    bad: new Error('no link'),
    known: Object.assign(new Error('is there'), { code: 'ERR_DUPLICATE' }),
  });
  put('bad.magnet', 'bad');
  put('known.magnet', 'known');
  await folders.look();
  await folders.look();
  assert.deepEqual(names(), ['bad.magnet.refused', 'known.magnet.added']);
  assert.match(warnings.join('\n'), /gone cannot be read \(ENOENT\).*bad\.magnet: no link/s);
});
