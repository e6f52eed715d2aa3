/**
 * Reads the URL of a tracker; which schemes and hosts can be announced to at all.
 * Spec: RFC 3986 (what BEP 3, 15 and 41 need of it). Bounds: 2,048 letters. Not here: IDNA and full URL checks, which the HTTP client does.
 * @module
 */
import { fail, ok, type Result } from '../../lib/errors.ts';
import { HOST_LENGTH_MAX, TRACKER_URL_LENGTH_MAX } from './constants.ts';
import type { TrackerFaultCode } from './errors.ts';

/** A tracker that can be announced to. */
export interface TrackerUrl {
  readonly scheme: 'http' | 'https' | 'udp';
  /** Name or IP literal without brackets, lower case. */
  readonly host: string;
  /** 1 … 65535; http and https have the defaults 80 and 443. */
  readonly port: number;
  /** Path and query as written, '' when there is none; a fragment is dropped. */
  readonly pathAndQuery: string;
  /** The whole URL, trimmed and without fragment. */
  readonly href: string;
}

const DEFAULT_PORTS = { http: 80, https: 443, udp: 0 } as const;

/** Parses a tracker URL; surrounding white space, which torrents in the wild have, is ignored. */
export function parseTrackerUrl(text: string): Result<TrackerUrl, TrackerFaultCode> {
  if (text.length > TRACKER_URL_LENGTH_MAX) {
    return bad(`expected at most ${TRACKER_URL_LENGTH_MAX} letters, got ${text.length}`);
  }
  const href = text.trim().replace(/#.*$/s, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a request line.
  if (/[\u0000-\u0020\u007f"<>\\^`{|}]/.test(href)) {
    return bad(`expected no spaces or control characters, got ${JSON.stringify(href)}`);
  }
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?]*)(.*)$/is.exec(href);
  if (match === null) return bad(`expected scheme://host, got ${JSON.stringify(href)}`);
  const scheme = match[1]!.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https' && scheme !== 'udp') {
    return bad(`expected http, https or udp, got the scheme ${scheme}`);
  }
  const authority = parseAuthority(match[2]!, DEFAULT_PORTS[scheme]);
  if (!authority.ok) return authority;
  return ok({ scheme, ...authority.value, pathAndQuery: match[3]!, href });
}

function parseAuthority(
  text: string,
  defaultPort: number,
): Result<{ host: string; port: number }, TrackerFaultCode> {
  const hostAndPort = text.slice(text.lastIndexOf('@') + 1);
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::([0-9]{0,5}))?$/i.exec(hostAndPort);
  if (match === null) return bad(`expected host or host:port, got ${JSON.stringify(hostAndPort)}`);
  const host = match[1]!.replace(/^\[|\]$/g, '').toLowerCase();
  if (host.length > HOST_LENGTH_MAX) {
    return bad(`expected a host of at most ${HOST_LENGTH_MAX} letters, got ${host.length}`);
  }
  const port = match[2] === undefined || match[2] === '' ? defaultPort : Number(match[2]);
  if (port < 1 || port > 65_535) {
    return bad(`expected a port from 1 to 65535, got ${match[2] ?? 'none'} for ${host}`);
  }
  return ok({ host, port });
}

function bad(what: string): { ok: false; code: TrackerFaultCode; message: string } {
  return fail('ERR_TRACKER_URL', `tracker URL: ${what}`);
}
