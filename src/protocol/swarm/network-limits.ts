/**
 * How many connections of a torrent one address and one network may have, so that nobody fills the table from one place.
 *
 * An address is an IPv4 address or an IPv6 /64, which is what one subscriber gets; a network is an IPv4 /24 or an IPv6 /48, which is what one site
 * gets. Connections and dials under way count alike. Hosts that the caller exempts (loopback, and networks that its user named) have
 * no limits: there everybody shares a few.
 * Bounds: as many counts as there are connections and dials.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import { parseIp } from '../../lib/ip-address.ts';

// Implementation limits
/** Connections of a torrent with one address: a household shares one, and each peer id has one connection anyway. */
export const MAX_PER_ADDRESS = 4;
/** Connections of a torrent with one network. */
export const MAX_PER_NETWORK = 12;

/** Counts what is connected from where. */
export class NetworkLimits {
  readonly #isExempt: (host: string) => boolean;
  readonly #counts = new Map<string, number>();

  /** @param isExempt hosts without limits. */
  constructor(isExempt: (host: string) => boolean) {
    this.#isExempt = isExempt;
  }

  /** Why one more connection with this host is too many; undefined when it is not. */
  refusal(host: string): string | undefined {
    if (this.#isExempt(host)) return undefined;
    const [address, network] = placesOf(host);
    if ((this.#counts.get(address) ?? 0) >= MAX_PER_ADDRESS) {
      return 'too many connections with its address';
    }
    const isCrowded = (this.#counts.get(network) ?? 0) >= MAX_PER_NETWORK;
    return isCrowded ? 'too many connections with its network' : undefined;
  }

  /** A connection or dial began. */
  enter(host: string): void {
    this.#change(host, 1);
  }

  /** It ended. */
  leave(host: string): void {
    this.#change(host, -1);
  }

  #change(host: string, by: number): void {
    for (const place of placesOf(host)) {
      const count = (this.#counts.get(place) ?? 0) + by;
      if (count > 0) this.#counts.set(place, count);
      else this.#counts.delete(place);
    }
  }
}

/** Keys of the address and the network of a host. What is no IP address stands for itself. */
function placesOf(host: string): readonly [address: string, network: string] {
  const ip = parseIp(host);
  if (ip === undefined) return [`a ${host}`, `n ${host}`];
  const [addressBytes, networkBytes] = ip.length === 4 ? [4, 3] : [8, 6];
  return [`a ${toHex(ip.subarray(0, addressBytes))}`, `n ${toHex(ip.subarray(0, networkBytes))}`];
}
