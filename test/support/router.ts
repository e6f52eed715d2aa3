/**
 * A home router for tests: a host at home, the router that translates its addresses, a host outside; each a network namespace. The router runs Debian's miniupnpd.
 * Needs root, Linux, nft and miniupnpd.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, poll, type TestBed } from './cli-child.ts';

/** Addresses at home and outside. They exist in the namespaces alone; miniupnpd maps nothing for an outside address that is not public. */
export const HOME_HOST = '192.168.77.2';
export const ROUTER_HOST = '192.168.77.1';
export const EXTERNAL_HOST = '1.2.3.4';
export const OUTSIDE_HOST = '1.2.3.9';

/** What the router speaks. */
export interface RouterOptions {
  readonly speaksUpnp: boolean;
  /** NAT-PMP and PCP: miniupnpd has both or none. */
  readonly speaksPcp: boolean;
  /** It describes itself as a device of UPnP's first version. */
  readonly isFirstVersion?: boolean;
}

/** The router and its neighbours. */
export class HomeRouter {
  /** Words before a command that shall run there. */
  readonly home: readonly string[];
  readonly outside: readonly string[];
  readonly #router: string;
  readonly #log: () => string;

  private constructor(names: readonly [string, string, string], log: () => string) {
    const [home, outside] = [names[0], names[2]].map((name) => ['ip', 'netns', 'exec', name]);
    this.home = home!;
    this.outside = outside!;
    this.#router = names[1];
    this.#log = log;
  }

  static async open(bed: TestBed, number: number, options: RouterOptions): Promise<HomeRouter> {
    const key = `st${process.pid % 100_000}r${number}`;
    const names = [`${key}h`, `${key}g`, `${key}o`] as const;
    for (const name of names) {
      run('ip', 'netns', 'add', name);
      bed.onEnd(() => run('ip', 'netns', 'del', name));
      run('ip', '-n', name, 'link', 'set', 'lo', 'up');
    }
    const [home, router, outside] = names;
    cable(router, 'lan', `${ROUTER_HOST}/24`, home, `${HOME_HOST}/24`);
    cable(router, 'wan', `${EXTERNAL_HOST}/24`, outside, `${OUTSIDE_HOST}/24`);
    run('ip', '-n', home, 'route', 'add', 'default', 'via', ROUTER_HOST);
    run('ip', 'netns', 'exec', router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const [rules, config] = [join(bed.root, `${key}.nft`), join(bed.root, `${key}.conf`)];
    writeFileSync(rules, RULES);
    run('ip', 'netns', 'exec', router, 'nft', '-f', rules);
    writeFileSync(config, configOf(options));
    for (const name of [home, outside]) {
      const isUp = (): boolean =>
        run('ip', '-n', name, 'link', 'show', 'eth0').includes('state UP');
      await poll('a cable that is up', () => isUp() || undefined);
    }
    const daemon = startDaemon(bed, router, config, join(bed.root, `${key}.pid`));
    const log = (): string => daemon.stderr + daemon.lines.join('\n');
    await poll('miniupnpd', () => /HTTP listening|Listening for NAT-PMP/.test(log()) || undefined);
    return new HomeRouter(names, log);
  }

  /** What the router was asked. */
  get log(): string {
    return this.#log();
  }

  /** Ports that are let through, as "tcp 6881 192.168.77.2:6881". */
  mappings(): string[] {
    const list = ['ip', 'netns', 'exec', this.#router, 'nft', 'list', 'chain', 'inet', 'filter'];
    const text = run(...list, 'prerouting_miniupnpd');
    const rule = /@nh,72,8 0x(6|11) th dport (\d+) dnat ip to (\S+)/g;
    return [...text.matchAll(rule)]
      .map(([, protocol, port, to]) => `${protocol === '6' ? 'tcp' : 'udp'} ${port} ${to}`)
      .sort();
  }
}

/** Everything from outside is dropped that nobody at home asked for, as routers do. */
const RULES = `table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" accept
    jump miniupnpd
  }
  chain miniupnpd { }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain postrouting {
    type nat hook postrouting priority 100;
    jump postrouting_miniupnpd
    oifname "wan" masquerade
  }
}
`;

function configOf({ speaksUpnp, speaksPcp, isFirstVersion = false }: RouterOptions): string {
  const is = (value: boolean): string => (value ? 'yes' : 'no');
  return `ext_ifname=wan
listening_ip=lan
port=0
enable_upnp=${is(speaksUpnp)}
enable_natpmp=${is(speaksPcp)}
force_igd_desc_v1=${is(isFirstVersion)}
secure_mode=yes
uuid=00000000-0000-4000-8000-000000000001
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
allow 1024-65535 0.0.0.0/0 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;
}

function startDaemon(bed: TestBed, router: string, config: string, pidFile: string): Child {
  const words = ['netns', 'exec', router, 'miniupnpd', '-d', '-f', config, '-P', pidFile];
  return bed.start('ip', words);
}

/** A cable between the router and a host. */
function cable(router: string, end: string, own: string, host: string, address: string): void {
  run(
    'ip',
    'link',
    'add',
    end,
    'netns',
    router,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    host,
  );
  for (const [name, device, at] of [
    [router, end, own],
    [host, 'eth0', address],
  ] as const) {
    run('ip', '-n', name, 'addr', 'add', at, 'dev', device);
    run('ip', '-n', name, 'link', 'set', device, 'up');
  }
}

function run(...words: readonly string[]): string {
  const [program, ...args] = words;
  return execFileSync(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}
