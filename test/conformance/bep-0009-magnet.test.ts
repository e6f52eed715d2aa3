/** BEP 9, "magnet URI format": one test for each sentence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../src/lib/bytes.ts';
import { formatMagnet, type Magnet, parseMagnet } from '../../src/protocol/metainfo/index.ts';

const HASH = '0123456789abcdef0123456789abcdef01234567';

function parse(parameters: string): Magnet {
  const result = parseMagnet(`magnet:?${parameters}`);
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.value;
}

test('"magnet:?xt=urn:btih:<info-hash>&dn=<name>&tr=<tracker-url>&x.pe=<peer-address>"', () => {
  const magnet = parse(`xt=urn:btih:${HASH}&dn=name&tr=http%3A%2F%2Ft%2F&x.pe=1.2.3.4:5`);
  assert.equal(toHex(magnet.infoHashV1!), HASH);
  assert.equal(magnet.displayName, 'name');
  assert.deepEqual(magnet.trackers, ['http://t/']);
  assert.deepEqual(magnet.peers, [{ host: '1.2.3.4', port: 5 }]);
});

test('"Is the info-hash hex encoded, for a total of 40 characters."', () => {
  const written = formatMagnet(parse(`xt=urn:btih:${HASH}`));
  assert.equal(written, `magnet:?xt=urn:btih:${HASH}`);
  assert.equal(parseMagnet(`magnet:?xt=urn:btih:${HASH.slice(2)}`).ok, false);
});

test('"clients should also support the 32 character base32 encoded info-hash."', () => {
  assert.equal(toHex(parse('xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH').infoHashV1!), HASH);
});

test('"A peer address expressed as hostname:port, ipv4-literal:port or [ipv6-literal]:port."', () => {
  const magnet = parse(
    `xt=urn:btih:${HASH}&x.pe=example.org:1&x.pe=10.0.0.1:2&x.pe=[2001:db8::1]:3`,
  );
  assert.deepEqual(magnet.peers, [
    { host: 'example.org', port: 1 },
    { host: '10.0.0.1', port: 2 },
    { host: '2001:db8::1', port: 3 },
  ]);
});

test('"xt is the only mandatory parameter."', () => {
  assert.deepEqual(parse(`xt=urn:btih:${HASH}`).trackers, []);
  const without = parseMagnet('magnet:?dn=name&tr=http://t/');
  assert.ok(!without.ok && without.code === 'ERR_MAGNET_NO_INFO_HASH');
});

test('"If there are multiple trackers, multiple tr entries may be included. The same applies for x.pe entries."', () => {
  const magnet = parse(`xt=urn:btih:${HASH}&tr=udp://a:1&tr=udp://b:2&x.pe=a:1&x.pe=b:2`);
  assert.equal(magnet.trackers.length, 2);
  assert.equal(magnet.peers.length, 2);
});
