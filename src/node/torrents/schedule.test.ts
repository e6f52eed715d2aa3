import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWithin } from './schedule.ts';

/** A day of a week that begins on Sunday, 2 August 2026, local time. */
function at(day: number, hours: number, minutes = 0): Date {
  return new Date(2026, 7, 2 + day, hours, minutes);
}

test('a span holds from its first minute to the one before its end, on its days', () => {
  const span = { days: ['mon', 'fri'], from: '08:00', to: '18:30' };
  assert.equal(isWithin(span, at(1, 7, 59)), false);
  assert.equal(isWithin(span, at(1, 8)), true);
  assert.equal(isWithin(span, at(1, 18, 29)), true);
  assert.equal(isWithin(span, at(1, 18, 30)), false);
  assert.equal(isWithin(span, at(2, 12)), false);
});

test('a span over midnight belongs to the day on which it begins', () => {
  const span = { days: ['sat'], from: '22:00', to: '06:00' };
  assert.equal(isWithin(span, at(6, 5)), false);
  assert.equal(isWithin(span, at(6, 22)), true);
  // The week begins anew with this night.
  assert.equal(isWithin(span, at(7, 5, 59)), true);
  assert.equal(isWithin(span, at(7, 6)), false);
  assert.equal(isWithin(span, at(7, 23)), false);
});

test('a span that begins when it ends lasts all day; without days it never holds', () => {
  const span = { days: ['wed'], from: '09:00', to: '09:00' };
  assert.equal(isWithin(span, at(3, 0)), true);
  assert.equal(isWithin(span, at(3, 23, 59)), true);
  assert.equal(isWithin(span, at(4, 0)), false);
  assert.equal(isWithin({ ...span, days: [] }, at(3, 9)), false);
});
