/** Port mapping with Debian's miniupnpd on a router that keeps strangers out: by UPnP of both versions, PCP and NAT-PMP. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createTorrentFile, startStarling } from '../support/cli.ts';
import { needing, poll, TestBed } from '../support/cli-child.ts';
import { writeFile } from '../support/content.ts';
import { namespaceObstacle } from '../support/namespace.ts';
import {
  EXTERNAL_HOST,
  HOME_HOST,
  HomeRouter,
  ROUTER_HOST,
  type RouterOptions,
} from '../support/router.ts';

const needed = needing('ip', 'nft', 'miniupnpd');
const obstacle = process.env['CI'] === 'true' ? false : namespaceObstacle();
const options = { ...needed, skip: needed.skip || obstacle };
const PORT = 6_881;
const BOTH = [`tcp ${PORT} ${HOME_HOST}:${PORT}`, `udp ${PORT} ${HOME_HOST}:${PORT}`];
const UPNP: RouterOptions = { speaksUpnp: true, speaksPcp: false };
const PCP: RouterOptions = { speaksUpnp: false, speaksPcp: true };
let routers = 0;

async function openRouter(bed: TestBed, speaks: RouterOptions): Promise<HomeRouter> {
  routers += 1;
  return HomeRouter.open(bed, routers, speaks);
}

describe('port mapping with miniupnpd', () => {
  for (const [protocol, title, speaks] of [
    ['UPnP', 'UPnP, a device of the second version', UPNP],
    ['UPnP', 'UPnP, a device of the first version', { ...UPNP, isFirstVersion: true }],
    ['PCP', 'PCP', PCP],
  ] as const) {
    it(
      `${title}: somebody outside fetches from a seed at home; its ports are closed when it ends`,
      options,
      async () => {
        await using bed = new TestBed();
        const router = await openRouter(bed, speaks);
        const [dir, copy] = [bed.dir('original'), bed.dir('copy')];
        writeFile(join(dir, 'file.bin'), 300_000, 1);
        const { file, magnet } = await createTorrentFile(bed, join(dir, 'file.bin'), 'v1');
        const at = ['--listen', `${HOME_HOST}:${PORT}`, '--gateway', ROUTER_HOST, '--json'];
        const seed = startStarling(bed, ['seed', file, '--dir', dir, ...at], {
          prefix: router.home,
        });
        const mapped = await seed.event('port-mapping');
        const { type: _, ...status } = mapped;
        assert.deepEqual(status, {
          state: 'mapped',
          protocol,
          gateway: ROUTER_HOST,
          externalHost: EXTERNAL_HOST,
          tcpPort: PORT,
          udpPort: PORT,
          isBehindAnother: false,
        });
        assert.deepEqual(router.mappings(), BOTH);
        const peer = ['--peer', `${EXTERNAL_HOST}:${PORT}`, '--no-discovery', '--no-port-mapping'];
        const get = startStarling(bed, ['get', magnet, '--dir', copy, ...peer, '--json'], {
          prefix: router.outside,
        });
        await get.done();
        assert.deepEqual(readFileSync(join(copy, 'file.bin')), readFileSync(join(dir, 'file.bin')));
        await seed.child.stop();
        assert.deepEqual(router.mappings(), []);
      },
    );
  }

  it('a port that another host at home has: another one is taken, and said', options, async () => {
    await using bed = new TestBed();
    const router = await openRouter(bed, UPNP);
    const other = addHomeAddress(router);
    const script = clientScript(`
      const found = await findUpnp(place);
      const map = { transport: 'tcp', internalPort: 7000, externalPort: ${PORT}, lifetimeSeconds: 600 };
      console.log(JSON.stringify(await found.value.map(map)));`);
    const [program, ...words] = [...router.home, process.execPath, ...script, other];
    const taker = await bed.start(program!, words).exit();
    assert.equal(JSON.parse(taker.stdout).ok, true, taker.stdout);
    const taken = `tcp ${PORT} ${other}:7000`;
    const at = ['--listen', `${HOME_HOST}:${PORT}`, '--gateway', ROUTER_HOST, '--json', '--no-dht'];
    const dir = bed.dir('original');
    writeFile(join(dir, 'file.bin'), 30_000, 1);
    const share = ['share', join(dir, 'file.bin'), ...at];
    const seed = startStarling(bed, share, { prefix: router.home });
    const { tcpPort, udpPort } = await seed.event('port-mapping');
    assert.equal(udpPort, undefined, 'without the DHT there is no use for it');
    assert.notEqual(tcpPort, PORT);
    const wanted = [taken, `tcp ${tcpPort} ${HOME_HOST}:${PORT}`].sort();
    assert.deepEqual(router.mappings(), wanted);
    await seed.child.stop();
    assert.deepEqual(router.mappings(), [taken]);
  });

  it('NAT-PMP: maps, tells the address outside, renews, ends', options, async () => {
    await using bed = new TestBed();
    const router = await openRouter(bed, PCP);
    const script = clientScript(`
      const client = pmpClient(place, '${ROUTER_HOST}');
      const map = { transport: 'udp', internalPort: 7000, externalPort: 7001, lifetimeSeconds: 600 };
      const made = await client.map(map);
      const external = await client.externalHost();
      const renewed = await client.map(map);
      console.log(JSON.stringify({ made, external, renewed }));
      process.stdin.once('data', async () => {
        console.log(JSON.stringify(await client.map({ ...map, lifetimeSeconds: 0 })));
        process.exit();
      });`);
    const client = bed.start(router.home[0]!, [
      ...router.home.slice(1),
      process.execPath,
      ...script,
      HOME_HOST,
    ]);
    const line = await client.waitFor('answers', () => client.lines[0]);
    const granted = { ok: true, value: { externalPort: 7001, lifetimeSeconds: 600 } };
    assert.deepEqual(JSON.parse(line), {
      made: granted,
      external: { ok: true, value: EXTERNAL_HOST },
      renewed: granted,
    });
    assert.deepEqual(router.mappings(), [`udp 7001 ${HOME_HOST}:7000`]);
    client.write('end\n');
    await client.exit();
    assert.equal(JSON.parse(client.lines[1]!).ok, true);
    assert.deepEqual(router.mappings(), []);
  });

  it(
    'doctor says what the router gave, that it is off, or that there is none to ask; offline nobody is asked who was not named',
    options,
    async () => {
      await using bed = new TestBed();
      const router = await openRouter(bed, UPNP);
      const listen = ['--listen', `${HOME_HOST}:${PORT}`, '--no-lsd', '--no-dht'];
      const doctor = async (...args: string[]): Promise<string> => {
        const run = startStarling(bed, ['doctor', ...listen, ...args], { prefix: router.home });
        const { stdout } = await run.child.exit();
        return stdout.split('\n').find((text) => text.includes('Port mapping'))!;
      };
      const before = router.log;
      assert.match(await doctor('--no-port-mapping', '--gateway', ROUTER_HOST), /: it is off$/);
      assert.match(await doctor(), /: offline, only a gateway is asked that is named/);
      await poll('log', () => router.log === before || undefined);
      const gateway = ['--gateway', ROUTER_HOST];
      assert.equal(
        await doctor(...gateway),
        `✓ Port mapping: UPnP on ${ROUTER_HOST} gave ${EXTERNAL_HOST}:${PORT} for TCP alone`,
      );
      assert.deepEqual(router.mappings(), []);
      assert.match(
        await doctor('--gateway', '192.168.77.9'),
        /^! Port mapping: no router let the port/,
      );
    },
  );
});

/** Another address at home, for what another host would ask. */
function addHomeAddress({ home }: HomeRouter): string {
  const address = '192.168.77.3';
  const [program, ...words] = [...home, 'ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0'];
  execFileSync(program!, words);
  return address;
}

/** Arguments of Node for a script with a `place` at the address that follows them. */
function clientScript(body: string): string[] {
  const at = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const text = `
    const { findUpnp, pmpClient } = await import(${at('../../src/node/gateway-client.ts')});
    const { ReachPolicy } = await import(${at('../../src/io/reach-policy.ts')});
    const address = process.argv[1];
    const policy = new ReachPolicy({ offline: true, givenSubnets: ['${HOME_HOST}'] });
    const network = { address, contains: () => true };
    const signal = new AbortController().signal;
    const place = { network, policy, signal, gateway: '${ROUTER_HOST}' };
    ${body}`;
  return ['--input-type=module', '-e', text];
}
