/** BEP 6, fast extension: each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Rng } from '../../src/lib/rng.ts';
import {
  allowedFastSet,
  decodeMessage,
  MessageWriter,
  makeReserved,
  parseReserved,
} from '../../src/protocol/peer-wire/index.ts';
import { PiecePicker } from '../../src/protocol/swarm/picker.ts';
import { nodeCrypto as crypto } from '../support/node-crypto.ts';

function written(write: (writer: MessageWriter) => void): number[] {
  const writer = new MessageWriter();
  write(writer);
  return [...writer.take()];
}

describe('BEP 6 capability', () => {
  it('"These are enabled by setting the third least significant bit of the last reserved byte in the BitTorrent handshake"', () => {
    assert.deepEqual([...makeReserved({ fast: true })], [0, 0, 0, 0, 0, 0, 0, 4]);
    assert.equal(parseReserved(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 4)).fast, true);
    assert.equal(parseReserved(Uint8Array.of(4, 4, 4, 4, 4, 4, 4, 0xfb)).fast, false);
  });
});

describe('BEP 6 messages', () => {
  it('"Have All: <len=0x0001> <op=0x0E>"', () => {
    assert.deepEqual(
      written((writer) => writer.haveAll()),
      [0, 0, 0, 1, 0x0e],
    );
    assert.deepEqual(decodeMessage(Uint8Array.of(0x0e)), { ok: true, value: { type: 'have-all' } });
  });

  it('"Have None: <len=0x0001><op=0x0F>"', () => {
    assert.deepEqual(
      written((writer) => writer.haveNone()),
      [0, 0, 0, 1, 0x0f],
    );
    assert.deepEqual(decodeMessage(Uint8Array.of(0x0f)), {
      ok: true,
      value: { type: 'have-none' },
    });
  });

  it('"Suggest Piece: <len=0x0005><op=0x0D><index>"', () => {
    assert.deepEqual(
      written((writer) => writer.suggest(7)),
      [0, 0, 0, 5, 0x0d, 0, 0, 0, 7],
    );
    assert.deepEqual(decodeMessage(Uint8Array.of(0x0d, 0, 0, 0, 7)), {
      ok: true,
      value: { type: 'suggest', piece: 7 },
    });
  });

  it('"Reject Request: <len=0x000D><op=0x10><index><begin><length>"', () => {
    assert.deepEqual(
      written((writer) => writer.reject(1, 2, 3)),
      [0, 0, 0, 13, 0x10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],
    );
    assert.deepEqual(decodeMessage(Uint8Array.of(0x10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3)), {
      ok: true,
      value: { type: 'reject', piece: 1, begin: 2, length: 3 },
    });
  });

  it('"Allowed Fast: <len=0x0005><op=0x11><index>"', () => {
    assert.deepEqual(
      written((writer) => writer.allowedFast(9)),
      [0, 0, 0, 5, 0x11, 0, 0, 0, 9],
    );
    assert.deepEqual(decodeMessage(Uint8Array.of(0x11, 0, 0, 0, 9)), {
      ok: true,
      value: { type: 'allowed-fast', piece: 9 },
    });
  });
});

describe('BEP 6 allowed fast', () => {
  const infoHash = new Uint8Array(20).fill(0xaa);
  const seven = [1059, 431, 808, 1217, 287, 376, 1188];

  it('"7 piece allowed fast set for torrent with 1313 pieces and hex infohash aa… for node with IP 80.4.4.200"', () => {
    assert.deepEqual(
      allowedFastSet(crypto, Uint8Array.of(80, 4, 4, 200), infoHash, 1313, 7),
      seven,
    );
  });

  it('"9 piece allowed fast set for torrent with 1313 pieces and hex infohash aa… for node with IP 80.4.4.200"', () => {
    assert.deepEqual(allowedFastSet(crypto, Uint8Array.of(80, 4, 4, 200), infoHash, 1313, 9), [
      ...seven,
      353,
      508,
    ]);
  });

  it('"if two peers offer k pieces fast it will be the same k, and if one offers k+1 it will be the same k plus one more"', () => {
    for (let k = 1; k < 20; k += 1) {
      const ip = Uint8Array.of(10, 20, 30, k);
      const smaller = allowedFastSet(crypto, ip, infoHash, 500, k);
      assert.deepEqual(allowedFastSet(crypto, ip, infoHash, 500, k + 1).slice(0, k), smaller);
    }
  });

  it('"to prevent a user that obtains more than one IP address on the same network from obtaining more than one allowed fast set"', () => {
    assert.deepEqual(
      allowedFastSet(crypto, Uint8Array.of(80, 4, 4, 1), infoHash, 1313, 7),
      allowedFastSet(crypto, Uint8Array.of(80, 4, 4, 254), infoHash, 1313, 7),
    );
  });

  it('"Let k denote the final number of pieces in the allowed fast set." (a torrent of fewer pieces allows all)', () => {
    const ip = Uint8Array.of(1, 2, 3, 4);
    assert.deepEqual(allowedFastSet(crypto, ip, infoHash, 3), [0, 1, 2]);
    assert.equal(allowedFastSet(crypto, ip, infoHash, 11).length, 10);
    assert.equal(new Set(allowedFastSet(crypto, ip, infoHash, 11)).size, 10);
  });

  it('"We currently have no provisions for IPv6."', () => {
    assert.throws(() => allowedFastSet(crypto, new Uint8Array(16), infoHash, 100), {
      code: 'ERR_PEER_WIRE_ARGUMENT',
    });
  });

  it('"The receiver MUST NOT interpret an Allowed Fast message as meaning that the message sender has the piece."', () => {
    const picker = new PiecePicker({ pieceCount: 8, blockCount: () => 1, rng: new Rng(1) });
    picker.addSeed();
    const out: number[] = [];
    assert.equal(picker.pick(1, 'seed', 5, 'shared', out, new Set([2])), 1);
    assert.deepEqual(out, [2, 0]);
  });
});
