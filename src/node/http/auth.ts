/**
 * Who may ask: the token (as bearer, or as password of the user "starling"), a session's cookie, or a ticket for one file's URL.
 *
 * Against pages of others in the user's browser: the Host must be this node's (DNS rebinding), an Origin must be its own, and what changes something with a cookie needs a header
 * that no form can send (CSRF). Whoever guesses waits: after TRIES wrong ones an address gets no more for WAIT_MS; so does everybody together after ALL_TRIES.
 * Bounds: MAX_SESSIONS, MAX_GUESSERS; tokens are compared in constant time, as digests.
 * @module
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import path from 'node:path';
import { readFileIfThere, writeFileAtomic } from '../../io/atomic-file.ts';
import { monotonicMs } from '../../io/clock.ts';
import { parseIp } from '../../lib/ip-address.ts';
import { apiError } from './errors.ts';
import { isLoopback } from './server-tls.ts';

// Implementation limits
/** Wrong tokens from one address. */
const TRIES = 10;
/** Wrong tokens from all addresses together. */
const ALL_TRIES = 200;
/** In this time, and for this long. */
const WAIT_MS = 60_000;
/** Addresses whose wrong tokens are counted. */
const MAX_GUESSERS = 10_000;
/** Browsers that are signed in. */
const MAX_SESSIONS = 100;
/** How long one stays signed in without asking. */
const SESSION_MS = 30 * 24 * 3_600_000;
/** How long a ticket counts. */
const TICKET_MS = 24 * 3_600_000;
const TOKEN_BYTES = 32;

const COOKIE = 'starling_session';
const USER = 'starling';

/** What the check needs of a request. */
export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
}

/** Who asks. */
export type Credential = 'bearer' | 'basic' | 'cookie' | 'ticket';

/** Reads or makes the token of a home. @throws {AppError} by its caller: system errors as they are. */
export function tokenOf(home: string): { readonly token: string; readonly file: string } {
  const file = path.join(home, 'api-token');
  const kept = readFileIfThere(file);
  const known = kept === undefined ? '' : Buffer.from(kept).toString('utf8').trim();
  if (known.length >= TOKEN_BYTES) return { token: known, file };
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  writeFileAtomic(file, Buffer.from(`${token}\n`), 0o600);
  return { token, file };
}

/** The doorkeeper of the HTTP server. */
export class Auth {
  /** Of this node: browsers do not tell ports of one machine apart, and two nodes are not to sign each other out. */
  readonly cookieName: string;
  readonly #token: string;
  readonly #file: string;
  readonly #hosts: () => readonly string[];
  readonly #takesAddresses: boolean;
  readonly #checkPassword: (password: string) => Promise<boolean>;
  readonly #ticketKey = randomBytes(32);
  readonly #sessions = new Map<string, number>();
  readonly #wrong = new Map<string, { count: number; sinceMs: number }>();
  readonly #nowMs: () => number;
  #allWrong = { count: 0, sinceMs: 0 };

  constructor(options: {
    readonly token: string;
    readonly file: string;
    /** Names besides loopback that this node is asked by. */
    readonly hosts: () => readonly string[];
    /** Any address, too: other machines ask, and no page's name can become an address. Default false. */
    readonly takesAddresses?: boolean;
    readonly checkPassword?: (password: string) => Promise<boolean>;
    /** Default: the monotonic clock. */
    readonly nowMs?: () => number;
  }) {
    this.#token = options.token;
    const mark = createHash('sha256').update(options.token).digest('hex').slice(0, 8);
    this.cookieName = `${COOKIE}_${mark}`;
    this.#file = options.file;
    this.#hosts = options.hosts;
    this.#takesAddresses = options.takesAddresses ?? false;
    this.#checkPassword = options.checkPassword ?? (async () => false);
    this.#nowMs = options.nowMs ?? monotonicMs;
  }

  /** For every request, with or without credentials. @throws {AppError} ERR_API_HOST, ERR_API_ORIGIN. */
  checkPlace({ headers }: Asked): void {
    const host = headers.host ?? '';
    const name = hostName(host);
    if (name === undefined || !this.#isOwnName(name)) {
      throw apiError('ERR_API_HOST', { host });
    }
    const { origin } = headers;
    const site = headers['sec-fetch-site'];
    const isForeign =
      origin === undefined
        ? isElsewhere(site) && headers['sec-fetch-mode'] !== 'navigate'
        : hostOf(origin) !== host.toLowerCase();
    if (isForeign) throw apiError('ERR_API_ORIGIN', { origin: origin ?? 'another site' });
  }

  /** @returns how the asker showed who it is. @throws {AppError} ERR_API_TOKEN, ERR_API_TOO_MANY_TRIES, ERR_API_CSRF. */
  check(asked: Asked): Credential {
    const { authorization, cookie } = asked.headers;
    if (authorization !== undefined) {
      const given = credentialsOf(authorization);
      if (given !== undefined && this.#isToken(given.secret)) return given.kind;
      throw this.#refuse(asked.address);
    }
    const ticket = /[?&]ticket=([^&]*)/.exec(asked.url)?.[1];
    if (ticket !== undefined) {
      if (isReading(asked.method) && this.#isTicket(pathOf(asked.url), ticket)) return 'ticket';
      throw this.#refuse(asked.address);
    }
    const session = cookie === undefined ? undefined : sessionOf(cookie, this.cookieName);
    if (session === undefined || !this.#isSession(session)) {
      // Nobody guesses a cookie, and old ones are no attack.
      throw apiError('ERR_API_TOKEN', { where: this.#file });
    }
    if (!isReading(asked.method) && asked.headers['x-starling-request'] === undefined) {
      throw apiError('ERR_API_CSRF', undefined);
    }
    return 'cookie';
  }

  /** Signs a browser in. @returns the cookie to set. @throws {AppError} ERR_API_TOKEN, ERR_API_TOO_MANY_TRIES. */
  async signIn(
    given: { readonly token?: string; readonly password?: string },
    address: string,
    isSecure: boolean,
  ): Promise<string> {
    if (given.token === undefined || !this.#isToken(given.token)) {
      const { password } = given;
      if (password === undefined) throw this.#refuse(address);
      // Counted before it is checked, which takes a while: of many at once no more are checked.
      const wrong = this.#refuse(address);
      if (!(await this.#checkPassword(password))) throw wrong;
      this.#wrong.delete(address);
    }
    const session = randomBytes(TOKEN_BYTES).toString('base64url');
    this.#sessions.set(digestOf(session), this.#nowMs());
    if (this.#sessions.size > MAX_SESSIONS) {
      this.#sessions.delete(this.#sessions.keys().next().value!);
    }
    const attributes = `HttpOnly; SameSite=Strict; Path=/; Max-Age=${SESSION_MS / 1000}`;
    return `${this.cookieName}=${session}; ${attributes}${isSecure ? '; Secure' : ''}`;
  }

  /** @returns the cookie that takes the cookie back. */
  signOut(cookie: string | undefined): string {
    const session = cookie === undefined ? undefined : sessionOf(cookie, this.cookieName);
    if (session !== undefined) this.#sessions.delete(digestOf(session));
    return `${this.cookieName}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0`;
  }

  /** A secret for reading one path without anything else, for players. */
  ticketFor(where: string): string {
    const endMs = Math.floor(this.#nowMs()) + TICKET_MS;
    return `${endMs.toString(36)}.${this.#sign(where, endMs)}`;
  }

  #isOwnName(name: string): boolean {
    if (isLoopback(name) || this.#hosts().includes(name)) return true;
    return this.#takesAddresses && parseIp(name) !== undefined;
  }

  #isTicket(where: string, ticket: string): boolean {
    const [end = '', signature = ''] = ticket.split('.');
    const endMs = Number.parseInt(end, 36);
    return endMs > this.#nowMs() && isEqual(signature, this.#sign(where, endMs));
  }

  #sign(where: string, endMs: number): string {
    return createHmac('sha256', this.#ticketKey).update(`${endMs} ${where}`).digest('base64url');
  }

  #isToken(secret: string): boolean {
    return isEqual(secret, this.#token);
  }

  #isSession(session: string): boolean {
    const key = digestOf(session);
    const usedMs = this.#sessions.get(key);
    if (usedMs === undefined) return false;
    this.#sessions.delete(key);
    if (this.#nowMs() - usedMs > SESSION_MS) return false;
    this.#sessions.set(key, this.#nowMs());
    return true;
  }

  /** The right token is let in whatever others tried: 256 bits are not guessed, and nobody is to lock the user out. */
  #refuse(address: string): Error {
    this.#expectPatience(address);
    const now = this.#nowMs();
    const fresh = { count: 0, sinceMs: now };
    const kept = this.#wrong.get(address);
    const own = kept !== undefined && now - kept.sinceMs < WAIT_MS ? kept : fresh;
    own.count += 1;
    this.#wrong.delete(address);
    this.#wrong.set(address, own);
    if (this.#wrong.size > MAX_GUESSERS) this.#wrong.delete(this.#wrong.keys().next().value!);
    if (now - this.#allWrong.sinceMs >= WAIT_MS) this.#allWrong = { count: 0, sinceMs: now };
    this.#allWrong.count += 1;
    return apiError('ERR_API_TOKEN', { where: this.#file });
  }

  #expectPatience(address: string): void {
    const now = this.#nowMs();
    const own = this.#wrong.get(address);
    const ownMs = own !== undefined && own.count >= TRIES ? own.sinceMs + WAIT_MS - now : 0;
    const all = this.#allWrong;
    const allMs = all.count >= ALL_TRIES ? all.sinceMs + WAIT_MS - now : 0;
    const waitMs = Math.max(ownMs, allMs);
    if (waitMs > 0) {
      throw apiError('ERR_API_TOO_MANY_TRIES', { seconds: Math.ceil(waitMs / 1000) });
    }
  }
}

/** "same-site" is another port of this machine, and gets cookies. */
function isElsewhere(site: unknown): boolean {
  return site === 'cross-site' || site === 'same-site';
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function pathOf(url: string): string {
  return url.split('?', 1)[0]!;
}

function credentialsOf(header: string): { kind: 'bearer' | 'basic'; secret: string } | undefined {
  const [scheme = '', value = ''] = header.split(' ', 2);
  if (/^bearer$/i.test(scheme)) return { kind: 'bearer', secret: value };
  if (!/^basic$/i.test(scheme)) return undefined;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const at = text.indexOf(':');
  if (text.slice(0, at) !== USER) return undefined;
  return { kind: 'basic', secret: text.slice(at + 1) };
}

function sessionOf(cookie: string, wanted: string): string | undefined {
  for (const part of cookie.split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === wanted && value !== undefined && value !== '') return value;
  }
  return undefined;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(left!, right!);
}

/** The name in a Host header, lower case, without port and brackets. */
function hostName(host: string): string | undefined {
  const found = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(host);
  return found === null ? undefined : found[1]!.toLowerCase().replace(/^\[|\]$/g, '');
}

/** Host and port of an origin; "null" stays what it is and equals no host. */
function hostOf(origin: string): string {
  return origin.replace(/^https?:\/\//i, '').toLowerCase();
}
