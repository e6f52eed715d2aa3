/**
 * On which interfaces local discovery speaks: "each interface on which it is listening for bittorrent connections" (BEP 14).
 *
 * A node that was given an address speaks on its interface alone, from that address; one that listens everywhere on all of them, loopback included,
 * where other programs of this machine listen; offline on loopback only. One address of an interface is enough for a family; in IPv6 one that is more
 * than link-local, where there is one.
 * @module
 */
import type os from 'node:os';
import type { MulticastInterface } from '../io/multicast.ts';
import { addressScope, formatIp, parseIp } from '../lib/ip-address.ts';

/** An interface to join, and its network as "address/prefix". */
export interface LsdInterface extends MulticastInterface {
  readonly cidr: string;
}

/** What decides. */
export interface LsdPlace {
  /** The address that the node listens on; a wildcard means all. */
  readonly listenHost: string;
  readonly isOffline: boolean;
}

/** The interfaces of a family to join. @param all the system's. */
export function lsdInterfaces(
  all: NodeJS.Dict<os.NetworkInterfaceInfo[]>,
  family: 4 | 6,
  { listenHost, isOffline }: LsdPlace,
): LsdInterface[] {
  const listen = parseIp(listenHost);
  const scope = listen === undefined ? 'unspecified' : addressScope(listen);
  const found: LsdInterface[] = [];
  for (const [name, list = []] of Object.entries(all)) {
    const own = list.filter((one) => one.family === `IPv${family}`);
    const usable = own.filter(({ address, internal }) => {
      if (scope === 'unspecified') return internal || !isOffline;
      // All of 127.0.0.0/8 is this machine, though the system lists one address of it.
      if (scope === 'loopback') return internal && (family === 6) === (listen!.length === 16);
      return formatIp(parseIp(address)!) === formatIp(listen!);
    });
    const chosen = usable.find(({ address }) => !address.startsWith('fe80')) ?? usable[0];
    if (chosen === undefined) continue;
    const address = scope === 'unspecified' ? chosen.address : formatIp(listen!);
    found.push({ name, address, cidr: chosen.cidr ?? '' });
  }
  return found;
}
