import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { equalBytes, readU32 } from '../../lib/bytes.ts';
import { decodeMessage, isServableHashRange, type Message, MessageWriter } from './messages.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const root = fc.uint8Array({ minLength: 32, maxLength: 32 });
const hashRange = fc.record({ root, baseLayer: u32, index: u32, length: u32, proofLayers: u32 });
const range = fc.record({ piece: u32, begin: u32, length: u32 });

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.constantFrom<Message>(
    { type: 'keep-alive' },
    { type: 'choke' },
    { type: 'unchoke' },
    { type: 'interested' },
    { type: 'not-interested' },
    { type: 'have-all' },
    { type: 'have-none' },
  ),
  u32.chain((piece) =>
    fc.constantFrom<Message>(
      { type: 'have', piece },
      { type: 'suggest', piece },
      { type: 'allowed-fast', piece },
    ),
  ),
  range.chain((r) =>
    fc.constantFrom<Message>(
      { type: 'request', ...r, length: 1 + (r.length % 16_384) },
      { type: 'cancel', ...r },
      { type: 'reject', ...r },
    ),
  ),
  fc.uint8Array({ maxLength: 300 }).map((bytes): Message => ({ type: 'bitfield', bytes })),
  fc
    .record({ piece: u32, begin: u32, data: fc.uint8Array({ minLength: 1, maxLength: 100 }) })
    .map((p): Message => ({ type: 'piece', ...p, dataBytes: p.data.length })),
  fc.integer({ min: 0, max: 65_535 }).map((port): Message => ({ type: 'port', port })),
  fc
    .record({ id: fc.integer({ min: 0, max: 255 }), payload: fc.uint8Array({ maxLength: 100 }) })
    .map((e): Message => ({ type: 'extended', ...e })),
  hashRange.chain((r) =>
    fc.constantFrom<Message>({ type: 'hash-request', ...r }, { type: 'hash-reject', ...r }),
  ),
  fc
    .tuple(hashRange, fc.integer({ min: 1, max: 20 }))
    .map(([r, n]): Message => ({ type: 'hashes', ...r, hashes: new Uint8Array(32 * n).fill(n) })),
);

/** Writes any message by the method named after it. */
function write(writer: MessageWriter, m: Message): void {
  switch (m.type) {
    case 'keep-alive':
      writer.keepAlive();
      break;
    case 'choke':
      writer.choke();
      break;
    case 'unchoke':
      writer.unchoke();
      break;
    case 'interested':
      writer.interested();
      break;
    case 'not-interested':
      writer.notInterested();
      break;
    case 'have-all':
      writer.haveAll();
      break;
    case 'have-none':
      writer.haveNone();
      break;
    case 'have':
      writer.have(m.piece);
      break;
    case 'suggest':
      writer.suggest(m.piece);
      break;
    case 'allowed-fast':
      writer.allowedFast(m.piece);
      break;
    case 'request':
      writer.request(m.piece, m.begin, m.length);
      break;
    case 'cancel':
      writer.cancel(m.piece, m.begin, m.length);
      break;
    case 'reject':
      writer.reject(m.piece, m.begin, m.length);
      break;
    case 'bitfield':
      writer.bitfield(m.bytes);
      break;
    case 'piece':
      writer.piece(m.piece, m.begin, m.data);
      break;
    case 'port':
      writer.port(m.port);
      break;
    case 'extended':
      writer.extended(m.id, m.payload);
      break;
    case 'hash-request':
      writer.hashRequest(m);
      break;
    case 'hash-reject':
      writer.hashReject(m);
      break;
    case 'hashes':
      writer.hashes(m);
      break;
    case 'unknown':
      throw new Error('nothing writes an unknown message');
  }
}

/** Cuts a stream at its length prefixes. */
function split(stream: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < stream.length; ) {
    const length = readU32(stream, at);
    messages.push(stream.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return messages;
}

describe('messages', () => {
  it('come back as they were written, many in one buffer', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), (messages) => {
        const writer = new MessageWriter(64);
        for (const one of messages) write(writer, one);
        const stream = writer.take();
        assert.equal(writer.length, 0);
        const decoded = split(stream).map((bytes) => decodeMessage(bytes));
        assert.deepEqual(
          decoded,
          messages.map((value) => ({ ok: true, value })),
        );
      }),
    );
  });

  it('are never decoded by throwing, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const result = decodeMessage(bytes);
        if (!result.ok) assert.match(result.message, /expected .* got \d+/);
      }),
    );
  });

  it('of one fixed length are refused with any other', () => {
    const lengths: Record<number, number> = {
      0: 1,
      1: 1,
      2: 1,
      3: 1,
      4: 5,
      6: 13,
      8: 13,
      9: 3,
      13: 5,
      14: 1,
      15: 1,
      16: 13,
      17: 5,
      21: 49,
      23: 49,
    };
    for (const [id, length] of Object.entries(lengths)) {
      for (let other = 1; other <= 60; other += 1) {
        const bytes = new Uint8Array(other);
        bytes[0] = Number(id);
        if (other === 13 && id === '6') bytes[12] = 1;
        assert.equal(decodeMessage(bytes).ok, other === length, `type ${id}, ${other} bytes`);
      }
    }
  });

  it('with data are refused without data or with more than a block', () => {
    for (const [length, isOk] of [
      [9, false],
      [10, true],
      [9 + 16_384, true],
      [10 + 16_384, false],
    ] as const) {
      const bytes = new Uint8Array(length);
      bytes[0] = 7;
      assert.equal(decodeMessage(bytes).ok, isOk, `${length} bytes`);
    }
  });

  it('of type hashes hold whole hashes, at least one', () => {
    for (const [length, isOk] of [
      [49, false],
      [49 + 32, true],
      [49 + 33, false],
      [49 + 32 * (8192 + 64), true],
      [49 + 32 * (8192 + 65), false],
    ] as const) {
      const bytes = new Uint8Array(length);
      bytes[0] = 22;
      assert.equal(decodeMessage(bytes).ok, isOk, `${length} bytes`);
    }
  });

  it('larger than the caps are refused', () => {
    for (const [id, length] of [
      [5, 1_048_577],
      [20, 131_073],
      [20, 1],
    ] as const) {
      const bytes = new Uint8Array(length);
      bytes[0] = id;
      assert.deepEqual(decodeMessage(bytes).ok, false);
    }
  });
});

describe('MessageWriter', () => {
  it('writes requests into the same buffer without changing earlier results', () => {
    const writer = new MessageWriter();
    writer.request(1, 2, 3);
    const first = writer.take();
    writer.request(4, 5, 6);
    assert.deepEqual([...first], [0, 0, 0, 13, 6, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
    assert.equal(equalBytes(first, writer.take()), false);
  });

  it('writes the header that the data plane puts before a block', () => {
    const writer = new MessageWriter();
    writer.pieceHeader(1, 16_384, 16_384);
    assert.deepEqual([...writer.take()], [0, 0, 0x40, 9, 7, 0, 0, 0, 1, 0, 0, 0x40, 0]);
  });

  it('throws for a root that is not 32 bytes long', () => {
    const bad = { root: new Uint8Array(20), baseLayer: 0, index: 0, length: 2, proofLayers: 0 };
    assert.throws(() => new MessageWriter().hashRequest(bad), { code: 'ERR_PEER_WIRE_ARGUMENT' });
  });
});

describe('isServableHashRange', () => {
  const base = { root: new Uint8Array(32), baseLayer: 0, index: 0, length: 2, proofLayers: 0 };
  const cases: [Partial<typeof base>, boolean][] = [
    [{}, true],
    [{ length: 0 }, false],
    [{ length: 1 }, false],
    [{ length: 3 }, false],
    [{ length: 512, index: 1024 }, true],
    [{ length: 512, index: 256 }, false],
    [{ length: 8192 }, true],
    [{ length: 16_384 }, false],
    [{ length: 0x8000_0000 }, false],
    [{ length: 0xffff_ffff, index: 0 }, false],
    [{ proofLayers: 65 }, false],
  ];
  for (const [change, isServable] of cases) {
    it(`${JSON.stringify(change)} is ${isServable ? '' : 'not '}servable`, () => {
      assert.equal(isServableHashRange({ ...base, ...change }), isServable);
    });
  }
});
