import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvariantError } from './assert.ts';
import { Bitfield } from './bitfield.ts';

test('index 0 is the high bit of byte 0', () => {
  const field = new Bitfield(10);
  field.add(0);
  field.add(9);
  assert.deepEqual(field.bytes, Uint8Array.of(0x80, 0x40));
});

test('any calls leave it as they leave a Set', () => {
  const calls = fc.array(fc.tuple(fc.constantFrom('add', 'delete', 'fill', 'clear'), fc.nat()));
  fc.assert(
    fc.property(fc.nat(70), calls, (size, list) => {
      const field = new Bitfield(size);
      const model = new Set<number>();
      for (const [call, number] of list) {
        const index = number % Math.max(1, size);
        if (call === 'fill') {
          field.fill();
          for (let each = 0; each < size; each += 1) model.add(each);
        } else if (call === 'clear') {
          field.clear();
          model.clear();
        } else if (size > 0 && call === 'add') {
          assert.equal(field.add(index), !model.has(index));
          model.add(index);
        } else if (size > 0) {
          assert.equal(field.delete(index), model.delete(index));
        }
      }
      assert.deepEqual(
        [...field],
        [...model].sort((a, b) => a - b),
      );
      assert.equal(field.count, model.size);
      assert.equal(field.isFull, model.size === size);
      for (let index = 0; index < size; index += 1)
        assert.equal(field.has(index), model.has(index));
      assert.deepEqual([...Bitfield.fromWire(field.bytes, size)!], [...field]);
    }),
  );
});

test('it becomes what another one of its size is, and stays that when the other changes', () => {
  const [field, other] = [new Bitfield(11), new Bitfield(11)];
  field.add(0);
  other.add(10);
  field.assign(other);
  other.add(5);
  assert.deepEqual([...field], [10]);
  assert.equal(field.count, 1);
  assert.throws(() => field.assign(new Bitfield(12)), /expected 11, got 12/);
});

test('from outside: a copy, of exactly the right length, with no spare bit set', () => {
  const bytes = Uint8Array.of(0xff, 0xe0);
  const field = Bitfield.fromWire(bytes, 11)!;
  assert.equal(field.count, 11);
  bytes.fill(0);
  assert.equal(field.count, 11);
  assert.equal(field.has(10), true);
  assert.equal(Bitfield.fromWire(Uint8Array.of(0xff, 0xf0), 11), undefined);
  assert.equal(Bitfield.fromWire(Uint8Array.of(0xff), 11), undefined);
  assert.equal(Bitfield.fromWire(Uint8Array.of(0xff, 0xe0, 0), 11), undefined);
  assert.equal(Bitfield.fromWire(new Uint8Array(0), 0)?.isFull, true);
});

test('what is beyond the size is not in it, and cannot be added', () => {
  const field = new Bitfield(9);
  field.fill();
  assert.equal(field.has(9), false);
  assert.equal(field.has(16), false);
  assert.equal(field.has(1e6), false);
  for (const index of [-1, 9, 16, Number.NaN]) {
    assert.throws(() => field.add(index), InvariantError);
    assert.throws(() => field.delete(index), InvariantError);
  }
  for (const size of [-1, 0.5, Number.NaN]) assert.throws(() => new Bitfield(size), InvariantError);
});
