/** A tracker on real sockets: ports, families, pages, ends and starts. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { it } from 'node:test';
import { encodeUdpConnect } from '../protocol/tracker/index.ts';
import { TrackerServer } from './tracker-server.ts';

const hasV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

/** Sends a connect request and gives the length of the answer. */
async function connectByUdp(host: string, port: number): Promise<number> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.send(encodeUdpConnect(1), port, host);
    const [bytes] = (await once(socket, 'message')) as [Buffer];
    return bytes.length;
  } finally {
    socket.close();
  }
}

it('listens for TCP and UDP on one port, over both families when no host is named', async () => {
  await using server = await TrackerServer.open({ listen: ':0' });
  const { port } = server;
  assert.ok(port > 0);
  const hosts = hasV6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
  for (const host of hosts) {
    assert.equal(await connectByUdp(host, port), 16);
    const name = host.includes(':') ? `[${host}]` : host;
    const response = await fetch(`http://${name}:${port}/announce`);
    assert.match(await response.text(), /^d14:failure reason/);
  }
  assert.equal(server.health().listening[0], `0.0.0.0:${port}`);
  assert.equal(server.picture.counters.udpConnects, hosts.length);
});

it('with a host it listens there alone', async () => {
  await using server = await TrackerServer.open({ listen: '127.0.0.1:0' });
  assert.deepEqual(server.health(), {
    isRunning: true,
    listening: [`127.0.0.1:${server.port}`],
  });
  assert.deepEqual(server.urls('k'), [
    `udp://127.0.0.1:${server.port}/k/announce`,
    `http://127.0.0.1:${server.port}/k/announce`,
  ]);
});

it('frees its port when it stops, and starts again with what it knew', async () => {
  const server = new TrackerServer({ listen: '127.0.0.1:0' });
  await server.start();
  const { port } = server;
  const query = `info_hash=${'a'.repeat(20)}&peer_id=${'b'.repeat(20)}&port=1&left=0`;
  await (await fetch(`http://127.0.0.1:${port}/announce?${query}`)).arrayBuffer();
  await server.stop();
  await server.stop();
  assert.equal(server.health().isRunning, false);
  await using other = await TrackerServer.open({ listen: `127.0.0.1:${port}` });
  await assert.rejects(TrackerServer.open({ listen: `127.0.0.1:${port}` }), { code: 'ERR_LISTEN' });
  await server.start();
  assert.equal(server.picture.peersV4, 1);
  assert.equal(other.picture.peersV4, 0);
  await server.stop();
});

it('pages tell numbers, forbid scripts, and name no key; other paths are no tracker', async () => {
  await using server = await TrackerServer.open({ listen: '127.0.0.1:0', keys: ['s3cret'] });
  const base = `http://127.0.0.1:${server.port}`;
  const stats = await fetch(`${base}/stats`);
  assert.match(stats.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  const page = await stats.text();
  assert.match(page, /<th scope="row">Peers<td>0\n/);
  assert.doesNotMatch(page, /s3cret|<script/);
  const metrics = await fetch(`${base}/metrics`);
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  for (const line of (await metrics.text()).trimEnd().split('\n')) {
    assert.match(line, /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="[a-z0-9_]+",?)+\})? \d+)$/);
  }
  assert.equal((await fetch(`${base}/favicon.ico`)).status, 404);
});

it('refuses options that make no sense', () => {
  assert.throws(() => new TrackerServer({ listen: 'nonsense:port' }), { code: 'ERR_CONFIG' });
  assert.throws(() => new TrackerServer({ intervalSec: 1 }), { code: 'ERR_TRACKER_BAD_OPTION' });
});
