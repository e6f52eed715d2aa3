import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfterMs } from './retry-after.ts';

test('RFC 9110: seconds or a date; the past means now, nonsense nothing, and a day is the most', () => {
  const wallMs = Date.UTC(1999, 11, 31, 23, 59, 0);
  assert.equal(retryAfterMs('120', wallMs), 120_000);
  assert.equal(retryAfterMs(' 0 ', wallMs), 0);
  assert.equal(retryAfterMs('Fri, 31 Dec 1999 23:59:59 GMT', wallMs), 59_000);
  assert.equal(retryAfterMs('Fri, 31 Dec 1999 23:00:00 GMT', wallMs), 0);
  assert.equal(retryAfterMs('9999999999', wallMs), 86_400_000);
  for (const text of [undefined, '', '-1', '1.5', 'soon', '12345678901', 'Fri, nonsense']) {
    assert.equal(retryAfterMs(text, wallMs), undefined, String(text));
  }
});
