/**
 * Channels of this node: one control connection to each peer that it deals with, connections of their own for bulk, and who may have them.
 *
 * A connection is taken when its other end proved an identity and somebody here deals with it: a contact, or a service that admits strangers. Two connections
 * of one pair become one (src/protocol/channel/duplicates.ts). Peers that are to be kept are dialled again when their connection ends.
 * Bounds: MAX_LINKS, MAX_STRANGERS (the oldest gives way). Not here: what services do, where addresses come from (finders), relays (relay-*.ts).
 * @module
 */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { nodeEd25519 } from '../../io/crypto.ts';
import type { Endpoint, TcpConnection } from '../../io/tcp.ts';
import { secureTcp } from '../../io/tls.ts';
import { equalBytes } from '../../lib/bytes.ts';
import {
  BULK_PROTOCOL,
  CONTROL_PROTOCOL,
  encodeBulkHeader,
  type Hello,
  INSTANCE_BYTES,
  type Rival,
  takesPlace,
  WIRE_PROTOCOL,
} from '../../protocol/channel/index.ts';
import { formatPeerId, peerIdOf } from '../../protocol/identity/index.ts';
import { nodeError } from '../errors.ts';
import { takeBulkHeader } from './bulk-header.ts';
import { ControlLink, type ControlLinkOwner, RequestRefusal } from './control-link.ts';
import { ChannelCredentials, provenPeer } from './credentials.ts';
import { idBytes } from './peer-ids.ts';
import {
  type DialAim,
  type DialGround,
  DialRace,
  kindOf,
  markProven,
  proveOver,
} from './secure-dial.ts';
import type { Channel, PeerPath, ProvenConnection, Received, ServiceHandler } from './types.ts';

// Implementation limits
/** Control connections of a node. */
const MAX_LINKS = 4_096;
/** Of peers that no contact and no service vouches for by name. */
const MAX_STRANGERS = 32;
/** Connections that another one has taken the place of, and that answer what was asked on them. */
const MAX_RETIRED = 64;
/** How long a way to a peer is looked for. */
const FIND_TIMEOUT_MS = 30_000;
/** Wait before a kept peer is dialled again; doubles up to the second. */
const REDIAL_MS = 1_000;
const REDIAL_MAX_MS = 300_000;
/** A connection through a relay looks for a better way after this; the wait doubles up to the second. */
const BETTER_MS = 500;
const BETTER_MAX_MS = 60_000;
/** Direct addresses have this start before relays are tried, too. */
const RELAY_DELAY_MS = 1_500;

/** How often it is looked whether another relay was heard of. */
const RELAY_LOOK_MS = 250;

/** Where a peer may be. */
export interface Whereabouts {
  readonly addresses: readonly Endpoint[];
  /** Peers that may pass bytes on to it. */
  readonly relays?: readonly RelayHint[];
}

/** A relay somebody named. */
export interface RelayHint {
  readonly peerId: string;
  readonly addresses: readonly Endpoint[];
}

/** Looks for a peer by its id; resolves when it will find no more. */
export type PeerFinder = (
  peerId: string,
  onFound: (found: Whereabouts) => void,
  signal: AbortSignal,
) => Promise<void>;

/** Connects through somebody else. @returns undefined when no relay can. */
export type RelayDialler = (
  peerId: string,
  protocol: string,
  relays: readonly RelayHint[],
  signal: AbortSignal,
) => Promise<ProvenConnection | undefined>;

/** Options of a ChannelService. */
export interface ChannelServiceOptions {
  /** Of the identity. */
  readonly seed: Uint8Array;
  readonly localHost: string | undefined;
  readonly mayDial: (host: string) => boolean;
  /** Where this node listens, best first; told to whom it deals with. */
  readonly addresses: () => readonly Endpoint[];
  /** Contacts, and whoever else this node deals with. */
  readonly isKnown: (peerId: string) => boolean;
  readonly finders: readonly PeerFinder[];
  /** Takes a connection that speaks the BitTorrent wire; resolves when it said which torrent it is for. */
  readonly onWire: (proven: ProvenConnection) => Promise<void>;
}

/** A change that services may act on. */
export interface ChannelChange {
  readonly type: 'open' | 'closed' | 'path';
  readonly peerId: string;
  readonly channel: Channel;
  readonly reason?: string;
}

/** A peer that is dialled again when its connection ends. */
interface Kept {
  users: number;
  waitMs: number;
  timer?: AbortController;
  /** Where it was last. */
  hints?: Whereabouts;
}

/** The channels of a node. */
export class ChannelService implements ControlLinkOwner {
  readonly peerId: string;
  readonly #id: Uint8Array;
  readonly #options: ChannelServiceOptions;
  readonly #credentials: ChannelCredentials;
  readonly #instance: Uint8Array = new Uint8Array(randomBytes(INSTANCE_BYTES));
  readonly #handlers = new Map<string, ServiceHandler>();
  /** Open ones, by peer id. */
  readonly #links = new Map<string, ControlLink>();
  readonly #greeting = new Set<ControlLink>();
  readonly #retired = new Set<ControlLink>();
  readonly #dialling = new Map<string, Promise<Channel>>();
  /** Searches under way, by peer id: what is learnt meanwhile is of use to them. */
  readonly #searching = new Map<string, Set<(found: Whereabouts) => void>>();
  readonly #waiting = new Map<string, Set<(channel: Channel) => void>>();
  readonly #kept = new Map<string, Kept>();
  readonly #listeners = new Set<(change: ChannelChange) => void>();
  readonly #abort = new AbortController();
  relayDialler: RelayDialler | undefined;

  constructor(options: ChannelServiceOptions) {
    this.#options = options;
    this.#credentials = new ChannelCredentials(options.seed);
    this.#id = peerIdOf(nodeEd25519.publicKey(options.seed));
    this.peerId = formatPeerId(this.#id);
  }

  /** Open control connections. */
  get channels(): readonly Channel[] {
    return [...this.#links.values()];
  }

  /** The open one to a peer. */
  channel(peerId: string): Channel | undefined {
    return this.#links.get(peerId);
  }

  /** Answers to a service's name until the returned function is called. @throws when it is taken. */
  handle(service: string, handler: ServiceHandler): () => void {
    if (this.#handlers.has(service)) throw new Error(`service ${service} is taken`);
    this.#handlers.set(service, handler);
    return () => this.#handlers.delete(service);
  }

  /** Hears of changes until the returned function is called. */
  listen(listener: (change: ChannelChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes an incoming connection whose first bytes are a TLS record. Resolves when it is settled who it is and what it wants: until then it has a place of those who are nobody yet. A failure closes it. */
  async accept(connection: TcpConnection, early: Uint8Array, relay?: PeerPath): Promise<void> {
    const path = relay ?? { kind: kindOf(connection.remote.host), remote: connection.remote };
    // What else comes waits for TLS.
    connection.pause();
    try {
      const tls = await secureTcp(connection, {
        isServer: true,
        credentials: await this.#credentials.current(),
        protocols: [CONTROL_PROTOCOL, BULK_PROTOCOL, WIRE_PROTOCOL],
        early,
        signal: this.#abort.signal,
      });
      const proven = await provenPeer(tls.certificate);
      if (!proven.ok) {
        tls.connection.destroy();
        return;
      }
      const peerId = formatPeerId(proven.value);
      const { binding, protocol } = tls;
      markProven(tls.connection, peerId, protocol);
      await this.#takeProven({ connection: tls.connection, peerId, path, binding }, protocol);
    } catch {
      connection.destroy();
    }
  }

  /** The control connection to a peer, made when there is none. @throws {AppError} ERR_PEER_UNREACHABLE; the signal's reason. */
  async channelTo(
    peerId: string,
    options: { readonly hints?: Whereabouts; readonly signal?: AbortSignal } = {},
  ): Promise<Channel> {
    const open = this.#links.get(peerId);
    if (open !== undefined) return open;
    let dialling = this.#dialling.get(peerId);
    if (dialling !== undefined && options.hints !== undefined) {
      for (const hear of this.#searching.get(peerId) ?? []) hear(options.hints);
    }
    if (dialling === undefined) {
      dialling = this.#dialControl(peerId, options).finally(() => this.#dialling.delete(peerId));
      this.#dialling.set(peerId, dialling);
    }
    return await dialling;
  }

  /** Dials an address without knowing who is there; a stranger that nobody here deals with gets no channel. @throws as `channelTo`. */
  async channelAt(endpoint: Endpoint, signal: AbortSignal): Promise<Channel> {
    const aim = { peerId: undefined, protocol: CONTROL_PROTOCOL, signal };
    const race = new DialRace(this.#ground, aim);
    race.add(endpoint);
    race.complete();
    const proven = await race.outcome;
    if (proven === undefined) {
      throw nodeError('ERR_PEER_UNREACHABLE', { peer: 'it', tried: race.problems.join('; ') });
    }
    if (!this.#dealsWith(proven.peerId)) {
      proven.connection.destroy();
      const tried = `${proven.peerId} is nobody that this node deals with`;
      throw nodeError('ERR_PEER_UNREACHABLE', { peer: 'it', tried });
    }
    return await this.#greet(proven, true);
  }

  /** A connection of its own for much data of a service. @throws {AppError} ERR_PEER_UNREACHABLE. */
  async openBulk(
    peerId: string,
    service: string,
    payload: Uint8Array,
    signal: AbortSignal = this.#abort.signal,
  ): Promise<ProvenConnection> {
    const proven = await this.#connect(peerId, BULK_PROTOCOL, signal);
    const envelope = { service, version: 1 };
    proven.connection.write(encodeBulkHeader({ envelope, payload }));
    return proven;
  }

  /** A connection for the BitTorrent wire. @throws {AppError} ERR_PEER_UNREACHABLE. */
  openWire(peerId: string, signal: AbortSignal): Promise<ProvenConnection> {
    return this.#connect(peerId, WIRE_PROTOCOL, signal);
  }

  /** Lets the other end of an open connection, as through a relay, prove who it is. @throws {AppError} ERR_WRONG_PEER; TlsError. */
  prove(raw: TcpConnection, aim: DialAim & { readonly path: PeerPath }): Promise<ProvenConnection> {
    return proveOver(this.#ground, aim, raw, aim.path);
  }

  /** Keeps the control connection to a peer: dials again whenever it ends, until the returned function is called. */
  keep(peerId: string): () => void {
    const kept: Kept = this.#kept.get(peerId) ?? { users: 0, waitMs: REDIAL_MS };
    kept.users += 1;
    this.#kept.set(peerId, kept);
    if (kept.users === 1) this.#redial(peerId, 0);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      kept.users -= 1;
      if (kept.users > 0) return;
      kept.timer?.abort();
      this.#kept.delete(peerId);
    };
  }

  /** Says goodbye to all. */
  close(): void {
    this.#abort.abort(new Error('stopped'));
    for (const { timer } of this.#kept.values()) timer?.abort();
    this.#kept.clear();
    for (const link of [...this.#links.values(), ...this.#greeting, ...this.#retired])
      link.close('stopped');
    this.#waiting.clear();
  }

  // ControlLinkOwner

  onHello(link: ControlLink, hello: Hello): void {
    this.#greeting.delete(link);
    const old = this.#links.get(link.peerId);
    if (old?.hello !== undefined) {
      const isTaken = takesPlace(
        this.#id,
        idBytes(link.peerId),
        rivalOf(old, old.hello),
        rivalOf(link, hello),
      );
      if (!isTaken) {
        this.#retire(link);
        for (const resolve of this.#waiting.get(link.peerId) ?? []) resolve(old);
        return;
      }
    }
    this.#links.set(link.peerId, link);
    const kept = this.#kept.get(link.peerId);
    if (kept !== undefined) kept.waitMs = REDIAL_MS;
    if (old !== undefined) this.#retire(old);
    // The same program by a better way, or another run of it, which knows nothing of the one before.
    const isSameRun = old?.hello !== undefined && equalBytes(old.hello.instance, hello.instance);
    if (old !== undefined && !isSameRun) {
      const reason = 'its program was started again';
      this.#tell({ type: 'closed', peerId: link.peerId, channel: old, reason });
    }
    this.#tell({ type: isSameRun ? 'path' : 'open', peerId: link.peerId, channel: link });
    for (const resolve of this.#waiting.get(link.peerId) ?? []) resolve(link);
    // Data connections that were wanted before there was a channel learn from its greeting where the peer listens.
    for (const hear of this.#searching.get(link.peerId) ?? []) hear(whereaboutsOf(link));
    this.#limitLinks();
    if (link.path.kind === 'relay') void this.#seekBetter(link);
  }

  onMessage(link: ControlLink, received: Received): void {
    const handler = this.#handlers.get(received.envelope.service);
    if (handler?.admits(link.peerId) === true) handler.onMessage?.(link, received);
  }

  onRequest(link: ControlLink, received: Received): Promise<Uint8Array> | Uint8Array {
    const { service } = received.envelope;
    const handler = this.#handlers.get(service);
    if (handler?.onRequest === undefined) {
      throw new RequestRefusal('unknownService', `"${service}" is not offered here`);
    }
    if (!handler.admits(link.peerId)) {
      throw new RequestRefusal('forbidden', `"${service}" is not open to this peer`);
    }
    return handler.onRequest(link, received);
  }

  onClosed(link: ControlLink, reason: string): void {
    this.#greeting.delete(link);
    this.#retired.delete(link);
    if (this.#links.get(link.peerId) !== link) return;
    this.#links.delete(link.peerId);
    this.#tell({ type: 'closed', peerId: link.peerId, channel: link, reason });
    const kept = this.#kept.get(link.peerId);
    if (kept === undefined) return;
    kept.hints = whereaboutsOf(link);
    this.#redial(link.peerId);
  }

  #retire(link: ControlLink): void {
    const [oldest] = this.#retired;
    if (this.#retired.size >= MAX_RETIRED) oldest?.close('others need the place');
    this.#retired.add(link);
    link.retire();
  }

  get #ground(): DialGround {
    const { localHost, mayDial } = this.#options;
    return { credentials: () => this.#credentials.current(), localHost, mayDial };
  }

  async #takeProven(proven: ProvenConnection, protocol: string): Promise<void> {
    const { peerId, connection } = proven;
    if (peerId === this.peerId || !this.#dealsWith(peerId)) {
      connection.destroy();
      return;
    }
    if (protocol === CONTROL_PROTOCOL) await this.#greet(proven, false);
    else if (protocol === WIRE_PROTOCOL) await this.#options.onWire(proven);
    else await takeBulkHeader(proven, (received) => this.#takeBulk(proven, received));
  }

  #takeBulk(proven: ProvenConnection, received: Received): void {
    const handler = this.#handlers.get(received.envelope.service);
    if (handler?.onBulk === undefined || !handler.admits(proven.peerId)) {
      proven.connection.destroy();
    } else handler.onBulk(proven, received);
  }

  #dealsWith(peerId: string): boolean {
    if (this.#options.isKnown(peerId)) return true;
    return [...this.#handlers.values()].some((handler) => handler.admits(peerId));
  }

  /** Resolves when the other end has greeted and this connection, or another of the pair, stays. */
  #greet(proven: ProvenConnection, isDialled: boolean): Promise<Channel> {
    const { promise, resolve, reject } = Promise.withResolvers<Channel>();
    const { peerId, path } = proven;
    const observed = path.kind === 'relay' ? undefined : proven.connection.remote;
    const hello: Hello = {
      instance: this.#instance,
      addresses: this.#options.addresses(),
      ...(observed === undefined ? {} : { observed }),
    };
    const forget = enlist(this.#waiting, peerId, (channel) => {
      forget();
      resolve(channel);
    });
    const owner: ControlLinkOwner = {
      onHello: (link, said) => this.onHello(link, said),
      onMessage: (link, received) => this.onMessage(link, received),
      onRequest: (link, received) => this.onRequest(link, received),
      onClosed: (link, reason) => {
        this.onClosed(link, reason);
        forget();
        const stays = this.#links.get(peerId);
        if (stays !== undefined) resolve(stays);
        else reject(nodeError('ERR_CHANNEL', { peer: peerId, reason }));
      },
    };
    this.#greeting.add(new ControlLink(proven, { isDialled, hello, owner }));
    return promise;
  }

  async #dialControl(
    peerId: string,
    options: { readonly hints?: Whereabouts; readonly signal?: AbortSignal },
  ): Promise<Channel> {
    const { promise: incoming, resolve } = Promise.withResolvers<Channel>();
    const abort = new AbortController();
    const forget = enlist(this.#waiting, peerId, resolve);
    const signals = [abort.signal, this.#abort.signal];
    if (options.signal !== undefined) signals.push(options.signal);
    const signal = AbortSignal.any(signals);
    try {
      const { hints } = options;
      const dialled = this.#find(peerId, CONTROL_PROTOCOL, hints, signal).then((proven) =>
        this.#greet(proven, true),
      );
      // The other end may have heard that it is looked for, and come by itself.
      return await Promise.race([incoming, dialled]);
    } finally {
      forget();
      abort.abort(new Error('the search is over'));
    }
  }

  async #connect(peerId: string, protocol: string, signal: AbortSignal): Promise<ProvenConnection> {
    const link = this.#links.get(peerId);
    return await this.#find(peerId, protocol, link && whereaboutsOf(link), signal);
  }

  /** Looks for a peer and connects. @throws {AppError} ERR_PEER_UNREACHABLE. */
  async #find(
    peerId: string,
    protocol: string,
    hints: Whereabouts | undefined,
    outer: AbortSignal,
  ): Promise<ProvenConnection> {
    const over = new AbortController();
    const signal = AbortSignal.any([outer, over.signal, AbortSignal.timeout(FIND_TIMEOUT_MS)]);
    const race = new DialRace(this.#ground, { peerId, protocol, signal });
    const relays: RelayHint[] = [];
    const onFound = (found: Whereabouts): void => {
      for (const endpoint of found.addresses) race.add(endpoint);
      relays.push(...(found.relays ?? []));
    };
    if (hints !== undefined) onFound(hints);
    const forget = enlist(this.#searching, peerId, onFound);
    this.#feed(race, peerId, onFound, signal);
    const direct = race.outcome;
    const relayed = this.#throughRelay(peerId, protocol, relays, direct, signal);
    try {
      const winner = await Promise.race([direct, relayed.then((proven) => proven ?? direct)]);
      const proven = winner ?? (await relayed);
      outer.throwIfAborted();
      if (proven !== undefined) return proven;
      const tried = race.problems.length === 0 ? 'no address is known' : race.problems.join('; ');
      throw nodeError('ERR_PEER_UNREACHABLE', { peer: peerId, tried });
    } finally {
      over.abort(new Error('a way was found'));
      forget();
    }
  }

  /** Has all finders look; no more addresses come of them when they are done. */
  #feed(
    race: DialRace,
    peerId: string,
    onFound: (found: Whereabouts) => void,
    signal: AbortSignal,
  ): void {
    const searches = this.#options.finders.map((find) =>
      find(peerId, onFound, signal).catch(() => {}),
    );
    void Promise.all(searches).then(() => race.complete());
  }

  /** The last rung, tried when the others had their start, and again when a further relay is heard of while they go on. */
  async #throughRelay(
    peerId: string,
    protocol: string,
    relays: readonly RelayHint[],
    direct: Promise<ProvenConnection | undefined>,
    signal: AbortSignal,
  ): Promise<ProvenConnection | undefined> {
    const stop = new AbortController();
    const delay = setTimeout(RELAY_DELAY_MS, undefined, { signal: stop.signal, ref: false });
    const first = await Promise.race([direct, delay.catch(() => undefined)]);
    stop.abort();
    if (first !== undefined || this.relayDialler === undefined) return undefined;
    while (!signal.aborted) {
      const count = relays.length;
      const dialled = this.relayDialler(peerId, protocol, relays, signal);
      const proven = await dialled.catch(() => undefined);
      if (proven !== undefined) return proven;
      let isOver = false;
      while (relays.length === count && !isOver) {
        const pause = setTimeout(RELAY_LOOK_MS, false, { ref: false });
        isOver = await Promise.race([direct.then(() => true), pause]);
      }
      if (isOver) return undefined;
    }
    return undefined;
  }

  /** A connection through a relay looks for a better way as long as it lives; what is found takes its place. */
  async #seekBetter(link: ControlLink): Promise<void> {
    const { peerId } = link;
    for (let waitMs = BETTER_MS; ; waitMs = Math.min(waitMs * 2, BETTER_MAX_MS)) {
      await setTimeout(waitMs, undefined, { ref: false });
      if (this.#links.get(peerId) !== link || this.#abort.signal.aborted) return;
      const proven = await this.#findDirect(peerId, link.addresses);
      if (proven === undefined) continue;
      await this.#greet(proven, true).catch(() => {});
    }
  }

  async #findDirect(
    peerId: string,
    addresses: readonly Endpoint[],
  ): Promise<ProvenConnection | undefined> {
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(FIND_TIMEOUT_MS)]);
    const race = new DialRace(this.#ground, { peerId, protocol: CONTROL_PROTOCOL, signal });
    const add = (found: Whereabouts): void => {
      for (const endpoint of found.addresses) race.add(endpoint);
    };
    add({ addresses });
    this.#feed(race, peerId, add, signal);
    return await race.outcome;
  }

  #redial(peerId: string, waitMs?: number): void {
    const kept = this.#kept.get(peerId);
    if (kept === undefined || this.#abort.signal.aborted) return;
    kept.timer?.abort();
    const timer = new AbortController();
    kept.timer = timer;
    setTimeout(waitMs ?? kept.waitMs, undefined, { signal: timer.signal, ref: false })
      .then(() => {
        kept.waitMs = Math.min(kept.waitMs * 2, REDIAL_MAX_MS);
        const { hints } = kept;
        const again = this.channelTo(peerId, hints === undefined ? {} : { hints });
        again.catch(() => this.#redial(peerId));
      })
      .catch(() => {});
  }

  #limitLinks(): void {
    const strangers = [...this.#links.values()].filter(
      ({ peerId }) => !this.#options.isKnown(peerId),
    );
    const excess = Math.max(strangers.length - MAX_STRANGERS, this.#links.size - MAX_LINKS);
    for (const link of strangers.slice(0, Math.max(0, excess))) link.close('others need the place');
  }

  #tell(change: ChannelChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** Puts one into the list of a key. @returns what takes it out again, callable more than once; a list that is empty goes. */
function enlist<T>(lists: Map<string, Set<T>>, key: string, one: T): () => void {
  const list = lists.get(key) ?? new Set();
  lists.set(key, list.add(one));
  return () => {
    list.delete(one);
    if (list.size === 0 && lists.get(key) === list) lists.delete(key);
  };
}

/** Where the other end of a connection can be reached: where it was dialled, where it says that it is, the relay in between. */
function whereaboutsOf({ isDialled, path, addresses }: Channel): Whereabouts {
  const { kind, remote, relay } = path;
  return {
    addresses: [...(isDialled && kind !== 'relay' ? [remote] : []), ...addresses],
    relays: relay === undefined ? [] : [{ peerId: relay, addresses: [remote] }],
  };
}

function rivalOf(link: ControlLink, hello: Hello): Rival {
  const { isDialled, madeMs, path } = link;
  return { isDialled, isRelayed: path.kind === 'relay', madeMs, instance: hello.instance };
}
