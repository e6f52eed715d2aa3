import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BlockTarget, Framer, type FrameSink } from './framer.ts';

const MAX_MESSAGE = 200;
const MAX_BLOCK = 100;

interface Rig {
  readonly framer: Framer;
  readonly events: string[];
}

/** Writes down what a framer finds. @param closeAt event count at which the sink closes the framer. */
function rig(preludeBytes: number, closeAt = Number.POSITIVE_INFINITY): Rig {
  const events: string[] = [];
  const memory = Buffer.alloc(MAX_BLOCK + 7);
  let block = { name: '', length: 0, isKept: false };
  const note = (event: string): void => {
    events.push(event);
    if (events.length === closeAt) framer.close();
  };
  const sink: FrameSink = {
    onPrelude: (bytes) => note(`prelude ${bytes.toString('hex')}`),
    onMessage: (bytes) => note(`message ${bytes.toString('hex')}`),
    onRequests: (bytes) => {
      assert.equal(bytes.length % 17, 0);
      for (let at = 0; at < bytes.length && events.length < closeAt; at += 17)
        note(`request ${bytes.toString('hex', at + 4, at + 17)}`);
    },
    onBlockStart: (piece, begin, length): BlockTarget | undefined => {
      // Every other piece is thrown away.
      block = { name: `${piece} ${begin} ${length}`, length, isKept: piece % 2 === 0 };
      note(`block ${block.name}`);
      return block.isKept ? { buffer: memory, offset: 7 } : undefined;
    },
    onBlockEnd: () => {
      const data = block.isKept ? memory.toString('hex', 7, 7 + block.length) : '';
      note(`end ${block.name} ${data}`);
    },
    onFault: () => note('fault'),
  };
  const framer = new Framer({
    sink,
    preludeBytes,
    maxMessageBytes: MAX_MESSAGE,
    maxBlockBytes: MAX_BLOCK,
  });
  return { framer, events };
}

/** The same, written for clearness: the whole stream is there. */
function naive(stream: Buffer, preludeBytes: number): string[] {
  const events: string[] = [];
  let at = preludeBytes;
  if (stream.length < preludeBytes) return events;
  if (preludeBytes > 0) events.push(`prelude ${stream.toString('hex', 0, preludeBytes)}`);
  while (at + 4 <= stream.length) {
    const length = stream.readUInt32BE(at);
    if (length > 0 && at + 5 > stream.length) break;
    if (length > 0 && stream[at + 4] === 7) {
      if (length < 9 || length - 9 > MAX_BLOCK) return [...events, 'fault'];
      if (at + 13 > stream.length) break;
      const piece = stream.readUInt32BE(at + 5);
      const name = `${piece} ${stream.readUInt32BE(at + 9)} ${length - 9}`;
      events.push(`block ${name}`);
      if (at + 4 + length > stream.length) break;
      const data = piece % 2 === 0 ? stream.toString('hex', at + 13, at + 4 + length) : '';
      events.push(`end ${name} ${data}`);
    } else {
      if (length > MAX_MESSAGE) return [...events, 'fault'];
      if (at + 4 + length > stream.length) break;
      const kind = length === 13 && stream[at + 4] === 6 ? 'request' : 'message';
      events.push(`${kind} ${stream.toString('hex', at + 4, at + 4 + length)}`);
    }
    at += 4 + length;
  }
  return events;
}

function message(id: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(5 + payload.length);
  bytes.writeUInt32BE(1 + payload.length);
  bytes[4] = id;
  bytes.set(payload, 5);
  return bytes;
}

function blockMessage(piece: number, begin: number, data: Uint8Array): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(piece, 0);
  numbers.writeUInt32BE(begin, 4);
  return message(7, Buffer.concat([numbers, data]));
}

const streams = fc
  .array(
    fc.oneof(
      { weight: 2, arbitrary: fc.constant(Buffer.alloc(4)) },
      {
        weight: 6,
        arbitrary: fc
          .tuple(fc.nat(30), fc.uint8Array({ maxLength: MAX_MESSAGE + 2 }))
          .map(([id, payload]) => message(id, payload)),
      },
      {
        weight: 6,
        arbitrary: fc
          .tuple(fc.nat(0xffff_ffff), fc.nat(50), fc.uint8Array({ maxLength: MAX_BLOCK + 1 }))
          .map(([piece, begin, data]) => blockMessage(piece, begin, data)),
      },
      {
        weight: 3,
        arbitrary: fc
          .array(fc.uint8Array({ minLength: 12, maxLength: 12 }), { minLength: 1, maxLength: 4 })
          .map((payloads) => Buffer.concat(payloads.map((payload) => message(6, payload)))),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)) },
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts));

/** Pushes the stream in parts, each in a buffer that is overwritten afterwards, as the shared read buffer is. */
function pushCut(framer: Framer, stream: Buffer, cuts: readonly number[]): void {
  const edges = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const edge of [...edges, stream.length]) {
    const part = Buffer.from(stream.subarray(from, edge));
    framer.push(part);
    part.fill(0xee);
    from = edge;
  }
}

test('a stream cut anywhere gives what the whole stream gives', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 40 });
  fc.assert(
    fc.property(streams, cuts, fc.constantFrom(0, 1, 68), (stream, at, preludeBytes) => {
      const { framer, events } = rig(preludeBytes);
      pushCut(framer, stream, at);
      assert.deepEqual(events, naive(stream, preludeBytes));
    }),
    { numRuns: 500 },
  );
});

test('a sink that closes the framer in a call hears no more', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 10 });
  fc.assert(
    fc.property(streams, cuts, fc.integer({ min: 1, max: 8 }), (stream, at, closeAt) => {
      const { framer, events } = rig(1, closeAt);
      pushCut(framer, stream, at);
      assert.deepEqual(events, naive(stream, 1).slice(0, closeAt));
    }),
    { numRuns: 500 },
  );
});

test('a block without data that is refused by closing does not end', () => {
  const { framer, events } = rig(0, 1);
  framer.push(blockMessage(2, 0, new Uint8Array(0)));
  assert.deepEqual(events, ['block 2 0 0']);
  assert.equal(framer.isInBlock, false);
});

for (const [title, header] of [
  ['a message over the limit', [0, 0, 0, MAX_MESSAGE + 1, 5]],
  ['a block over the limit', [0, 0, 0, MAX_BLOCK + 10, 7]],
  ['a block without room for its numbers', [0, 0, 0, 8, 7]],
  ['the longest message there is', [0xff, 0xff, 0xff, 0xff, 20]],
] as const) {
  test(`${title} is one fault, told by its first five bytes, and nothing is parsed after it`, () => {
    const { framer, events } = rig(0);
    for (const byte of header) framer.push(Buffer.of(byte));
    assert.deepEqual(events, ['fault']);
    framer.push(Buffer.alloc(1000));
    assert.deepEqual(events, ['fault']);
  });
}

test('a block is copied as it arrives, before its last byte', () => {
  const { framer } = rig(0);
  const bytes = blockMessage(2, 0, new Uint8Array(50).fill(9));
  framer.push(bytes.subarray(0, 20));
  assert.equal(framer.isInBlock, true);
  framer.push(bytes.subarray(20));
  assert.equal(framer.isInBlock, false);
});

test('requests that come in one read are handed over in one call', () => {
  const calls: number[] = [];
  const framer = new Framer({
    sink: {
      onPrelude: () => {},
      onMessage: () => calls.push(0),
      onRequests: (bytes) => calls.push(bytes.length),
      onBlockStart: () => undefined,
      onBlockEnd: () => {},
      onFault: (text) => assert.fail(text),
    },
    preludeBytes: 0,
    maxMessageBytes: MAX_MESSAGE,
    maxBlockBytes: MAX_BLOCK,
  });
  const request = message(6, Buffer.alloc(12));
  framer.push(Buffer.concat([request, request, request, message(2, Buffer.alloc(0)), request]));
  assert.deepEqual(calls, [51, 0, 17]);
});
