import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COLUMNS, columns, columnsOf, showColumn } from './columns.ts';

describe('columns of the list', () => {
  it('are those that the browser kept, in their places, whatever it kept', () => {
    const usual = columnsOf(null);
    assert.ok(usual.length > 0 && usual.length < COLUMNS.length);
    assert.deepEqual(columnsOf('["ratio","size","nothing",5]'), ['size', 'ratio']);
    assert.deepEqual(columnsOf('[]'), []);
    for (const broken of ['', '{', '{"size":1}', 'null', '"size"']) {
      assert.deepEqual(columnsOf(broken), usual, broken);
    }
  });

  it('come and go one by one', () => {
    const before = columns.get();
    showColumn('added', true);
    assert.deepEqual(columns.get(), [...before, 'added']);
    showColumn('added', true);
    assert.deepEqual(columns.get(), [...before, 'added']);
    showColumn('size', false);
    showColumn('added', false);
    assert.deepEqual(
      columns.get(),
      before.filter((each) => each !== 'size'),
    );
    showColumn('size', true);
    assert.deepEqual(columns.get(), before);
  });
});
