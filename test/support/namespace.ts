/**
 * Two hosts for tests: network namespaces joined by a cable, with private addresses that exist in them only. Needs root and Linux.
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
