/**
 * Ways to a peer, tried side by side: every address at once, whoever proves to be the peer first wins, the others are let go.
 *
 * Addresses may come while dials are under way (finders). An address at which somebody else answers is told as such and not tried again.
 * Bounds: MAX_DIALS at a time, MAX_ADDRESSES in all. Not here: where addresses come from, relays.
 * @module
 */
import { dialTcp, type Endpoint, type TcpConnection } from '../../io/tcp.ts';
import { secureTcp, type TlsCredentials } from '../../io/tls.ts';
import type { AppError } from '../../lib/errors.ts';
import { addressScope, parseIp } from '../../lib/ip-address.ts';
import { WIRE_PROTOCOL } from '../../protocol/channel/index.ts';
import { formatPeerId } from '../../protocol/identity/index.ts';
import { formatEndpoint } from '../address.ts';
import { nodeError } from '../errors.ts';
import { dialProblem } from '../peer-link.ts';
import { provenPeer } from './credentials.ts';
import type { PeerPath, ProvenConnection } from './types.ts';

// Implementation limits
const MAX_DIALS = 12;
const MAX_ADDRESSES = 48;

/** What every dial of a node shares. */
export interface DialGround {
  readonly credentials: () => Promise<TlsCredentials>;
  /** Source address, when one was given. */
  readonly localHost: string | undefined;
  readonly mayDial: (host: string) => boolean;
}

/** Whom to reach and how. */
export interface DialAim {
  /** "12D3KooW…"; undefined: whoever answers. */
  readonly peerId: string | undefined;
  /** ALPN token. */
  readonly protocol: string;
  readonly signal: AbortSignal;
}

/** Dials one address and lets the other end prove who it is. @throws {AppError} ERR_WRONG_PEER; TlsError, or the system's error. */
export async function dialSecure(
  ground: DialGround,
  aim: DialAim,
  endpoint: Endpoint,
): Promise<ProvenConnection> {
  const { localHost } = ground;
  const from = localHost === undefined ? {} : { localHost };
  const raw = await dialTcp({ ...endpoint, signal: aim.signal, ...from });
  return await proveOver(ground, aim, raw, { kind: kindOf(endpoint.host), remote: endpoint });
}

/** Lets the other end of an open connection prove who it is. @throws as `dialSecure`; the connection is closed then. */
export async function proveOver(
  ground: DialGround,
  aim: DialAim,
  raw: TcpConnection,
  path: PeerPath,
): Promise<ProvenConnection> {
  const tls = await secureTcp(raw, {
    isServer: false,
    credentials: await ground.credentials(),
    protocols: [aim.protocol],
    signal: aim.signal,
  });
  const proven = await provenPeer(tls.certificate);
  const peerId = proven.ok ? formatPeerId(proven.value) : `nobody (${proven.message})`;
  if (!proven.ok || (aim.peerId !== undefined && aim.peerId !== peerId)) {
    tls.connection.destroy();
    const expected = aim.peerId ?? 'an identity';
    throw nodeError('ERR_WRONG_PEER', { expected, got: peerId, at: formatEndpoint(path.remote) });
  }
  markProven(tls.connection, peerId, aim.protocol);
  return { connection: tls.connection, peerId, path, binding: tls.binding };
}

/** From now on a connection knows whose it is. To a swarm, whose bans and limits go by address, the identity is the address. */
export function markProven(connection: TcpConnection, peerId: string, protocol: string): void {
  connection.provenId = peerId;
  if (protocol === WIRE_PROTOCOL) connection.remote = { host: peerId, port: 1 };
}

/** Of the same machine or network, as far as an address tells. */
export function kindOf(host: string): 'lan' | 'direct' {
  const ip = parseIp(host);
  return ip === undefined || addressScope(ip) === 'global' ? 'direct' : 'lan';
}

/** Dials to one peer, side by side. */
export class DialRace {
  readonly #ground: DialGround;
  readonly #aim: DialAim;
  readonly #abort = new AbortController();
  readonly #seen = new Set<string>();
  readonly #waiting: Endpoint[] = [];
  readonly #problems: string[] = [];
  readonly #outcome = Promise.withResolvers<ProvenConnection | undefined>();
  #running = 0;
  #isComplete = false;
  #isOver = false;

  constructor(ground: DialGround, aim: DialAim) {
    this.#ground = ground;
    this.#aim = aim;
    aim.signal.addEventListener('abort', () => this.#finish(undefined), { once: true });
    if (aim.signal.aborted) this.#finish(undefined);
  }

  /** What became of each address that was tried, for people. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** The first connection, or undefined when all failed and no more addresses come, or the aim's signal fell. */
  get outcome(): Promise<ProvenConnection | undefined> {
    return this.#outcome.promise;
  }

  /** Tries an address, once. */
  add(endpoint: Endpoint): void {
    const key = formatEndpoint(endpoint);
    if (this.#isOver || this.#seen.has(key) || this.#seen.size >= MAX_ADDRESSES) return;
    this.#seen.add(key);
    if (!this.#ground.mayDial(endpoint.host)) {
      this.#problems.push(`${key}: STARLING_OFFLINE allows no contact with it`);
      return;
    }
    this.#waiting.push(endpoint);
    this.#next();
  }

  /** No more addresses will come. */
  complete(): void {
    this.#isComplete = true;
    this.#next();
  }

  #next(): void {
    while (this.#running < MAX_DIALS && this.#waiting.length > 0 && !this.#isOver) {
      this.#running += 1;
      void this.#try(this.#waiting.shift()!);
    }
    if (this.#isComplete && this.#running === 0 && this.#waiting.length === 0) {
      this.#finish(undefined);
    }
  }

  async #try(endpoint: Endpoint): Promise<void> {
    try {
      const aim = { ...this.#aim, signal: this.#abort.signal };
      const proven = await dialSecure(this.#ground, aim, endpoint);
      if (this.#isOver) proven.connection.destroy();
      else this.#finish(proven);
    } catch (error) {
      const { code, message } = error as AppError & NodeJS.ErrnoException;
      const isOurs = code === 'ERR_WRONG_PEER';
      const reason = isOurs ? message : dialProblem(error as NodeJS.ErrnoException);
      this.#problems.push(isOurs ? reason : `${formatEndpoint(endpoint)}: ${reason}`);
    }
    this.#running -= 1;
    this.#next();
  }

  #finish(proven: ProvenConnection | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#outcome.resolve(proven);
    this.#abort.abort(new Error('another way was quicker'));
  }
}
