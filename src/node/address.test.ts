import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEndpoint, parseEndpoint } from './address.ts';

for (const [text, fallbackPort, host, port] of [
  ['192.0.2.7:6881', undefined, '192.0.2.7', 6881],
  ['[2001:db8::7]:6881', undefined, '2001:db8::7', 6881],
  ['[::1]', 5, '::1', 5],
  ['example.org', 80, 'example.org', 80],
  ['example.org:81', 80, 'example.org', 81],
  [':7', undefined, '0.0.0.0', 7],
  [' 192.0.2.7:0 ', undefined, '192.0.2.7', 0],
  ['h:65535', undefined, 'h', 65_535],
] as const) {
  test(`"${text}" is ${host}, port ${port}`, () => {
    assert.deepEqual(parseEndpoint(text, '--listen', fallbackPort), { host, port });
  });
}

for (const text of [
  'h',
  'h:65536',
  'h:123456',
  'h:x',
  '2001:db8::7',
  '[::1',
  '[]:5',
  '[::1]5',
  'h:-1',
]) {
  test(`"${text}" is refused with what is expected`, () => {
    assert.throws(() => parseEndpoint(text, '--listen'), {
      code: 'ERR_CONFIG',
      message: /^--listen: expected HOST:PORT, as in .*, got ".*"\.$/,
    });
  });
}

test('what is written is read again', () => {
  for (const endpoint of [
    { host: '192.0.2.7', port: 1 },
    { host: '::1', port: 65_535 },
    { host: 'example.org', port: 80 },
  ]) {
    assert.deepEqual(parseEndpoint(formatEndpoint(endpoint), 'it'), endpoint);
  }
});
