/**
 * Which senders are on the local network: multicast should not cross routers, but datagrams to our port may come from anywhere.
 * Bounds: as many networks as its caller gives.
 * @module
 */
import { addressScope, parseIp } from '../../lib/ip-address.ts';

interface Network {
  readonly address: Uint8Array;
  readonly prefixBits: number;
}

/** The networks that count as local. */
export class LocalNetworks {
  readonly #networks: readonly Network[];

  /** @param cidrs networks of our interfaces, "10.0.0.2/8" or "fd00::2/64"; what is none is left out. */
  constructor(cidrs: readonly string[]) {
    this.#networks = cidrs.map(parseCidr).filter((network) => network !== undefined);
  }

  /** True for loopback, private, link-local and unique local addresses, and those in a subnet of our interfaces. */
  includes(host: string): boolean {
    const address = parseIp(host);
    if (address === undefined) return false;
    const scope = addressScope(address);
    if (scope === 'loopback' || scope === 'private' || scope === 'link-local') return true;
    return scope === 'global' && this.#networks.some((network) => isInside(network, address));
  }
}

function parseCidr(cidr: string): Network | undefined {
  const slash = cidr.lastIndexOf('/');
  const address = parseIp(cidr.slice(0, Math.max(0, slash)));
  const prefixBits = Number(cidr.slice(slash + 1));
  // A prefix of nothing would make the whole Internet local.
  if (address === undefined || !Number.isInteger(prefixBits) || prefixBits < 1) return undefined;
  return prefixBits > address.length * 8 ? undefined : { address, prefixBits };
}

function isInside({ address, prefixBits }: Network, other: Uint8Array): boolean {
  if (address.length !== other.length) return false;
  const wholeBytes = Math.floor(prefixBits / 8);
  for (let i = 0; i < wholeBytes; i += 1) if (address[i] !== other[i]) return false;
  const rest = prefixBits % 8;
  return rest === 0 || (address[wholeBytes]! ^ other[wholeBytes]!) >> (8 - rest) === 0;
}
