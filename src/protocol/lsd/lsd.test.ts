import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromLatin1 } from '../../lib/bytes.ts';
import { Rng } from '../../lib/rng.ts';
import {
  ANNOUNCE_BYTES_MAX,
  ANNOUNCE_DELAY_MS,
  ANNOUNCE_GAP_MS,
  ANNOUNCE_INTERVAL_MS,
  HASHES_PER_ANNOUNCE_MAX,
  LSD_HASHES_MAX,
  LSD_PEERS_MAX,
  LSD_PEERS_PER_HASH_MAX,
  LSD_PORTS_PER_HOST_MAX,
  PEER_LIFETIME_MS,
  SENDER_BURST,
  SENDERS_MAX,
  TOTAL_BURST,
} from './constants.ts';
import { encodeAnnounce, LocalDiscovery, type LsdOutput, parseAnnounce } from './index.ts';
import { LocalNetworks } from './local-networks.ts';

const HASH = new Uint8Array(20).fill(0xab);

function hashOf(number: number): Uint8Array {
  const hash = new Uint8Array(20);
  new DataView(hash.buffer).setUint32(0, number);
  return hash;
}

function core(): LocalDiscovery {
  return new LocalDiscovery(0, new Rng(1));
}

function drain(discovery: LocalDiscovery): LsdOutput[] {
  const outputs: LsdOutput[] = [];
  for (let next = discovery.poll(); next !== undefined; next = discovery.poll()) outputs.push(next);
  return outputs;
}

/** Peers that a datagram brought, as text. */
function heard(discovery: LocalDiscovery, nowMs: number, host: string, port = 7000): string[] {
  discovery.handleDatagram(nowMs, encodeAnnounce(4, { port, infoHashes: [HASH] }), host);
  return drain(discovery).map((output) =>
    output.type === 'peer' ? `${output.address.host}:${output.address.port}` : output.type,
  );
}

/** Runs until a time; tells when and how many hashes were announced. */
function run(discovery: LocalDiscovery, untilMs: number): { atMs: number; hashes: string[] }[] {
  const sent: { atMs: number; hashes: string[] }[] = [];
  for (let now = discovery.nextTimeoutMs; now <= untilMs; now = discovery.nextTimeoutMs) {
    discovery.handleTimeout(now);
    for (const output of drain(discovery)) {
      if (output.type !== 'transmit' || output.family !== 4) continue;
      const announce = parseAnnounce(output.bytes);
      assert.ok(announce.ok);
      sent.push({ atMs: now, hashes: announce.value.infoHashes.map((hash) => String(hash)) });
    }
  }
  return sent;
}

describe('announces of local discovery', () => {
  it('come back as they were written, whatever is in them', () => {
    const hash = fc.uint8Array({ minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(
        fc.constantFrom(4 as const, 6 as const),
        fc.integer({ min: 1, max: 65_535 }),
        fc.uniqueArray(hash, {
          minLength: 1,
          maxLength: HASHES_PER_ANNOUNCE_MAX,
          selector: String,
        }),
        fc.stringMatching(/^[!-~]{1,16}$/),
        (family, port, infoHashes, cookie) => {
          const bytes = encodeAnnounce(family, { port, infoHashes, cookie });
          assert.ok(bytes.length <= ANNOUNCE_BYTES_MAX);
          assert.deepEqual(parseAnnounce(bytes), { ok: true, value: { port, infoHashes, cookie } });
        },
      ),
    );
  });

  it('are read with other cases, spaces, line ends and without an end', () => {
    const text = `bt-search * http/1.0\nPORT:7\ninfoHASH:  ${'AB'.repeat(20)} \nX-New: 1\nno header`;
    assert.deepEqual(parseAnnounce(fromLatin1(text)), {
      ok: true,
      value: { port: 7, infoHashes: [HASH] },
    });
  });

  it('count with their good info-hashes, each once', () => {
    const hex = 'ab'.repeat(20);
    const text = `BT-SEARCH * HTTP/1.1\r\nPort: 7\r\nInfohash: ${hex}\r\nInfohash: zz\r\nInfohash: ${hex}\r\n\r\nPort: 8`;
    const announce = parseAnnounce(fromLatin1(text));
    assert.deepEqual(announce.ok && announce.value, { port: 7, infoHashes: [HASH] });
  });

  it('are refused with what was expected', () => {
    const line = `Infohash: ${'ab'.repeat(20)}`;
    for (const [text, expected] of [
      ['', /request line/],
      [`M-SEARCH * HTTP/1.1\r\nPort: 7\r\n${line}`, /request line/],
      [`BT-SEARCH * HTTP/1.1\r\n${line}`, /expected a port, got none/],
      [`BT-SEARCH * HTTP/1.1\r\nPort: 0\r\n${line}`, /1–65535/],
      [`BT-SEARCH * HTTP/1.1\r\nPort: 65536\r\n${line}`, /1–65535/],
      [`BT-SEARCH * HTTP/1.1\r\nPort: 0x7\r\n${line}`, /1–65535/],
      [`BT-SEARCH * HTTP/1.1\r\nPort: 7\r\nPort: 8\r\n${line}`, /got two/],
      ['BT-SEARCH * HTTP/1.1\r\nPort: 7\r\nInfohash: ab', /40 hex digits/],
      [`BT-SEARCH * HTTP/1.1\r\nPort: 7\r\n${line}${' '.repeat(1_500)}`, /at most 1500 bytes/],
    ] as const) {
      const announce = parseAnnounce(fromLatin1(text));
      assert.ok(!announce.ok, text);
      assert.match(announce.message, expected);
    }
  });

  it('cannot be written with what nobody could read', () => {
    for (const wrong of [
      { port: 0, infoHashes: [HASH] },
      { port: 7, infoHashes: [] },
      { port: 7, infoHashes: [new Uint8Array(32)] },
      { port: 7, infoHashes: [HASH], cookie: 'a\r\nPort: 8' },
    ]) {
      assert.throws(() => encodeAnnounce(4, wrong), { code: 'ERR_LSD_BAD_OPTION' });
    }
  });
});

describe('when local discovery announces', () => {
  it('torrents that come together go together, after a moment', () => {
    const discovery = core();
    for (let i = 0; i < 5; i += 1) discovery.add(i, hashOf(i), 7000);
    const sent = run(discovery, 1_000);
    assert.deepEqual(
      sent.map(({ atMs, hashes }) => [atMs, hashes.length]),
      [[ANNOUNCE_DELAY_MS, 5]],
    );
  });

  it('what somebody waits for may be announced out of turn, three times a minute', () => {
    const discovery = new LocalDiscovery(0, new Rng(1));
    for (let i = 0; i < 5; i += 1) {
      discovery.add(i * 1_000, new Uint8Array(20).fill(i), 6881, { urgency: 'now' });
      run(discovery, i * 1_000);
    }
    assert.equal(discovery.nextTimeoutMs, 2_000 + ANNOUNCE_GAP_MS);
  });

  it('what somebody waits for is announced at once, and takes along what is due soon', () => {
    const discovery = new LocalDiscovery(0, new Rng(1));
    discovery.add(0, new Uint8Array(20).fill(1), 6881);
    discovery.add(0, new Uint8Array(20).fill(2), 6881, { urgency: 'now' });
    const [first] = run(discovery, ANNOUNCE_DELAY_MS);
    assert.deepEqual([first?.atMs, first?.hashes.length], [0, 2]);
  });

  it('what just came to a node is announced in a moment, with others of that moment, twice a minute', () => {
    const discovery = core();
    discovery.add(0, hashOf(1), 7000, { urgency: 'soon' });
    run(discovery, 1_000);
    const times: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const atMs = 2_000 + i * 1_000;
      discovery.add(atMs, hashOf(10 + i), 7000, { urgency: 'soon' });
      discovery.add(atMs + 100, hashOf(20 + i), 7000, { urgency: 'soon' });
      for (const sent of run(discovery, atMs + 999)) {
        times.push(sent.atMs);
        assert.deepEqual(sent.hashes, [hashOf(10 + i), hashOf(20 + i)].map(String));
      }
    }
    assert.deepEqual(times, [2_000 + ANNOUNCE_DELAY_MS, 3_000 + ANNOUNCE_DELAY_MS]);
    assert.equal(discovery.nextTimeoutMs, times[1]! + ANNOUNCE_GAP_MS);
    // The account of those who wait is another one.
    discovery.add(6_000, hashOf(30), 7000, { urgency: 'now' });
    assert.equal(discovery.nextTimeoutMs, 6_000);
  });

  it('a torrent that comes later waits for its minute, also one that was removed and added again', () => {
    const discovery = core();
    discovery.add(0, hashOf(1), 7000);
    assert.equal(run(discovery, 1_000).length, 1);
    discovery.remove(hashOf(1));
    discovery.add(2_000, hashOf(1), 7000);
    discovery.add(3_000, hashOf(2), 7000);
    const [next] = run(discovery, 100_000);
    assert.deepEqual(next, {
      atMs: ANNOUNCE_DELAY_MS + ANNOUNCE_GAP_MS,
      hashes: [hashOf(1), hashOf(2)].map(String),
    });
  });

  it('a torrent that listens on another port has an announce of its own', () => {
    const discovery = core();
    discovery.add(0, hashOf(1), 7000);
    discovery.add(0, hashOf(2), 7001);
    assert.deepEqual(
      run(discovery, ANNOUNCE_INTERVAL_MS).map(({ hashes }) => hashes),
      [[String(hashOf(1))], [String(hashOf(2))]],
    );
  });

  it('with too many for five minutes everybody has its turn, the new ones first', () => {
    const discovery = core();
    for (let i = 0; i < 300; i += 1) discovery.add(0, hashOf(i), 7000);
    const sent = run(discovery, 13 * ANNOUNCE_GAP_MS + ANNOUNCE_DELAY_MS);
    assert.equal(new Set(sent.flatMap(({ hashes }) => hashes)).size, 300);
    discovery.add(13.5 * ANNOUNCE_GAP_MS, hashOf(999), 7000);
    const [next] = run(discovery, 14 * ANNOUNCE_GAP_MS + ANNOUNCE_DELAY_MS);
    assert.equal(next?.hashes[0], String(hashOf(999)));
  });

  it('nothing is announced without torrents, and no more torrents than the limit', () => {
    const discovery = core();
    assert.equal(discovery.nextTimeoutMs, Number.POSITIVE_INFINITY);
    for (let i = 0; i < LSD_HASHES_MAX; i += 1) assert.ok(discovery.add(0, hashOf(i), 7000));
    assert.equal(discovery.add(0, hashOf(LSD_HASHES_MAX), 7000), false);
    discovery.remove(hashOf(0));
    assert.ok(discovery.add(0, hashOf(LSD_HASHES_MAX), 7000));
    assert.throws(() => discovery.add(0, new Uint8Array(32), 7000), { code: 'ERR_LSD_BAD_OPTION' });
    assert.throws(() => discovery.add(0, HASH, 0), { code: 'ERR_LSD_BAD_OPTION' });
  });
});

describe('whom local discovery believes', () => {
  it('senders on the local network only', () => {
    const discovery = core();
    discovery.add(0, HASH, 7000);
    discovery.setNetworks(['203.0.113.2/24']);
    assert.deepEqual(heard(discovery, 0, '203.0.113.9'), ['203.0.113.9:7000']);
    assert.deepEqual(heard(discovery, 0, '203.0.114.9'), []);
    assert.deepEqual(heard(discovery, 0, '10.0.0.1'), ['10.0.0.1:7000']);
  });

  it('nobody about a torrent that is not here any more', () => {
    const discovery = core();
    discovery.add(0, HASH, 7000);
    discovery.add(0, hashOf(1), 7000);
    assert.equal(heard(discovery, 0, '10.0.0.1').length, 1);
    assert.equal(discovery.peerCount, 1);
    discovery.remove(HASH);
    assert.equal(discovery.peerCount, 0);
    assert.deepEqual(heard(discovery, 0, '10.0.0.1'), []);
  });

  it('nobody who repeats our own words', () => {
    const discovery = core();
    discovery.add(0, HASH, 7000);
    discovery.handleTimeout(ANNOUNCE_DELAY_MS);
    for (const output of drain(discovery)) {
      assert.ok(output.type === 'transmit');
      discovery.handleDatagram(0, output.bytes, '127.0.0.1');
    }
    assert.deepEqual(drain(discovery), []);
  });

  it('a sender no more often than its rate, without harm to others', () => {
    const discovery = core();
    discovery.add(0, HASH, 7000);
    let taken = 0;
    for (let i = 0; i < 3 * TOTAL_BURST; i += 1) taken += heard(discovery, 0, '10.0.0.1').length;
    assert.equal(taken, SENDER_BURST);
    assert.equal(heard(discovery, 0, '10.0.0.2').length, 1);
    assert.equal(heard(discovery, 1_000, '10.0.0.1').length, 1);
  });

  it('all senders together no more often than the common rate, however many they claim to be', () => {
    const discovery = core();
    discovery.add(0, HASH, 7000);
    for (let i = 0; i < TOTAL_BURST; i += 1) {
      heard(discovery, 0, `10.0.${(i % (SENDERS_MAX * 2)) >> 8}.${i & 255}`);
    }
    assert.deepEqual(heard(discovery, 0, '10.9.9.9'), []);
    assert.equal(discovery.peerCount, LSD_PEERS_PER_HASH_MAX);
  });

  it('a host with so many ports, and new peers when the old ones are silent', () => {
    const discovery = core();
    discovery.add(0, HASH, 7000);
    for (let i = 0; i < 50; i += 1) heard(discovery, 0, '10.0.0.1', 7000 + i);
    assert.equal(discovery.peerCount, LSD_PORTS_PER_HOST_MAX);
    assert.equal(
      heard(discovery, 60_000, '10.0.0.1', 7000).length,
      1,
      'a known one is heard again',
    );
    assert.equal(heard(discovery, PEER_LIFETIME_MS + 1, '10.0.0.1', 9000).length, 1);
    assert.equal(discovery.peerCount, 2, 'the one heard after a minute, and the new one');
  });

  it('so many peers in all', () => {
    const discovery = core();
    const hashes = Array.from({ length: 27 }, (_, i) => hashOf(i));
    for (const hash of hashes) discovery.add(0, hash, 7000);
    const infoHashes = hashes.slice(0, HASHES_PER_ANNOUNCE_MAX);
    for (let i = 0; i < 220; i += 1) {
      for (const part of [infoHashes, hashes.slice(HASHES_PER_ANNOUNCE_MAX)]) {
        const bytes = encodeAnnounce(4, { port: 7000, infoHashes: part });
        discovery.handleDatagram(0, bytes, `10.0.0.${i}`);
      }
    }
    assert.equal(discovery.peerCount, LSD_PEERS_MAX);
  });
});

it('local networks: private and near scopes, and subnets of our interfaces by their bits', () => {
  const networks = new LocalNetworks([
    '198.51.100.77/26',
    '2001:db8::1/64',
    '9.9.9.9/0',
    'x/8',
    '',
  ]);
  for (const host of [
    '127.0.0.1',
    '192.168.1.1',
    '169.254.1.1',
    'fe80::1%eth0',
    'fd00::1',
    '::1',
  ]) {
    assert.ok(networks.includes(host), host);
  }
  for (const host of ['198.51.100.64', '198.51.100.127', '2001:db8::ffff']) {
    assert.ok(networks.includes(host), host);
  }
  for (const host of [
    '198.51.100.63',
    '198.51.100.128',
    '2001:db8:0:1::1',
    '8.8.8.8',
    'x',
    '0.0.0.0',
  ]) {
    assert.ok(!networks.includes(host), host);
  }
});
