import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Heap, type HeapItem } from './heap.ts';

interface Item extends HeapItem {
  readonly value: number;
}

function item(value: number): Item {
  return { value, heapAt: -1 };
}

test('whatever goes in and leaves from the middle, the rest comes out in order', () => {
  const run = fc.array(fc.record({ value: fc.nat(50), remove: fc.boolean(), at: fc.nat() }));
  fc.assert(
    fc.property(run, (steps) => {
      const heap = new Heap<Item>((a, b) => a.value < b.value);
      const inside: Item[] = [];
      for (const { value, remove, at } of steps) {
        if (remove && inside.length > 0) {
          const [gone] = inside.splice(at % inside.length, 1);
          heap.remove(gone!);
          assert.equal(gone!.heapAt, -1);
        } else {
          const added = item(value);
          inside.push(added);
          heap.push(added);
        }
        assert.equal(heap.size, inside.length);
        assert.equal(heap.top?.value, inside.map((one) => one.value).sort((a, b) => a - b)[0]);
      }
      const out: number[] = [];
      for (let top = heap.pop(); top !== undefined; top = heap.pop()) out.push(top.value);
      assert.deepEqual(
        out,
        inside.map((one) => one.value).sort((a, b) => a - b),
      );
    }),
  );
});

test('an item of no heap, or of another one, is misuse', () => {
  const heap = new Heap<Item>((a, b) => a.value < b.value);
  const one = item(1);
  assert.throws(() => heap.remove(one), /not in this heap/);
  heap.push(one);
  assert.throws(() => heap.push(one), /in a heap already/);
  assert.deepEqual(heap.drain(), [one]);
  assert.equal(one.heapAt, -1);
});
