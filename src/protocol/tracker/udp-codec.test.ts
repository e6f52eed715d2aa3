import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fromHex, fromLatin1, toHex } from '../../lib/bytes.ts';
import {
  encodeUdpAnnounce,
  encodeUdpConnect,
  parseUdpReply,
  type UdpAnnounce,
  udpTransactionId,
} from './index.ts';

const ANNOUNCE: UdpAnnounce = {
  connectionId: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  transactionId: 0xcafe,
  infoHash: new Uint8Array(20).fill(0x11),
  peerId: new Uint8Array(20).fill(0x22),
  downloadedBytes: 2 ** 53 - 1,
  leftBytes: 2 ** 32 + 5,
  uploadedBytes: 7,
  event: 'started',
  key: 0xdeadbeef,
  numWant: -1,
  port: 0x1ae1,
  urlData: '',
};

describe('requests', () => {
  test('connect', () => {
    assert.equal(toHex(encodeUdpConnect(0xfffffffe)), '000004172710198000000000fffffffe');
  });

  test('announce', () => {
    assert.equal(
      toHex(encodeUdpAnnounce(ANNOUNCE)),
      `0102030405060708000000010000cafe${'11'.repeat(20)}${'22'.repeat(20)}001fffffffffffff` +
        '0000000100000005000000000000000700000002' +
        '00000000deadbeefffffffff1ae1',
    );
  });

  test('all events have their numbers; a partial seed sends none', () => {
    const number = (event: UdpAnnounce['event']): number =>
      encodeUdpAnnounce({ ...ANNOUNCE, event })[83]!;
    const events = ['none', 'completed', 'started', 'stopped', 'paused'] as const;
    assert.deepEqual(events.map(number), [0, 1, 2, 3, 0]);
  });

  test('URL data follows in options of at most 255 bytes (BEP 41)', () => {
    const tail = (urlData: string): Uint8Array =>
      encodeUdpAnnounce({ ...ANNOUNCE, urlData }).subarray(98);
    assert.deepEqual(tail('/dir?a=b&c=d'), fromLatin1('\x02\x0c/dir?a=b&c=d'));
    const long = tail(`/${'x'.repeat(299)}`);
    assert.equal(long.length, 2 + 255 + 2 + 45);
    assert.deepEqual([...long.subarray(0, 2), ...long.subarray(257, 259)], [2, 255, 2, 45]);
  });
});

describe('replies', () => {
  test('IPv4 and IPv6 strides', () => {
    const head = '000000010000000100000708000000020000000300';
    const v4 = parseUdpReply(fromHex(`${head.slice(0, 40)}c00002011ae1c00002021ae2`)!, 4);
    assert.deepEqual(v4, {
      ok: true,
      value: {
        type: 'announce',
        intervalMs: 1_800_000,
        leeches: 2,
        seeds: 3,
        peers: [
          { host: '192.0.2.1', port: 6881 },
          { host: '192.0.2.2', port: 6882 },
        ],
      },
    });
    const v6 = parseUdpReply(
      fromHex(`${head.slice(0, 40)}20010db80000000000000000000000050050`)!,
      16,
    );
    assert.ok(v6.ok && v6.value.type === 'announce');
    assert.deepEqual(v6.value.peers, [{ host: '2001:db8::5', port: 80 }]);
  });

  test('longer packets than expected are accepted', () => {
    const reply = parseUdpReply(fromHex('0000000000000001aabbccddeeff0011ffff')!, 4);
    assert.deepEqual(reply, {
      ok: true,
      value: { type: 'connect', connectionId: fromHex('aabbccddeeff0011') },
    });
  });

  test('errors carry a text', () => {
    const bytes = fromLatin1('\0\0\0\x03\0\0\0\x01no such torrent\0\0');
    assert.deepEqual(parseUdpReply(bytes, 4), {
      ok: true,
      value: { type: 'refusal', reason: 'no such torrent' },
    });
  });

  test('short packets and unknown actions are faults', () => {
    for (const hex of [
      '',
      '00000000',
      '000000000000000100',
      '0000000100000001000007080000',
      '0000000200000001',
    ]) {
      const reply = parseUdpReply(fromHex(hex)!, 4);
      assert.ok(!reply.ok);
      assert.equal(reply.code, 'ERR_TRACKER_REPLY_MALFORMED');
    }
  });

  test('the transaction id tells tracker replies from DHT and uTP', () => {
    assert.equal(udpTransactionId(fromHex('00000001cafebabe')!), 0xcafebabe);
    assert.equal(udpTransactionId(fromLatin1('d1:ad2:id20:')), undefined);
    assert.equal(udpTransactionId(fromHex('0100000000000000')!), undefined);
    assert.equal(udpTransactionId(fromHex('000000')!), undefined);
  });

  test('random bytes never throw, and keep the bound on peers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 }), fc.uint8Array(), (action, tail) => {
        const bytes = Uint8Array.of(0, 0, 0, action, ...tail);
        for (const length of [4, 16] as const) parseUdpReply(bytes, length);
      }),
    );
    const many = new Uint8Array(20 + 6 * 9000).fill(9);
    for (let i = 0; i < 9000; i += 1) many.set([1, 1, i >> 8, i & 255, 9, 9], 20 + i * 6);
    many.set([0, 0, 0, 1], 0);
    const reply = parseUdpReply(many, 4);
    assert.ok(reply.ok && reply.value.type === 'announce');
    assert.equal(reply.value.peers.length, 2000);
  });
});
