import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../test/support/any-text.ts';
import { parseTrackerUrl } from './index.ts';

test('the parts of usable URLs', () => {
  const cases: [string, [string, string, number, string]][] = [
    ['http://T.example/announce', ['http', 't.example', 80, '/announce']],
    ['https://t.example:8443/a?b=c#d', ['https', 't.example', 8443, '/a?b=c']],
    ['https://t.example', ['https', 't.example', 443, '']],
    [' \r\nudp://t.example:6969\n', ['udp', 't.example', 6969, '']],
    ['UDP://[2001:db8::1]:80/announce', ['udp', '2001:db8::1', 80, '/announce']],
    ['http://user:pass@t.example?x', ['http', 't.example', 80, '?x']],
    ['http://t.example:/a', ['http', 't.example', 80, '/a']],
    ['http://träcker.example/a', ['http', 'träcker.example', 80, '/a']],
  ];
  for (const [text, expected] of cases) {
    const url = parseTrackerUrl(text);
    assert.ok(url.ok, text);
    const { scheme, host, port, pathAndQuery } = url.value;
    assert.deepEqual([scheme, host, port, pathAndQuery], expected);
  }
});

test('unusable URLs are faults that say why', () => {
  const cases: [string, RegExp][] = [
    ['', /expected scheme:\/\/host/],
    ['t.example/announce', /expected scheme:\/\/host/],
    ['ftp://t.example', /got the scheme ftp/],
    ['udp://t.example/announce', /expected a port from 1 to 65535, got none/],
    ['http://t.example:0', /got 0/],
    ['http://t.example:65536', /got 65536/],
    ['http://t.example:99999999', /expected host or host:port/],
    ['http:///announce', /expected host or host:port/],
    ['http://a b/', /no spaces/],
    ['http://a/\r\nhost: b', /no spaces/],
    [`http://${'a'.repeat(256)}/`, /at most 255/],
    [`http://a/${'a'.repeat(2048)}`, /at most 2048/],
  ];
  for (const [text, message] of cases) {
    const url = parseTrackerUrl(text);
    assert.ok(!url.ok, text);
    assert.equal(url.code, 'ERR_TRACKER_URL');
    assert.match(url.message, message);
  }
});

test('no text throws', () => {
  fc.assert(fc.property(anyText(), (text) => void parseTrackerUrl(`http://${text}`)));
});
