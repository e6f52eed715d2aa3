/** BEP 3, "peer protocol" and "peer messages": each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bitfield } from '../../src/lib/bitfield.ts';
import { toLatin1 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import {
  decodeHandshake,
  decodeMessage,
  encodeHandshake,
  type Message,
  MessageWriter,
  makeReserved,
} from '../../src/protocol/peer-wire/index.ts';
import type { ChokeCandidate } from '../../src/protocol/swarm/choke-rules.ts';
import { Choker } from '../../src/protocol/swarm/choker.ts';
import { PiecePicker } from '../../src/protocol/swarm/picker.ts';
import { candidate } from '../support/choke-candidate.ts';

const handshake = encodeHandshake({
  reserved: makeReserved({}),
  infoHash: new Uint8Array(20).fill(0x11),
  peerId: new Uint8Array(20).fill(0x22),
});

function decoded(...bytes: number[]): Message {
  const result = decodeMessage(Uint8Array.from(bytes));
  assert.ok(result.ok);
  return result.value;
}

function written(write: (writer: MessageWriter) => void): number[] {
  const writer = new MessageWriter();
  write(writer);
  return [...writer.take()];
}

describe('BEP 3 handshake', () => {
  it('"The handshake starts with character ninteen (decimal) followed by the string \'BitTorrent protocol\'."', () => {
    assert.equal(handshake[0], 19);
    assert.equal(toLatin1(handshake.subarray(1, 20)), 'BitTorrent protocol');
  });

  it('"After the fixed headers come eight reserved bytes, which are all zero in all current implementations."', () => {
    assert.deepEqual([...handshake.subarray(20, 28)], [0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('"Next comes the 20 byte sha1 hash of the bencoded form of the info value from the metainfo file."', () => {
    assert.ok(handshake.subarray(28, 48).every((byte) => byte === 0x11));
  });

  it('"After the download hash comes the 20-byte peer id which is reported in tracker requests"', () => {
    assert.ok(handshake.subarray(48).every((byte) => byte === 0x22));
    assert.equal(handshake.length, 68);
    assert.equal(decodeHandshake(handshake).ok, true);
  });
});

describe('BEP 3 messages', () => {
  it('"All later integers sent in the protocol are encoded as four bytes big-endian."', () => {
    assert.deepEqual(
      written((writer) => writer.request(1, 0x0001_4000, 0x4000)),
      [0, 0, 0, 13, 6, 0, 0, 0, 1, 0, 1, 0x40, 0, 0, 0, 0x40, 0],
    );
  });

  it('"Messages of length zero are keepalives, and ignored."', () => {
    assert.deepEqual(decoded(), { type: 'keep-alive' });
    assert.deepEqual(
      written((writer) => writer.keepAlive()),
      [0, 0, 0, 0],
    );
  });

  const numbered: [number, Message['type'], number[]][] = [
    [0, 'choke', []],
    [1, 'unchoke', []],
    [2, 'interested', []],
    [3, 'not-interested', []],
    [4, 'have', [0, 0, 0, 0]],
    [5, 'bitfield', []],
    [6, 'request', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    [7, 'piece', [0, 0, 0, 0, 0, 0, 0, 0, 0]],
    [8, 'cancel', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
  ];
  for (const [id, type, payload] of numbered) {
    it(`"All non-keepalive messages start with a single byte which gives their type." ${id} - ${type}`, () => {
      assert.equal(decoded(id, ...payload).type, type);
    });
  }

  it("\"'choke', 'unchoke', 'interested', and 'not interested' have no payload.\"", () => {
    for (const id of [0, 1, 2, 3]) {
      assert.equal(decodeMessage(Uint8Array.of(id, 0)).ok, false);
    }
  });

  it('"The first byte of the bitfield corresponds to indices 0 - 7 from high bit to low bit, respectively."', () => {
    const message = decoded(5, 0b1000_0001, 0b0100_0000);
    assert.ok(message.type === 'bitfield');
    assert.deepEqual([...Bitfield.fromWire(message.bytes, 16)!], [0, 7, 9]);
  });

  it('"Spare bits at the end are set to zero."', () => {
    assert.equal(Bitfield.fromWire(Uint8Array.of(0xff, 0x40), 9), undefined);
    assert.equal(Bitfield.fromWire(Uint8Array.of(0xff, 0x80), 9)?.count, 9);
  });

  it("\"The 'have' message's payload is a single number, the index which that downloader just completed and checked the hash of.\"", () => {
    assert.deepEqual(decoded(4, 0, 0, 1, 2), { type: 'have', piece: 258 });
  });

  it('"\'request\' messages contain an index, begin, and length."', () => {
    assert.deepEqual(decoded(6, 0, 0, 0, 3, 0, 0, 0x40, 0, 0, 0, 0x20, 0), {
      type: 'request',
      piece: 3,
      begin: 0x4000,
      length: 0x2000,
    });
  });

  it('"All current implementations use 2^14 (16 kiB), and close connections which request an amount greater than that."', () => {
    const request = (length: number): boolean => {
      const bytes = new Uint8Array(13);
      bytes[0] = 6;
      new DataView(bytes.buffer).setUint32(9, length);
      return decodeMessage(bytes).ok;
    };
    assert.equal(request(16_384), true);
    assert.equal(request(16_385), false);
    assert.equal(request(0xffff_ffff), false);
  });

  it('"\'cancel\' messages have the same payload as request messages."', () => {
    const request = written((writer) => writer.request(1, 2, 3));
    const cancel = written((writer) => writer.cancel(1, 2, 3));
    assert.deepEqual(cancel.toSpliced(4, 1), request.toSpliced(4, 1));
  });

  it('"\'piece\' messages contain an index, begin, and piece."', () => {
    const message = decoded(7, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7);
    assert.ok(message.type === 'piece');
    assert.deepEqual([message.piece, message.begin, [...message.data]], [1, 2, [9, 8, 7]]);
  });
});

describe('BEP 3 downloading', () => {
  it('"Downloaders generally download pieces in random order"', () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 5; seed += 1) {
      const picker = new PiecePicker({ pieceCount: 30, blockCount: () => 1, rng: new Rng(seed) });
      const out: number[] = [];
      picker.pick(1, 'seed', 30, 'shared', out);
      orders.add(out.join());
    }
    assert.equal(orders.size, 5);
  });

  it('"once requests for all pieces a given downloader doesn\'t have yet are currently pending, it sends requests for everything to everyone it\'s downloading from" (here: to idle peers, three at most)', () => {
    const picker = new PiecePicker({ pieceCount: 2, blockCount: () => 1, rng: new Rng(1) });
    const out: number[] = [];
    picker.pick(1, 'seed', 1, 'shared', out);
    assert.equal(picker.pickEndgame(2, 'seed', 9, out), 0);
    picker.pick(1, 'seed', 1, 'shared', out);
    assert.equal(picker.pickEndgame(2, 'seed', 9, out), 2);
  });

  it('"it sends cancels to everyone else every time a piece arrives" (the picker names them)', () => {
    const picker = new PiecePicker({ pieceCount: 1, blockCount: () => 1, rng: new Rng(1) });
    picker.pick(1, 'seed', 1, 'shared', []);
    picker.pickEndgame(2, 'seed', 1, []);
    assert.deepEqual(
      picker.requesters(0, 0).filter((peer) => peer !== 2),
      [1],
    );
  });
});

describe('BEP 3 choking', () => {
  const peers = (count: number, change: (i: number) => Partial<ChokeCandidate>): ChokeCandidate[] =>
    Array.from({ length: count }, (_, peer) => candidate(peer, change(peer)));

  it('"avoids fibrillation by only changing who\'s choked once every ten seconds"', () => {
    const choker = new Choker({ rng: new Rng(1) });
    choker.run(
      0,
      peers(9, () => ({})),
      'leech',
    );
    const later = peers(9, (i) => ({ downloadBytesPerSec: i * 1e5 }));
    assert.deepEqual(choker.run(9_999, later, 'leech'), { choke: [], unchoke: [] });
    assert.notDeepEqual(choker.run(10_000, later, 'leech'), { choke: [], unchoke: [] });
  });

  it('"unchoking the four peers which it has the best download rates from and are interested"', () => {
    const choker = new Choker({ rng: new Rng(3) });
    const list = peers(9, (i) => ({
      downloadBytesPerSec: i * 1000,
      isInterested: i < 8 || i === 0,
    }));
    const { unchoke } = choker.run(0, list, 'leech');
    assert.equal(unchoke.filter((peer) => peer < 8).length, 4);
  });

  it('"Peers which have a better upload rate but aren\'t interested get unchoked"', () => {
    const choker = new Choker({ rng: new Rng(3) });
    const list = peers(9, (i) => ({ downloadBytesPerSec: i * 1000, isInterested: i !== 8 }));
    assert.ok(choker.run(0, list, 'leech').unchoke.includes(8));
  });

  it('"and if they become interested the worst uploader gets choked"', () => {
    const choker = new Choker({ rng: new Rng(3) });
    const list = peers(9, (i) => ({ downloadBytesPerSec: i * 1000, isInterested: i !== 8 }));
    choker.run(0, list, 'leech');
    const served = list
      .filter((c) => choker.isUnchoked(c.peer) && c.peer !== choker.optimistic)
      .map((c) => c.peer);
    const now = list.map((c) => ({ ...c, isInterested: true }));
    assert.deepEqual(choker.fill(1, now, 'leech').choke, [Math.min(...served)]);
  });

  it('"If a downloader has a complete file, it uses its upload rate rather than its download rate to decide who to unchoke."', () => {
    const choker = new Choker({ rng: new Rng(3) });
    const list = peers(9, (i) => ({
      downloadBytesPerSec: (9 - i) * 1e6,
      uploadBytesPerSec: i * 1e3,
    }));
    const { unchoke } = choker.run(0, list, 'seed');
    assert.ok(unchoke.includes(8) && unchoke.includes(7));
  });

  it('"Which peer is optimistically unchoked rotates every 30 seconds."', () => {
    const choker = new Choker({ rng: new Rng(5) });
    const list = peers(12, (i) => ({ downloadBytesPerSec: i < 3 ? 1e6 : 0 }));
    const seen: (number | undefined)[] = [];
    for (let nowMs = 0; nowMs < 90_000; nowMs += 10_000) {
      choker.run(nowMs, list, 'leech');
      seen.push(choker.optimistic);
    }
    assert.equal(new Set(seen.slice(0, 3)).size, 1);
    assert.equal(new Set(seen).size, 3);
  });
});
