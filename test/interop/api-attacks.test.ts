/**
 * Attacks on the node's HTTP server: pages of others, guesses, ways around the door, slow and many connections, names that want to be markup.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrent } from '../../src/node/index.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { openTestNode, StreamReader, type TestNode } from '../support/daemon.ts';

const SECRET = 'only for those who are let in';

/** A node with a dashboard, and a file beside it that nobody may have. */
async function setUp(bed: TestBed): Promise<TestNode> {
  const webRoot = bed.dir('outer/web');
  mkdirSync(join(webRoot, 'assets'), { recursive: true });
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>Dashboard</title>');
  writeFileSync(join(webRoot, 'assets', 'app.js'), 'export {};');
  writeFileSync(join(bed.root, 'outer', 'secret.txt'), SECRET);
  return openTestNode(bed, { webRoot });
}

/** Sends a request as these lines have it. @returns status and all of the answer. */
async function lines(node: TestNode, ...given: readonly string[]): Promise<[number, string]> {
  const answer = await node.raw(`${given.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  return [Number(answer.split(' ', 2)[1] ?? 0), answer];
}

describe('attacks', { concurrency: 2 }, () => {
  it(
    'a page whose name was bound to this machine gets nothing, not even the dashboard',
    needing(),
    async () => {
      await using bed = new TestBed();
      const node = await setUp(bed);
      const names = [
        'evil.example',
        `evil.example:${node.port}`,
        'localhost.',
        '0.0.0.0',
        '2130706433',
        '',
      ];
      for (const host of names) {
        for (const where of [
          '/',
          '/healthz',
          '/api/v1/status',
          '/api/v1/openapi.json',
          '/assets/app.js',
        ]) {
          const authorization = `Authorization: Bearer ${node.daemon.token}`;
          const [status, text] = await lines(
            node,
            `GET ${where} HTTP/1.1`,
            `Host: ${host}`,
            authorization,
          );
          assert.ok(status === 421 || (host === '' && status === 400), `${host}${where}: ${text}`);
          assert.doesNotMatch(text, /Dashboard|"peerId"/);
        }
      }
    },
  );

  it(
    'pages of other sites neither read nor change, with or without a cookie',
    needing(),
    async () => {
      await using bed = new TestBed();
      const node = await setUp(bed);
      const signIn = await node.ask('POST', '/session', {
        token: null,
        body: { token: node.daemon.token },
        headers: { 'x-starling-request': '1' },
      });
      const cookie = signIn.headers.get('set-cookie')!.split(';', 1)[0]!;
      assert.equal(
        (await node.ask('GET', '/status', { token: null, headers: { cookie } })).status,
        200,
      );
      for (const origin of [
        'http://evil.example',
        'null',
        'http://127.0.0.1:1',
        'http://localhost',
      ]) {
        for (const method of ['GET', 'POST']) {
          const headers = { cookie, origin, 'x-starling-request': '1' };
          const where = method === 'GET' ? '/status' : '/torrents';
          const answer = await node.ask(method, where, {
            token: null,
            headers,
            ...(method === 'POST' && { body: {} }),
          });
          assert.equal(answer.status, 403, `${method} ${origin}`);
          assert.equal(answer.headers.get('access-control-allow-origin'), null);
        }
      }
      const link = `magnet:?xt=urn:btih:${'ab'.repeat(20)}`;
      const forged = await node.ask('POST', '/torrents', {
        token: null,
        headers: { cookie },
        body: { link },
      });
      assert.equal(forged.body.code, 'ERR_API_CSRF');
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
      ]) {
        const headers = { cookie, 'content-type': type };
        const form = await node.ask('POST', '/torrents', { token: null, headers, body: '{}' });
        assert.ok(form.status === 403 || form.status === 415, `${type}: ${form.status}`);
      }
      const preflight = await node.ask('OPTIONS', '/torrents', {
        token: null,
        headers: { origin: 'http://evil.example', 'access-control-request-method': 'POST' },
      });
      assert.equal(preflight.status, 403);
      assert.equal((await node.ask('GET', '/torrents')).body.total, 0);
      const signInForged = await node.ask('POST', '/session', {
        token: null,
        body: { token: node.daemon.token },
      });
      assert.equal(signInForged.status, 403, 'nobody is signed in without knowing');
    },
  );

  it('who guesses waits, the right token does not', needing(), async () => {
    await using bed = new TestBed();
    const node = await setUp(bed);
    const statuses: number[] = [];
    for (let n = 0; n < 15; n += 1) {
      statuses.push((await node.ask('GET', '/status', { token: `wrong-${n}` })).status);
    }
    assert.deepEqual([...new Set(statuses)], [401, 429]);
    assert.equal(statuses.indexOf(429), 10);
    const held = await node.ask('GET', '/status', { token: 'wrong' });
    assert.ok(Number(held.headers.get('retry-after')) > 0);
    assert.equal((await node.ask('GET', '/status')).status, 200);
  });

  it(
    'no spelling of an address leads around the door or out of the dashboard',
    needing(),
    async () => {
      await using bed = new TestBed();
      const node = await setUp(bed);
      const host = `Host: 127.0.0.1:${node.port}`;
      const up = [
        '..',
        '%2e%2e',
        '%2E.',
        '..%2f',
        '%252e%252e',
        '..\\',
        '..%5c',
        '.%00.',
        '....//',
        '..;',
      ];
      const traversals = up.flatMap((dots) => [
        `/${dots}/secret.txt`,
        `/assets/${dots}/${dots}/secret.txt`,
        `//${dots}/secret.txt`,
        `/api/docs/static/${dots}/${dots}/secret.txt`,
        `/api/v1/pages/${dots}/secret.txt`,
      ]);
      for (const where of [
        ...traversals,
        '/secret.txt',
        '/%00',
        '/assets/app.js%00.html',
        '//secret.txt',
      ]) {
        const [status, text] = await lines(node, `GET ${where} HTTP/1.1`, host, 'Accept: */*');
        assert.doesNotMatch(text, new RegExp(SECRET), where);
        assert.ok(status >= 300 && status < 500, `${where}: ${text}`);
      }
      const data = [
        `http://127.0.0.1:${node.port}/api/v1/status`,
        'http://evil.example/api/v1/status',
        '/api/v1/status#/api/docs',
        '/metrics#x',
        '/%61pi/v1/status',
        '/api/v1/%73tatus',
        '/api/v1/status/',
        '//api/v1/status',
        '/api//v1/status',
        '/./api/v1/status',
        '/api/docs/../v1/status',
        '/api/docs/..%2fv1/status',
        '/API/V1/status',
        '/api%2fv1%2fstatus',
        '/api\\v1\\status',
        '/metrics/',
        '/metrics?x=/healthz',
        '/%6detrics',
        '/transmission/rpc/',
        '/transmission//rpc',
      ];
      for (const where of data) {
        const [status, text] = await lines(node, `GET ${where} HTTP/1.1`, host);
        assert.ok(status === 400 || status === 401 || status === 404, `${where}: ${text}`);
        assert.doesNotMatch(text, /"peerId"|starling_torrents/, where);
      }
      const [open] = await lines(node, 'GET / HTTP/1.1', host, 'Accept: text/html');
      assert.equal(open, 200);
      const [page] = await lines(node, 'GET /torrents/x HTTP/1.1', host, 'Accept: text/html');
      assert.equal(page, 200, 'addresses of the dashboard are its own');
    },
  );

  it('of two places, lengths or codings none is believed', needing(), async () => {
    await using bed = new TestBed();
    const node = await setUp(bed);
    const right = `Authorization: Bearer ${node.daemon.token}`;
    const host = `Host: 127.0.0.1:${node.port}`;
    const cases: readonly (readonly string[])[] = [
      ['GET /api/v1/status HTTP/1.1', host, 'Host: evil.example', right],
      ['GET /api/v1/status HTTP/1.1', 'Host: evil.example', host, right],
      ['GET /api/v1/status HTTP/1.1', right],
      ['GET http://127.0.0.1/api/v1/status HTTP/1.1', host, right],
      ['POST /api/v1/torrents HTTP/1.1', host, right, 'Content-Length: 2', 'Content-Length: 3'],
      [
        'POST /api/v1/torrents HTTP/1.1',
        host,
        right,
        'Content-Length: 2',
        'Transfer-Encoding: chunked',
      ],
      ['GET /api/v1/status HTTP/1.1', `${host}\0`, right],
      ['GET /api/v1/status HTTP/9.9', host, right],
      ['BREW /api/v1/status HTTP/1.1', host, right],
      ['GET /api/v1/status HTTP/1.1', host, right, `X-Long: ${'x'.repeat(20_000)}`],
    ];
    for (const each of cases) {
      const [status, text] = await lines(node, ...each);
      assert.ok(status >= 400 && status < 500, `${each[0]}: ${text.slice(0, 300)}`);
      assert.doesNotMatch(text, /"peerId"/);
    }
    assert.equal((await node.ask('GET', '/status')).status, 200);
  });

  it('a body that is too large is not taken', needing(), async () => {
    await using bed = new TestBed();
    const node = await setUp(bed);
    const declared = await lines(
      node,
      'POST /api/v1/contacts HTTP/1.1',
      `Host: 127.0.0.1:${node.port}`,
      `Authorization: Bearer ${node.daemon.token}`,
      'Content-Type: application/json',
      'Content-Length: 999999999999',
    );
    assert.equal(declared[0], 413);
    const large = JSON.stringify({ name: 'x', id: 'y'.repeat(9_000_000) });
    const answer = await node.ask('POST', '/contacts', { body: large }).catch(() => undefined);
    assert.ok(answer === undefined || answer.status === 413);
    const nobody = await node
      .ask('POST', '/torrents', { body: large, token: null })
      .catch(() => undefined);
    assert.ok(nobody === undefined || nobody.status === 401, 'without a token no body is read');
  });

  it('ten thousand connections, most of them silent, leave the node to its user', {
    ...needing(),
    timeout: 60_000,
  }, async () => {
    await using bed = new TestBed();
    const node = await setUp(bed);
    const sockets: Socket[] = [];
    bed.onEnd(() => {
      for (const socket of sockets) socket.destroy();
    });
    let open = 0;
    for (let batch = 0; batch < 100; batch += 1) {
      const settled = Array.from({ length: 100 }, () => {
        const socket = connect(node.port, '127.0.0.1');
        sockets.push(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          open -= 1;
        });
        open += 1;
        socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nHost: 127'));
        return once(socket, 'connect').catch(() => {});
      });
      await Promise.all(settled);
    }
    while (open > 512) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(open <= 512);
    for (const socket of sockets.splice(0)) socket.destroy();
    while (open > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await node.ask('GET', '/status')).status, 200);
  });

  it('event streams are bounded, and give their places back', needing(), async () => {
    await using bed = new TestBed();
    const node = await setUp(bed);
    const names = Array.from({ length: 51 }, (_, n) => `t${n}`).join(',');
    assert.equal((await node.ask('GET', `/events?topics=${names}`)).status, 400);
    const readers = Array.from({ length: 64 }, () => new StreamReader(node, 'node'));
    await Promise.all(readers.map((reader) => reader.event(() => true)));
    const more = await node.ask('GET', '/events?topics=node');
    assert.deepEqual([more.status, more.body.code], [429, 'ERR_API_TOO_MANY']);
    await Promise.all(readers.map((reader) => reader.cut()));
    for (let status = 429; status === 429; ) {
      const reader = new StreamReader(node, 'node');
      const first = await Promise.race([reader.event(() => true), reader.over]);
      status = first === undefined ? 429 : 200;
      await reader.cut();
    }
  });

  it('names come out as data of JSON alone, never as a page', needing(), async () => {
    await using bed = new TestBed();
    const node = await setUp(bed);
    const evil = '<img src=x onerror=alert(1)>\u202Egnp';
    const file = join(bed.dir('files'), 'plain.bin');
    writeFileSync(file, 'x'.repeat(1_000));
    const { bytes } = await createTorrent(file, {
      comment: `</script><script>alert(1)</script>${evil}`,
    });
    await node.ask('POST', '/torrents', {
      body: { torrent: Buffer.from(bytes).toString('base64') },
    });
    const link = `magnet:?xt=urn:btih:${'ab'.repeat(20)}&dn=${encodeURIComponent(evil)}`;
    await node.ask('POST', '/torrents', { body: { link, tags: [evil], category: evil } });
    await node.ask('POST', '/sends', { body: { text: 'x', name: evil } });
    for (const where of [
      '/torrents',
      `/torrents/${'ab'.repeat(20)}`,
      '/sends',
      '/log',
      '/connections',
      `/${encodeURIComponent(evil)}`,
    ]) {
      const answer = await node.ask('GET', where, { headers: { accept: 'text/html' } });
      assert.match(answer.headers.get('content-type')!, /^application\/(?:problem\+)?json/, where);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', where);
    }
    const reader = new StreamReader(node, 'torrents,log');
    const { data } = await reader.event((event) => event.data.topic === 'torrents');
    assert.equal(Object.keys(data.rows).length, 2);
    await reader.cut();
    const page = await fetch(`${node.url}/${encodeURIComponent(evil)}`, {
      headers: { accept: 'text/html' },
    });
    const text = await page.text();
    assert.ok(!text.includes('onerror'), text);
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'self'/);
  });
});
