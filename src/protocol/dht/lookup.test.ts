/**
 * @module
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALL_DEFENCES, type Candidate, Lookup } from './lookup.ts';

const TARGET = new Uint8Array(20);

/** A lookup that knows some nodes of a local network; the first is nearest. */
function lookupOf(count: number): Lookup {
  const own = new Uint8Array(20).fill(0xff);
  const lookup = new Lookup(0, TARGET, own, 0, ALL_DEFENCES);
  lookup.begin(
    Array.from({ length: count }, (_, i) => {
      const id = new Uint8Array(20);
      id[0] = i + 1;
      return { id, host: `10.0.0.${i + 1}`, port: 6_881 };
    }),
  );
  return lookup;
}

/** Asks all that can be asked, and again when somebody answered or is slow. */
function asked(lookup: Lookup): Candidate[] {
  const candidates: Candidate[] = [];
  for (let next = lookup.next(0); next !== undefined; next = lookup.next(0)) candidates.push(next);
  return candidates;
}

describe('Lookup', () => {
  it('asks a slow node once more, and then waits for it no longer when somebody answered', () => {
    const lookup = lookupOf(3);
    const [dead, ...others] = asked(lookup);
    for (const each of others) lookup.answer(each, undefined);
    assert.equal(lookup.isDone(0), false);
    assert.equal(lookup.slow(dead!), true);
    assert.equal(lookup.isDone(0), false);
    lookup.late(dead!);
    assert.equal(lookup.isDone(0), true);
    assert.equal(lookup.stats(0).failed, 1);
    assert.equal(lookup.stats(0).asked, 4);
  });

  it('waits on while nobody answered', () => {
    const lookup = lookupOf(1);
    const [only] = asked(lookup);
    lookup.slow(only!);
    lookup.late(only!);
    assert.equal(lookup.isDone(0), false);
    lookup.fail(only!);
    assert.equal(lookup.isDone(0), true);
  });

  it('takes a late answer', () => {
    const lookup = lookupOf(2);
    const [late, other] = asked(lookup);
    lookup.slow(late!);
    lookup.late(late!);
    lookup.answer(late!, undefined);
    lookup.answer(other!, undefined);
    assert.deepEqual(lookup.closest(), [late, other]);
  });

  it('asks nobody once more who is behind the eighth that answered', () => {
    const lookup = lookupOf(12);
    const [near, ...others] = asked(lookup);
    const far = others.at(-1)!;
    lookup.answer(near!, undefined);
    lookup.learn(
      near!,
      Array.from({ length: 8 }, (_, i) => {
        const id = new Uint8Array(20);
        id[1] = i + 1;
        return { id, host: `10.0.1.${i + 1}`, port: 6_881 };
      }),
    );
    for (const each of others) if (each !== far) lookup.answer(each, undefined);
    for (let next = lookup.next(0); next !== undefined; next = lookup.next(0)) {
      lookup.answer(next, undefined);
    }
    assert.equal(lookup.slow(far), false);
    assert.equal(lookup.isDone(0), true);
  });

  it('lets a slow node make room for another one', () => {
    const lookup = lookupOf(6);
    const first = asked(lookup);
    assert.equal(first.length, 4);
    lookup.slow(first[0]!);
    assert.equal(asked(lookup).length, 1);
  });
});
