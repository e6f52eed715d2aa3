import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import { type TestContext, test } from 'node:test';
import { ReachPolicy } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import { TrackerService, type TrackerServiceOptions } from './tracker-service.ts';
import { UdpDoor } from './udp-door.ts';

const LIMITS = { timeout: 30_000 };
const HASH = new Uint8Array(20).fill(7);
const HAS_IPV6 = Object.values(os.networkInterfaces())
  .flatMap((list) => list ?? [])
  .some(({ address }) => address === '::1');

/** An HTTP server on these loopback addresses, one port for all. */
async function serve(
  t: TestContext,
  listener: RequestListener,
  hosts: readonly string[] = ['127.0.0.1'],
): Promise<number> {
  let port = 0;
  for (const host of hosts) {
    const server = createServer(listener).listen(port, host);
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  return port;
}

interface Rig {
  readonly service: TrackerService;
  readonly problems: string[];
  readonly peers: Endpoint[];
  readonly external: string[];
  /** Resolves when something was told that fits. */
  until(isThere: () => boolean): Promise<void>;
}

function rig(
  t: TestContext,
  tiers: readonly (readonly string[])[],
  changes: Partial<TrackerServiceOptions> = {},
): Rig {
  const udp = new UdpDoor('127.0.0.1');
  const waiting = new Set<() => void>();
  const problems: string[] = [];
  const peers: Endpoint[] = [];
  const external: string[] = [];
  const told = (): void => {
    for (const wake of waiting) wake();
  };
  const service = new TrackerService({
    tiers,
    hashes: [HASH],
    peerId: new Uint8Array(20).fill(65),
    port: 6881,
    families: [4],
    key: 0x1234_abcd,
    isCompletedTold: () => false,
    isPrivate: false,
    policy: new ReachPolicy({ offline: true }),
    trust: { given: [], isFromPublic: false },
    udp,
    userAgent: 'test',
    stats: () => ({ uploadedBytes: 0, downloadedBytes: 0, leftBytes: 1 }),
    onPeers: (found) => {
      peers.push(...found);
      told();
    },
    onSwitch: () => {},
    onProblem: (_url, message) => {
      problems.push(message);
      told();
    },
    onCompletedTold: () => {},
    onExternalAddress: (_url, address) => {
      external.push(address);
      told();
    },
    ...changes,
  });
  t.after(async () => {
    await service.stop(100);
    await udp.close();
  });
  const until = (isThere: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isThere()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { service, problems, peers, external, until };
}

/** Trackers that misbehave, what they do, and what is said about it. */
const MISBEHAVIOUR: readonly [name: string, listener: RequestListener, said: RegExp][] = [
  [
    'an endless body',
    (_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    },
    /at most 1048576 bytes/,
  ],
  ['garbage', (_request, response) => response.end('<html>busy</html>'), /tracker reply/],
  [
    'a length that is a lie',
    (_request, response) => {
      response.writeHead(200, { 'content-length': '999999999' });
      response.write('d');
    },
    /at most 1048576 bytes/,
  ],
  [
    'a chain of redirects to itself',
    (_request, response) => response.writeHead(302, { location: '/announce' }).end(),
    /at most 5 redirects/,
  ],
  [
    'a redirect to something that is no tracker',
    (_request, response) => response.writeHead(302, { location: '/admin?delete=all' }).end(),
    /not allowed/,
  ],
  ['an error status', (_request, response) => response.writeHead(500).end(), /got 500/],
  ['nesting', (_request, response) => response.end('l'.repeat(100_000)), /tracker reply/],
];

for (const [name, listener, said] of MISBEHAVIOUR) {
  test(`${name} is bounded and said, and the next tracker is asked`, LIMITS, async (t) => {
    const paths: string[] = [];
    const bad = await serve(t, (request, response) => {
      paths.push(request.url!.replace(/\?.*/, ''));
      listener(request, response);
    });
    const good = await serve(t, (_request, response) => {
      response.end(Buffer.from('d8:intervali1800e5:peers6:\x7f\0\0\x01\x1a\xe1e', 'latin1'));
    });
    const urls = [bad, good].map((port) => `http://127.0.0.1:${port}/announce`);
    const { service, problems, peers, until } = rig(t, [[urls[0]!], [urls[1]!]]);
    service.start();
    await until(() => peers.length > 0);
    assert.match(problems[0]!, said);
    assert.deepEqual(peers, [{ host: '127.0.0.1', port: 6881 }]);
    assert.deepEqual(
      service.status.map(({ activity }) => activity),
      ['failing', 'working'],
    );
    assert.ok(paths.every((path) => path === '/announce'));
  });
}

test(
  'of thousands of peers 2,000 are kept, and where the tracker sees us is told',
  LIMITS,
  async (t) => {
    const port = await serve(t, (_request, response) => {
      const peers = Buffer.alloc(20_000 * 6);
      for (let index = 0; index < 20_000; index += 1) {
        peers.writeUInt32BE(0x0a00_0000 + index, index * 6);
        peers.writeUInt16BE(6881, index * 6 + 4);
      }
      const head = Buffer.from(
        `d11:external ip4:\xc6\x33\x64\x098:intervali1800e5:peers${peers.length}:`,
        'latin1',
      );
      response.end(Buffer.concat([head, peers, Buffer.from('e')]));
    });
    const { service, peers, external, until } = rig(t, [[`http://127.0.0.1:${port}/announce`]]);
    service.start();
    await until(() => peers.length > 0 && external.length > 0);
    assert.equal(peers.length, 2_000);
    assert.deepEqual(external, ['198.51.100.9']);
  },
);

test(
  'a torrent that came from the Internet, or a path that is no tracker, has nothing asked of this machine; what the user gave is asked',
  LIMITS,
  async (t) => {
    const paths: string[] = [];
    const port = await serve(t, (request, response) => {
      paths.push(request.url!.replace(/\?.*/, ''));
      response.end('d8:intervali1800e5:peers0:e');
    });
    const udp = createSocket('udp4');
    let datagrams = 0;
    udp.on('message', () => {
      datagrams += 1;
    });
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    t.after(() => udp.close());
    const announce = `http://127.0.0.1:${port}/announce`;
    const admin = `http://localhost:${port}/admin`;
    const byUdp = `udp://127.0.0.1:${udp.address().port}`;
    const fromPublic = { trust: { given: [], isFromPublic: true } };
    const cases: [string, Partial<TrackerServiceOptions>][] = [
      [announce, fromPublic],
      [byUdp, fromPublic],
      [admin, {}],
    ];
    for (const [url, changes] of cases) {
      const { service, problems, until } = rig(t, [[url]], changes);
      service.start();
      await until(() => problems.length > 0);
      assert.match(problems[0]!, /not allowed|not public/);
    }
    assert.deepEqual([paths, datagrams], [[], 0]);
    const given = { trust: { given: [admin], isFromPublic: true } };
    const { service } = rig(t, [[admin]], given);
    service.start();
    while (service.status[0]!.activity !== 'working') await new Promise(setImmediate);
    assert.deepEqual(paths, ['/admin']);
  },
);

test('a node that listens on both families announces over both that a tracker has, with one key (BEP 7)', {
  ...LIMITS,
  skip: !HAS_IPV6 && 'this machine has no ::1',
}, async (t) => {
  const seen: string[] = [];
  let wake = (): void => {};
  const listener: RequestListener = (request, response) => {
    const query = new URL(request.url!, 'http://x').searchParams;
    const family = request.socket.remoteFamily;
    seen.push(`${family} ${query.get('event')} ${query.get('key')} ${query.get('port')}`);
    response.end('d8:intervali1800e5:peers0:e');
    wake();
  };
  const port = await serve(t, listener, ['127.0.0.1', '::1']);
  const seenCount = (count: number): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        if (seen.length >= count) resolve();
      };
      wake();
    });
  const url = `http://localhost:${port}/announce`;
  const { service, problems } = rig(t, [[url]], { families: [4, 6] });
  service.start();
  await seenCount(2);
  assert.deepEqual(seen.splice(0).sort(), [
    'IPv4 started 1234ABCD 6881',
    'IPv6 started 1234ABCD 6881',
  ]);
  while (service.status[0]!.activity !== 'working') await new Promise(setImmediate);
  service.complete();
  await seenCount(1);
  assert.deepEqual(seen.splice(0), ['IPv4 completed 1234ABCD 6881'], 'told once');
  const goodbye = service.stop();
  await seenCount(2);
  await goodbye;
  assert.deepEqual(seen.splice(0).sort(), [
    'IPv4 stopped 1234ABCD 6881',
    'IPv6 stopped 1234ABCD 6881',
  ]);
  assert.deepEqual(problems, []);

  const single = rig(t, [[`http://127.0.0.1:${port}/announce`]], { families: [4, 6] });
  single.service.start();
  await seenCount(1);
  while (single.service.status[0]!.activity !== 'working') await new Promise(setImmediate);
  assert.deepEqual(single.problems, [], 'a family that the tracker has not is no problem');
  const hidden = rig(t, [[url]], { families: [4, 6], isPrivate: true });
  seen.length = 0;
  hidden.service.start();
  await seenCount(1);
  while (hidden.service.status[0]!.activity !== 'working') await new Promise(setImmediate);
  assert.equal(seen.length, 1, 'a private torrent has one voice (BEP 27)');
});
