/**
 * Magnet links under fuzz: whatever parses is written and parsed again to the same.
 * @module
 */
import assert from 'node:assert/strict';
import { fromLatin1, toLatin1 } from '../../src/lib/bytes.ts';
import { formatMagnet, parseMagnet } from '../../src/protocol/metainfo/index.ts';
import type { FuzzTarget } from './driver.ts';

const HASH = '0123456789abcdef0123456789abcdef01234567';

export const target: FuzzTarget = {
  name: 'magnet',
  seeds: [
    `magnet:?xt=urn:btih:${HASH}`,
    `magnet:?xt=urn:btih:${HASH}&dn=a%20b+c&tr=http%3A%2F%2Fa%2Fannounce&tr.1=udp://b:1&ws=http://c/`,
    `magnet:?xt=urn:btmh:1220${HASH}0123456789abcdef01234567&x.pe=[::1]:6881&x.pe=1.2.3.4:5&x.pe=host:9`,
    'magnet:?xt.1=urn:btih:AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT&so=0,2,4,6-8',
  ].map(fromLatin1),
  run(bytes) {
    const parsed = parseMagnet(toLatin1(bytes));
    if (!parsed.ok) return;
    const again = parseMagnet(formatMagnet(parsed.value));
    assert.ok(again.ok, again.ok ? '' : again.message);
    assert.deepEqual(again.value, parsed.value);
  },
};
