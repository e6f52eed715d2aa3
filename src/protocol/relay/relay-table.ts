/**
 * What a relay grants: who can be reached through it, which connections it passes on, and how much of whom.
 *
 * A connection costs both of its ends: bytes, and a place among those of the identity. What is granted is decided before a byte is passed; a quota that runs
 * out in the middle ends the connection. Bounds: `constants.ts`. Time is an argument. Not here: sockets, who is a contact.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import {
  BYTES_PER_PEER_PER_DAY,
  MAX_CONNECTS_PER_MIN,
  MAX_COUNTED_PEERS,
  MAX_PENDING_PIPES,
  MAX_PIPE_MS,
  MAX_PIPES,
  MAX_PIPES_PER_PEER,
  MAX_RESERVATIONS,
  PENDING_MS,
  RESERVATION_MS,
} from './constants.ts';
import type { RelayErrorCode } from './errors.ts';

const DAY_MS = 86_400_000;

/** Options of a RelayTable. */
export interface RelayTableOptions {
  /** Unguessable bytes for tokens. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** Of one identity, both directions. Default BYTES_PER_PEER_PER_DAY. */
  readonly bytesPerPeerPerDay?: number;
  /** Longest time that one connection is passed on. Default MAX_PIPE_MS. */
  readonly pipeMs?: number;
}

/** The two peers of a connection: who asked for it, and who was asked for. */
export interface PipeEnds {
  readonly from: string;
  readonly to: string;
}

interface Pending extends PipeEnds {
  readonly dueMs: number;
  /** Other end's token, in hex. */
  readonly twin: string;
  readonly side: 'from' | 'to';
}

/** What was passed on for one identity. */
interface Account {
  bytes: number;
  sinceMs: number;
  pipes: number;
  readonly connects: TokenBucket;
}

/** One connection that is passed on. */
export interface Pipe extends PipeEnds {
  /** When it ends at the latest. */
  readonly dueMs: number;
}

/** The grants of a relay. */
export class RelayTable {
  readonly #options: RelayTableOptions;
  readonly #reservations = new Map<string, number>();
  readonly #pending = new Map<string, Pending>();
  readonly #accounts = new Map<string, Account>();
  #pipes = 0;

  constructor(options: RelayTableOptions) {
    this.#options = options;
  }

  /** Peers that can be reached. */
  get reservationCount(): number {
    return this.#reservations.size;
  }

  /** Connections that are passed on. */
  get pipeCount(): number {
    return this.#pipes;
  }

  /** Bytes that may still be passed on for an identity today. */
  leftBytes(nowMs: number, peerId: string): number {
    return Math.max(0, this.#limit - this.#account(nowMs, peerId).bytes);
  }

  /** Bytes passed on for each identity that was lately, most first. */
  get usage(): readonly { readonly peerId: string; readonly bytes: number }[] {
    const all = [...this.#accounts].map(([peerId, { bytes }]) => ({ peerId, bytes }));
    return all.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  }

  /** Lets a peer be reached. @returns for how many milliseconds. */
  reserve(nowMs: number, peerId: string): Result<number, RelayErrorCode> {
    this.#expire(nowMs);
    if (!this.#reservations.has(peerId) && this.#reservations.size >= MAX_RESERVATIONS) {
      return fail('ERR_RELAY_FULL', `all ${MAX_RESERVATIONS} places of this relay are taken`);
    }
    this.#reservations.delete(peerId);
    this.#reservations.set(peerId, nowMs + RESERVATION_MS);
    return ok(RESERVATION_MS);
  }

  /** The peer cannot be reached any more. */
  cancel(peerId: string): void {
    this.#reservations.delete(peerId);
  }

  /** Grants a connection. @returns a token for each end. */
  connect(
    nowMs: number,
    from: string,
    to: string,
  ): Result<{ readonly from: Uint8Array; readonly to: Uint8Array }, RelayErrorCode> {
    this.#expire(nowMs);
    const { connects } = this.#account(nowMs, from);
    if (connects.available(nowMs) < 1) {
      return fail('ERR_RELAY_QUOTA', `more than ${MAX_CONNECTS_PER_MIN} connections in a minute`);
    }
    connects.spend(nowMs, 1);
    if (!this.#reservations.has(to)) {
      return fail('ERR_RELAY_NO_RESERVATION', 'the peer cannot be reached through this relay now');
    }
    for (const peerId of [from, to]) {
      const problem = this.#refusalOf(nowMs, peerId);
      if (problem !== undefined) return fail('ERR_RELAY_QUOTA', problem);
    }
    if (this.#pending.size + 2 > MAX_PENDING_PIPES * 2 || this.#pipes >= MAX_PIPES) {
      return fail('ERR_RELAY_FULL', 'this relay passes on as many connections as it can');
    }
    const tokens = { from: this.#token(), to: this.#token() };
    const dueMs = nowMs + PENDING_MS;
    const [one, other] = [toHex(tokens.from), toHex(tokens.to)];
    this.#pending.set(one, { from, to, dueMs, twin: other, side: 'from' });
    this.#pending.set(other, { from, to, dueMs, twin: one, side: 'to' });
    return ok(tokens);
  }

  /**
   * An end of a connection showed its token. A token is good once.
   * @returns the ends, which of them this is, and what stands for the connection: the same for both ends.
   */
  redeem(
    nowMs: number,
    token: Uint8Array,
  ): Result<
    { readonly ends: PipeEnds; readonly key: string; readonly dueMs: number },
    RelayErrorCode
  > {
    this.#expire(nowMs);
    const shown = toHex(token);
    const pending = this.#pending.get(shown);
    if (pending === undefined) return fail('ERR_RELAY_TOKEN', 'unknown, used or too old');
    this.#pending.delete(shown);
    const { from, to, twin, side, dueMs } = pending;
    return ok({ ends: { from, to }, key: side === 'from' ? shown : twin, dueMs });
  }

  /** Both ends are there. @returns the connection, to be given to `pass` and `end`; undefined: a quota ran out meanwhile. */
  begin(nowMs: number, { from, to }: PipeEnds): Pipe | undefined {
    const isRefused = [from, to].some((peerId) => this.#refusalOf(nowMs, peerId) !== undefined);
    if (isRefused || this.#pipes >= MAX_PIPES) return undefined;
    this.#pipes += 1;
    for (const peerId of new Set([from, to])) this.#account(nowMs, peerId).pipes += 1;
    return { from, to, dueMs: nowMs + (this.#options.pipeMs ?? MAX_PIPE_MS) };
  }

  /** Bytes were passed on. @returns false when the connection has to end: a quota or its time ran out. */
  pass(nowMs: number, pipe: Pipe, bytes: number): boolean {
    let isWithin = nowMs < pipe.dueMs;
    for (const peerId of [pipe.from, pipe.to]) {
      const account = this.#account(nowMs, peerId);
      account.bytes += bytes;
      if (account.bytes > this.#limit) isWithin = false;
    }
    return isWithin;
  }

  end(nowMs: number, pipe: Pipe): void {
    this.#pipes -= 1;
    for (const peerId of new Set([pipe.from, pipe.to])) this.#account(nowMs, peerId).pipes -= 1;
  }

  get #limit(): number {
    return this.#options.bytesPerPeerPerDay ?? BYTES_PER_PEER_PER_DAY;
  }

  #refusalOf(nowMs: number, peerId: string): string | undefined {
    const { bytes, pipes } = this.#account(nowMs, peerId);
    if (bytes >= this.#limit) return `the bytes of a day are used up (${this.#limit})`;
    return pipes >= MAX_PIPES_PER_PEER
      ? `${MAX_PIPES_PER_PEER} connections of one peer are open already`
      : undefined;
  }

  #account(nowMs: number, peerId: string): Account {
    let account = this.#accounts.get(peerId);
    if (account === undefined) {
      this.#forgetOne();
      const connects = new TokenBucket(MAX_CONNECTS_PER_MIN / 60, nowMs, MAX_CONNECTS_PER_MIN);
      account = { bytes: 0, sinceMs: nowMs, pipes: 0, connects };
      this.#accounts.set(peerId, account);
    }
    if (nowMs - account.sinceMs >= DAY_MS) {
      account.bytes = 0;
      account.sinceMs = nowMs;
    }
    return account;
  }

  /** Makes room: of those without a connection and a reservation, the one that was met first. */
  #forgetOne(): void {
    if (this.#accounts.size < MAX_COUNTED_PEERS) return;
    for (const [peerId, { pipes }] of this.#accounts) {
      if (pipes > 0 || this.#reservations.has(peerId)) continue;
      this.#accounts.delete(peerId);
      return;
    }
  }

  #token(): Uint8Array {
    return this.#options.randomBytes(32);
  }

  #expire(nowMs: number): void {
    for (const [peerId, dueMs] of this.#reservations) {
      if (dueMs > nowMs) break;
      this.#reservations.delete(peerId);
    }
    for (const [token, { dueMs }] of this.#pending) {
      if (dueMs > nowMs) break;
      this.#pending.delete(token);
    }
  }
}
