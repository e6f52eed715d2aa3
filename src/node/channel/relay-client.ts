/**
 * Being reached through relays, and reaching others through them.
 *
 * With each relay that this node uses it keeps a control channel and a reservation, renewed at half its time. Who wants it sends word through the relay; then both
 * open a TCP connection to the relay, show a token that is good once, and do a TLS handshake through it.
 * Bounds: MAX_INCOMING connections through relays under way. Not here: which relays are used, and the relay itself (relay-server.ts).
 * @module
 */
import { dialTcp, type Endpoint, type TcpConnection } from '../../io/tcp.ts';
import {
  decodeRelayWord,
  encodePreface,
  encodeRelayWord,
  PENDING_MS,
  RELAY_READY,
  RELAY_SERVICE,
  RELAYED_SERVICE,
  type RelayWord,
  renewalMs,
} from '../../protocol/relay/index.ts';
import { nodeError } from '../errors.ts';
import type { ChannelService, RelayHint } from './channel-service.ts';
import { idBytes } from './peer-ids.ts';
import type { Channel, ProvenConnection, Received } from './types.ts';

// Implementation limits
/** Connections through relays that are being made to us. */
const MAX_INCOMING = 16;
/** Relays that are tried for one peer. */
const MAX_TRIED = 4;
/** A reservation that was refused is asked for again after this. */
const RETRY_MS = 60_000;

/** Options of a RelayClient. */
export interface RelayClientOptions {
  readonly channels: ChannelService;
  readonly localHost: string | undefined;
  readonly mayDial: (host: string) => boolean;
}

/** What a node does with relays. */
export class RelayClient {
  readonly #options: RelayClientOptions;
  /** Relays in use, by peer id: milliseconds of the reservation, or why there is none. */
  readonly #used = new Map<
    string,
    { readonly hint: RelayHint; release: () => void; timer?: NodeJS.Timeout; isReserved: boolean }
  >();
  readonly #ends: (() => void)[] = [];
  #incoming = 0;
  #isClosed = false;

  constructor(options: RelayClientOptions) {
    this.#options = options;
    const { channels } = options;
    channels.relayDialler = (...asked) => this.dial(...asked);
    this.#ends.push(
      channels.handle(RELAYED_SERVICE, {
        admits: (peerId) => this.#used.has(peerId),
        onMessage: (channel, received) => this.#onMessage(channel, received),
      }),
      channels.listen(({ type, peerId }) => {
        if (type !== 'closed') void this.#reserve(peerId);
        else this.#lost(peerId);
      }),
    );
  }

  /** Relays that this node can be reached through now. */
  get reserved(): readonly RelayHint[] {
    const reserved: RelayHint[] = [];
    for (const [peerId, { isReserved }] of this.#used) {
      const addresses = this.#addressesOf(peerId);
      if (isReserved && addresses.length > 0) reserved.push({ peerId, addresses });
    }
    return reserved;
  }

  /** Keeps a reservation with a relay. */
  use(hint: RelayHint): void {
    if (this.#used.has(hint.peerId) || this.#isClosed) return;
    const { channels } = this.#options;
    this.#used.set(hint.peerId, { hint, release: () => {}, isReserved: false });
    channels.channelTo(hint.peerId, { hints: hint }).catch(() => {});
    this.#used.get(hint.peerId)!.release = channels.keep(hint.peerId);
    void this.#reserve(hint.peerId);
  }

  /** Gives all reservations up. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
    for (const { release, timer } of this.#used.values()) {
      release();
      clearTimeout(timer);
    }
    this.#used.clear();
  }

  /** Connects with a peer through the first relay that can. @returns undefined when none can. */
  async dial(
    peerId: string,
    protocol: string,
    hints: readonly RelayHint[],
    signal: AbortSignal,
  ): Promise<ProvenConnection | undefined> {
    const own = [...this.#used.values()].map(({ hint }) => hint);
    const seen = new Set<string>([peerId]);
    let tried = 0;
    for (const relay of [...hints, ...own]) {
      if (seen.has(relay.peerId) || tried >= MAX_TRIED || signal.aborted) continue;
      seen.add(relay.peerId);
      tried += 1;
      const proven = await this.#dialThrough(relay, peerId, protocol, signal).catch(
        () => undefined,
      );
      if (proven !== undefined) return proven;
    }
    return undefined;
  }

  async #dialThrough(
    relay: RelayHint,
    peerId: string,
    protocol: string,
    signal: AbortSignal,
  ): Promise<ProvenConnection> {
    const { channels } = this.#options;
    const channel = await channels.channelTo(relay.peerId, { hints: relay, signal });
    const asked = encodeRelayWord({ kind: 'connect', peerId: idBytes(peerId) });
    const answer = decodeRelayWord(await channel.request(RELAY_SERVICE, asked));
    if (!answer.ok || answer.value.kind !== 'token') {
      throw nodeError('ERR_CHANNEL', { peer: relay.peerId, reason: 'no token came of the relay' });
    }
    const raw = await this.#openThrough(relay.peerId, answer.value.token, signal);
    return await channels.prove(raw.connection, {
      peerId,
      protocol,
      signal,
      path: { kind: 'relay', remote: raw.connection.remote, relay: relay.peerId },
    });
  }

  #onMessage(channel: Channel, { payload }: Received): void {
    const word = decodeRelayWord(payload);
    if (word.ok && word.value.kind === 'incoming') void this.#come(channel, word.value);
  }

  async #come(channel: Channel, { token }: RelayWord & { kind: 'incoming' }): Promise<void> {
    if (this.#incoming >= MAX_INCOMING) return;
    this.#incoming += 1;
    try {
      const relay = channel.peerId;
      const signal = AbortSignal.timeout(PENDING_MS);
      const { connection, early } = await this.#openThrough(relay, token, signal);
      const path = { kind: 'relay', remote: connection.remote, relay } as const;
      await this.#options.channels.accept(connection, early, path);
    } catch {
      // Whoever wanted us hears of it from the relay, or tries again.
    } finally {
      this.#incoming -= 1;
    }
  }

  /** Opens a connection that the relay joins with another, and waits for that. */
  async #openThrough(
    relay: string,
    token: Uint8Array,
    signal: AbortSignal,
  ): Promise<{ readonly connection: TcpConnection; readonly early: Uint8Array }> {
    const { localHost, mayDial } = this.#options;
    let problem: unknown;
    for (const endpoint of this.#addressesOf(relay)) {
      if (!mayDial(endpoint.host)) continue;
      try {
        const from = localHost === undefined ? {} : { localHost };
        const connection = await dialTcp({ ...endpoint, signal, ...from });
        connection.write(encodePreface(token));
        return { connection, early: await ready(connection, signal) };
      } catch (error) {
        problem = error;
      }
    }
    throw nodeError('ERR_CHANNEL', { peer: relay, reason: 'the relay cannot be dialled' }, problem);
  }

  #addressesOf(relay: string): Endpoint[] {
    const channel = this.#options.channels.channel(relay);
    if (channel === undefined) return [...(this.#used.get(relay)?.hint.addresses ?? [])];
    return [...(channel.isDialled ? [channel.path.remote] : []), ...channel.addresses];
  }

  async #reserve(relay: string): Promise<void> {
    const used = this.#used.get(relay);
    const channel = this.#options.channels.channel(relay);
    if (used === undefined || channel === undefined) return;
    clearTimeout(used.timer);
    let waitMs = RETRY_MS;
    try {
      const asked = encodeRelayWord({ kind: 'reserve' });
      const answer = decodeRelayWord(await channel.request(RELAY_SERVICE, asked));
      used.isReserved = answer.ok && answer.value.kind === 'reserved';
      if (answer.ok && answer.value.kind === 'reserved') waitMs = renewalMs(answer.value.lastsMs);
    } catch {
      used.isReserved = false;
    }
    if (this.#used.get(relay) !== used) return;
    clearTimeout(used.timer);
    used.timer = setTimeout(() => void this.#reserve(relay), waitMs).unref();
  }

  #lost(relay: string): void {
    const used = this.#used.get(relay);
    if (used === undefined) return;
    used.isReserved = false;
    clearTimeout(used.timer);
  }
}

/** Resolves when the relay says that the other end is there, with what the other end said already. */
function ready(connection: TcpConnection, signal: AbortSignal): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const fail = (reason: string): void => {
    reject(new Error(reason));
    connection.destroy();
  };
  const onAbort = (): void => fail('the other end did not come in time');
  signal.addEventListener('abort', onAbort, { once: true });
  connection.attach({
    onData: (bytes) => {
      if (bytes[0] !== RELAY_READY) fail('the relay said something else');
      connection.pause();
      resolve(new Uint8Array(bytes.subarray(1)));
    },
    onDrain: () => {},
    onClose: () => reject(new Error('the relay closed the connection')),
  });
  return promise.finally(() => signal.removeEventListener('abort', onAbort));
}
