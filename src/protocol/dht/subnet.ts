/**
 * What addresses count together: whoever has one of a subnet likely has all of it.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import { addressScope, parseIp } from '../../lib/ip-address.ts';

// Implementation limits
/** Bytes of an address that name its subnet: /24 and /48. */
const PREFIX_BYTES = { 4: 3, 16: 6 } as const;

/** The /24 (IPv6: /48) of an IP literal, as a key. */
export function subnetOf(host: string): string {
  const bytes = parseIp(host);
  if (bytes === undefined) return host;
  return toHex(bytes.subarray(0, PREFIX_BYTES[bytes.length === 4 ? 4 : 16]));
}

/** True for addresses of local networks: limits by address, and BEP 42, are no business of theirs. */
export function isLocal(host: string): boolean {
  const bytes = parseIp(host);
  return bytes !== undefined && addressScope(bytes) !== 'global';
}
