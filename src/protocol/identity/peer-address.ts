/**
 * Where a peer may be reached: an IP address and a port, as text and as bytes; and relays, with whose identity they are.
 *
 * Never a name: whoever hands out an address must not make others ask DNS. Bytes: family (4 or 6), address, port, big-endian.
 * Addresses that lead nowhere from elsewhere (unspecified, multicast, link-local, port 0) are none. Not here: which ones are told to whom.
 * @module
 */
import { concatBytes, readU16, writeU16 } from '../../lib/bytes.ts';
import { type AddressScope, addressScope, formatIp, parseIp } from '../../lib/ip-address.ts';

// Specification constants
const MAX_PORT = 65_535;
const PORT_BYTES = 2;
const IP_BYTES: ReadonlyMap<number, number> = new Map([
  [4, 4],
  [6, 16],
]);
const REACHABLE: ReadonlySet<AddressScope> = new Set(['global', 'private', 'loopback']);

/** An address of a peer. */
export interface PeerAddress {
  /** Canonical text of IPv4 or IPv6, without brackets. */
  readonly host: string;
  /** 1 … 65535. */
  readonly port: number;
}

/** Somebody through whom a peer can be reached. */
export interface RelayHint {
  /** 38 bytes. */
  readonly peerId: Uint8Array;
  readonly address: PeerAddress;
}

/** An address in its one form. @returns undefined for one that leads nowhere. */
export function peerAddressOf(host: string, port: number): PeerAddress | undefined {
  const ip = parseIp(host);
  if (ip === undefined || !Number.isInteger(port) || port < 1 || port > MAX_PORT) return undefined;
  return REACHABLE.has(addressScope(ip)) ? { host: formatIp(ip), port } : undefined;
}

/** How far an address reaches. */
export function scopeOf({ host }: PeerAddress): AddressScope {
  return addressScope(parseIp(host)!);
}

/** "192.0.2.7:6881" or "[2001:db8::7]:6881" */
export function formatPeerAddress({ host, port }: PeerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads what `formatPeerAddress` writes. @returns undefined for anything else, names included. */
export function parsePeerAddress(text: string): PeerAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15})):([1-9]\d{0,4})$/.exec(text);
  if (match === null) return undefined;
  return peerAddressOf(match[1] ?? match[2]!, Number(match[3]));
}

/** 7 or 19 bytes. @throws RangeError for an address that leads nowhere. */
export function encodePeerAddress({ host, port }: PeerAddress): Uint8Array {
  const address = peerAddressOf(host, port);
  if (address === undefined) {
    throw new RangeError(`address: expected one that can be dialled, got ${host} port ${port}`);
  }
  const ip = parseIp(address.host)!;
  const end = new Uint8Array(PORT_BYTES);
  writeU16(end, 0, port);
  return concatBytes(Uint8Array.of(ip.length === 4 ? 4 : 6), ip, end);
}

/** Reads an address at `at`. @returns undefined for one that leads nowhere, or that has a shorter form. */
export function decodePeerAddress(
  bytes: Uint8Array,
  at: number,
): { readonly address: PeerAddress; readonly end: number } | undefined {
  const length = IP_BYTES.get(bytes[at] ?? 0);
  if (length === undefined) return undefined;
  const portAt = at + 1 + length;
  if (portAt + PORT_BYTES > bytes.length) return undefined;
  const host = formatIp(bytes.subarray(at + 1, portAt));
  // IPv4 in the clothes of IPv6 would be a second form of the same address.
  if (parseIp(host)?.length !== length) return undefined;
  const address = peerAddressOf(host, readU16(bytes, portAt));
  return address && { address, end: portAt + PORT_BYTES };
}
