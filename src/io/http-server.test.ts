import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import {
  type HttpQuestion,
  type HttpReply,
  type HttpServerOptions,
  isForwarded,
  serveHttp,
} from './http-server.ts';

const LIMITS = { timeout: 30_000 };
const HELLO: HttpReply = { status: 200, headers: { 'content-length': '5' } };

function hello(): HttpReply {
  return { ...HELLO, body: bodyOf([Buffer.from('hello')]) };
}

async function* bodyOf(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function serve(
  onRequest: (question: HttpQuestion) => HttpReply,
  options: Partial<HttpServerOptions> = {},
) {
  const server = await serveHttp({ host: '127.0.0.1', port: 0, onRequest, ...options });
  const dial = async (): Promise<net.Socket> => {
    const socket = net.connect(server.endpoint.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  return { server, dial, [Symbol.asyncDispose]: () => server.close() };
}

/** All that a connection says until it ends. */
async function heard(socket: net.Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (more: string) => {
    text += more;
  });
  // However it ends: a reset is an end too.
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

describe('an HTTP server', { concurrency: 4 }, () => {
  it('answers requests that come at once one after the other', LIMITS, async () => {
    const asked: string[] = [];
    let open = 0;
    await using rig = await serve(({ target }) => {
      asked.push(target);
      open += 1;
      assert.equal(open, 1, 'one is read at a time');
      async function* body() {
        await new Promise((resolve) => setImmediate(resolve));
        yield Buffer.from(target);
        open -= 1;
      }
      return { status: 200, headers: { 'content-length': '2' }, body: body() };
    });
    const socket = await rig.dial();
    socket.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.write('GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const text = await heard(socket);
    assert.deepEqual(asked, ['/1', '/2', '/3']);
    assert.deepEqual(text.match(/\/\d(?!\.)/g), ['/1', '/2', '/3']);
  });

  it('tells target and address, and whether a proxy speaks', LIMITS, async () => {
    const heads = [
      'Accept: */*',
      'Forwarded: for=8.8.8.8',
      'X-Forwarded-For: 8.8.8.8',
      'Via: 1.1 p',
    ];
    const told: unknown[] = [];
    await using rig = await serve((question) => {
      told.push([question.target, question.address.join('.'), isForwarded(question)]);
      return { status: 200, headers: {}, body: 'answer' };
    });
    for (const head of heads) {
      const socket = await rig.dial();
      socket.write(`GET /a?b=%00 HTTP/1.1\r\nHost: a\r\n${head}\r\nConnection: close\r\n\r\n`);
      assert.match(await heard(socket), /content-length: 6\r\n[\s\S]*\r\n\r\nanswer$/);
    }
    const expected = heads.map((_, i) => ['/a?b=%00', '127.0.0.1', i > 0]);
    assert.deepEqual(told, expected);
  });

  it('answers what is no HTTP with 400', LIMITS, async () => {
    await using rig = await serve(hello);
    const socket = await rig.dial();
    socket.write('rubbish\r\n\r\n');
    assert.match(await heard(socket), /^HTTP\/1\.1 400 /);
  });

  it('does not wait at its end for clients that hold a connection open', LIMITS, async () => {
    await using rig = await serve(hello);
    const socket = await rig.dial();
    socket.write('GET / HT');
    await Promise.all([rig.server.close(10), heard(socket)]);
  });

  it('sends no body with HEAD', LIMITS, async () => {
    await using rig = await serve(() => HELLO);
    const socket = await rig.dial();
    socket.write('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.match(
      await heard(socket),
      /^HTTP\/1\.1 200 OK\r\ncontent-length: 5\r\n[\s\S]*\r\n\r\n$/,
    );
  });

  it('reads no body: a request with one is the last of its connection', LIMITS, async () => {
    await using rig = await serve(() => ({ status: 405, headers: { 'content-length': '0' } }));
    const socket = await rig.dial();
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    assert.match(await heard(socket), /^HTTP\/1\.1 405[\s\S]*connection: close/i);
  });

  it(
    'ends the connection when a body fails, so that nobody takes a part for the whole',
    LIMITS,
    async () => {
      await using rig = await serve(() => {
        async function* body() {
          yield Buffer.from('he');
          throw new Error('the disk failed');
        }
        return { ...HELLO, body: body() };
      });
      const socket = await rig.dial();
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.match(await heard(socket), /\r\n\r\nhe$/);
    },
  );

  it('tells the body that the other side is gone', LIMITS, async () => {
    const gone = Promise.withResolvers<void>();
    await using rig = await serve(({ signal }) => {
      async function* body() {
        try {
          yield Buffer.from('h');
          await once(signal, 'abort');
          yield Buffer.from('e');
        } finally {
          gone.resolve();
        }
      }
      return { ...HELLO, body: body() };
    });
    const socket = await rig.dial();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await gone.promise;
  });
});

describe('an HTTP server cuts off', { concurrency: 4 }, () => {
  it('connections beyond those of one address, unless it is exempt', LIMITS, async () => {
    const limits = { connectionsPerHost: 2 };
    await using rig = await serve(hello, { limits });
    const kept = [await rig.dial(), await rig.dial()];
    assert.equal(await heard(await rig.dial()), '');
    assert.equal(rig.server.refused, 1);
    kept[0]!.destroy();
    let text = '';
    while (text === '') {
      const socket = await rig.dial();
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      text = await heard(socket);
    }
    assert.match(text, /hello$/, 'a place that is free again is given');
    await using exempt = await serve(hello, { limits, isExempt: () => true });
    for (let i = 0; i < 5; i += 1) {
      const socket = await exempt.dial();
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      assert.match(await heard(socket), /hello$/);
    }
  });

  it('connections beyond those of all', LIMITS, async () => {
    await using rig = await serve(hello, { limits: { connections: 2 } });
    const kept = [await rig.dial(), await rig.dial()];
    assert.equal(await heard(await rig.dial()), '');
    assert.deepEqual([rig.server.connections, rig.server.refused], [kept.length, 1]);
  });

  it('whoever says nothing, or not to the end', LIMITS, async () => {
    await using rig = await serve(hello, { limits: { headMs: 100 } });
    const [silent, slow] = [await rig.dial(), await rig.dial()];
    slow.write('GET / HTTP/1.1\r\nHost:');
    const texts = await Promise.all([heard(silent), heard(slow)]);
    for (const text of texts) assert.match(text, /^(HTTP\/1\.1 408 |$)/);
  });

  it('whoever keeps a connection without asking again', LIMITS, async () => {
    await using rig = await serve(hello, { limits: { idleMs: 100 } });
    const socket = await rig.dial();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(await heard(socket), /hello$/);
  });

  it('heads that are too long', LIMITS, async () => {
    await using rig = await serve(hello);
    const socket = await rig.dial();
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`);
    assert.match(await heard(socket), /^HTTP\/1\.1 431 /);
  });

  it('too many requests that wait', LIMITS, async () => {
    await using rig = await serve(() => {
      async function* body() {
        await new Promise(() => {});
        yield Buffer.alloc(5);
      }
      return { ...HELLO, body: body() };
    });
    const socket = await rig.dial();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(200));
    assert.match(await heard(socket), /^(HTTP\/1\.1 200 |$)/);
  });

  it('whoever does not read', LIMITS, async () => {
    const ended = Promise.withResolvers<number>();
    const chunk = Buffer.alloc(65_536);
    await using rig = await serve(
      () => {
        let sentBytes = 0;
        async function* body() {
          try {
            for (; sentBytes < 1e9; sentBytes += chunk.length) yield chunk;
          } finally {
            ended.resolve(sentBytes);
          }
        }
        return { status: 200, headers: { 'content-length': '1000000000' }, body: body() };
      },
      { limits: { sendMs: 100 } },
    );
    const socket = await rig.dial();
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    // What the system's buffers took, and nothing beyond.
    assert((await ended.promise) < 32e6);
    socket.destroy();
  });
});
