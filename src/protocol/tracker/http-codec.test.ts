import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fromLatin1 } from '../../lib/bytes.ts';
import { encode } from '../bencode/index.ts';
import { type AnnounceReply, buildAnnounceUrl, parseHttpReply, percentEncode } from './index.ts';

const ANNOUNCE = {
  infoHash: Uint8Array.from({ length: 20 }, (_, i) => i * 13),
  peerId: fromLatin1('-SG0001-abcdefghijkl'),
  port: 6881,
  uploadedBytes: 1,
  downloadedBytes: 2 ** 40,
  leftBytes: 3,
  event: 'none',
  key: 0xdeadbeef,
  numWant: 200,
} as const;

function parse(body: Uint8Array | string, status = 200): ReturnType<typeof parseHttpReply> {
  return parseHttpReply(status, typeof body === 'string' ? fromLatin1(body) : body);
}

function accepted(body: Uint8Array | string): AnnounceReply {
  const reply = parse(body);
  assert.ok(reply.ok, reply.ok ? '' : reply.message);
  assert.ok(reply.value.type === 'announce');
  return reply.value;
}

describe('announce URL', () => {
  test('has every parameter', () => {
    assert.equal(
      buildAnnounceUrl('http://t/a', { ...ANNOUNCE, event: 'started' }),
      'http://t/a?info_hash=%00%0D%1A%274AN%5Bhu%82%8F%9C%A9%B6%C3%D0%DD%EA%F7&peer_id=-SG0001-abcdefghijkl' +
        '&port=6881&uploaded=1&downloaded=1099511627776&left=3&compact=1&numwant=200&key=DEADBEEF&event=started',
    );
  });

  test('keeps the query of the tracker', () => {
    const cases = [
      ['http://t/a', 'http://t/a?info'],
      ['http://t/a?', 'http://t/a?info'],
      ['http://t/a?passkey=1', 'http://t/a?passkey=1&info'],
      ['http://t/a?passkey=1&', 'http://t/a?passkey=1&info'],
      ['http://t', 'http://t?info'],
    ];
    for (const [from, to] of cases) assert.ok(buildAnnounceUrl(from!, ANNOUNCE).startsWith(to!));
  });

  test('any bytes survive percent-encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = percentEncode(bytes);
        assert.match(text, /^[A-Za-z0-9._~%-]*$/);
        const back = text.replace(/%(..)/g, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        );
        assert.deepEqual(fromLatin1(back), bytes);
      }),
    );
  });
});

describe('reply', () => {
  test('every known field is read', () => {
    const reply = accepted(
      encode({
        interval: 1800,
        'min interval': 60,
        complete: 5,
        incomplete: 6,
        'tracker id': 'abc',
        'warning message': 'careful',
        peers: Uint8Array.of(192, 0, 2, 1, 0x1a, 0xe1),
        peers6: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80),
      }),
    );
    assert.deepEqual(reply, {
      type: 'announce',
      intervalMs: 1_800_000,
      minIntervalMs: 60_000,
      seeds: 5,
      leeches: 6,
      trackerId: fromLatin1('abc'),
      warning: 'careful',
      peers: [
        { host: '192.0.2.1', port: 6881 },
        { host: '2001:db8::1', port: 80 },
      ],
    });
  });

  test('unsorted keys and a line end behind the dictionary are accepted', () => {
    assert.equal(accepted('d5:peers0:8:intervali60ee\r\n').intervalMs, 60_000);
  });

  test('wrong types and negative numbers count as absent', () => {
    const reply = accepted(
      'd8:completei-1e10:incomplete3:abc8:intervali-5e5:peers0:10:tracker idi3ee',
    );
    assert.deepEqual(reply, { type: 'announce', peers: [] });
  });

  test('a tracker id beyond 256 bytes is not kept', () => {
    assert.equal(
      accepted(encode({ peers: '', 'tracker id': 'x'.repeat(257) })).trackerId,
      undefined,
    );
  });

  test('of a dictionary list the entries that are peers count', () => {
    const peers = [
      { ip: '192.0.2.1', port: 1 },
      { ip: '2001:DB8:0::1', port: 2 },
      { ip: 'peer.example', port: 3 },
      { ip: '192.0.2.1', port: 1 },
      { ip: '192.0.2.1', port: 0 },
      { ip: '192.0.2.1', port: 65_536 },
      { ip: '192.0.2.1' },
      { port: 4 },
      { ip: 'bad host', port: 4 },
      { ip: 'x'.repeat(256), port: 4 },
      7,
      'text',
    ];
    assert.deepEqual(accepted(encode({ peers })).peers, [
      { host: '192.0.2.1', port: 1 },
      { host: '2001:db8::1', port: 2 },
      { host: 'peer.example', port: 3 },
    ]);
  });

  test('at most 2,000 peers are kept, in either form', () => {
    const compact = new Uint8Array(6 * 5000);
    for (let i = 0; i < 5000; i += 1) compact.set([10, 0, i >> 8, i & 255, 1, 1], i * 6);
    assert.equal(accepted(encode({ peers: compact })).peers.length, 2000);
    const peers = Array.from({ length: 5000 }, (_, i) => ({ ip: '192.0.2.1', port: i + 1 }));
    assert.equal(accepted(encode({ peers })).peers.length, 2000);
  });

  test('a failure reason counts with any status', () => {
    const body = encode({ 'failure reason': 'not registered' });
    const refusal = { type: 'refusal', reason: 'not registered' };
    for (const status of [200, 404, 503]) {
      assert.deepEqual(parse(body, status), { ok: true, value: refusal });
    }
  });

  test('long reasons are cut', () => {
    const reply = parse(encode({ 'failure reason': 'x'.repeat(10_000) }));
    assert.ok(reply.ok && reply.value.type === 'refusal');
    assert.equal(reply.value.reason.length, 512);
  });

  test('retry in as string, number, never and nonsense (BEP 31)', () => {
    const cases: [string | number, number | 'never' | undefined][] = [
      ['5', 300_000],
      [5, 300_000],
      ['never', 'never'],
      ['soon', undefined],
      ['0', undefined],
      [-3, undefined],
    ];
    for (const [retry, expected] of cases) {
      const reply = parse(encode({ 'failure reason': 'x', 'retry in': retry }));
      assert.ok(reply.ok && reply.value.type === 'refusal');
      assert.equal(reply.value.retryInMs, expected);
    }
  });

  test('faults have codes and say what came', () => {
    const cases: [body: string | Uint8Array, status: number, code: string, message: RegExp][] = [
      ['<html>', 404, 'ERR_TRACKER_HTTP_STATUS', /expected status 200, got 404/],
      ['<html>', 200, 'ERR_TRACKER_REPLY_MALFORMED', /^tracker reply: byte 0: expected/],
      ['', 200, 'ERR_TRACKER_REPLY_MALFORMED', /expected/],
      ['le', 200, 'ERR_TRACKER_REPLY_MALFORMED', /expected a dictionary/],
      ['d5:peersi5ee', 200, 'ERR_TRACKER_REPLY_MALFORMED', /expected peers as string or list/],
      [new Uint8Array(1_048_577), 200, 'ERR_TRACKER_REPLY_TOO_LARGE', /at most 1048576 bytes/],
    ];
    for (const [body, status, code, message] of cases) {
      const reply = parse(body, status);
      assert.ok(!reply.ok);
      assert.equal(reply.code, code);
      assert.match(reply.message, message);
    }
  });

  test('random bytes never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parse(bytes)));
  });
});

test('external ip (BEP 24) is an address of 4 or 16 bytes, and nothing else', () => {
  const seenAt = (address: number[]): string | undefined => {
    const bytes = Uint8Array.from(address);
    const reply = parseHttpReply(200, encode({ 'external ip': bytes, interval: 60, peers: '' }));
    assert.ok(reply.ok && reply.value.type === 'announce');
    return reply.value.externalAddress;
  };
  assert.equal(seenAt([198, 51, 100, 9]), '198.51.100.9');
  assert.equal(seenAt([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]), '2001:db8::7');
  for (const wrong of [[], [1, 2, 3], [49, 46, 50, 46, 51]]) assert.equal(seenAt(wrong), undefined);
});
