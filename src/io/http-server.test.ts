/** The HTTP server against clients that are slow, long, rude or many. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, it } from 'node:test';
import { type HttpServer, type HttpServerRequest, serveHttp } from './http-server.ts';

let server: HttpServer | undefined;
const sockets: Socket[] = [];
const requests: HttpServerRequest[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  requests.splice(0);
  await server?.close(0);
});

async function start(
  options: { connectionsMax?: number; headersTimeoutMs?: number } = {},
): Promise<void> {
  server = await serveHttp({
    host: '127.0.0.1',
    port: 0,
    onRequest: (request) => {
      requests.push(request);
      return { status: 200, contentType: 'text/plain', body: 'answer' };
    },
    ...options,
  });
}

function open(): Socket {
  const socket = connect(server!.endpoint.port, '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

/** However it ends: a reset is an end too. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** Everything that comes until the server ends the connection. */
async function exchange(text: string): Promise<string> {
  const socket = open();
  let got = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    got += part;
  });
  socket.write(text);
  await closed(socket);
  return got;
}

it('answers a GET with target and address; HEAD without the body', async () => {
  await start();
  const got = await exchange('GET /a?b=%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(got, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nanswer$/);
  assert.deepEqual(requests, [
    { target: '/a?b=%00', address: Uint8Array.of(127, 0, 0, 1), isForwarded: false },
  ]);
  const head = await exchange('HEAD /a HTTP/1.0\r\n\r\n');
  assert.match(head, /Content-Length: 6\r\n[\s\S]*\r\n\r\n$/);
});

it('notices every header by which a proxy tells of itself, and takes no address from it', async () => {
  await start();
  const headers = ['Forwarded: for=8.8.8.8', 'X-Forwarded-For: 8.8.8.8', 'Via: 1.1 proxy'];
  for (const header of headers) {
    await exchange(`GET / HTTP/1.1\r\nHost: x\r\n${header}\r\nConnection: close\r\n\r\n`);
  }
  assert.deepEqual(
    requests.map(({ isForwarded, address }) => [isForwarded, address.join('.')]),
    headers.map(() => [true, '127.0.0.1']),
  );
});

it('other methods get 405, and a body is not waited for', async () => {
  await start();
  const post = await exchange(
    'POST /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n',
  );
  assert.match(post, /^HTTP\/1\.1 405 /);
  const get = await exchange('GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\nabc');
  assert.match(get, /^HTTP\/1\.1 200 /);
});

it('headers that are too long get 431, what is no HTTP 400, and the connection ends', async () => {
  await start();
  const long = await exchange(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  assert.match(long, /^(HTTP\/1\.1 431 |$)/);
  assert.match(await exchange('rubbish\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.equal(requests.length, 0);
});

it('headers that do not end in time end the connection', async () => {
  await start({ headersTimeoutMs: 50 });
  const got = await exchange('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  assert.match(got, /^(HTTP\/1\.1 408 |$)/);
  assert.equal(requests.length, 0);
});

it('connections beyond the bound are closed and counted; a place that is free again is given', async () => {
  await start({ connectionsMax: 2 });
  const held = [open(), open()];
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  assert.equal(await exchange('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), '');
  assert.equal(server!.refused, 1);
  held[0]!.destroy();
  let got = '';
  while (got === '') got = await exchange('GET / HTTP/1.0\r\n\r\n');
  assert.match(got, /^HTTP\/1\.1 200 /);
});

it('close does not wait for clients that hold a connection open', async () => {
  await start();
  const socket = open();
  await once(socket, 'connect');
  socket.write('GET / HT');
  await server!.close(10);
  await closed(socket);
});
