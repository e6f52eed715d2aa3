import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { defaultGateway, localNetworks } from '../io/default-gateway.ts';
import { ReachPolicy } from '../io/reach-policy.ts';
import { readU16, readU32, writeU16, writeU32 } from '../lib/bytes.ts';
import { describeMapping, PortMapper, type PortMapperOptions } from './port-mapping.ts';

/** Of this machine, but nobody else's: gateways listen on ports that are fixed. */
const GATEWAY = `127.${process.pid % 200}.${(process.pid >> 8) % 200}.7`;
const HERE = { address: '127.0.0.1', contains: () => true };
// Only Linux has all of 127.0.0.0/8.
const LINUX = { skip: process.platform === 'linux' ? false : 'needs many loopback addresses' };

function mapperOf(t: TestContext, more: Partial<PortMapperOptions> = {}): PortMapper {
  const mapper = new PortMapper({
    policy: new ReachPolicy({ offline: true }),
    listen: { host: '127.0.0.1', port: 6881 },
    udpPort: () => 6881,
    gateway: GATEWAY,
    networks: [HERE],
    ...more,
  });
  t.after(() => mapper.close());
  return mapper;
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** A gateway of PCP or NAT-PMP that remembers what it was asked. */
async function openGateway(t: TestContext, speaks: 'pcp' | 'pmp') {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const gateway = { asked, result: 0, port: 7001, lifetimeSeconds: 600 };
  const pcp = (bytes: Uint8Array): Uint8Array => {
    if (bytes[0] !== 2) return Uint8Array.of(2, 0x80 | bytes[1]!, 0, 1);
    const answer = Buffer.from(bytes);
    answer[1] = 0x81;
    answer[3] = gateway.result;
    const lifetime = Math.min(readU32(bytes, 4), gateway.lifetimeSeconds);
    asked.push(
      `map ${bytes[36]} ${readU16(bytes, 40)} to ${readU16(bytes, 42)} for ${readU32(bytes, 4)}`,
    );
    writeU32(answer, 4, lifetime);
    if (lifetime > 0) writeU16(answer, 42, gateway.port);
    answer.set([0xff, 0xff, 203, 0, 113, 5], 54);
    return answer;
  };
  const pmp = (bytes: Uint8Array): Uint8Array => {
    if (bytes[0] !== 0) return Uint8Array.of(0, 0x80 | bytes[1]!, 0, 1, 0, 0, 0, 0);
    const answer = Buffer.alloc(16);
    answer[1] = 0x80 | bytes[1]!;
    writeU16(answer, 2, gateway.result);
    if (bytes[1] === 0) {
      answer.set([10, 0, 0, 1], 8);
      return answer.subarray(0, 12);
    }
    asked.push(
      `map ${bytes[1]} ${readU16(bytes, 4)} to ${readU16(bytes, 6)} for ${readU32(bytes, 8)}`,
    );
    answer.set(bytes.subarray(4, 6), 8);
    writeU16(answer, 10, gateway.port);
    writeU32(answer, 12, Math.min(readU32(bytes, 8), gateway.lifetimeSeconds));
    return answer;
  };
  socket.on('message', (bytes, { port, address }) => {
    socket.send((speaks === 'pcp' ? pcp : pmp)(bytes), port, address);
  });
  socket.bind(5351, GATEWAY);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return gateway;
}

test(
  'PCP: both ports are mapped, renewed at the port that was given, and ended',
  LINUX,
  async (t) => {
    const gateway = await openGateway(t, 'pcp');
    let changes = 0;
    const mapper = mapperOf(t, { onChange: () => (changes += 1) });
    mapper.start();
    const status = await mapper.settled();
    assert.deepEqual(status, {
      state: 'mapped',
      protocol: 'PCP',
      gateway: GATEWAY,
      externalHost: '203.0.113.5',
      tcpPort: 7001,
      udpPort: 7001,
      isBehindAnother: false,
    });
    assert.equal(describeMapping(status), `PCP on ${GATEWAY} gave 203.0.113.5:7001`);
    // UDP is wished for at the port that TCP got.
    assert.deepEqual(gateway.asked.splice(0), [
      'map 6 6881 to 6881 for 7200',
      'map 17 6881 to 7001 for 7200',
    ]);
    gateway.port = 7002;
    assert.equal((await mapper.refresh()).tcpPort, 7002);
    assert.deepEqual(gateway.asked.splice(0), [
      'map 6 6881 to 7001 for 7200',
      'map 17 6881 to 7001 for 7200',
    ]);
    await mapper.close();
    assert.deepEqual(gateway.asked, ['map 6 6881 to 0 for 0', 'map 17 6881 to 0 for 0']);
    assert.equal(changes, 3);
    assert.equal((await mapper.refresh()).state, 'closed');
  },
);

test(
  'NAT-PMP where the gateway does not know PCP; an address outside that is not public is said',
  LINUX,
  async (t) => {
    const gateway = await openGateway(t, 'pmp');
    const mapper = mapperOf(t, { udpPort: () => undefined });
    mapper.start();
    const { protocol, externalHost, isBehindAnother, udpPort } = await mapper.settled();
    assert.deepEqual([protocol, externalHost, udpPort], ['NAT-PMP', '10.0.0.1', undefined]);
    assert.equal(isBehindAnother, true);
    assert.equal(
      describeMapping(mapper.status),
      `NAT-PMP on ${GATEWAY} gave 10.0.0.1:7001 for TCP alone`,
    );
    await mapper.close();
    assert.deepEqual(gateway.asked, ['map 2 6881 to 6881 for 7200', 'map 2 6881 to 0 for 0']);
  },
);

test(
  'a gateway that refuses what it gave before: why is said, and it is asked again',
  LINUX,
  async (t) => {
    const gateway = await openGateway(t, 'pcp');
    const mapper = mapperOf(t);
    mapper.start();
    assert.equal((await mapper.settled()).state, 'mapped');
    gateway.result = 2;
    const { state, reason } = await mapper.refresh();
    assert.equal(state, 'failed');
    assert.match(
      reason!,
      /^PCP: the gateway refuses: it does not allow that; NAT-PMP: .*; UPnP: no router answers/,
    );
    gateway.result = 0;
    assert.equal((await mapper.refresh()).state, 'mapped');
    await mapper.close();
  },
);

test(
  'UPnP: a taken port, leases without end, and a router that names somebody else',
  LINUX,
  async (t) => {
    // Silence would cost two seconds for each protocol.
    (await openGateway(t, 'pmp')).result = 2;
    const asked: string[] = [];
    let control = '/ctl';
    let refusal: number | undefined = 718;
    const server = createServer(async (request, response) => {
      if (request.method === 'GET') {
        const type = 'urn:schemas-upnp-org:service:WANIPConnection:1';
        response.end(
          `<root><service><serviceType>${type}</serviceType><controlURL>${control}</controlURL></service></root>`,
        );
        return;
      }
      const xml = await textOf(request);
      const value = (name: string): string => new RegExp(`<${name}>([^<]*)`).exec(xml)?.[1] ?? '';
      const action = /#(\w+)"/.exec(String(request.headers['soapaction']))![1]!;
      asked.push(`${action} ${value('NewProtocol')} ${value('NewLeaseDuration')}`.trim());
      const isRefused = action === 'AddPortMapping' && refusal !== undefined;
      const isLease = value('NewLeaseDuration') !== '0';
      if (isRefused && (refusal !== 725 || isLease)) {
        response.statusCode = 500;
        response.end(`<errorCode>${refusal}</errorCode>`);
        if (refusal === 718) refusal = 725;
      } else response.end('<a><NewExternalIPAddress>203.0.113.5</NewExternalIPAddress></a>');
    });
    server.listen(0, GATEWAY);
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const socket = createSocket('udp4');
    socket.on('message', (_, from) => {
      const st = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1';
      const answer = `HTTP/1.1 200 OK\r\nST: ${st}\r\nLOCATION: http://${GATEWAY}:${port}/root.xml\r\n\r\n`;
      socket.send(answer, from.port, from.address);
    });
    socket.bind(1900, GATEWAY);
    await once(socket, 'listening');
    t.after(() => socket.close());

    const mapper = mapperOf(t, { udpPort: () => undefined });
    mapper.start();
    const { protocol, externalHost, tcpPort } = await mapper.settled();
    assert.deepEqual([protocol, externalHost], ['UPnP', '203.0.113.5']);
    assert.notEqual(tcpPort, 6881, 'the one that was taken');
    await mapper.close();
    assert.deepEqual(asked, [
      'AddPortMapping TCP 7200',
      'AddPortMapping TCP 7200',
      'AddPortMapping TCP 0',
      'GetExternalIPAddress',
      'DeletePortMapping TCP',
    ]);

    control = `http://127.0.0.1:${port}/ctl`;
    const other = mapperOf(t);
    other.start();
    assert.match((await other.settled()).reason!, /UPnP: expected an http URL at the address/);
  },
);

test('nobody is asked offline who was not named, nor for a node that cannot be reached in that network', async (t) => {
  const away = { address: '192.0.2.2', contains: (host: string) => host.startsWith('192.0.2.') };
  for (const more of [
    { gateway: undefined },
    { gateway: '192.0.2.1', networks: [away] },
    { networks: [] },
    { listen: { host: '192.0.2.9', port: 1 } },
    {
      policy: new ReachPolicy({ offline: false }),
      gateway: '192.0.2.1',
      networks: [HERE].slice(1),
    },
  ]) {
    const mapper = mapperOf(t, more);
    mapper.start();
    const { state, reason } = await mapper.settled();
    assert.equal(state, 'idle');
    assert.match(reason!, /^(?:offline, only a gateway|it does not listen)/);
  }
});

test('closing in the middle of a search ends it', LINUX, async (t) => {
  const mapper = mapperOf(t);
  mapper.start();
  await mapper.close();
  assert.equal((await mapper.settled()).state, 'closed');
});

test('the default gateway is read from the table of routes', () => {
  const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
  const routes = [
    'eth1\t00000000\t0101A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0',
    'eth0\t00000000\t014DA8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
    'eth2\t00000000\t00000000\t0001\t0\t0\t1\t00000000\t0\t0\t0',
    'eth0\t004DA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  ];
  assert.equal(
    defaultGateway(() => head + routes.join('\n')),
    '192.168.77.1',
  );
  assert.equal(
    defaultGateway(() => head),
    undefined,
  );
  assert.equal(
    defaultGateway(() => ''),
    undefined,
  );
  assert.equal(
    defaultGateway(() => 'x\nnonsense\n'),
    undefined,
  );
  const own = {
    address: '192.168.77.2',
    netmask: '255.255.255.0',
    family: 'IPv4',
    internal: false,
  };
  const [network, ...rest] = localNetworks({
    eth0: [own, { ...own, family: 'IPv6' }],
    lo: [{ ...own, internal: true }],
  } as never);
  assert.deepEqual(rest, []);
  const inside = ['192.168.77.1', '192.168.78.1', '::1', 'router'].map((host) =>
    network!.contains(host),
  );
  assert.deepEqual(inside, [true, false, false, false]);
});
