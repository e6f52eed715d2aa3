/**
 * Any bytes as a stream, cut anywhere: the framer finds the same as in one piece, in order, within its bounds, and nothing after a fault.
 * @module
 */
import assert from 'node:assert/strict';
import { concatBytes, fromHex } from '../../src/lib/bytes.ts';
import { Framer, type FrameSink } from '../../src/plane/framer.ts';
import type { FuzzTarget } from './driver.ts';

const MAX_MESSAGE_BYTES = 4096;
const MAX_BLOCK_BYTES = 16_384;
const PRELUDE_BYTES = 3;
const memory = Buffer.alloc(MAX_BLOCK_BYTES);

function hex(text: string): Uint8Array {
  return fromHex(text.replaceAll(' ', ''))!;
}

/** What is found in the stream when it comes in parts of `stepBytes`. */
function eventsOf(stream: Buffer, stepBytes: number): string[] {
  const events: string[] = [];
  let blockBytes = -1;
  let isFaulty = false;
  const note = (event: string): void => {
    assert.equal(isFaulty, false, 'nothing follows a fault');
    events.push(event);
  };
  const sink: FrameSink = {
    onPrelude: (bytes) => note(`prelude ${bytes.toString('hex')}`),
    onMessage: (bytes) => {
      assert.ok(bytes.length <= MAX_MESSAGE_BYTES);
      assert.equal(blockBytes, -1, 'no message inside a block');
      note(bytes.toString('hex'));
    },
    onRequests: (bytes) => {
      assert.ok(bytes.length > 0 && bytes.length % 17 === 0);
      assert.equal(blockBytes, -1, 'no message inside a block');
      for (let at = 0; at < bytes.length; at += 17) note(bytes.toString('hex', at + 4, at + 17));
    },
    onBlockStart: (piece, begin, length) => {
      assert.ok(length >= 0 && length <= MAX_BLOCK_BYTES);
      assert.equal(blockBytes, -1, 'no block inside a block');
      blockBytes = length;
      note(`block ${piece} ${begin} ${length}`);
      return { buffer: memory, offset: MAX_BLOCK_BYTES - length };
    },
    onBlockEnd: () => {
      note(`end ${memory.toString('hex', MAX_BLOCK_BYTES - blockBytes)}`);
      blockBytes = -1;
    },
    onFault: (message) => {
      assert.match(message, /expected .*, got/);
      note('fault');
      isFaulty = true;
    },
  };
  const framer = new Framer({
    sink,
    preludeBytes: PRELUDE_BYTES,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxBlockBytes: MAX_BLOCK_BYTES,
  });
  for (let at = 0; at < stream.length; at += stepBytes) {
    framer.push(stream.subarray(at, at + stepBytes));
    assert.equal(framer.isInBlock, blockBytes > 0 && !isFaulty);
  }
  return events;
}

/** Read by the fuzz runner. */
export const target: FuzzTarget = {
  name: 'framer',
  seeds: [
    hex('aabbcc 00000000 00000001 02 00000005 04 00000007 00000000'),
    hex('aabbcc 0000000b 07 00000001 00004000 9988 00000001 01'),
    hex('aabbcc 00000009 07 00000001 00004000 00000009 07 00000002 00000000'),
    hex('aabbcc 00001001 05'),
    hex('aabbcc 0000400a 07 00000000 00000000'),
    concatBytes(hex('aabbcc 00004009 07 00000003 00000000'), new Uint8Array(16_384).fill(7)),
    concatBytes(hex('aabbcc 00001000 05'), new Uint8Array(4095).fill(255), hex('00000001 00')),
  ],
  run(bytes) {
    const stream = Buffer.from(bytes);
    const whole = eventsOf(stream, stream.length + 1);
    const isLong = stream.length > 2000;
    for (const stepBytes of isLong ? [997, 4099] : [1, 4, 5, 13, 97]) {
      assert.deepEqual(eventsOf(stream, stepBytes), whole, `in parts of ${stepBytes} bytes`);
    }
  },
};
