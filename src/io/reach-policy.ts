/**
 * Which hosts this program may contact: everything, or with STARLING_OFFLINE only what the user named.
 *
 * Offline: loopback, addresses the user gave, and the subnet (/24, IPv6 /64) of an address given by --listen, --peer or --bootstrap.
 * No DNS is asked: of all names only `localhost` is known. Also here: the rules against requests forged through torrents (a tracker that is not on
 * the public Internet is asked only for /announce and /scrape; nothing on the Internet can redirect us to a nearer network).
 * Not here: ports (an address given with one is given with all) and limits.
 * @module
 */
import { type AppError, defineErrors } from '../lib/errors.ts';
import { addressScope, formatIp, isSameSubnet, parseIp } from '../lib/ip-address.ts';

interface OfflineDetails {
  readonly target: string;
  readonly reason: string;
}

const make = defineErrors({
  ERR_OFFLINE: ({ target, reason }: OfflineDetails) =>
    `offline: refused to contact ${target}: ${reason}`,
});

/** Options of a ReachPolicy. */
export interface ReachPolicyOptions {
  /** STARLING_OFFLINE=1. */
  readonly offline: boolean;
  /** What the user named: "host", "host:port", "[v6]:port" or a URL. Names other than localhost open nothing offline. */
  readonly given?: readonly string[];
  /** Of --listen, --peer and --bootstrap: given, and their subnets too. */
  readonly givenSubnets?: readonly string[];
}

/** Judges addresses and hosts before anything is sent to them. */
export class ReachPolicy {
  readonly isOffline: boolean;
  readonly #given = new Set<string>();
  readonly #subnets: Uint8Array[] = [];

  constructor(options: ReachPolicyOptions) {
    this.isOffline = options.offline;
    for (const target of options.given ?? []) this.give(target);
    for (const target of options.givenSubnets ?? []) this.giveSubnet(target);
  }

  /** The user named this address; call it for user's words only, never for what a remote said. */
  give(target: string): void {
    const bytes = parseIp(hostOf(target));
    if (bytes !== undefined) this.#given.add(formatIp(bytes));
  }

  /** As give, with the whole subnet; a wildcard address opens nothing. */
  giveSubnet(target: string): void {
    this.give(target);
    const bytes = parseIp(hostOf(target));
    if (bytes !== undefined && addressScope(bytes) !== 'unspecified') this.#subnets.push(bytes);
  }

  /** True when the user named exactly this address. */
  isGiven(address: string): boolean {
    const bytes = parseIp(address);
    return bytes !== undefined && this.#given.has(formatIp(bytes));
  }

  /** True for loopback, what the user named, and its subnets: limits that keep strangers from crowding us don't count there. */
  isNear(address: string): boolean {
    const bytes = parseIp(address);
    if (bytes === undefined) return false;
    if (addressScope(bytes) === 'loopback' || this.#given.has(formatIp(bytes))) return true;
    return this.#subnets.some((subnet) => isSameSubnet(subnet, bytes));
  }

  /** May this IP address be contacted? False for what is not an address. */
  allowsAddress(address: string): boolean {
    const bytes = parseIp(address);
    if (bytes === undefined) return false;
    return !this.isOffline || this.isNear(address);
  }

  /** May this host (IP literal or name) be contacted, and if it is a name, may DNS be asked for it? */
  allowsHost(host: string): boolean {
    const bare = hostOf(host);
    return parseIp(bare) === undefined
      ? !this.isOffline || isLocalhost(bare)
      : this.allowsAddress(bare);
  }

  /** As allowsHost, with the reason. @throws AppError ERR_OFFLINE. */
  checkHost(host: string): void {
    if (this.allowsHost(host)) return;
    throw offlineError(
      host,
      parseIp(hostOf(host)) === undefined
        ? 'STARLING_OFFLINE is set, so no DNS is asked; give an IP address'
        : 'STARLING_OFFLINE is set, and this is neither loopback nor an address that was given',
    );
  }

  /** As allowsAddress, with the reason. @throws AppError ERR_OFFLINE. */
  checkAddress(address: string): void {
    if (!this.allowsAddress(address)) this.checkHost(address);
  }
}

/** True for an address that is not of the public Internet: of this machine, its network, or of a special kind. */
export function isSpecialAddress(address: string): boolean {
  const bytes = parseIp(address);
  return bytes === undefined || addressScope(bytes) !== 'global';
}

/**
 * May a tracker at this address be asked for this path? A torrent's author chooses the URLs in it, so on this machine and in its network
 * only /announce and /scrape can be meant, and nothing where no tracker can be. Don't ask for trackers that the user gave.
 */
export function mayAskTracker(address: string, pathAndQuery: string): boolean {
  const bytes = parseIp(address);
  if (bytes === undefined) return false;
  const scope = addressScope(bytes);
  if (scope === 'global') return true;
  const canBeTracker = scope === 'loopback' || scope === 'private';
  return canBeTracker && /^\/(?:announce|scrape)(?:$|[/?.])/.test(pathAndQuery);
}

/**
 * May a web seed at this address be asked for this URL? A torrent's author chooses its base and its paths, so on this machine and in its network
 * nothing can be asked with a query, and nothing at the ports of other services. Don't ask for web seeds that the user gave.
 */
export function mayAskWebSeed(address: string, url: URL): boolean {
  const bytes = parseIp(address);
  if (bytes === undefined) return false;
  const scope = addressScope(bytes);
  if (scope === 'global') return true;
  if ((scope !== 'loopback' && scope !== 'private') || url.search !== '') return false;
  // Default ports are empty; below 1024 only services of the system listen.
  return url.port === '' || Number(url.port) >= 1024;
}

/** May a response from one address send us to another? Nothing on the Internet sends us into a nearer network. */
export function allowsRedirect(fromAddress: string, toAddress: string): boolean {
  const from = parseIp(fromAddress);
  const to = parseIp(toAddress);
  if (from === undefined || to === undefined) return false;
  return addressScope(from) !== 'global' || addressScope(to) === 'global';
}

/** The refusal of a host or address. */
export function offlineError(
  target: string,
  reason: string,
): AppError<'ERR_OFFLINE', OfflineDetails> {
  return make('ERR_OFFLINE', { target, reason });
}

/** RFC 6761: localhost and names below it mean this machine; no DNS server has a say. */
export function isLocalhost(host: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(host);
}

/** The host of "host", "host:port", "[v6]", "[v6]:port", a bare IPv6 address or a URL. */
export function hostOf(target: string): string {
  const authority = target
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/[/?#].*$/s, '')
    .replace(/^.*@/s, '');
  const bracketed = /^\[([^\]]*)\]/.exec(authority);
  if (bracketed !== null) return bracketed[1]!;
  return authority.split(':').length === 2 ? authority.slice(0, authority.indexOf(':')) : authority;
}
