/**
 * Local service discovery: when to announce what, and whom to believe.
 *
 * One announce a minute at most, with several info-hashes in it: those that were never announced first, then those that waited longest. Each comes
 * again every five minutes; with more than 125 of them the turn takes longer, so that the network is spared whatever a node holds.
 * Announces count when they come from the local network, are not our own (cookie) and name a torrent of ours.
 * Bounds: `constants.ts`; per sender, per info-hash and in total. Not here: sockets and interfaces, and which torrents may be announced.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import type { Rng } from '../../lib/rng.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import { encodeAnnounce, parseAnnounce } from './codec.ts';
import {
  ANNOUNCE_DELAY_MS,
  ANNOUNCE_GAP_MS,
  ANNOUNCE_INTERVAL_MS,
  HASHES_PER_ANNOUNCE_MAX,
  LSD_HASHES_MAX,
  LSD_PEERS_MAX,
  LSD_PEERS_PER_HASH_MAX,
  LSD_PORTS_PER_HOST_MAX,
  NEWCOMER_BURST,
  PEER_LIFETIME_MS,
  SENDER_ANNOUNCES_PER_SEC,
  SENDER_BURST,
  SENDERS_MAX,
  TOTAL_ANNOUNCES_PER_SEC,
  TOTAL_BURST,
  URGENT_BURST,
} from './constants.ts';
import { checkOption } from './errors.ts';
import { LocalNetworks } from './local-networks.ts';

/** How long an announce may wait. */
export type LsdUrgency = 'now' | 'soon' | 'turn';

/** What a LocalDiscovery asks its shell for. */
export type LsdOutput =
  /** Send this to the group of the family, on every interface. */
  | { readonly type: 'transmit'; readonly family: 4 | 6; readonly bytes: Uint8Array }
  | {
      readonly type: 'peer';
      /** 20 bytes. */
      readonly infoHash: Uint8Array;
      readonly address: { readonly host: string; readonly port: number };
    };

/** A torrent's info-hash in discovery. */
interface Entry {
  readonly infoHash: Uint8Array;
  readonly port: number;
  dueMs: number;
  wasAnnounced: boolean;
  /** "host port" → its host and when it was last heard; the longest silent first. */
  readonly peers: Map<string, { readonly host: string; heardMs: number }>;
}

/** The core of local service discovery. */
export class LocalDiscovery {
  readonly cookie: string;
  readonly #entries = new Map<string, Entry>();
  readonly #senders = new Map<string, TokenBucket>();
  readonly #total: TokenBucket;
  readonly #outOfTurn: TokenBucket;
  readonly #newcomers: TokenBucket;
  readonly #outputs: LsdOutput[] = [];
  #networks = new LocalNetworks([]);
  #allowedMs: number = Number.NEGATIVE_INFINITY;
  #dueMs: number = Number.POSITIVE_INFINITY;
  #peerCount = 0;

  constructor(nowMs: number, rng: Rng) {
    this.cookie = toHex(rng.bytes(8));
    this.#outOfTurn = new TokenBucket(1_000 / ANNOUNCE_GAP_MS, nowMs, URGENT_BURST);
    this.#newcomers = new TokenBucket(1_000 / ANNOUNCE_GAP_MS, nowMs, NEWCOMER_BURST);
    this.#total = new TokenBucket(TOTAL_ANNOUNCES_PER_SEC, nowMs, TOTAL_BURST);
  }

  /** When `handleTimeout` is due; Infinity while nothing is announced. */
  get nextTimeoutMs(): number {
    return Math.max(this.#dueMs, this.#allowedMs);
  }

  /** Peers that are remembered, so as not to be too many. */
  get peerCount(): number {
    return this.#peerCount;
  }

  /** The networks of our interfaces, as "address/prefix". */
  setNetworks(cidrs: readonly string[]): void {
    this.#networks = new LocalNetworks(cidrs);
  }

  /**
   * Announces an info-hash from now on. @param port where its torrent listens. @param options.urgency 'now': for somebody who waits, without waiting for others; 'soon': for a torrent that just came, with others that come in the next moment; default 'turn': when the minute is over.
   * @returns false when there are too many. @throws AppError ERR_LSD_BAD_OPTION.
   */
  add(
    nowMs: number,
    infoHash: Uint8Array,
    port: number,
    { urgency = 'turn' }: { readonly urgency?: LsdUrgency } = {},
  ): boolean {
    checkOption(infoHash.length === 20, 'infoHash', '20 bytes', infoHash.length);
    checkOption(Number.isInteger(port) && port >= 1 && port <= 65_535, 'port', '1–65535', port);
    const key = toHex(infoHash);
    if (this.#entries.has(key)) return true;
    if (this.#entries.size >= LSD_HASHES_MAX) return false;
    const dueMs = urgency === 'now' ? nowMs : nowMs + ANNOUNCE_DELAY_MS;
    // "no more than once per minute" (BEP 14) is for what is repeated; somebody who waits may speak out of turn a few times.
    if (urgency === 'now') this.#speakOutOfTurn(nowMs, dueMs, this.#outOfTurn);
    else if (urgency === 'soon' && this.#allowedMs > dueMs) {
      this.#speakOutOfTurn(nowMs, dueMs, this.#newcomers);
    }
    this.#entries.set(key, { infoHash, port, dueMs, wasAnnounced: false, peers: new Map() });
    this.#dueMs = Math.min(this.#dueMs, dueMs);
    return true;
  }

  #speakOutOfTurn(nowMs: number, dueMs: number, account: TokenBucket): void {
    if (account.available(nowMs) < 1) return;
    account.spend(nowMs, 1);
    this.#allowedMs = Math.min(this.#allowedMs, dueMs);
  }

  /** It is announced no more, and whoever announces it is passed over. */
  remove(infoHash: Uint8Array): void {
    const key = toHex(infoHash);
    this.#peerCount -= this.#entries.get(key)?.peers.size ?? 0;
    if (this.#entries.delete(key)) this.#findDue();
  }

  /** A datagram came to our port. @param host where from. */
  handleDatagram(nowMs: number, bytes: Uint8Array, host: string): void {
    if (this.#entries.size === 0 || !this.#networks.includes(host)) return;
    if (!this.#maySpeak(nowMs, host)) return;
    const announce = parseAnnounce(bytes);
    if (!announce.ok || announce.value.cookie === this.cookie) return;
    const address = { host, port: announce.value.port };
    for (const infoHash of announce.value.infoHashes) {
      const entry = this.#entries.get(toHex(infoHash));
      if (entry === undefined || !this.#remember(nowMs, entry, address)) continue;
      this.#outputs.push({ type: 'peer', infoHash: entry.infoHash, address });
    }
  }

  /** Announces what is due. */
  handleTimeout(nowMs: number): void {
    if (nowMs < this.nextTimeoutMs) return;
    const soon = [...this.#entries.values()].filter(
      ({ dueMs }) => dueMs <= nowMs + ANNOUNCE_GAP_MS,
    );
    // Never announced before announced, then whoever waits longest: everybody's turn comes.
    soon.sort((a, b) => Number(a.wasAnnounced) - Number(b.wasAnnounced) || a.dueMs - b.dueMs);
    const { port } = soon[0]!;
    const chosen = soon.filter((entry) => entry.port === port).slice(0, HASHES_PER_ANNOUNCE_MAX);
    for (const entry of chosen) {
      entry.wasAnnounced = true;
      entry.dueMs = nowMs + ANNOUNCE_INTERVAL_MS;
    }
    this.#allowedMs = nowMs + ANNOUNCE_GAP_MS;
    this.#findDue();
    const infoHashes = chosen.map(({ infoHash }) => infoHash);
    for (const family of [4, 6] as const) {
      const bytes = encodeAnnounce(family, { port, infoHashes, cookie: this.cookie });
      this.#outputs.push({ type: 'transmit', family, bytes });
    }
  }

  poll(): LsdOutput | undefined {
    return this.#outputs.shift();
  }

  #findDue(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#entries.values()) this.#dueMs = Math.min(this.#dueMs, dueMs);
  }

  #maySpeak(nowMs: number, host: string): boolean {
    const bucket =
      this.#senders.get(host) ?? new TokenBucket(SENDER_ANNOUNCES_PER_SEC, nowMs, SENDER_BURST);
    // Sets and maps keep their order: whoever spoke last goes to the end.
    this.#senders.delete(host);
    this.#senders.set(host, bucket);
    if (this.#senders.size > SENDERS_MAX) {
      this.#senders.delete(this.#senders.keys().next().value!);
    }
    // The sender's own account first: one that shouts must not use up what is for all.
    if (bucket.available(nowMs) < 1) return false;
    bucket.spend(nowMs, 1);
    if (this.#total.available(nowMs) < 1) return false;
    this.#total.spend(nowMs, 1);
    return true;
  }

  /** @returns false when there are too many peers already. */
  #remember(
    nowMs: number,
    { peers }: Entry,
    { host, port }: { readonly host: string; readonly port: number },
  ): boolean {
    const key = `${host} ${port}`;
    if (!peers.delete(key)) {
      for (const [silent, { heardMs }] of peers) {
        if (nowMs - heardMs <= PEER_LIFETIME_MS) break;
        peers.delete(silent);
        this.#peerCount -= 1;
      }
      let ports = 0;
      for (const peer of peers.values()) if (peer.host === host) ports += 1;
      const isFull = peers.size >= LSD_PEERS_PER_HASH_MAX || this.#peerCount >= LSD_PEERS_MAX;
      if (isFull || ports >= LSD_PORTS_PER_HOST_MAX) return false;
      this.#peerCount += 1;
    }
    peers.set(key, { host, heardMs: nowMs });
    return true;
  }
}
