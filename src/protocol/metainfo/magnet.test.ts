import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex } from '../../lib/bytes.ts';
import { formatMagnet, type Magnet, parseMagnet } from './index.ts';

const V1 = 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd';
const V2 = 'ab'.repeat(32);
const XT = `magnet:?xt=urn:btih:${V1}`;

function parsed(text: string): Magnet {
  const magnet = parseMagnet(text);
  assert.ok(magnet.ok, magnet.ok ? '' : magnet.message);
  return magnet.value;
}

function codeOf(text: string): string {
  const magnet = parseMagnet(text);
  return magnet.ok ? 'ok' : magnet.code;
}

test('every known parameter is read', () => {
  const magnet = parsed(
    `${XT}&xt=urn:btmh:1220${V2}&dn=a%20b+c&tr=http%3A%2F%2Fa%2Fb%3Fc%3D1&tr=udp://d:1&ws=https://e/f` +
      '&x.pe=1.2.3.4:5&x.pe=%5B::1%5D:6881&x.pe=host.example:9&so=0,2,4-6&unknown=1&flag',
  );
  assert.deepEqual(magnet, {
    infoHashV1: fromHex(V1),
    infoHashV2: fromHex(V2),
    displayName: 'a b c',
    trackers: ['http://a/b?c=1', 'udp://d:1'],
    webSeeds: ['https://e/f'],
    peers: [
      { host: '1.2.3.4', port: 5 },
      { host: '::1', port: 6881 },
      { host: 'host.example', port: 9 },
    ],
    selectOnly: [0, 2, 4, 5, 6],
  });
});

test('spellings found in the wild are accepted', () => {
  const spellings = [
    `MAGNET:?xt=urn:btih:${V1}`,
    `magnet:?xt=urn:btih:${V1.toUpperCase()}`,
    `magnet:?XT=URN:BTIH:${V1}`,
    `magnet:?xt.1=urn:btih:${V1}`,
    `magnet:?dn=x&amp;xt=urn:btih:${V1}`,
    `magnet:?xt=urn%3Abtih%3A${V1}`,
    `  magnet:?xt=urn:btih:${V1}\n`,
    `magnet:?xt=urn:sha1:whatever&xt=urn:btih:${V1}`,
    `magnet:?xt=urn:btih:${V1}&xt=urn:btih:${V1}`,
    'magnet:?xt=urn:btih:ZXG43TONZXG43TONZXG43TONZXG43TON',
    'magnet:?xt=urn:btih:zxg43tonzxg43tonzxg43tonzxg43ton',
  ];
  for (const text of spellings) assert.deepEqual(parsed(text).infoHashV1, fromHex(V1), text);
});

test('what names no torrent, or two, is an error', () => {
  const cases: [text: string, code: string][] = [
    ['', 'ERR_MAGNET_NOT_A_MAGNET'],
    ['http://example', 'ERR_MAGNET_NOT_A_MAGNET'],
    ['magnet:xt=urn:btih', 'ERR_MAGNET_NOT_A_MAGNET'],
    ['magnet:?', 'ERR_MAGNET_NO_INFO_HASH'],
    ['magnet:?dn=x', 'ERR_MAGNET_NO_INFO_HASH'],
    ['magnet:?xt=urn:ed2k:00', 'ERR_MAGNET_NO_INFO_HASH'],
    ['magnet:?xt=urn:btih:', 'ERR_MAGNET_INFO_HASH'],
    [`magnet:?xt=urn:btih:${V1}0`, 'ERR_MAGNET_INFO_HASH'],
    [`magnet:?xt=urn:btih:${V1.slice(1)}`, 'ERR_MAGNET_INFO_HASH'],
    [`magnet:?xt=urn:btih:${V1.slice(1)}g`, 'ERR_MAGNET_INFO_HASH'],
    [`magnet:?xt=urn:btih:${'1'.repeat(32)}`, 'ERR_MAGNET_INFO_HASH'],
    [`${XT}&xt=urn:btih:${'0'.repeat(40)}`, 'ERR_MAGNET_INFO_HASH'],
    [`magnet:?xt=urn:btmh:${V2}`, 'ERR_MAGNET_INFO_HASH'],
    [`magnet:?xt=urn:btmh:1114${V1}`, 'ERR_MAGNET_INFO_HASH'],
    [`magnet:?xt=urn:btmh:1220${V2}&xt=urn:btmh:1220${'00'.repeat(32)}`, 'ERR_MAGNET_INFO_HASH'],
    [`${XT}&dn=${'x'.repeat(70_000)}`, 'ERR_MAGNET_TOO_LONG'],
  ];
  for (const [text, code] of cases) assert.equal(codeOf(text), code, text.slice(0, 90));
});

test('peers that are no address are an error', () => {
  const bad = [
    'host',
    'host:',
    ':1',
    'host:0',
    'host:65536',
    '[::1]',
    '::1:6881',
    '[host]:1',
    '[]:1',
    'a b:1',
    'u@h:1',
  ];
  for (const peer of bad) assert.equal(codeOf(`${XT}&x.pe=${peer}`), 'ERR_MAGNET_PEER', peer);
});

test('selections are bounded and well-formed', () => {
  const bad = [
    '',
    'a',
    '1-',
    '-1',
    '3-2',
    '1,,2',
    '1-2-3',
    '0-99999999',
    '0-262144',
    '0-200000,300000-400000',
  ];
  for (const so of bad) assert.equal(codeOf(`${XT}&so=${so}`), 'ERR_MAGNET_SELECT_ONLY', so);
  assert.deepEqual(parsed(`${XT}&so=5,1-2,2,0`).selectOnly, [0, 1, 2, 5]);
  assert.equal(parsed(`${XT}&so=0-262143`).selectOnly!.length, 262_144);
});

test('URLs of unknown schemes are left out, repeated ones once, and their number is bounded', () => {
  const urls =
    'tr=ftp://a&tr=javascript:x&tr=http://b&tr=http://b&tr=wss://c&ws=udp://d&ws=http://e';
  const magnet = parsed(`${XT}&${urls}`);
  assert.deepEqual(magnet.trackers, ['http://b', 'wss://c']);
  assert.deepEqual(magnet.webSeeds, ['http://e']);
  const many = Array.from({ length: 300 }, (_, i) => `tr=http://${i}&x.pe=h:${i + 1}`).join('&');
  assert.equal(parsed(`${XT}&${many}`).trackers.length, 200);
  assert.equal(parsed(`${XT}&${many}`).peers.length, 200);
});

test('stray percent signs and ill-formed UTF-8 do not break a name', () => {
  assert.equal(parsed(`${XT}&dn=100%`).displayName, '100%');
  assert.equal(parsed(`${XT}&dn=%zz%4`).displayName, '%zz%4');
  assert.equal(parsed(`${XT}&dn=%FF%C3%A9`).displayName, '\ufffdé');
});

test('a link is written with its parts in a fixed order', () => {
  const text = formatMagnet({
    infoHashV1: fromHex(V1)!,
    infoHashV2: fromHex(V2)!,
    displayName: 'a b&c',
    trackers: ['http://t/?x=1'],
    peers: [
      { host: '::1', port: 1 },
      { host: '1.2.3.4', port: 2 },
    ],
    selectOnly: [7, 0, 1, 2, 9, 10],
  });
  assert.equal(
    text,
    `${XT}&xt=urn:btmh:1220${V2}&dn=a%20b%26c&tr=http%3A%2F%2Ft%2F%3Fx%3D1` +
      '&x.pe=%5B::1%5D:1&x.pe=1.2.3.4:2&so=0-2,7,9,10',
  );
});

test('property: what is written is read back', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  const port = fc.integer({ min: 1, max: 65_535 });
  const peer = fc.record({ host, port }, { noNullPrototype: true });
  const url = fc.webUrl({ withQueryParameters: true });
  const magnet = fc.record(
    {
      infoHashV1: bytes(20),
      infoHashV2: bytes(32),
      displayName: fc
        .string({ unit: 'grapheme', maxLength: 40 })
        .map((text) => text.toWellFormed()),
      trackers: fc.uniqueArray(url, { maxLength: 4 }),
      webSeeds: fc.uniqueArray(url, { maxLength: 4 }),
      peers: fc.uniqueArray(peer, {
        maxLength: 4,
        selector: (item) => `${item.host}|${item.port}`,
      }),
      selectOnly: fc.uniqueArray(fc.nat(5000), { minLength: 1, maxLength: 20 }),
    },
    { requiredKeys: ['infoHashV1', 'trackers', 'webSeeds', 'peers'], noNullPrototype: true },
  );
  fc.assert(
    fc.property(magnet, (value) => {
      const selectOnly = value.selectOnly && {
        selectOnly: value.selectOnly.toSorted((a, b) => a - b),
      };
      assert.deepEqual(parsed(formatMagnet(value)), { ...value, ...selectOnly });
    }),
    { numRuns: 200 },
  );
});
