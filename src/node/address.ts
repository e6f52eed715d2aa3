/**
 * "host:port" as people write it.
 * @module
 */
import os from 'node:os';
import type { Endpoint } from '../io/tcp.ts';
import { nodeError } from './errors.ts';

/**
 * Parses "host:port", "[v6]:port", "host" or ":port".
 * @param fallbackPort used when none is written; undefined: a port is needed.
 * @throws {AppError} ERR_CONFIG.
 */
export function parseEndpoint(text: string, what: string, fallbackPort?: number): Endpoint {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? fallbackPort : Number(match[3]);
  if (match === null || host === undefined || port === undefined || port > 65_535) {
    const expected = 'HOST:PORT, as in 192.0.2.7:6881 or [2001:db8::7]:6881';
    throw nodeError('ERR_CONFIG', { what, expected, got: JSON.stringify(text) });
  }
  return { host: host === '' ? '0.0.0.0' : host, port };
}

/** Writes an endpoint the way `parseEndpoint` reads it. */
export function formatEndpoint(endpoint: Endpoint): string {
  // The address of a web seed is its URL.
  if (endpoint.port === 0 && /^https?:/.test(endpoint.host)) return endpoint.host;
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${host}:${endpoint.port}`;
}

/** Where others may reach what listens there: of all addresses, those of this machine's interfaces; loopback when it has no other. */
export function reachableEndpoints({ host, port }: Endpoint): Endpoint[] {
  if (host !== '0.0.0.0' && host !== '::') return [{ host, port }];
  const addresses = Object.values(os.networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
    .filter(({ family }) => host === '::' || family === 'IPv4')
    .map(({ address }) => ({ host: address, port }));
  return addresses.length > 0 ? addresses : [{ host: '127.0.0.1', port }];
}

/** The address families that a listener at an address takes: a wildcard of IPv6 takes IPv4 too. */
export function familiesOf(listenHost: string): readonly (4 | 6)[] {
  if (listenHost === '::') return [4, 6];
  return [listenHost.includes(':') ? 6 : 4];
}
