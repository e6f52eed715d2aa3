import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import {
  canReuseHandle,
  dialTcp,
  listenTcp,
  READ_BUFFER_BYTES,
  type TcpConnection,
} from './tcp.ts';

const HOST = '127.0.0.1';

test('accepted sockets read into the shared buffer on this Node', async () => {
  // When this fails, Node has hidden the handle: io/tcp.ts still works, and costs three times the CPU.
  const accepted = Promise.withResolvers<boolean>();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    accepted.resolve(canReuseHandle(socket));
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const client = net.connect((server.address() as net.AddressInfo).port, HOST);
  client.on('error', () => {});
  assert.equal(await accepted.promise, true);
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** Both ends of a connection. */
async function pair(): Promise<{
  near: TcpConnection;
  far: TcpConnection;
  close: () => Promise<void>;
}> {
  const accepted = Promise.withResolvers<TcpConnection>();
  const listener = await listenTcp({ host: HOST, port: 0, onConnection: accepted.resolve });
  const near = await dialTcp(listener.endpoint);
  const far = await accepted.promise;
  return { near, far, close: () => listener.close() };
}

test('a peer that comes by IPv4 to a listener on all addresses has an IPv4 address', async (context) => {
  const accepted = Promise.withResolvers<TcpConnection>();
  const listening = listenTcp({ host: '::', port: 0, onConnection: accepted.resolve });
  const listener = await listening.catch(() => undefined);
  if (listener === undefined) {
    context.skip('no IPv6 here');
    return;
  }
  const near = await dialTcp({ host: HOST, port: listener.endpoint.port });
  assert.equal((await accepted.promise).remote.host, HOST);
  near.destroy();
  await listener.close();
});

test('both ends read into one and the same buffer, whole', async () => {
  const { near, far, close } = await pair();
  const done = Promise.withResolvers<void>();
  const buffers = new Set<ArrayBufferLike>();
  let farText = '';
  let nearText = '';
  const onClose = (): void => {};
  const onDrain = (): void => {};
  far.attach({
    onData: (bytes) => {
      buffers.add(bytes.buffer);
      farText += bytes.toString('latin1');
      if (farText === 'hello there') far.write(Buffer.from('welcome'));
    },
    onDrain,
    onClose,
  });
  near.attach({
    onData: (bytes) => {
      buffers.add(bytes.buffer);
      nearText += bytes.toString('latin1');
      if (nearText === 'welcome') done.resolve();
    },
    onDrain,
    onClose,
  });
  near.write(Buffer.from('hello '));
  near.write(Buffer.from('there'));
  await done.promise;
  assert.equal(buffers.size, 1);
  assert.equal([...buffers][0]!.byteLength >= READ_BUFFER_BYTES, true);
  assert.equal(far.remote.host, HOST);
  near.destroy();
  await close();
});

test('the end of a connection is told once at each side, and later writes are dropped', async () => {
  const { near, far, close } = await pair();
  const ends: string[] = [];
  const closed = Promise.withResolvers<void>();
  const listen = (
    name: string,
  ): { onData: () => void; onDrain: () => void; onClose: () => void } => ({
    onData: () => assert.fail('nothing was sent'),
    onDrain: () => {},
    onClose: () => {
      ends.push(name);
      if (ends.length === 2) closed.resolve();
    },
  });
  near.attach(listen('near'));
  far.attach(listen('far'));
  near.destroy();
  near.destroy();
  await closed.promise;
  assert.deepEqual(ends.toSorted(), ['far', 'near']);
  assert.equal(near.isClosed && far.isClosed, true);
  await new Promise<void>((resolve) => near.write(Buffer.of(1), resolve));
  await close();
});

test('a dial that is refused or aborted fails with the code of the system', async () => {
  const listener = await listenTcp({ host: HOST, port: 0, onConnection: () => {} });
  await listener.close();
  await assert.rejects(dialTcp(listener.endpoint), { code: 'ECONNREFUSED' });
  const signal = AbortSignal.abort();
  await assert.rejects(dialTcp({ ...listener.endpoint, signal }), { code: 'ABORT_ERR' });
});

test('a port that is taken is an error of the listener', async () => {
  const listener = await listenTcp({ host: HOST, port: 0, onConnection: () => {} });
  const again = listenTcp({ ...listener.endpoint, onConnection: () => {} });
  await assert.rejects(again, { code: 'EADDRINUSE' });
  await listener.close();
});
