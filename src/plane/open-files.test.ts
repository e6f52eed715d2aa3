import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_OPEN_FILES, openFilesLimit, openFilesUnder } from './open-files.ts';

test('a table keeps as many files open as leave some for others', () => {
  assert.equal(openFilesUnder(undefined), MAX_OPEN_FILES);
  assert.equal(openFilesUnder(1_048_576), MAX_OPEN_FILES);
  assert.equal(openFilesUnder(1_024), MAX_OPEN_FILES);
  assert.equal(openFilesUnder(256), 36);
  assert.equal(openFilesUnder(64), 4);
  assert.equal(openFilesUnder(1), 4);
});

test('the limit of this process is a number, or not known', () => {
  const limit = openFilesLimit();
  assert.ok(limit === undefined || limit > 20);
});
