/** Any bytes as a connection's first bytes and as messages: no throw, and what is decoded is written back the same. */
import assert from 'node:assert/strict';
import { equalBytes, fromHex } from '../../src/lib/bytes.ts';
import {
  clientName,
  decodeHandshake,
  decodeMessage,
  encodeHandshake,
  isServableHashRange,
  type Message,
  MessageWriter,
  parseReserved,
} from '../../src/protocol/peer-wire/index.ts';

const writer = new MessageWriter();

function rewrite(message: Message): boolean {
  switch (message.type) {
    case 'request':
      writer.request(message.piece, message.begin, message.length);
      return true;
    case 'piece':
      writer.piece(message.piece, message.begin, message.data);
      return true;
    case 'extended':
      writer.extended(message.id, message.payload);
      return true;
    case 'hash-request':
      isServableHashRange(message);
      writer.hashRequest(message);
      return true;
    case 'hashes':
      writer.hashes(message);
      return true;
    case 'bitfield':
      writer.bitfield(message.bytes);
      return true;
    case 'have':
      writer.have(message.piece);
      return true;
    default:
      return false;
  }
}

function hex(text: string): Uint8Array {
  return fromHex(text.replaceAll(' ', ''))!;
}

/** Read by the fuzz runner. */
export const target = {
  name: 'peer-wire',
  seeds: [
    new Uint8Array(0),
    hex('00'),
    hex('04 00000007'),
    hex('05 ff80'),
    hex('06 00000001 00004000 00004000'),
    hex('07 00000001 00004000 aabbccdd'),
    hex('08 00000001 00004000 00004000'),
    hex('09 1ae1'),
    hex('0d 00000001'),
    hex('0e'),
    hex('10 00000001 00004000 00004000'),
    hex('14 00 64 65'),
    hex(`15 ${'05'.repeat(32)} 00000000 00000000 00000002 00000000`),
    hex(`16 ${'05'.repeat(32)} 00000000 00000000 00000002 00000000 ${'07'.repeat(64)}`),
    encodeHandshake({
      reserved: Uint8Array.of(0, 0, 0, 0, 0, 0x10, 0, 0x15),
      infoHash: new Uint8Array(20).fill(1),
      peerId: new Uint8Array(20).fill(0x2d),
    }),
  ],
  run(bytes: Uint8Array): void {
    const handshake = decodeHandshake(bytes);
    if (handshake.ok) {
      parseReserved(handshake.value.reserved);
      assert.ok(equalBytes(encodeHandshake(handshake.value), bytes));
    }
    assert.ok(clientName(bytes).length <= 60);
    const decoded = decodeMessage(bytes);
    if (!decoded.ok) assert.match(decoded.message, /expected/);
    else if (rewrite(decoded.value)) assert.ok(equalBytes(writer.take().subarray(4), bytes));
  },
};
