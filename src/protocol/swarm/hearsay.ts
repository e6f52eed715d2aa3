/**
 * Whose word is good for which address: the rule for addresses that a peer names (BEP 11), before anything is dialled.
 *
 * A peer somewhere on the Internet can only name addresses on the Internet: else a stranger would have us knock at the doors of this machine and
 * of the network around it. A peer on loopback or in a private network may name addresses of its own kind too. Nobody can name port 0, the
 * unspecified, multicast and link-local addresses (which mean nothing without the interface they are on; in IPv4 a peer there may name its own
 * kind), nor IPv6 addresses that are not handed out or that carry a nearer IPv4 address inside (6to4, NAT64, "compatible" ones).
 * Not here: the reach policy, which comes on top.
 * @module
 */
import { type AddressScope, addressScope, parseIp } from '../../lib/ip-address.ts';
import type { PeerAddress } from './types.ts';

// Specification constants
/** RFC 3056: 2002::/16 carries an IPv4 address in the four bytes behind it. */
const SIX_TO_FOUR = 0x2002;
/** RFC 4380: 2001::/32, Teredo. */
const TEREDO_PREFIX = [0x20, 0x01, 0, 0] as const;

/** May a peer at `speakerHost` name this address to us, or we to it? */
export function mayName(speakerHost: string, named: PeerAddress): boolean {
  if (!Number.isInteger(named.port) || named.port < 1 || named.port > 65_535) return false;
  const ip = parseIp(named.host);
  const speaker = parseIp(speakerHost);
  if (ip === undefined || speaker === undefined) return false;
  const scope = addressScope(ip);
  if (scope === 'global') return ip.length === 4 || isHandedOut(ip);
  return scope === addressScope(speaker) && canBeShared(scope, ip);
}

function canBeShared(scope: AddressScope, ip: Uint8Array): boolean {
  return scope === 'loopback' || scope === 'private' || (scope === 'link-local' && ip.length === 4);
}

/** IANA hands out 2000::/3 alone. Addresses in it that are tunnels to an IPv4 address are judged by that one. */
function isHandedOut(ip: Uint8Array): boolean {
  if ((ip[0]! & 0xe0) !== 0x20) return false;
  if (((ip[0]! << 8) | ip[1]!) === SIX_TO_FOUR) return addressScope(ip.subarray(2, 6)) === 'global';
  return !TEREDO_PREFIX.every((byte, at) => ip[at] === byte);
}
