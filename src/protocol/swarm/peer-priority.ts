/**
 * The rank that both ends of a connection give it, so that everybody in a swarm agrees which connections matter and nobody can choose it.
 *
 * Spec: BEP 40. The network part of both addresses counts in full, of the rest every second bit; nearer addresses are looked at more closely.
 * @module
 */
import { compareBytes, concatBytes, equalBytes, writeU16 } from '../../lib/bytes.ts';
import { crc32c } from '../../lib/crc32c.ts';

/** An address as bytes: 4 for IPv4, 16 for IPv6. */
export interface IpEndpoint {
  readonly ip: Uint8Array;
  readonly port: number;
}

// Specification constants
/** Bytes that always count in full: /16 in IPv4, /48 in IPv6. */
const WHOLE_BYTES_V4 = 2;
const WHOLE_BYTES_V6 = 6;
/** Which bits of the other bytes count. */
const REST_MASK = 0x55;

/**
 * The canonical priority of a connection, an unsigned 32-bit integer; larger goes first. The order of the two does not matter.
 * @returns undefined for addresses of different families, which cannot be connected.
 */
export function peerPriority(a: IpEndpoint, b: IpEndpoint): number | undefined {
  if (a.ip.length !== b.ip.length) return undefined;
  if (equalBytes(a.ip, b.ip)) {
    const ports = new Uint8Array(4);
    writeU16(ports, 0, Math.min(a.port, b.port));
    writeU16(ports, 2, Math.max(a.port, b.port));
    return crc32c(ports);
  }
  const base = a.ip.length === 4 ? WHOLE_BYTES_V4 : WHOLE_BYTES_V6;
  let common = 0;
  while (a.ip[common] === b.ip[common]) common += 1;
  const wholeBytes = common < base ? base : common + 1;
  const [first, second] = [masked(a.ip, wholeBytes), masked(b.ip, wholeBytes)];
  return crc32c(
    compareBytes(first, second) < 0 ? concatBytes(first, second) : concatBytes(second, first),
  );
}

function masked(ip: Uint8Array, wholeBytes: number): Uint8Array {
  return ip.map((byte, at) => (at < wholeBytes ? byte : byte & REST_MASK));
}
