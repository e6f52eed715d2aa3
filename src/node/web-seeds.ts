/**
 * The web seeds of one torrent (BEP 19): connects them while something is missing, leaves those that fail alone for a while, and for good when their
 * data was wrong.
 *
 * Whoever makes a torrent chooses these URLs, and a request from this machine reaches what theirs cannot. So at addresses that are not public nothing is
 * asked with a query or at ports of other services, at link-local and other special addresses nothing at all, and nowhere but in public when the
 * torrent itself came from there. A web seed that the user gave is asked whatever its address. Redirects are judged by the same rules.
 * Bounds: MAX_WEB_SEEDS of a torrent, MAX_OPEN of them connected; of a node MAX_NODE_WEB_SEEDS, and MAX_PER_HOST at one host.
 * Not here: a connection (web-seed-connection.ts), waits (protocol/web-seed).
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import { randomSeed } from '../io/crypto.ts';
import { rememberNames } from '../io/dns.ts';
import { isSpecialAddress, mayAskWebSeed, type ReachPolicy } from '../io/reach-policy.ts';
import { Bitfield } from '../lib/bitfield.ts';
import { concatBytes } from '../lib/bytes.ts';
import { Rng } from '../lib/rng.ts';
import type { Info } from '../protocol/metainfo/index.ts';
import {
  EXTENDED_HANDSHAKE_ID,
  encodeExtendedHandshake,
  encodeHandshake,
  MessageWriter,
  makePeerId,
  makeReserved,
} from '../protocol/peer-wire/index.ts';
import { BackOff, MAX_OWED_BLOCKS, shownWebSeed } from '../protocol/web-seed/index.ts';
import { VERSION } from './config.ts';
import type { TorrentGeometry } from './storage.ts';
import { WebSeedConnection, type WebSeedEnd } from './web-seed-connection.ts';

// Implementation limits
/** Web seeds of a torrent that are used: those given by the user, then the torrent's first. */
const MAX_WEB_SEEDS = 32;
/** Web seeds of a torrent that are connected at a time. */
const MAX_OPEN = 8;
/** Web seeds of a node that are connected at a time … */
const MAX_NODE_WEB_SEEDS = 64;
/** … and at one host of them, all torrents together. */
const MAX_PER_HOST = 4;

/** Counts the connected web seeds of a node. */
export class WebSeedGate {
  readonly #hosts = new Map<string, number>();
  #count = 0;

  /** @returns what to call when it is over; undefined: too many already. */
  enter(host: string): (() => void) | undefined {
    const here = this.#hosts.get(host) ?? 0;
    if (this.#count >= MAX_NODE_WEB_SEEDS || here >= MAX_PER_HOST) return undefined;
    this.#count += 1;
    this.#hosts.set(host, here + 1);
    return () => {
      this.#count -= 1;
      const left = this.#hosts.get(host)! - 1;
      if (left > 0) this.#hosts.set(host, left);
      else this.#hosts.delete(host);
    };
  }
}

/** What web seeds need of the torrent and its node. */
export interface WebSeedPlan {
  /** Those of the torrent or link. */
  readonly urls: readonly string[];
  /** Those that the user gave by hand. */
  readonly given: readonly string[];
  /** The torrent came from a public address. */
  readonly isFromPublic: boolean;
  readonly policy: ReachPolicy;
  readonly gate: WebSeedGate;
  readonly userAgent: string;
}

/** A web seed at a glance. */
export interface WebSeedStatus {
  /** Its URL without what may be secret. */
  readonly url: string;
  readonly isConnected: boolean;
  /** Why it failed last. */
  readonly failure?: string;
  /** Its data was wrong: it is not used any more. */
  readonly isBanned: boolean;
}

interface WebSeed {
  readonly url: string;
  readonly name: string;
  readonly host: string;
  readonly isGiven: boolean;
  readonly backOff: BackOff;
  /** Files that it answered to lack. */
  readonly missing: Set<number>;
  connection: WebSeedConnection | undefined;
  failure: string | undefined;
}

/** Keeps the web seeds of a torrent connected. */
export class WebSeeds {
  readonly #plan: WebSeedPlan;
  readonly #info: Info;
  readonly #geometry: TorrentGeometry;
  readonly #adopt: (connection: WebSeedConnection) => void;
  readonly #seeds: readonly WebSeed[];
  readonly #rng = new Rng(randomSeed());
  readonly #resolveName = rememberNames(monotonicMs);

  /** @param adopt makes a peer of a connection. */
  constructor(
    plan: WebSeedPlan,
    torrent: { readonly info: Info; readonly geometry: TorrentGeometry },
    adopt: (connection: WebSeedConnection) => void,
  ) {
    this.#plan = plan;
    this.#info = torrent.info;
    this.#geometry = torrent.geometry;
    this.#adopt = adopt;
    this.#seeds = seedsOf(plan);
  }

  get status(): readonly WebSeedStatus[] {
    return this.#seeds.map(({ name, connection, failure, backOff }) => ({
      url: name,
      isConnected: connection !== undefined,
      isBanned: backOff.isDiscarded,
      ...(failure === undefined ? {} : { failure }),
    }));
  }

  /** Connects what is due. Call it when data is wanted, and about once a second. */
  connect(nowMs: number): void {
    let open = 0;
    for (const { connection } of this.#seeds) if (connection !== undefined) open += 1;
    for (const seed of this.#seeds) {
      if (open >= MAX_OPEN) return;
      if (seed.connection !== undefined || !seed.backOff.isDue(nowMs)) continue;
      const leave = this.#plan.gate.enter(seed.host);
      if (leave === undefined) continue;
      open += 1;
      this.#open(seed, leave);
    }
  }

  /** BEP 19: "that URL should be discarded". @param name its address in the core. */
  discard(name: string): void {
    const seed = this.#seeds.find((other) => other.name === name);
    seed?.backOff.discard();
    if (seed !== undefined) seed.failure = 'sent data that failed its hash';
  }

  #open(seed: WebSeed, leave: () => void): void {
    const { policy, userAgent } = this.#plan;
    seed.connection = new WebSeedConnection({
      url: seed.url,
      name: seed.name,
      info: this.#info,
      segmentsOf: (piece) => this.#geometry.segments(piece),
      http: {
        userAgent,
        policy,
        resolveName: this.#resolveName,
        allowUrl: (url, address) => this.#mayAsk(seed, url, address),
      },
      greeting: this.#greeting(seed),
      onEnd: (end, message, blocks) => {
        seed.connection = undefined;
        leave();
        this.#ended(seed, end, message, blocks);
      },
    });
    this.#adopt(seed.connection);
  }

  #ended(seed: WebSeed, end: WebSeedEnd | undefined, message: string, blocks: number): void {
    if (blocks > 0) seed.backOff.succeeded();
    if (seed.backOff.isDiscarded) return;
    if (end !== undefined) seed.failure = message;
    const { missingFile } = end ?? {};
    if (missingFile === undefined) {
      seed.backOff.failed(monotonicMs(), end ?? { kind: 'broken' });
      return;
    }
    seed.missing.add(missingFile);
    const hasOthers = this.#info.files.some(
      ({ isPad, lengthBytes }, index) => !isPad && lengthBytes > 0 && !seed.missing.has(index),
    );
    if (hasOthers) return;
    // After a while it may have them.
    seed.missing.clear();
    seed.backOff.failed(monotonicMs(), { kind: 'useless' });
  }

  #mayAsk(seed: WebSeed, url: URL, address: string): boolean {
    if (seed.isGiven) return true;
    if (this.#plan.isFromPublic && isSpecialAddress(address)) return false;
    return mayAskWebSeed(address, url);
  }

  /** What a peer that has all of this would say first. */
  #greeting({ name, missing }: WebSeed): Uint8Array {
    const { pieceCount, infoHashV1, infoHashV2 } = this.#info;
    const writer = new MessageWriter();
    if (missing.size === 0) writer.haveAll();
    else {
      const has = new Bitfield(pieceCount);
      has.fill();
      for (const index of missing) {
        const { first, count } = this.#geometry.filePieces(index);
        for (let piece = first; piece < first + count; piece += 1) has.delete(piece);
      }
      writer.bitfield(has.bytes);
    }
    const client = `web seed ${name}`;
    const told = { extensions: new Map<string, number>(), client, reqq: MAX_OWED_BLOCKS };
    writer.extended(EXTENDED_HANDSHAKE_ID, encodeExtendedHandshake(told));
    writer.unchoke();
    const handshake = encodeHandshake({
      reserved: makeReserved({ fast: true, extension: true }),
      infoHash: (infoHashV1 ?? infoHashV2!).subarray(0, 20),
      peerId: makePeerId(this.#rng, VERSION),
    });
    return concatBytes(handshake, writer.take());
  }
}

function seedsOf({ urls, given }: WebSeedPlan): WebSeed[] {
  const seeds = new Map<string, WebSeed>();
  const names = new Set<string>();
  for (const [at, url] of [...given, ...urls].entries()) {
    const parsed = URL.parse(url);
    if (parsed === null || !/^https?:$/.test(parsed.protocol)) continue;
    if (seeds.size >= MAX_WEB_SEEDS || seeds.has(url)) continue;
    const shown = shownWebSeed(url);
    // Two may differ in what is not shown.
    const name = names.has(shown) ? `${shown} (${seeds.size + 1})` : shown;
    names.add(name);
    seeds.set(url, {
      url,
      name,
      host: parsed.host,
      isGiven: at < given.length,
      backOff: new BackOff(),
      missing: new Set(),
      connection: undefined,
      failure: undefined,
    });
  }
  return [...seeds.values()];
}
