/** Orders of the list: filters, search, and that equal torrents keep their places. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TorrentRow } from '../../contract/index.ts';
import { orderOf, type View } from './torrent-order.ts';

const ALL: View = {
  filter: 'all',
  category: undefined,
  tag: undefined,
  search: '',
  sort: 'name',
  isDescending: false,
};

function row(id: string, more: Partial<TorrentRow>): TorrentRow {
  const plain = { id, name: id, state: 'seeding', error: null, category: null, tags: [] };
  return {
    ...plain,
    downloadBytesPerSec: 0,
    uploadBytesPerSec: 0,
    ...more,
  } as unknown as TorrentRow;
}

describe('orderOf', () => {
  it('sorts names as people do, numbers by their value', () => {
    const rows = ['b 10', 'b 9', 'A'].map((name, at) => row(String(at), { name }));
    assert.deepEqual(orderOf(rows, ALL), ['2', '1', '0']);
    assert.deepEqual(orderOf(rows, { ...ALL, isDescending: true }), ['0', '1', '2']);
  });

  it('keeps torrents with equal values in the order of their ids, whichever way it sorts', () => {
    const rows = ['c', 'a', 'b'].map((id) => row(id, { ratio: 1 }));
    for (const isDescending of [true, false]) {
      assert.deepEqual(orderOf(rows, { ...ALL, sort: 'ratio', isDescending }), ['a', 'b', 'c']);
    }
  });

  it('puts torrents of which nobody knows when they end behind the others', () => {
    const rows = [row('a', { etaSeconds: null }), row('b', { etaSeconds: 5 })];
    assert.deepEqual(orderOf(rows, { ...ALL, sort: 'eta' }), ['b', 'a']);
  });

  it('shows what has every word, the category and the tag', () => {
    const rows = [
      row('a', { name: 'Spring film', category: 'Films', tags: ['new'] }),
      row('b', { name: 'Spring sound', category: 'Films' }),
      row('c', { name: 'Spring film' }),
    ];
    assert.deepEqual(orderOf(rows, { ...ALL, search: 'FILM spring' }), ['a', 'c', 'b']);
    assert.deepEqual(orderOf(rows, { ...ALL, category: 'Films', tag: 'new' }), ['a']);
    assert.deepEqual(orderOf(rows, { ...ALL, category: null }), ['c']);
  });
});
