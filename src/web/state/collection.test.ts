/** Collections: what a patch changes, who is told, and what stays the same object. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Collection } from './collection.ts';

interface Row {
  readonly a: number;
  readonly b: number;
}

describe('Collection', () => {
  it('merges known rows, takes new ones, forgets removed ones', () => {
    const all = new Collection<Row>();
    all.snapshot({ x: { a: 1, b: 1 }, y: { a: 2, b: 2 } });
    all.patch({ x: { b: 9 }, z: { a: 3, b: 3 } }, ['y']);
    assert.deepEqual(
      [...all.entries()],
      [
        ['x', { a: 1, b: 9 }],
        ['z', { a: 3, b: 3 }],
      ],
    );
    assert.deepEqual(all.keys, ['x', 'z']);
  });

  it('tells those alone whose row changed, and keeps the others as they are', () => {
    const all = new Collection<Row>();
    all.snapshot({ x: { a: 1, b: 1 }, y: { a: 2, b: 2 } });
    const told: string[] = [];
    all.subscribeRow('x', () => told.push('x'));
    const end = all.subscribeRow('y', () => told.push('y'));
    const [before, keys] = [all.get('x'), all.keys];
    all.patch({ y: { a: 5 } });
    assert.deepEqual(told, ['y']);
    assert.equal(all.get('x'), before);
    assert.equal(all.keys, keys, 'no row came or went');
    end();
    all.patch({ y: { a: 6 } });
    assert.deepEqual(told, ['y']);
  });

  it('ends up with the same rows however patches are cut', () => {
    const patch = fc.record({
      set: fc.dictionary(fc.constantFrom('p', 'q', 'r'), fc.record({ a: fc.nat(9), b: fc.nat(9) })),
      removed: fc.subarray(['p', 'q', 'r']),
    });
    fc.assert(
      fc.property(fc.array(patch), (patches) => {
        const all = new Collection<Row>();
        const expected = new Map<string, Row>();
        for (const { set, removed } of patches) {
          all.patch(set, removed);
          for (const [key, row] of Object.entries(set)) {
            expected.set(key, { ...expected.get(key), ...row });
          }
          for (const key of removed) expected.delete(key);
        }
        assert.deepEqual(new Map(all.entries()), expected);
        assert.deepEqual(all.keys, [...expected.keys()]);
      }),
    );
  });
});
