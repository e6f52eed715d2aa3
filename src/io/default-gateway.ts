/**
 * The router of the default route, and the address of this machine towards it.
 *
 * Read from Linux's table of routes; other systems tell it to programs only, so there it is unknown and has to be named or to make itself known (UPnP).
 * IPv4 only: in IPv6 no address is translated. Not here: what is asked of it.
 * @module
 */
import fs from 'node:fs';
import os from 'node:os';
import { parseIp } from '../lib/ip-address.ts';

// Specification constants
const ROUTES = '/proc/net/route';
/** linux/route.h: RTF_UP and RTF_GATEWAY. */
const UP_AND_GATEWAY = 3;

/** The router of the default route with the lowest metric; undefined when there is none, or the system does not tell. */
export function defaultGateway(read: () => string = readRoutes): string | undefined {
  const routes = read()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, to, , flags, , , , mask]) => {
      const isDefault = to === '00000000' && mask === '00000000';
      return isDefault && (Number.parseInt(flags!, 16) & UP_AND_GATEWAY) === UP_AND_GATEWAY;
    })
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  const hex = routes[0]?.[2];
  if (hex === undefined || !/^[0-9A-F]{8}$/i.test(hex)) return undefined;
  // In the machine's own order of bytes, which is little-endian wherever Node runs.
  return Buffer.from(hex, 'hex').reverse().join('.');
}

function readRoutes(): string {
  try {
    return fs.readFileSync(ROUTES, 'latin1');
  } catch {
    return '';
  }
}

/** IPv4 addresses of this machine in networks that it shares with others. */
export interface LocalNetwork {
  readonly address: string;
  /** May this host be in the same network? */
  readonly contains: (host: string) => boolean;
}

/** Networks of this machine, loopback left out. */
export function localNetworks(
  all: NodeJS.Dict<os.NetworkInterfaceInfo[]> = os.networkInterfaces(),
): LocalNetwork[] {
  return Object.values(all)
    .flatMap((list) => list ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address, netmask }) => ({
      address,
      contains: (host) => isSameNetwork(parseIp(address), parseIp(netmask), parseIp(host)),
    }));
}

function isSameNetwork(
  own: Uint8Array | undefined,
  mask: Uint8Array | undefined,
  other: Uint8Array | undefined,
): boolean {
  if (own?.length !== 4 || mask?.length !== 4 || other?.length !== 4) return false;
  return own.every((byte, at) => (byte & mask[at]!) === (other[at]! & mask[at]!));
}
