import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { makeFolder } from './make-folder.ts';

const root = mkdtempSync(path.join(tmpdir(), 'starling-folder-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('it is made with those above it, and once it is there nothing happens', () => {
  const folder = path.join(root, 'a', 'b', 'c');
  makeFolder(folder);
  makeFolder(folder);
  makeFolder(path.parse(root).root);
  assert.ok(statSync(folder).isDirectory());
  symlinkSync(folder, path.join(root, 'link'));
  makeFolder(path.join(root, 'link', 'd'));
  assert.ok(statSync(path.join(folder, 'd')).isDirectory());
});

test('a file in its place, or above it, is told', () => {
  const file = path.join(root, 'file');
  writeFileSync(file, '');
  assert.throws(() => makeFolder(file), { code: 'EEXIST' });
  assert.throws(() => makeFolder(path.join(file, 'a')), { code: 'ENOTDIR' });
});

test('where the system makes no folders it fails, and does not try for ever', {
  skip: existsSync('/proc/1') ? false : 'there is no /proc',
}, () => {
  assert.throws(() => makeFolder('/proc/1/no-folder/below'), { code: 'ENOENT' });
});
