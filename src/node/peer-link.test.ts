/**
 * What a link hands on stays what it was when the read buffer is used again; answers that nobody reads stop it from reading.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { listenTcp, type TcpConnection } from '../io/tcp.ts';
import { encodeHandshake, type Handshake, makeReserved } from '../protocol/peer-wire/index.ts';
import { type LinkOwner, MAX_UNSENT_BYTES, PeerLink } from './peer-link.ts';

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

const MESSAGE_BYTES = 1024;
const COUNT = 32_768;

/** Sends every message back. */
function echo(): LinkOwner & { most: number } {
  return {
    most: 0,
    onMessage(link, bytes) {
      const back = Buffer.alloc(4 + bytes.length);
      back.writeUInt32BE(bytes.length);
      back.set(bytes, 4);
      link.write(back);
    },
    onRequests() {},
    onBlockStart: () => undefined,
    onBlockEnd() {},
    onBlockLost() {},
    onReadDone(link) {
      this.most = Math.max(this.most, link.queuedBytes);
    },
    onClosed() {},
  };
}

test('whoever does not read its answers is not read either, and is again when it does', async () => {
  const owner = echo();
  const listener = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    onConnection: (connection) => {
      new PeerLink({ connection, isIncoming: true, onHandshake: () => owner, onAbandoned() {} });
    },
  });
  const socket = net.connect(listener.endpoint.port, listener.endpoint.host);
  await once(socket, 'connect');
  socket.pause();
  const reserved = makeReserved({});
  const infoHash = new Uint8Array(20);
  socket.write(encodeHandshake({ reserved, infoHash, peerId: new Uint8Array(20) }));
  const message = Buffer.alloc(4 + MESSAGE_BYTES, 1);
  message.writeUInt32BE(MESSAGE_BYTES);
  message[4] = 99;
  const batch = Buffer.concat(Array.from({ length: 256 }, () => message));
  for (let sent = 0; sent < COUNT; sent += 256) socket.write(batch);
  // All buffers between the two are full: nothing moves any more.
  for (let before = -1; before !== owner.most || owner.most === 0; ) {
    before = owner.most;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert(owner.most > MAX_UNSENT_BYTES, 'it got that far');
  assert(owner.most < MAX_UNSENT_BYTES + 1024 * 1024, `${owner.most} bytes wait`);
  let got = 0;
  socket.on('data', (bytes) => {
    got += bytes.length;
    if (got >= COUNT * message.length) socket.destroy();
  });
  socket.resume();
  await once(socket, 'close');
  assert.equal(got, COUNT * message.length);
  await listener.close();
});
