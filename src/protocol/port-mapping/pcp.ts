/**
 * PCP and its older form NAT-PMP: requests to a gateway by UDP and their answers.
 *
 * Spec: RFC 6887 (PCP, opcode MAP, sections 7 and 11), RFC 6886 (NAT-PMP, section 3); RFC 6887 appendix A tells how one finds out which of both a gateway speaks.
 * An answer counts when it is to what was asked: for PCP by the nonce of 12 bytes, for NAT-PMP by opcode and port. Who sent it, the shell checks.
 * IPv4 addresses are written as IPv4-mapped IPv6 ones. No options of PCP, no PEER, no ANNOUNCE.
 * @module
 */
import { equalBytes, readU16, readU32, writeU16, writeU32 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { formatIp, parseIp } from '../../lib/ip-address.ts';
import type { PortMappingErrorCode } from './errors.ts';
import type { GrantedMapping, MappingRequest } from './types.ts';

// Specification constants
const PCP_VERSION = 2;
const PMP_VERSION = 0;
const OPCODE_MAP = 1;
const RESPONSE_BIT = 0x80;
const PCP_HEADER_BYTES = 24;
const PCP_MAP_BYTES = 60;
const PCP_MAX_BYTES = 1_100;
/** RFC 6887 section 11.1: random bytes that tie answers, renewals and the end to one mapping. */
export const NONCE_BYTES = 12;
const IP_BYTES = 16;
const IANA_PROTOCOL = { tcp: 6, udp: 17 } as const;
const UNSUPPORTED_VERSION = 1;
/** RFC 6887 section 7.4, from 0. */
const PCP_RESULTS = [
  'success',
  'it does not speak this version',
  'it does not allow that',
  'it calls the request malformed',
  'it does not know this operation',
  'it does not know this option',
  'it calls the option malformed',
  'its network fails',
  'it has no ports left',
  'it does not know this transport protocol',
  'this machine has as many mappings as it may have',
  'it cannot give this external address',
  'another address translation stands between it and this machine',
  'too many remote peers',
] as const;
/** RFC 6886 section 3.5, from 0. */
const PMP_RESULTS = [
  'success',
  'it does not speak this version',
  'it does not allow that',
  'it has no external address',
  'it has no ports left',
  'it does not know this operation',
] as const;
const PMP_OPCODE = { udp: 1, tcp: 2 } as const;
const PMP_MAP_BYTES = 16;
const PMP_ADDRESS_BYTES = 12;

type Answer<T> = Result<T, PortMappingErrorCode>;

/** A request of PCP: MAP. @param clientHost the address that it leaves from. @param nonce 12 bytes, the same for all requests of a mapping. */
export function encodePcpMap(
  request: MappingRequest,
  clientHost: string,
  nonce: Uint8Array,
): Uint8Array {
  if (nonce.length !== NONCE_BYTES) {
    throw new RangeError(`nonce: expected ${NONCE_BYTES} bytes, got ${nonce.length}`);
  }
  const bytes = new Uint8Array(PCP_MAP_BYTES);
  bytes[0] = PCP_VERSION;
  bytes[1] = OPCODE_MAP;
  writeU32(bytes, 4, request.lifetimeSeconds);
  bytes.set(mappedIp(clientHost), 8);
  bytes.set(nonce, PCP_HEADER_BYTES);
  bytes[36] = IANA_PROTOCOL[request.transport];
  writeU16(bytes, 40, request.internalPort);
  // Section 15: a mapping is ended with external port and address of zeros.
  const isEnd = request.lifetimeSeconds === 0;
  writeU16(bytes, 42, isEnd ? 0 : request.externalPort);
  // "No preference" of the family that is used: ::ffff:0.0.0.0 or ::.
  if (!isEnd && !clientHost.includes(':')) bytes.set(mappedIp('0.0.0.0'), 44);
  return bytes;
}

/** Reads an answer of a gateway to `encodePcpMap`. ERR_MAPPING_VERSION: try NAT-PMP. */
export function decodePcpMap(
  bytes: Uint8Array,
  request: MappingRequest,
  nonce: Uint8Array,
): Answer<GrantedMapping> {
  // A gateway of NAT-PMP answers in its own form that it does not know the version.
  if (bytes[0] === PMP_VERSION && bytes.length >= 4) return refusedVersion();
  const isWhole = bytes.length >= PCP_HEADER_BYTES && bytes.length <= PCP_MAX_BYTES;
  if (!isWhole || bytes.length % 4 !== 0 || bytes[1] !== (RESPONSE_BIT | OPCODE_MAP)) {
    return malformed(`an answer of PCP to MAP, got ${bytes.length} bytes`);
  }
  const result = bytes[3]!;
  if (bytes[0] !== PCP_VERSION || result === UNSUPPORTED_VERSION) return refusedVersion();
  const isOurs =
    bytes.length >= PCP_MAP_BYTES &&
    equalBytes(bytes.subarray(PCP_HEADER_BYTES, PCP_HEADER_BYTES + NONCE_BYTES), nonce) &&
    bytes[36] === IANA_PROTOCOL[request.transport] &&
    readU16(bytes, 40) === request.internalPort;
  if (!isOurs) return malformed('an answer to what was asked, got one to something else');
  if (result !== 0) return refused(PCP_RESULTS[result] ?? `result ${result}`);
  const externalPort = readU16(bytes, 42);
  if (externalPort === 0 && request.lifetimeSeconds > 0) return malformed('a port, got 0');
  const externalHost = textOf(bytes.subarray(44, 44 + IP_BYTES));
  return ok({ externalPort, externalHost, lifetimeSeconds: readU32(bytes, 4) });
}

/** A request of NAT-PMP: map a port, or end it. */
export function encodePmpMap(request: MappingRequest): Uint8Array {
  const bytes = new Uint8Array(12);
  bytes[1] = PMP_OPCODE[request.transport];
  writeU16(bytes, 4, request.internalPort);
  writeU16(bytes, 6, request.lifetimeSeconds === 0 ? 0 : request.externalPort);
  writeU32(bytes, 8, request.lifetimeSeconds);
  return bytes;
}

/** Reads an answer to `encodePmpMap`. */
export function decodePmpMap(bytes: Uint8Array, request: MappingRequest): Answer<GrantedMapping> {
  const fault = pmpFault(bytes, PMP_OPCODE[request.transport]);
  if (fault !== undefined) return fault;
  if (bytes.length < PMP_MAP_BYTES || readU16(bytes, 8) !== request.internalPort) {
    return malformed('an answer to what was asked, got one to something else');
  }
  const externalPort = readU16(bytes, 10);
  if (externalPort === 0 && request.lifetimeSeconds > 0) return malformed('a port, got 0');
  return ok({ externalPort, lifetimeSeconds: readU32(bytes, 12) });
}

/** The question of NAT-PMP for the external address. */
export function encodePmpAddress(): Uint8Array {
  return new Uint8Array(2);
}

/** Reads an answer to `encodePmpAddress`. */
export function decodePmpAddress(bytes: Uint8Array): Answer<string> {
  const fault = pmpFault(bytes, 0);
  if (fault !== undefined) return fault;
  if (bytes.length < PMP_ADDRESS_BYTES) return malformed('an address');
  return ok(formatIp(bytes.subarray(8, 12)));
}

function pmpFault(bytes: Uint8Array, opcode: number): Answer<never> | undefined {
  // A gateway of PCP alone answers in its own form.
  const isAnswer = bytes.length >= 4 && (bytes[1]! & RESPONSE_BIT) !== 0;
  if (bytes[0] === PCP_VERSION && isAnswer) return refusedVersion();
  if (bytes.length < 4 || bytes[0] !== PMP_VERSION || bytes[1] !== (RESPONSE_BIT | opcode)) {
    return malformed(`an answer of NAT-PMP to opcode ${opcode}, got ${bytes.length} bytes`);
  }
  const result = readU16(bytes, 2);
  if (result === UNSUPPORTED_VERSION) return refusedVersion();
  return result === 0 ? undefined : refused(PMP_RESULTS[result] ?? `result ${result}`);
}

function mappedIp(host: string): Uint8Array {
  const ip = parseIp(host);
  if (ip === undefined) throw new RangeError(`address: expected an IP address, got ${host}`);
  if (ip.length === IP_BYTES) return ip;
  const mapped = new Uint8Array(IP_BYTES).fill(0xff, 10, 12);
  mapped.set(ip, 12);
  return mapped;
}

/** IPv4-mapped addresses become IPv4. */
function textOf(bytes: Uint8Array): string {
  return formatIp(parseIp(formatIp(bytes)) ?? bytes);
}

function malformed(expected: string): Answer<never> {
  return fail('ERR_MAPPING_ANSWER', `expected ${expected}`);
}

function refused(reason: string): Answer<never> {
  return fail('ERR_MAPPING_REFUSED', `the gateway refuses: ${reason}`);
}

function refusedVersion(): Answer<never> {
  return fail('ERR_MAPPING_VERSION', 'the gateway does not speak this version of the protocol');
}
