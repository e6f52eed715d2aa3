/**
 * A tracker: takes requests of HTTP and UDP, keeps the swarms, answers.
 *
 * A request is answered by the call that brings it, so there is nothing to poll: the answer is the result, and the only timer is that of expiry.
 * Spec: BEP 3, 7, 15, 21, 23, 24, 31, 41, 48. The peer's address is the sender's; one that it claims (`ip`) counts only from loopback and private networks.
 * Over UDP nobody gets an answer longer than the request before a connection id proved the address, and nothing at all for a wrong id.
 * Bounds: see the parts; expiry works in steps of EXPIRE_STEP. Not here: HTTP and sockets, TLS, scrapes of all torrents.
 * @module
 */
import { readU32, writeU32 } from '../../../lib/bytes.ts';
import { addressScope } from '../../../lib/ip-address.ts';
import type { Rng } from '../../../lib/rng.ts';
import { SipHash } from '../../../lib/siphash.ts';
import {
  UDP_ACTION_ANNOUNCE,
  UDP_ACTION_CONNECT,
  UDP_ACTION_ERROR,
  UDP_ACTION_SCRAPE,
  UDP_PROTOCOL_ID,
} from '../constants.ts';
import { checkOption } from '../errors.ts';
import { Access, parseTrackerPath } from './access.ts';
import { ConnectionIds } from './connection-ids.ts';
import {
  ANNOUNCE_INTERVAL_MAX_SEC,
  ANNOUNCE_INTERVAL_MIN_SEC,
  ANNOUNCE_INTERVAL_SEC,
  MIN_INTERVAL_SEC,
  PEER_GRACE_SEC,
  PEER_TIMEOUT_INTERVALS,
  RETRY_IN_MINUTES,
  UDP_ANNOUNCE_LENGTH,
  UDP_HEADER_LENGTH,
  UDP_REPLY_LENGTH_MAX,
} from './constants.ts';
import type { TrackerServerFaultCode } from './errors.ts';
import { announceReply, failureReply, type Schedule, scrapeReply } from './http-reply.ts';
import { type AnnounceRequest, parseHttpRequest, type ScrapeRequest } from './http-request.ts';
import type { PeerPool } from './peer-pool.ts';
import { type GateLimits, RequestGate } from './request-gate.ts';
import { type SwarmLimits, SwarmStore } from './swarm-store.ts';
import type { Swarm } from './swarm-table.ts';
import { readUdpAnnounce, readUdpScrape, readUrlData } from './udp-request.ts';

// Implementation limits
/** Peers that expire in one go; the rest follows EXPIRE_PAUSE_MS later. */
const EXPIRE_STEP = 20_000;
const EXPIRE_PAUSE_MS = 20;
/** How often silent peers are looked for. */
const EXPIRE_EVERY_MS = 10_000;
/** Error texts of UDP. */
const UDP_ERROR_LENGTH_MAX = 80;

/** Options of a TrackerCore. */
export interface TrackerCoreOptions extends SwarmLimits, GateLimits {
  /** 16 secret bytes. */
  readonly secret: Uint8Array;
  readonly rng: Rng;
  /** Seconds between announces, 30 … 86,400; default 1,800. */
  readonly intervalSec?: number;
  /** Only with one of these in the path. */
  readonly keys?: readonly string[];
  /** Only these torrents, 20 bytes each. */
  readonly allowed?: readonly Uint8Array[];
}

/** Why a request may be refused. */
type RefusalCode = Exclude<TrackerServerFaultCode, 'ERR_TRACKER_ALLOW_LIST'>;

/** What a tracker did so far. */
export interface TrackerCounters {
  httpAnnounces: number;
  httpScrapes: number;
  udpConnects: number;
  udpAnnounces: number;
  udpScrapes: number;
  /** By reason. */
  readonly refused: Record<RefusalCode, number>;
}

/** The answer to a GET. */
export interface HttpReply {
  /** 200 for refusals too: clients read the reason in the body, and many of them not with another status. 404 for a path that is no tracker's. */
  readonly status: 200 | 404;
  readonly body: Uint8Array;
}

/** A tracker without I/O. */
export class TrackerCore {
  readonly counters: TrackerCounters = {
    httpAnnounces: 0,
    httpScrapes: 0,
    udpConnects: 0,
    udpAnnounces: 0,
    udpScrapes: 0,
    refused: {
      ERR_TRACKER_REQUEST_MALFORMED: 0,
      ERR_TRACKER_PATH: 0,
      ERR_TRACKER_KEY: 0,
      ERR_TRACKER_TORRENT: 0,
      ERR_TRACKER_TOO_OFTEN: 0,
      ERR_TRACKER_CONNECTION_ID: 0,
    },
  };
  readonly store: SwarmStore;
  readonly access: Access;
  readonly schedule: Schedule;
  readonly #connectionIds: ConnectionIds;
  readonly #gate: RequestGate;
  readonly #peerTimeoutSec: number;
  #expireAtMs = 0;
  #out: Uint8Array = new Uint8Array(0);
  #at = 0;
  readonly #takeCompact = (pool: PeerPool, slot: number): void => {
    this.#at = pool.writeCompact(slot, this.#out, this.#at);
  };

  /** @throws AppError ERR_TRACKER_BAD_OPTION. */
  constructor(options: TrackerCoreOptions) {
    const { secret, rng, keys, allowed, intervalSec = ANNOUNCE_INTERVAL_SEC } = options;
    const isInterval =
      Number.isInteger(intervalSec) &&
      intervalSec >= ANNOUNCE_INTERVAL_MIN_SEC &&
      intervalSec <= ANNOUNCE_INTERVAL_MAX_SEC;
    const expected = `${ANNOUNCE_INTERVAL_MIN_SEC} to ${ANNOUNCE_INTERVAL_MAX_SEC} seconds`;
    checkOption(isInterval, 'intervalSec', expected, intervalSec);
    const hasher = new SipHash(secret);
    this.store = new SwarmStore(hasher, rng, options);
    this.access = new Access(keys, allowed);
    this.schedule = { intervalSec, minIntervalSec: Math.min(intervalSec, MIN_INTERVAL_SEC) };
    this.#connectionIds = new ConnectionIds(hasher);
    this.#gate = new RequestGate(hasher, options);
    this.#peerTimeoutSec = intervalSec * PEER_TIMEOUT_INTERVALS + PEER_GRACE_SEC;
  }

  /**
   * Answers a GET.
   * @param target path and query of the request line.
   * @param address of the socket, 4 or 16 bytes.
   * @param isForwarded the request says that a proxy sent it: then an address that it claims is not believed, wherever the proxy stands.
   */
  handleHttp(nowMs: number, target: string, address: Uint8Array, isForwarded: boolean): HttpReply {
    const isOwn = isOwnNetwork(address);
    const request = parseHttpRequest(target);
    if (!request.ok) return this.#refuse(request.code, request.message);
    if (!isOwn && !this.#gate.allows(nowMs, address)) {
      return this.#refuse('ERR_TRACKER_TOO_OFTEN', 'too many requests from your address');
    }
    if (!this.access.allowsKey(request.value.key)) {
      return this.#refuse('ERR_TRACKER_KEY', KEY_REFUSAL);
    }
    if (request.value.type === 'scrape') return this.#scrape(request.value);
    return this.#announce(nowMs, request.value, address, isOwn, isOwn && !isForwarded);
  }

  /**
   * Answers a datagram.
   * @param address of the sender, 4 or 16 bytes.
   * @param out UDP_REPLY_LENGTH_MAX bytes or more, for the answer.
   * @returns the length of the answer; 0: there is none.
   */
  handleUdp(nowMs: number, bytes: Uint8Array, address: Uint8Array, out: Uint8Array): number {
    if (bytes.length < UDP_HEADER_LENGTH) {
      return this.#ignore('ERR_TRACKER_REQUEST_MALFORMED');
    }
    const action = readU32(bytes, 8);
    if (
      action === UDP_ACTION_CONNECT &&
      readU32(bytes, 0) === UDP_PROTOCOL_ID[0] &&
      readU32(bytes, 4) === UDP_PROTOCOL_ID[1]
    ) {
      return this.#connect(nowMs, bytes, address, out);
    }
    if (!this.#connectionIds.isValid(nowMs, address, bytes, 0)) {
      return this.#ignore('ERR_TRACKER_CONNECTION_ID');
    }
    const isOwn = isOwnNetwork(address);
    if (!isOwn && !this.#gate.allows(nowMs, address)) {
      return this.#error(bytes, out, 'ERR_TRACKER_TOO_OFTEN', 'too many requests');
    }
    if (action === UDP_ACTION_ANNOUNCE && bytes.length >= UDP_ANNOUNCE_LENGTH) {
      return this.#announceUdp(nowMs, bytes, address, isOwn, out);
    }
    if (action === UDP_ACTION_SCRAPE) return this.#scrapeUdp(bytes, out);
    return this.#error(bytes, out, 'ERR_TRACKER_REQUEST_MALFORMED', 'malformed request');
  }

  /** When `handleTimeout` is due. */
  nextTimeoutMs(): number {
    return this.#expireAtMs;
  }

  /** Forgets peers that did not come back. */
  handleTimeout(nowMs: number): void {
    const nowSec = Math.floor(nowMs / 1000);
    const isMore = this.store.expire(nowSec, nowSec - this.#peerTimeoutSec, EXPIRE_STEP);
    this.#expireAtMs = nowMs + (isMore ? EXPIRE_PAUSE_MS : EXPIRE_EVERY_MS);
  }

  #announce(
    nowMs: number,
    request: AnnounceRequest,
    address: Uint8Array,
    isOwn: boolean,
    isBelieved: boolean,
  ): HttpReply {
    const { infoHash, peerId, port, event, isSeed, isPartialSeed, claimedAddress } = request;
    if (!this.access.allowsTorrent(infoHash)) {
      return this.#refuse('ERR_TRACKER_TORRENT', TORRENT_REFUSAL);
    }
    this.counters.httpAnnounces += 1;
    const swarm = this.store.announce(Math.floor(nowMs / 1000), {
      infoHash,
      peerId,
      address: isBelieved && isUsable(claimedAddress) ? claimedAddress : address,
      port,
      event,
      isSeed,
      isPartialSeed,
      isExempt: isOwn,
    });
    const body = announceReply(this.store, swarm, request, address, this.schedule);
    return { status: 200, body };
  }

  #scrape({ infoHashes }: ScrapeRequest): HttpReply {
    this.counters.httpScrapes += 1;
    const tallies = infoHashes.map((hash) => [hash, this.store.tally(hash)] as const);
    return { status: 200, body: scrapeReply(tallies) };
  }

  #connect(nowMs: number, bytes: Uint8Array, address: Uint8Array, out: Uint8Array): number {
    this.counters.udpConnects += 1;
    writeU32(out, 0, UDP_ACTION_CONNECT);
    writeU32(out, 4, readU32(bytes, 12));
    this.#connectionIds.write(nowMs, address, out, 8);
    return 16;
  }

  #announceUdp(
    nowMs: number,
    bytes: Uint8Array,
    address: Uint8Array,
    isOwn: boolean,
    out: Uint8Array,
  ): number {
    const { infoHash, peerId, port, isSeed, event, wanted, claimedAddress } =
      readUdpAnnounce(bytes);
    if (this.access.needsKey && !this.#hasKey(bytes)) {
      return this.#error(bytes, out, 'ERR_TRACKER_KEY', KEY_REFUSAL);
    }
    if (port === 0) {
      const text = 'expected port from 1 to 65535, got 0';
      return this.#error(bytes, out, 'ERR_TRACKER_REQUEST_MALFORMED', text);
    }
    if (!this.access.allowsTorrent(infoHash)) {
      return this.#error(bytes, out, 'ERR_TRACKER_TORRENT', TORRENT_REFUSAL);
    }
    this.counters.udpAnnounces += 1;
    // The field of 32 bits has no room for IPv6.
    const mayClaim = isOwn && address.length === 4 && isUsable(claimedAddress);
    const swarm = this.store.announce(Math.floor(nowMs / 1000), {
      infoHash,
      peerId,
      address: mayClaim ? claimedAddress! : address,
      port,
      event,
      isSeed,
      isPartialSeed: false,
      isExempt: isOwn,
    });
    writeU32(out, 0, UDP_ACTION_ANNOUNCE);
    writeU32(out, 4, readU32(bytes, 12));
    writeU32(out, 8, this.schedule.intervalSec);
    writeU32(out, 12, swarm === undefined ? 0 : swarm.leeches + swarm.partialSeeds);
    writeU32(out, 16, swarm?.seeds ?? 0);
    this.#at = 20;
    if (swarm !== undefined && event !== 'stopped') {
      this.#writePeers(swarm, address.length === 4 ? 4 : 6, wanted, isSeed, out);
    }
    return this.#at;
  }

  #writePeers(swarm: Swarm, family: 4 | 6, want: number, isSeed: boolean, out: Uint8Array): void {
    const room = Math.floor((UDP_REPLY_LENGTH_MAX - 20) / (family === 4 ? 6 : 18));
    this.#out = out;
    this.store.select(swarm, family, Math.min(want, room), isSeed, this.#takeCompact);
  }

  #scrapeUdp(bytes: Uint8Array, out: Uint8Array): number {
    // Options, and so keys, are a matter of announces alone (BEP 41).
    if (this.access.needsKey) return this.#error(bytes, out, 'ERR_TRACKER_KEY', KEY_REFUSAL);
    const infoHashes = readUdpScrape(bytes);
    if (infoHashes.length === 0) {
      const text = 'expected an info-hash';
      return this.#error(bytes, out, 'ERR_TRACKER_REQUEST_MALFORMED', text);
    }
    this.counters.udpScrapes += 1;
    writeU32(out, 0, UDP_ACTION_SCRAPE);
    writeU32(out, 4, readU32(bytes, 12));
    let at = 8;
    for (const infoHash of infoHashes) {
      const tally = this.store.tally(infoHash);
      writeU32(out, at, tally?.seeds ?? 0);
      writeU32(out, at + 4, tally?.downloads ?? 0);
      writeU32(out, at + 8, tally?.incomplete ?? 0);
      at += 12;
    }
    return at;
  }

  #hasKey(bytes: Uint8Array): boolean {
    const path = parseTrackerPath(readUrlData(bytes).split('?', 1)[0]!);
    return path !== undefined && path.action === 'announce' && this.access.allowsKey(path.key);
  }

  #refuse(code: RefusalCode, reason: string): HttpReply {
    this.counters.refused[code] += 1;
    const body = failureReply(
      reason,
      code === 'ERR_TRACKER_TOO_OFTEN' ? RETRY_IN_MINUTES : undefined,
    );
    return { status: code === 'ERR_TRACKER_PATH' ? 404 : 200, body };
  }

  #ignore(code: RefusalCode): 0 {
    this.counters.refused[code] += 1;
    return 0;
  }

  #error(bytes: Uint8Array, out: Uint8Array, code: RefusalCode, text: string): number {
    this.counters.refused[code] += 1;
    writeU32(out, 0, UDP_ACTION_ERROR);
    writeU32(out, 4, readU32(bytes, 12));
    const length = Math.min(text.length, UDP_ERROR_LENGTH_MAX);
    for (let i = 0; i < length; i += 1) out[8 + i] = text.charCodeAt(i);
    return 8 + length;
  }
}

const KEY_REFUSAL = 'this tracker needs a valid key: /KEY/announce';
const TORRENT_REFUSAL = 'this tracker does not serve this torrent';

/** Loopback and private networks: their hosts may name an address, and the bounds for one address do not hold for them. */
function isOwnNetwork(address: Uint8Array): boolean {
  const scope = addressScope(address);
  return scope === 'loopback' || scope === 'private' || scope === 'link-local';
}

/** An address that a peer can be dialled at. */
function isUsable(address: Uint8Array | undefined): address is Uint8Array {
  if (address === undefined) return false;
  const scope = addressScope(address);
  return scope !== 'unspecified' && scope !== 'multicast';
}
