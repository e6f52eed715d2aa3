/**
 * Peer exchange: who we are connected to is told to our peers, and they tell us.
 *
 * Spec: BEP 11; off in private torrents (BEP 27) and on request. A peer that offers `ut_pex` gets a first message soon after it came, then at most one a
 * minute, with what changed since its last one. Told are peers whose listening port is known: the port we dialled, or the one of their extension
 * handshake. Each that was told is dropped once it left. While fewer than 25 of a family are connected, peers that left for a reason of ours are told too,
 * once each, and dropped with the next message ("Filling underpopulated lists").
 * Nothing is told before the metadata is known: the torrent might be private. What is told to us before is forgotten if it is (`forgetRumours`).
 * What peers tell is judged by `hearsay.ts` and counted by `rumours.ts`; whoever tells faster than BEP 11 allows, or what cannot be read, is expelled.
 * Bounds: MAX_FIRST_ADDED, then 50 contacts added and 50 dropped a message, both ways; 25 peers of each family that left; a book for each connection.
 * Not here: the flags for encryption and uTP.
 * @module
 */
import { parseIp } from '../../lib/ip-address.ts';
import {
  decodePex,
  encodePex,
  PEX_EXTENSION,
  PEX_FLAG,
  type PexContact,
  type PexEndpoint,
} from '../peer-wire/index.ts';
import { Allowance } from './conduct.ts';
import { mayName } from './hearsay.ts';
import type { Peer } from './peer.ts';
import { addressKeyOf, hostKeyOf } from './peer-list.ts';
import type { SwarmState } from './state.ts';
import type { PeerAddress } from './types.ts';

// Specification constants
/** BEP 11: "no more than 1 PEX message per minute". */
const INTERVAL_MS = 60_000;
/** BEP 11: contacts added by a message, and as many dropped. */
export const MAX_CONTACTS = 50;
/** BEP 11: below so many connections of a family, peers that left are told too; at most so many of these are kept. */
export const UNDERPOPULATED = 25;
/** The extension in which peers offer hole punching (BEP 55). */
const HOLEPUNCH_EXTENSION = 'ut_holepunch';

// Implementation limits
/** Added to the minute: the other end's clock must not think that we are early. */
const MARGIN_MS = 1_000;
/** A peer gets its first message this long after it came: by then there is more to tell. */
const FIRST_WAIT_MS = 2_000;
/** Contacts added by the first message, which may be larger. */
const MAX_FIRST_ADDED = 100;
/** Messages that may come at once: the first, and two that were held up on their way. */
const MESSAGE_BURST = 3;
/** How often they may come in the long run. */
const MESSAGE_PER_SEC = 1 / 50;

/** What one peer was told, and how it behaved. */
interface Book {
  nextSendMs: number;
  isFirst: boolean;
  /** Contacts that were added and not dropped. */
  readonly told: Map<string, PexEndpoint>;
  /** The state of our connections that it knows. */
  version: number;
  /** Those that left before this one were told. */
  departures: number;
  readonly allowance: Allowance;
}

interface Departure {
  readonly contact: PexContact;
  readonly number: number;
}

/** Peer exchange of one torrent. */
export class PeerExchange {
  readonly #state: SwarmState;
  readonly #books = new Map<number, Book>();
  /** Peers that left for a reason of ours: IPv4, IPv6. */
  #departed: readonly [Departure[], Departure[]] = [[], []];
  #departures = 0;
  #version = 1;

  constructor(state: SwarmState) {
    this.#state = state;
  }

  /** False in private torrents and when the caller wants none. */
  get isOn(): boolean {
    const { options, isPrivate } = this.#state;
    return options.usesPeerExchange !== false && !isPrivate;
  }

  /** A connection came or went, or a listening port became known. */
  changed(): void {
    this.#version += 1;
  }

  /** A connection ended. @param isOurs it ended because it was of no use or there was no room, so the peer is still good for others. */
  forget(peer: Peer, isOurs: boolean): void {
    this.#books.delete(peer.id);
    this.changed();
    if (isOurs) this.remember(contactOf(peer));
  }

  /** A peer that is still good for others left, or was connected through another family. */
  remember(contact: PexContact | undefined): void {
    if (contact === undefined || !this.isOn) return;
    this.#departures += 1;
    const departed = this.#departed[familyOf(contact)];
    const key = addressKeyOf(contact);
    const again = departed.findIndex((one) => addressKeyOf(one.contact) === key);
    if (again >= 0) departed.splice(again, 1);
    departed.push({ contact, number: this.#departures });
    if (departed.length > UNDERPOPULATED) departed.shift();
    this.changed();
  }

  /** The torrent turned out to be private. */
  clear(): void {
    this.#books.clear();
    this.#departed = [[], []];
  }

  /** Tells peers what changed, when it is time. */
  run(nowMs: number): void {
    if (!this.isOn || this.#state.torrent === undefined) return;
    let live: Map<string, PexContact> | undefined;
    for (const peer of this.#state.peers.values()) {
      const id = peer.extensions.idOf(PEX_EXTENSION);
      if (id === undefined) continue;
      const book = this.#bookOf(nowMs, peer);
      if (nowMs < book.nextSendMs || book.version === this.#version) continue;
      live ??= this.#live();
      this.#tell(nowMs, peer, id, book, live);
    }
  }

  /** When `run` has something to say, if nothing comes before; Infinity while everybody knows what there is to know. */
  nextDueMs(nowMs: number): number {
    if (!this.isOn || this.#state.torrent === undefined) return Number.POSITIVE_INFINITY;
    let dueMs = Number.POSITIVE_INFINITY;
    for (const peer of this.#state.peers.values()) {
      if (peer.extensions.idOf(PEX_EXTENSION) === undefined) continue;
      const book = this.#bookOf(nowMs, peer);
      if (book.version !== this.#version) dueMs = Math.min(dueMs, book.nextSendMs);
    }
    return dueMs;
  }

  /** A message came. @returns why to expel the peer, or undefined. */
  take(nowMs: number, peer: Peer, payload: Uint8Array): string | undefined {
    if (!this.isOn) return peer.conduct.chatter(nowMs);
    if (!this.#bookOf(nowMs, peer).allowance.use(nowMs)) {
      return 'sent peer exchange more often than once a minute';
    }
    const decoded = decodePex(payload);
    if (!decoded.ok) return decoded.message;
    const { added, dropped } = decoded.value;
    const { list } = this.#state;
    const speaker = hostKeyOf(peer.address);
    for (const gone of dropped.slice(0, MAX_CONTACTS)) list.dropHeard(speaker, gone);
    const hosts = new Set<string>();
    for (const contact of added.slice(0, MAX_CONTACTS)) {
      const { host, port, flags } = contact;
      // BEP 11: "Duplicate IP addresses (e.g. with different ports) should be ignored."
      const key = hostKeyOf(contact);
      if (hosts.has(key) || !mayName(peer.address.host, contact) || this.#isOurs(contact)) continue;
      hosts.add(key);
      list.addHeard(nowMs, speaker, { host, port }, (flags & PEX_FLAG.uploadOnly) !== 0);
    }
    return undefined;
  }

  #bookOf(nowMs: number, peer: Peer): Book {
    let book = this.#books.get(peer.id);
    if (book !== undefined) return book;
    book = {
      nextSendMs: nowMs + FIRST_WAIT_MS,
      isFirst: true,
      told: new Map(),
      version: 0,
      departures: 0,
      allowance: new Allowance(nowMs, MESSAGE_BURST, MESSAGE_PER_SEC),
    };
    this.#books.set(peer.id, book);
    return book;
  }

  /** Whom we are connected to, by address. */
  #live(): Map<string, PexContact> {
    const live = new Map<string, PexContact>();
    for (const peer of this.#state.peers.values()) {
      const contact = contactOf(peer);
      if (contact !== undefined) live.set(addressKeyOf(contact), contact);
    }
    return live;
  }

  #tell(
    nowMs: number,
    peer: Peer,
    id: number,
    book: Book,
    live: ReadonlyMap<string, PexContact>,
  ): void {
    const dropped: PexEndpoint[] = [];
    let isAll = true;
    for (const [key, endpoint] of book.told) {
      if (live.has(key)) continue;
      if (dropped.length < MAX_CONTACTS) dropped.push(endpoint);
      else isAll = false;
    }
    const added: PexContact[] = [];
    const most = book.isFirst ? MAX_FIRST_ADDED : MAX_CONTACTS;
    const self = addressKeyOf(peer.listenAddress ?? peer.address);
    for (const [key, contact] of live) {
      if (key === self || book.told.has(key) || !mayName(peer.address.host, contact)) continue;
      if (added.length < most) added.push(contact);
      else isAll = false;
    }
    if (isAll) this.#addDeparted(peer, book, live, self, most, added);
    // What did not fit goes with the next message.
    if (isAll) book.version = this.#version;
    if (added.length === 0 && dropped.length === 0) return;
    for (const endpoint of dropped) book.told.delete(addressKeyOf(endpoint));
    let hasDeparted = false;
    for (const { host, port } of added) {
      const key = addressKeyOf({ host, port });
      book.told.set(key, { host, port });
      hasDeparted ||= !live.has(key);
    }
    // Those that left must be dropped with the next message, whether anything else happened or not.
    if (hasDeparted) book.version = 0;
    book.isFirst = false;
    book.nextSendMs = nowMs + INTERVAL_MS + MARGIN_MS;
    peer.out.extended(id, encodePex({ added, dropped }));
    this.#state.dirty.add(peer);
  }

  /** BEP 11, "Filling underpopulated lists": those that left go into a list with few live contacts, each once. */
  #addDeparted(
    peer: Peer,
    book: Book,
    live: ReadonlyMap<string, PexContact>,
    self: string,
    most: number,
    added: PexContact[],
  ): void {
    const counts = [0, 0] as [number, number];
    for (const contact of live.values()) counts[familyOf(contact)] += 1;
    for (const family of [0, 1] as const) {
      if (counts[family] >= UNDERPOPULATED) continue;
      for (const { contact, number } of this.#departed[family]) {
        const key = addressKeyOf(contact);
        // Whoever was told before is dropped by this message, and must not be added in it.
        if (number <= book.departures || live.has(key) || book.told.has(key)) continue;
        if (key === self || !mayName(peer.address.host, contact)) continue;
        if (added.length < most) added.push(contact);
      }
    }
    book.departures = this.#departures;
  }

  #isOurs({ host, port }: PeerAddress): boolean {
    if (port !== this.#state.options.listenPort) return false;
    const ip = parseIp(host)!;
    const own = this.#state.ownAddresses.seenBy(ip);
    return own?.every((byte, at) => byte === ip[at]) === true;
  }
}

/** What others may be told of a peer; undefined while its listening port is not known. */
export function contactOf(peer: Peer): PexContact | undefined {
  const { listenAddress } = peer;
  const ip = listenAddress === undefined ? undefined : parseIp(listenAddress.host);
  if (listenAddress === undefined || ip === undefined) return undefined;
  const isReachable = peer.dial !== undefined;
  const isUploadOnly = peer.isSeed || peer.isUploadOnly;
  const canPunch = peer.extensions.idOf(HOLEPUNCH_EXTENSION) !== undefined;
  const flags =
    (isUploadOnly ? PEX_FLAG.uploadOnly : 0) |
    (canPunch ? PEX_FLAG.holepunch : 0) |
    (isReachable ? PEX_FLAG.reachable : 0);
  return { ...listenAddress, flags };
}

/** 0 for IPv4, 1 for IPv6. */
function familyOf({ host }: PexEndpoint): 0 | 1 {
  return host.includes(':') ? 1 : 0;
}
