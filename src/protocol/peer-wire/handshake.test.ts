import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromLatin1, toLatin1 } from '../../lib/bytes.ts';
import { Rng } from '../../lib/rng.ts';
import { clientName, makePeerId } from './client-id.ts';
import {
  decodeHandshake,
  encodeHandshake,
  makeReserved,
  opensHandshake,
  parseReserved,
} from './handshake.ts';

const twenty = fc.uint8Array({ minLength: 20, maxLength: 20 });
const eight = fc.uint8Array({ minLength: 8, maxLength: 8 });

describe('handshake', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(eight, twenty, twenty, (reserved, infoHash, peerId) => {
        const bytes = encodeHandshake({ reserved, infoHash, peerId });
        assert.equal(bytes.length, 68);
        assert.deepEqual(decodeHandshake(bytes), {
          ok: true,
          value: { reserved, infoHash, peerId },
        });
      }),
    );
  });

  it('copies its fields out of the read buffer', () => {
    const bytes = encodeHandshake({
      reserved: new Uint8Array(8),
      infoHash: new Uint8Array(20).fill(7),
      peerId: new Uint8Array(20),
    });
    const decoded = decodeHandshake(bytes);
    bytes.fill(0);
    assert.ok(decoded.ok && decoded.value.infoHash.every((byte) => byte === 7));
  });

  it('is refused with another protocol name or length', () => {
    const good = encodeHandshake({
      reserved: new Uint8Array(8),
      infoHash: new Uint8Array(20),
      peerId: new Uint8Array(20),
    });
    for (let at = 0; at < 20; at += 1) {
      const bad = good.slice();
      bad[at]! ^= 1;
      const result = decodeHandshake(bad);
      assert.ok(!result.ok && result.code === 'ERR_HANDSHAKE_PROTOCOL');
    }
    for (const bytes of [good.slice(0, 67), new Uint8Array([...good, 0]), new Uint8Array(0)]) {
      const result = decodeHandshake(bytes);
      assert.ok(!result.ok && result.code === 'ERR_HANDSHAKE_LENGTH');
    }
  });

  it('is recognised from any of its first bytes', () => {
    const opening = fromLatin1('\x13BitTorrent protocol');
    for (let n = 0; n <= 20; n += 1) assert.equal(opensHandshake(opening.subarray(0, n)), true);
    assert.equal(opensHandshake(Uint8Array.of(22, 3, 1)), false);
  });

  it('throws for fields of a wrong length', () => {
    const fields = {
      reserved: new Uint8Array(8),
      infoHash: new Uint8Array(32),
      peerId: new Uint8Array(20),
    };
    assert.throws(() => encodeHandshake(fields), {
      code: 'ERR_PEER_WIRE_ARGUMENT',
      message: 'handshake infoHash: expected 20 bytes, got 32',
    });
  });

  it('keeps each capability in its own bit', () => {
    const flags = fc.record({
      fast: fc.boolean(),
      extension: fc.boolean(),
      dht: fc.boolean(),
      v2: fc.boolean(),
    });
    fc.assert(
      fc.property(flags, (capabilities) => {
        assert.deepEqual(parseReserved(makeReserved(capabilities)), { ...capabilities });
      }),
    );
  });
});

describe('makePeerId', () => {
  it('names the program and its version in Azureus style', () => {
    const text = toLatin1(makePeerId(new Rng(1), '0.1.12'));
    assert.match(text, /^-SL01C0-[0-9A-Za-z]{12}$/);
  });

  it('differs with the random numbers', () => {
    const rng = new Rng(1);
    assert.notDeepEqual(makePeerId(rng, '1.2.3'), makePeerId(rng, '1.2.3'));
  });

  it('throws for a version it cannot write', () => {
    for (const version of ['', '1.2', 'x.y.z', '1.2.36']) {
      assert.throws(() => makePeerId(new Rng(1), version), { code: 'ERR_PEER_WIRE_ARGUMENT' });
    }
  });
});

describe('clientName', () => {
  const cases: [string, string][] = [
    ['-SL0100-abcdefghijkl', 'Starling 0.1.0'],
    ['-TR4060-abcdefghijkl', 'Transmission 4.0.6'],
    ['-LT20B0-abcdefghijkl', 'libtorrent 2.0.11'],
    ['-qB4638-abcdefghijkl', 'qBittorrent 4.6.3.8'],
    ['-ZZ1234-abcdefghijkl', 'ZZ 1.2.3.4'],
    ['A2-1-37-0-abcdefghij', 'aria2 1.37.0'],
    ['M7-10-2--abcdefghijk', 'Mainline 7.10.2'],
    ['S58B-----abcdefghijk', 'Shadow 5.8.11'],
    ['\x00\x01xyz\xff\x02            ', 'unknown (xyz)'],
    ['\x00'.repeat(20), 'unknown'],
  ];
  for (const [id, name] of cases) {
    it(`${JSON.stringify(id)} is ${name}`, () => {
      assert.equal(clientName(fromLatin1(id)), name);
    });
  }

  it('is short and printable for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        assert.match(clientName(bytes), /^[ -~µ]{1,60}$/);
      }),
    );
  });
});
