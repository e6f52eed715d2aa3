/**
 * Hosts for tests: network namespaces joined by a cable, or any number at a switch, with private addresses that exist in them only. Needs root and Linux.
 * @module
 */
import { execFileSync } from 'node:child_process';
import type { TestBed } from './cli-child.ts';

const IP = 'ip';

/** One end of the cable. */
export interface NamespaceHost {
  /** Its name for `ip netns`. */
  readonly name: string;
  readonly address: string;
  /** Words to put before a command that shall run there. */
  readonly prefix: readonly string[];
}

/** Why namespaces cannot be made here, or false. */
export function namespaceObstacle(): string | false {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  return process.getuid?.() === 0 ? false : 'network namespaces need root';
}

/** Makes two hosts that see each other and nothing else; removed with the test. */
export function makeTwoHosts(bed: TestBed): readonly [NamespaceHost, NamespaceHost] {
  const key = `st${process.pid % 100_000}`;
  const [a, b] = ['a', 'b'].map((end, index): NamespaceHost => {
    const name = `${key}${end}`;
    ip('netns', 'add', name);
    bed.onEnd(() => ip('netns', 'del', name));
    const prefix = ['ip', 'netns', 'exec', name];
    return { name, address: `10.77.0.${index + 1}`, prefix };
  });
  const cable = ['link', 'add', 'cable', 'netns', a!.name, 'type', 'veth'];
  ip(...cable, 'peer', 'name', 'cable', 'netns', b!.name);
  for (const { name, address } of [a!, b!]) {
    ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'cable');
    ip('-n', name, 'link', 'set', 'cable', 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  return [a!, b!];
}

/** A switch with hosts at its ports: they see each other and nothing else. */
export interface SwitchedNetwork {
  readonly hosts: readonly NamespaceHost[];
  /** Words to put before a command that shall run where all frames pass by: arriving ones at the interfaces port0, port1, … */
  readonly prefix: readonly string[];
  /** No multicast passes any more; broadcasts and everything to one address do. */
  cutMulticast(): void;
}

/** Namespaces of this process: removed at its end, too, when a test was given up. */
const made = new Set<string>();
process.on('exit', () => {
  for (const name of made) removeNamespace(name);
});
let networks = 0;

/** Makes hosts at a switch that is a namespace of its own; removed with the test, or with its process. */
export function makeSwitch(bed: TestBed, count: number): SwitchedNetwork {
  networks += 1;
  const key = `st${process.pid % 100_000}n${networks}`;
  const center = makeNamespace(bed, `${key}x`);
  // Without snooping a switch floods multicast: it knows nobody who would ask for members of groups.
  const bridge = ['type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0'];
  ip('-n', center, 'link', 'add', 'switch', ...bridge);
  ip('-n', center, 'link', 'set', 'switch', 'up');
  const hosts = Array.from({ length: count }, (_, index): NamespaceHost => {
    const name = makeNamespace(bed, `${key}h${index}`);
    const address = `10.77.1.${index + 1}`;
    const port = ['link', 'add', `port${index}`, 'netns', center, 'type', 'veth'];
    ip(...port, 'peer', 'name', 'cable', 'netns', name);
    ip('-n', center, 'link', 'set', `port${index}`, 'master', 'switch', 'up');
    ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'cable');
    ip('-n', name, 'link', 'set', 'cable', 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return { name, address, prefix: ['ip', 'netns', 'exec', name] };
  });
  return {
    hosts,
    prefix: ['ip', 'netns', 'exec', center],
    cutMulticast: () => {
      for (const index of hosts.keys()) {
        const flood = ['type', 'bridge_slave', 'mcast_flood', 'off'];
        ip('-n', center, 'link', 'set', `port${index}`, ...flood);
      }
    },
  };
}

function makeNamespace(bed: TestBed, name: string): string {
  ip('netns', 'add', name);
  made.add(name);
  bed.onEnd(() => removeNamespace(name));
  return name;
}

function removeNamespace(name: string): void {
  if (made.delete(name)) ip('netns', 'del', name);
}

/** Gives a host a further address of its network. */
export function addAddress(host: NamespaceHost, address: string): void {
  ip('-n', host.name, 'addr', 'add', `${address}/24`, 'dev', 'cable');
}

/** Lets a host send to multicast groups without naming an interface, as a default route does elsewhere. */
export function addMulticastRoute(host: NamespaceHost): void {
  ip('-n', host.name, 'route', 'add', '224.0.0.0/4', 'dev', 'cable');
}

function ip(...args: readonly string[]): void {
  execFileSync(IP, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Lets nothing pass between two hosts, in either direction, until the returned function is called. Needs nft. */
export function raiseWall(bed: TestBed, one: NamespaceHost, other: NamespaceHost): () => void {
  const rules = ({ address }: NamespaceHost): string => `table inet wall {
  chain input {
    type filter hook input priority 0
    ip saddr ${address} drop
  }
}
`;
  const names = [one, other].map(({ name }) => name);
  for (const [at, from] of [
    [one, other],
    [other, one],
  ] as const) {
    execFileSync(IP, ['netns', 'exec', at.name, 'nft', '-f', '-'], { input: rules(from) });
  }
  let isUp = true;
  const fell = (): void => {
    if (!isUp) return;
    isUp = false;
    for (const name of names) {
      if (made.has(name)) ip('netns', 'exec', name, 'nft', 'delete', 'table', 'inet', 'wall');
    }
  };
  bed.onEnd(fell);
  return fell;
}

/** Gives a host another address of its network in the place of its own. */
export function replaceAddress(host: NamespaceHost, address: string): void {
  ip('-n', host.name, 'addr', 'del', `${host.address}/24`, 'dev', 'cable');
  ip('-n', host.name, 'addr', 'add', `${address}/24`, 'dev', 'cable');
}
