/**
 * What a link hands on stays what it was when the read buffer is used again.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TcpConnection } from '../io/tcp.ts';
import { encodeHandshake, type Handshake, makeReserved } from '../protocol/peer-wire/index.ts';
import { type LinkOwner, PeerLink } from './peer-link.ts';

test('handshakes and messages are plain bytes whose slices are copies', () => {
  let push: ((bytes: Buffer) => void) | undefined;
  const connection = {
    attach: (handlers: { onData: (bytes: Buffer) => void }) => {
      push = handlers.onData;
    },
    destroy: () => {},
  } as unknown as TcpConnection;
  let taken: Handshake | undefined;
  const kept: Uint8Array[] = [];
  const owner = {
    onMessage: (_link: PeerLink, bytes: Uint8Array) => kept.push(bytes.slice()),
    onReadDone: () => {},
    onClosed: () => {},
  } as unknown as LinkOwner;
  const link = new PeerLink({
    connection,
    isIncoming: true,
    onHandshake: (_link, handshake) => {
      taken = handshake;
      return owner;
    },
    onAbandoned: () => {},
  });
  const peerId = new Uint8Array(20).fill(9);
  const infoHash = new Uint8Array(20).fill(8);
  const reserved = makeReserved({ fast: true, extension: true, v2: false });
  const readBuffer = Buffer.from([
    ...encodeHandshake({ reserved, infoHash, peerId }),
    ...[0, 0, 0, 3, 5, 0xaa, 0xbb],
  ]);
  push?.(readBuffer);
  readBuffer.fill(0);
  assert.deepEqual(taken?.peerId, peerId);
  assert.deepEqual(taken?.infoHash, infoHash);
  assert.deepEqual(kept, [Uint8Array.of(5, 0xaa, 0xbb)]);
  link.close('done');
});
