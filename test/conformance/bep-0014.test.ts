/** BEP 14, local service discovery: each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import type { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { fromHex, fromLatin1, toHex, toLatin1 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import { lsdInterfaces } from '../../src/node/lsd-interfaces.ts';
import {
  encodeAnnounce,
  LocalDiscovery,
  LSD_GROUPS,
  LSD_PORT,
  type LsdOutput,
  parseAnnounce,
} from '../../src/protocol/lsd/index.ts';

const HEX = '0123456789abcdef0123456789abcdef01234567';
const HASH = fromHex(HEX)!;

function hashes(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => new Uint8Array(20).fill(index + 1));
}

function drain(core: LocalDiscovery): LsdOutput[] {
  const outputs: LsdOutput[] = [];
  for (let next = core.poll(); next !== undefined; next = core.poll()) outputs.push(next);
  return outputs;
}

/** When IPv4 announces leave in so many minutes, and with which info-hashes. */
function announces(core: LocalDiscovery, minutes: number): { atMs: number; named: string[] }[] {
  const sent: { atMs: number; named: string[] }[] = [];
  while (core.nextTimeoutMs <= minutes * 60_000) {
    const atMs = core.nextTimeoutMs;
    core.handleTimeout(atMs);
    for (const output of drain(core)) {
      if (output.type !== 'transmit' || output.family !== 4) continue;
      const announce = parseAnnounce(output.bytes);
      assert.ok(announce.ok);
      sent.push({ atMs, named: announce.value.infoHashes.map(toHex) });
    }
  }
  return sent;
}

describe('BEP 14, protocol', () => {
  it('"LSD uses the following multicast groups: A) 239.192.152.143:6771 (org-local) and B) [ff15::efc0:988f]:6771 (site-local)"', () => {
    assert.deepEqual(LSD_GROUPS, { 4: '239.192.152.143', 6: 'ff15::efc0:988f' });
    assert.equal(LSD_PORT, 6771);
  });

  it('"A LSD announce is formatted as follows"', () => {
    const bytes = encodeAnnounce(4, { port: 6881, infoHashes: [HASH], cookie: 'c0ffee' });
    assert.equal(
      toLatin1(bytes),
      `BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: ${HEX}\r\ncookie: c0ffee\r\n\r\n\r\n`,
    );
  });

  it('"Host header specifying the multicast group to which the announce is sent. In other words, strings A) or B), as appropriate."', () => {
    const bytes = encodeAnnounce(6, { port: 6881, infoHashes: [HASH] });
    assert.match(toLatin1(bytes), /\r\nHost: \[ff15::efc0:988f\]:6771\r\n/);
  });

  it('"port on which the bittorrent client is listening in base-10, ascii"', () => {
    for (const [text, port] of [
      ['6881', 6881],
      ['0x1ae1', undefined],
      ['6881a', undefined],
      ['-1', undefined],
      ['65536', undefined],
    ] as const) {
      const bytes = fromLatin1(`BT-SEARCH * HTTP/1.1\r\nPort: ${text}\r\nInfohash: ${HEX}\r\n\r\n`);
      const announce = parseAnnounce(bytes);
      assert.equal(announce.ok ? announce.value.port : undefined, port, text);
    }
  });

  it('"hex-encoded (40 character) infohash": of a v2 torrent the first 20 bytes, and of other lengths none', () => {
    const core = new LocalDiscovery(0, new Rng(1));
    assert.throws(() => core.add(0, new Uint8Array(32), 6881), { code: 'ERR_LSD_BAD_OPTION' });
    const long = fromLatin1(`BT-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: ${HEX}00\r\n\r\n`);
    assert.equal(parseAnnounce(long).ok, false);
  });

  it('"An announce may contain multiple, consecutive Infohash headers to announce the participation in more than one torrent."', () => {
    const infoHashes = hashes(5);
    const announce = parseAnnounce(encodeAnnounce(4, { port: 1, infoHashes }));
    assert.deepEqual(announce.ok && announce.value.infoHashes, infoHashes);
  });

  it('"When sending multiple infohashes the packet length should not exceed 1400 bytes to avoid MTU/fragmentation problems."', () => {
    const core = new LocalDiscovery(0, new Rng(1));
    for (const hash of hashes(100)) core.add(0, hash, 65_535);
    core.handleTimeout(core.nextTimeoutMs);
    const sent = drain(core);
    assert.equal(sent.length, 2);
    for (const output of sent) {
      assert.ok(output.type === 'transmit' && output.bytes.length <= 1400);
      // The next line would not fit.
      assert.ok(output.bytes.length + 52 > 1400);
    }
  });

  it('"opaque value, allowing the sending client to filter out its own announces if it receives them via multicast loopback"', () => {
    const core = new LocalDiscovery(0, new Rng(1));
    core.add(0, HASH, 6881);
    core.handleTimeout(core.nextTimeoutMs);
    for (const output of drain(core)) {
      assert.ok(output.type === 'transmit');
      core.handleDatagram(0, output.bytes, '127.0.0.1');
    }
    assert.deepEqual(drain(core), []);
    const cookie = new LocalDiscovery(0, new Rng(2)).cookie;
    core.handleDatagram(0, encodeAnnounce(4, { port: 1, infoHashes: [HASH], cookie }), '127.0.0.1');
    assert.equal(drain(core).length, 1, 'that of another node counts');
  });

  it('"any additional headers that not understood by a client should be ignored"', () => {
    const text = `BT-SEARCH * HTTP/1.1\r\nX-Mood: Port: 7\r\nPort: 6881\r\nno colon\r\nInfohash: ${HEX}\r\nZ:\r\n\r\n\r\n`;
    const announce = parseAnnounce(fromLatin1(text));
    assert.deepEqual(announce.ok && announce.value, { port: 6881, infoHashes: [HASH] });
  });
});

describe('BEP 14, usage', () => {
  it('"As long as a client is participating in a swarm it should send a LSD announce every 5 minutes"', () => {
    const core = new LocalDiscovery(0, new Rng(1));
    core.add(0, HASH, 6881);
    const times = announces(core, 16).map(({ atMs }) => atMs);
    assert.deepEqual(
      times.map((atMs) => atMs - times[0]!),
      [0, 300_000, 600_000, 900_000],
    );
    core.remove(HASH);
    assert.equal(core.nextTimeoutMs, Number.POSITIVE_INFINITY);
  });

  it('"on each interface on which it is listening for bittorrent connections"', () => {
    const one = { netmask: '', mac: '', family: 'IPv4' as const };
    const all: ReturnType<typeof networkInterfaces> = {
      lo: [{ ...one, address: '127.0.0.1', internal: true, cidr: '127.0.0.1/8' }],
      lan: [{ ...one, address: '10.0.0.2', internal: false, cidr: '10.0.0.2/24' }],
      wifi: [{ ...one, address: '10.0.1.2', internal: false, cidr: '10.0.1.2/24' }],
    };
    const names = (listenHost: string, isOffline = false): string[] =>
      lsdInterfaces(all, 4, { listenHost, isOffline }).map(({ name }) => name);
    assert.deepEqual(names('0.0.0.0'), ['lo', 'lan', 'wifi']);
    assert.deepEqual(names('10.0.1.2'), ['wifi']);
    assert.deepEqual(names('10.0.1.2', true), ['wifi']);
    assert.deepEqual(names('0.0.0.0', true), ['lo']);
    assert.deepEqual(names('127.0.0.9'), ['lo']);
  });

  it('"To avoid causing multicast storms on large networks a client should send no more than 1 announce per minute."', () => {
    const core = new LocalDiscovery(0, new Rng(1));
    for (const [index, hash] of hashes(200).entries()) core.add(0, hash, 6881 + (index % 3));
    const times = announces(core, 30).map(({ atMs }) => atMs);
    assert.ok(times.length > 20);
    for (const [index, atMs] of times.entries()) {
      if (index > 0) assert.ok(atMs - times[index - 1]! >= 60_000);
    }
  });

  it('"If more than 5 torrents are active a client may either round-robin announce the active torrents or include multiple infohashes per announce."', () => {
    const core = new LocalDiscovery(0, new Rng(1));
    for (const hash of hashes(60)) core.add(0, hash, 6881);
    const sent = announces(core, 5);
    assert.deepEqual(
      sent.map(({ named }) => named.length),
      [25, 25, 10],
    );
    assert.equal(new Set(sent.flatMap(({ named }) => named)).size, 60);
  });

  it('"a client will have to determine the IP address on which the remote client can be contacted based on the UDP source address"', () => {
    const core = new LocalDiscovery(0, new Rng(1));
    core.add(0, HASH, 6881);
    core.handleDatagram(0, encodeAnnounce(4, { port: 7777, infoHashes: [HASH] }), '10.1.2.3');
    assert.deepEqual(drain(core), [
      { type: 'peer', infoHash: HASH, address: { host: '10.1.2.3', port: 7777 } },
    ]);
  });
});
