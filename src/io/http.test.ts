import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type HttpGetOptions, httpGet } from './http.ts';
import { ReachPolicy } from './reach-policy.ts';

const servers: Server[] = [];

/** Starts a server and gives its base URL. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const OPTIONS: HttpGetOptions = {
  timeoutMs: 10_000,
  maxBytes: 100_000,
  userAgent: 'Starling/0.0.0',
  policy: new ReachPolicy({ offline: true }),
};

describe('a GET', () => {
  test('gives status, headers and body, and keeps the query as it was escaped', async () => {
    let seen: { url?: string; agent?: string } = {};
    const base = await serve((request, response) => {
      seen = { url: request.url!, agent: request.headers['user-agent']! };
      response.writeHead(404, { 'x-a': 'b' }).end('body');
    });
    const response = await httpGet(`${base}/a?info_hash=%00%ff%2f%7E~-&x=1`, OPTIONS);
    assert.equal(response.status, 404);
    assert.equal(response.headers['x-a'], 'b');
    assert.deepEqual(response.body, new TextEncoder().encode('body'));
    assert.deepEqual(seen, { url: '/a?info_hash=%00%ff%2f%7E~-&x=1', agent: 'Starling/0.0.0' });
  });

  test('unpacks gzip', async () => {
    const body = Buffer.alloc(90_000, 'starling');
    const base = await serve((request, response) => {
      assert.equal(request.headers['accept-encoding'], 'gzip');
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body));
    });
    assert.deepEqual(Buffer.from((await httpGet(base, OPTIONS)).body), body);
  });

  test('reports broken gzip and unknown codings', async () => {
    const packed = gzipSync('x'.repeat(1000));
    const base = await serve((request, response) => {
      const isBroken = request.url === '/broken';
      const coding = request.url === '/br' ? 'br' : 'gzip';
      response.writeHead(200, { 'content-encoding': coding });
      response.end(isBroken ? packed.subarray(0, packed.length / 2) : 'no gzip');
    });
    for (const path of ['/broken', '/text', '/br']) {
      await assert.rejects(httpGet(base + path, OPTIONS), { code: 'ERR_HTTP_UNREACHABLE' });
    }
  });

  test('localhost is this machine, without DNS', async () => {
    const base = await serve((_, response) => response.end('here'));
    const resolveName = (): never => assert.fail('DNS was asked');
    const url = base.replace('127.0.0.1', 'localhost');
    const response = await httpGet(url, { ...OPTIONS, resolveName });
    assert.equal(response.body.length, 4);
  });
});

describe('bounds', () => {
  test('a body may have maxBytes and not one more, announced or not', async () => {
    const base = await serve((request, response) => {
      const [, kind, length] = request.url!.split('/');
      if (kind === 'announced') response.setHeader('content-length', Number(length));
      else response.write('');
      response.end(Buffer.alloc(Number(length)));
    });
    for (const kind of ['announced', 'chunked']) {
      const fits = await httpGet(`${base}/${kind}/100000`, OPTIONS);
      assert.equal(fits.body.length, 100_000);
      await assert.rejects(httpGet(`${base}/${kind}/100001`, OPTIONS), {
        code: 'ERR_HTTP_TOO_LARGE',
        message: /expected a body of at most 100000 bytes/,
      });
    }
  });

  test('a small gzip of many zeros is stopped', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    assert.ok(bomb.length < 100_000);
    const base = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    await assert.rejects(httpGet(base, OPTIONS), { code: 'ERR_HTTP_TOO_LARGE' });
  });

  test('no response in time', async () => {
    const base = await serve(() => undefined);
    await assert.rejects(httpGet(base, { ...OPTIONS, timeoutMs: 50 }), {
      code: 'ERR_HTTP_TIMEOUT',
      message: /expected a response within 0.05 s/,
    });
  });

  test('a body that never ends in time', async () => {
    const base = await serve((_, response) => void response.write('start'));
    await assert.rejects(httpGet(base, { ...OPTIONS, timeoutMs: 100 }), {
      code: 'ERR_HTTP_TIMEOUT',
    });
  });

  test('a resolver that never answers in time', async () => {
    const options = { ...OPTIONS, timeoutMs: 50, policy: new ReachPolicy({ offline: false }) };
    const resolveName = (): Promise<never> => new Promise(() => undefined);
    // The pending look-up alone keeps no process alive: the timer must.
    const alive = setTimeout(() => undefined, 5_000);
    await assert.rejects(httpGet('http://t.example/', { ...options, resolveName }), {
      code: 'ERR_HTTP_TIMEOUT',
    });
    clearTimeout(alive);
  });

  test('the caller can abort, and gets his reason', async () => {
    const controller = new AbortController();
    const base = await serve(() => controller.abort(new Error('changed my mind')));
    await assert.rejects(httpGet(base, { ...OPTIONS, signal: controller.signal }), {
      message: 'changed my mind',
    });
    await assert.rejects(httpGet(base, { ...OPTIONS, signal: controller.signal }), {
      message: 'changed my mind',
    });
  });
});

describe('failures', () => {
  test('a closed port', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await assert.rejects(httpGet(`http://127.0.0.1:${port}/?passkey=secret`, OPTIONS), (error) => {
      assert.ok(error instanceof Error && 'code' in error);
      assert.equal(error.code, 'ERR_HTTP_UNREACHABLE');
      assert.match(error.message, /ECONNREFUSED/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });

  test('something that speaks no HTTP', async () => {
    const server = createTcpServer((socket) => socket.end('hello\r\n\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await assert.rejects(httpGet(`http://127.0.0.1:${port}/`, OPTIONS), {
      code: 'ERR_HTTP_UNREACHABLE',
    });
    server.close();
  });

  test('other URLs than http and https', async () => {
    for (const url of ['file:///etc/passwd', 'nonsense', 'udp://127.0.0.1:1', '']) {
      await assert.rejects(httpGet(url, OPTIONS), { code: 'ERR_HTTP_URL' });
    }
  });
});

describe('redirects', () => {
  test('five are followed, six are not', async () => {
    const base = await serve((request, response) => {
      const left = Number(request.url!.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    const response = await httpGet(`${base}/5`, OPTIONS);
    assert.equal(response.url, `${base}/0`);
    await assert.rejects(httpGet(`${base}/6`, OPTIONS), {
      code: 'ERR_HTTP_REDIRECT',
      message: /at most 5 redirects/,
    });
    await assert.rejects(httpGet(`${base}/1`, { ...OPTIONS, maxRedirects: 0 }), {
      code: 'ERR_HTTP_REDIRECT',
    });
  });

  test('to nowhere and to other schemes are refused', async () => {
    const base = await serve((request, response) => {
      const location = decodeURIComponent(request.url!.slice(1));
      response.writeHead(301, location === '' ? {} : { location }).end();
    });
    for (const target of ['file:///etc/passwd', 'ftp://127.0.0.1/', 'http://[bad']) {
      await assert.rejects(httpGet(`${base}/${encodeURIComponent(target)}`, OPTIONS), {
        code: 'ERR_HTTP_REDIRECT',
      });
    }
  });

  test('a redirect obeys the policy', async () => {
    const base = await serve((_, response) => {
      response.writeHead(302, { location: 'http://198.51.100.1/' }).end();
    });
    await assert.rejects(httpGet(base, OPTIONS), { code: 'ERR_OFFLINE' });
  });

  test('a redirect obeys the rule of the use', async () => {
    const base = await serve((request, response) => {
      if (request.url === '/announce') response.writeHead(302, { location: '/admin' }).end();
      else response.end('secret');
    });
    const allowUrl = (url: URL): boolean => url.pathname === '/announce';
    await assert.rejects(httpGet(`${base}/announce`, { ...OPTIONS, allowUrl }), {
      code: 'ERR_HTTP_URL',
    });
  });
});

describe('offline', () => {
  test('no DNS is asked and no address dialled that was not given', async () => {
    const resolveName = (): never => assert.fail('DNS was asked');
    for (const url of ['http://t.example/', 'http://198.51.100.1/', 'http://[2001:db8::1]/']) {
      await assert.rejects(httpGet(url, { ...OPTIONS, resolveName }), {
        code: 'ERR_OFFLINE',
        message: /^offline: refused to contact .*STARLING_OFFLINE is set/,
      });
    }
  });

  test('other spellings of an address are the same address', async () => {
    const base = await serve((_, response) => response.end('x'));
    const port = new URL(base).port;
    for (const host of ['2130706433', '0x7f.1', '127.1']) {
      assert.equal((await httpGet(`http://${host}:${port}/`, OPTIONS)).status, 200);
    }
    await assert.rejects(httpGet('http://3325256705/', OPTIONS), { code: 'ERR_OFFLINE' });
  });

  test('the address that was judged is the one that is dialled', async () => {
    const base = await serve((_, response) => response.end('pinned'));
    const port = new URL(base).port;
    let asked = 0;
    const response = await httpGet(`http://name.example:${port}/`, {
      ...OPTIONS,
      policy: new ReachPolicy({ offline: false }),
      resolveName: async () => {
        asked += 1;
        return [{ address: '127.0.0.1', family: 4 }];
      },
    });
    assert.equal(response.body.length, 6);
    assert.equal(asked, 1);
  });
});
