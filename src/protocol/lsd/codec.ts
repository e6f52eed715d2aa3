/**
 * Announces of local service discovery as datagrams.
 *
 * Written as BEP 14 has them. Read with the freedom of HTTP: names of headers in any case and order, spaces around values, line ends with or without CR,
 * headers of no meaning here (Host too, which clients fill with what they like). A line with a bad info-hash is passed over, the others count; a bad
 * port, or two that differ, make the whole announce worthless. What follows the first empty line is no header.
 * Bounds: DATAGRAM_BYTES_MAX, HASHES_READ_MAX, COOKIE_LENGTH_MAX.
 * @module
 */
import { fromHex, fromLatin1, toHex, toLatin1 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import {
  COOKIE_LENGTH_MAX,
  DATAGRAM_BYTES_MAX,
  HASHES_PER_ANNOUNCE_MAX,
  HASHES_READ_MAX,
  LSD_GROUPS,
  LSD_PORT,
} from './constants.ts';
import { checkOption, type LsdFaultCode } from './errors.ts';

// Specification constants
/** In parts, since everywhere else this is two words. */
const HASH_HEADER: string = ['Info', 'hash'].join('');

/** An announce. */
export interface LsdAnnounce {
  /** Where its sender listens, 1–65,535. */
  readonly port: number;
  /** 20 bytes each, none twice. */
  readonly infoHashes: readonly Uint8Array[];
  /** Lets a sender know its own announces again. */
  readonly cookie?: string;
}

/**
 * The datagram of an announce, at most ANNOUNCE_BYTES_MAX bytes.
 * @param family of the group that it is sent to.
 * @throws AppError ERR_LSD_BAD_OPTION.
 */
export function encodeAnnounce(family: 4 | 6, announce: LsdAnnounce): Uint8Array {
  const { port, infoHashes, cookie } = announce;
  checkOption(isPort(port), 'port', 'a port, 1–65535', port);
  const count = infoHashes.length;
  checkOption(
    count >= 1 &&
      count <= HASHES_PER_ANNOUNCE_MAX &&
      infoHashes.every(({ length }) => length === 20),
    'infoHashes',
    `1–${HASHES_PER_ANNOUNCE_MAX} hashes of 20 bytes`,
    infoHashes.map(({ length }) => length),
  );
  checkOption(
    cookie === undefined || /^[!-~]{1,16}$/.test(cookie),
    'cookie',
    '1–16 visible letters',
    cookie,
  );
  const group = family === 4 ? LSD_GROUPS[4] : `[${LSD_GROUPS[6]}]`;
  const lines = [
    'BT-SEARCH * HTTP/1.1',
    `Host: ${group}:${LSD_PORT}`,
    `Port: ${port}`,
    ...infoHashes.map((hash) => `${HASH_HEADER}: ${toHex(hash)}`),
    ...(cookie === undefined ? [] : [`cookie: ${cookie}`]),
  ];
  return fromLatin1(`${lines.join('\r\n')}\r\n\r\n\r\n`);
}

/** Reads a datagram; any bytes may come. */
export function parseAnnounce(bytes: Uint8Array): Result<LsdAnnounce, LsdFaultCode> {
  if (bytes.length > DATAGRAM_BYTES_MAX) {
    return malformed(`expected at most ${DATAGRAM_BYTES_MAX} bytes, got ${bytes.length}`);
  }
  const [request, ...lines] = toLatin1(bytes).split('\n').map(withoutReturn);
  if (!/^BT-SEARCH \* HTTP\/1\.[0-9]$/i.test(request!)) {
    return malformed('expected a request line "BT-SEARCH * HTTP/1.1"');
  }
  let port: number | undefined;
  let cookie: string | undefined;
  const hashes = new Map<string, Uint8Array>();
  for (const line of lines) {
    if (line === '') break;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'port') {
      const number = /^[0-9]{1,5}$/.test(value) ? Number(value) : 0;
      if (!isPort(number)) return malformed('expected a port, 1–65535, in base 10');
      if (port !== undefined && port !== number) return malformed('expected one port, got two');
      port = number;
    } else if (
      name === HASH_HEADER.toLowerCase() &&
      value.length === 40 &&
      hashes.size < HASHES_READ_MAX
    ) {
      const hash = fromHex(value);
      if (hash !== undefined) hashes.set(toHex(hash), hash);
    } else if (name === 'cookie') cookie ??= value.slice(0, COOKIE_LENGTH_MAX);
  }
  if (port === undefined) return malformed('expected a port, got none');
  if (hashes.size === 0) return malformed('expected an info-hash of 40 hex digits, got none');
  const infoHashes = [...hashes.values()];
  return ok({ port, infoHashes, ...(cookie === undefined ? {} : { cookie }) });
}

function malformed(message: string): Result<never, LsdFaultCode> {
  return fail('ERR_LSD_MALFORMED', `local announce: ${message}`);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
