import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openUdp, type UdpEndpoint, type UdpSocket } from './udp.ts';

interface Inbox {
  readonly socket: UdpSocket;
  next(): Promise<{ bytes: Uint8Array; from: UdpEndpoint }>;
  readonly refused: Error[];
}

async function open(host = '127.0.0.1'): Promise<Inbox> {
  const { promise, resolve } = Promise.withResolvers<{ bytes: Uint8Array; from: UdpEndpoint }>();
  const refused: Error[] = [];
  const socket = await openUdp({
    host,
    port: 0,
    onMessage: (bytes, from) => resolve({ bytes, from }),
    onError: (error) => assert.fail(error),
    onSendError: (error) => refused.push(error),
  });
  return { socket, next: () => promise, refused };
}

test('datagrams go both ways and name their sender', async () => {
  const a = await open();
  const b = await open();
  a.socket.send(Uint8Array.of(1, 2, 3), '127.0.0.1', b.socket.address.port);
  const { bytes, from } = await b.next();
  assert.deepEqual([...bytes], [1, 2, 3]);
  assert.deepEqual(from, a.socket.address);
  b.socket.send(Uint8Array.of(4), from.address, from.port);
  assert.deepEqual([...(await a.next()).bytes], [4]);
  await Promise.all([a.socket.close(), b.socket.close(), b.socket.close()]);
  a.socket.send(Uint8Array.of(1), '127.0.0.1', 1);
});

test('ports that nobody can have are refused without a throw', async () => {
  const a = await open();
  for (const port of [0, -1, 65_536, 1.5]) a.socket.send(Uint8Array.of(1), '127.0.0.1', port);
  assert.equal(a.refused.length, 4);
  assert.match(a.refused[0]!.message, /expected a port, 1–65535, got "127\.0\.0\.1, port 0"/);
  await a.socket.close();
});

test('names and the other family are refused, not resolved', async () => {
  const a = await open();
  for (const address of ['localhost', 't.example', '::1', '']) {
    a.socket.send(Uint8Array.of(1), address, 9);
  }
  assert.equal(a.refused.length, 4);
  assert.match(a.refused[0]!.message, /expected an IPv4 address, got "localhost"/);
  await a.socket.close();
  await assert.rejects(open('localhost'), { code: 'ERR_UDP_ADDRESS' });
});

test('a datagram that is too big is reported', async () => {
  const { promise, resolve } = Promise.withResolvers<Error>();
  const socket = await openUdp({
    host: '127.0.0.1',
    port: 0,
    onMessage: () => undefined,
    onError: (error) => assert.fail(error),
    onSendError: resolve,
  });
  socket.send(new Uint8Array(70_000), '127.0.0.1', 9);
  assert.match((await promise).message, /EMSGSIZE/);
  await socket.close();
});

test('a taken port is an error of opening', async () => {
  const a = await open();
  const { port } = a.socket.address;
  const unused = { onMessage: () => undefined, onError: () => undefined };
  await assert.rejects(openUdp({ host: '127.0.0.1', port, ...unused }), { code: 'EADDRINUSE' });
  await a.socket.close();
  const again = await openUdp({ host: '127.0.0.1', port, ...unused });
  await again.close();
});
