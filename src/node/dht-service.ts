/**
 * The node's DHT: the cores of both families on the shared UDP sockets, where they begin, and which torrents are announced.
 *
 * It begins with the nodes of the last run, those that the user named, a torrent's `nodes` and what peers tell; well-known hosts are asked only while
 * few answer, and never offline. A torrent is looked for at once, again while nothing was found, and announced every ANNOUNCE_MS.
 * Bounds: the cores'; one timer; MAX_TRACKED torrents.
 * Not here: the protocol (src/protocol/dht), which torrents may be announced (peer-node.ts).
 * @module
 */
import { monotonicMs } from '../io/clock.ts';
import { nodeCrypto, nodeEd25519, randomSecret, randomSeed } from '../io/crypto.ts';
import { resolveHost } from '../io/dns.ts';
import type { ReachPolicy } from '../io/reach-policy.ts';
import type { UdpSocket } from '../io/udp.ts';
import { toHex } from '../lib/bytes.ts';
import { Rng } from '../lib/rng.ts';
import {
  Dht,
  type DhtEvent,
  type DhtItem,
  type DhtOutput,
  type DhtStatus,
  type Endpoint,
  isMutable,
  type LookupStats,
  type NodeInfo,
} from '../protocol/dht/index.ts';
import { parseEndpoint } from './address.ts';
import { loadDht, saveDht } from './dht-memory.ts';
import type { UdpDoor } from './udp-door.ts';

// Implementation limits
/** Hosts that are asked for nodes when nobody else answers. */
const WELL_KNOWN = [
  'dht.libtorrent.org:25401',
  'dht.transmissionbt.com:6881',
  'router.bittorrent.com:6881',
] as const;
/** BEP 5 keeps peers for half an hour; they are announced twice in that time. */
const ANNOUNCE_MS = 900_000;
/** First wait after a lookup that found nobody; doubles up to ANNOUNCE_MS. Two who begin at once with one another see each other in the second lookup: with 5 s, a `get` took 6. */
const RETRY_MS = 1_000;
/** Torrents looked for. */
const MAX_TRACKED = 10_000;
/** The table is kept this often. */
const SAVE_MS = 600_000;
/** Well-known hosts are resolved this long after the start at the earliest, if fewer nodes than FEW answered by then. */
const PATIENCE_MS = 3_000;
const FEW = 4;
/** While few answer, names are looked up again after this: the network may have come up after this program. Doubles up to ANNOUNCE_MS. */
const RESOLVE_AGAIN_MS = 60_000;
/** Whoever waits for the first node looks this often. */
const LOOK_MS = 20;

/** Options of a DhtService. */
export interface DhtServiceOptions {
  readonly udp: UdpDoor;
  readonly policy: ReachPolicy;
  readonly families: readonly (4 | 6)[];
  readonly home: string;
  /** "HOST:PORT" that the user named. */
  readonly bootstrap: readonly string[];
  /** BEP 43: asks, answers nobody; for nodes that will be gone in a moment. Default false. */
  readonly isReadOnly?: boolean;
}

/** What a lookup brought. */
export interface DhtAnswer {
  readonly peers: readonly Endpoint[];
  /** The newest one. */
  readonly item: DhtItem | undefined;
  readonly stored: number;
  readonly refusals: ReadonlyMap<number, number>;
  readonly stats: readonly LookupStats[];
}

interface Tracked {
  readonly infoHash: Uint8Array;
  readonly port: number;
  readonly onPeers: (peers: readonly Endpoint[]) => void;
  nextMs: number;
  waitMs: number;
  hasPeers: boolean;
  /** Family → who was found at our own port: that may be this node itself, as it announced itself before. */
  readonly perhapsOwn: Map<4 | 6, string>;
  /** Lookups under way, by core. */
  readonly lookups: Map<Dht, number>;
}

/** Hears the events of one lookup. */
type Listener = (event: DhtEvent) => void;

/** One service. */
export class DhtService {
  readonly #options: DhtServiceOptions;
  readonly #cores = new Map<4 | 6, Dht>();
  readonly #sockets = new Map<4 | 6, UdpSocket>();
  readonly #listeners = new Map<string, Listener>();
  readonly #tracked = new Map<string, Tracked>();
  #timer: NodeJS.Timeout | undefined;
  #nextSaveMs = monotonicMs() + SAVE_MS;
  /** When names to begin with are looked up next, if few answer. */
  #resolveMs = monotonicMs() + PATIENCE_MS;
  #resolveWaitMs = RESOLVE_AGAIN_MS;
  /** Torrents wait for the first node. */
  #isWaiting = false;
  #isClosed = false;

  constructor(options: DhtServiceOptions) {
    this.#options = options;
  }

  /** Opens the sockets and begins. A family without a socket has no DHT. */
  async start(): Promise<void> {
    const { udp, families, home, isReadOnly = false } = this.#options;
    const kept = loadDht(home);
    udp.onDictionary = (family, bytes, from) => this.#receive(family, bytes, from);
    for (const family of families) {
      const socket = await udp.open(family).catch(() => undefined);
      if (socket === undefined || this.#isClosed) continue;
      const record = kept.get(family);
      const core = new Dht(monotonicMs(), {
        family,
        crypto: nodeCrypto,
        ed25519: nodeEd25519,
        rng: new Rng(randomSeed()),
        secret: randomSecret(),
        isReadOnly,
        ...(record?.id === undefined || isReadOnly ? {} : { id: record.id }),
      });
      this.#sockets.set(family, socket);
      this.#cores.set(family, core);
      if (record !== undefined) this.#addNodes(record.nodes);
    }
    if (!isReadOnly) this.#save(false);
    const [four, six] = [this.#cores.get(4), this.#cores.get(6)];
    if (four !== undefined && six !== undefined) four.join(six);
    this.#resolveMs = monotonicMs() + PATIENCE_MS;
    // A resolver that does not answer must not hold up what needs no names.
    void this.bootstrap(this.#options.bootstrap);
  }

  /**
   * Names and addresses to begin with, "HOST:PORT"; those that cannot be resolved or reached are left out.
   * @param isWelcome what they resolve to is judged by this, too, unless this node's user named its network.
   */
  async bootstrap(
    hosts: readonly string[],
    isWelcome: (host: string) => boolean = () => true,
  ): Promise<void> {
    const { policy } = this.#options;
    const found = hosts.map(async (text) => {
      try {
        const { host, port } = parseEndpoint(text, '--bootstrap');
        const addresses = await resolveHost(host, policy);
        return addresses.map(({ address }) => ({ host: address, port }));
      } catch {
        return [];
      }
    });
    const nodes = (await Promise.all(found)).flat();
    this.#addNodes(nodes.filter(({ host }) => isWelcome(host) || policy.isNear(host)));
  }

  /** Resolves when a node answered, or after a time. @returns whether one did. */
  ready(patienceMs: number): Promise<boolean> {
    if (this.#nodeCount(monotonicMs()) > 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (): void => {
        clearInterval(look);
        clearTimeout(limit);
        resolve(this.#nodeCount(monotonicMs()) > 0);
      };
      const limit = setTimeout(end, patienceMs);
      const look = setInterval(() => {
        this.pulse(monotonicMs());
        if (this.#isClosed || this.#nodeCount(monotonicMs()) > 0) end();
      }, LOOK_MS);
    });
  }

  /** Lets the first lookups end. @param enough nodes that are known are as good. */
  async settle(mostMs: number, enough: number = Number.POSITIVE_INFINITY): Promise<void> {
    const endMs = monotonicMs() + mostMs;
    const isBusy = (): boolean =>
      this.#nodeCount(monotonicMs()) < enough && this.status().some(({ lookups }) => lookups > 0);
    while (!this.#isClosed && monotonicMs() < endMs && isBusy()) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** A peer told its DHT port. */
  addPeerNode(node: Endpoint): void {
    this.#act((core, nowMs) => core.addPeerNode(nowMs, node));
  }

  /** Looks for the peers of a torrent and announces it, until `untrack`. @param port that peers connect to. */
  track(infoHash: Uint8Array, port: number, onPeers: Tracked['onPeers']): void {
    const key = toHex(infoHash);
    if (this.#tracked.has(key) || this.#tracked.size >= MAX_TRACKED) return;
    const rest = { nextMs: 0, waitMs: RETRY_MS, hasPeers: false };
    const found = { perhapsOwn: new Map(), lookups: new Map() };
    this.#tracked.set(key, { infoHash, port, onPeers, ...rest, ...found });
    this.pulse(monotonicMs());
  }

  /** A lookup under way ends: no node is asked or told about this torrent any more. */
  untrack(infoHash: Uint8Array): void {
    const key = toHex(infoHash);
    const lookups = this.#tracked.get(key)?.lookups ?? [];
    this.#tracked.delete(key);
    for (const [core, lookup] of lookups) {
      this.#listeners.delete(`${core.family} ${lookup}`);
      core.cancel(monotonicMs(), lookup);
    }
    this.#drain();
  }

  /** The next pulse looks for peers of a tracked torrent again, unless a lookup is under way. */
  lookAgain(infoHash: Uint8Array): void {
    const tracked = this.#tracked.get(toHex(infoHash));
    if (tracked !== undefined) tracked.nextMs = 0;
  }

  /** Once a second: lookups that are due, and the table kept. */
  pulse(nowMs: number): void {
    if (this.#cores.size === 0 || this.#isClosed) return;
    if (nowMs >= this.#nextSaveMs) {
      this.#nextSaveMs = nowMs + SAVE_MS;
      this.#save(false);
    }
    const count = this.#nodeCount(nowMs);
    if (nowMs >= this.#resolveMs) this.#resolveNames(nowMs, count);
    this.#isWaiting = count === 0;
    if (count === 0) return;
    for (const tracked of this.#tracked.values()) {
      if (nowMs >= tracked.nextMs && tracked.lookups.size === 0) this.#announce(nowMs, tracked);
    }
  }

  /** Peers of an info-hash, as they are found. */
  peers(infoHash: Uint8Array, onPeers?: (peers: readonly Endpoint[]) => void): Promise<DhtAnswer> {
    return this.#ask((core, nowMs) => core.getPeers(nowMs, infoHash), onPeers);
  }

  get(target: Uint8Array): Promise<DhtAnswer> {
    return this.#ask((core, nowMs) => core.get(nowMs, target));
  }

  getMutable(publicKey: Uint8Array, salt: Uint8Array): Promise<DhtAnswer> {
    return this.#ask((core, nowMs) => core.getMutable(nowMs, publicKey, salt));
  }

  /** @param cas the number that is to be replaced. */
  put(item: DhtItem, cas?: number): Promise<DhtAnswer> {
    return this.#ask((core, nowMs) => core.put(nowMs, item, cas));
  }

  /** A picture of each family. */
  status(): DhtStatus[] {
    return [...this.#cores.values()].map((core) => core.status(monotonicMs()));
  }

  /** The nodes of a family's table nearest to this one, nearest first. */
  neighbours(family: 4 | 6, count: number): readonly NodeInfo[] {
    const core = this.#cores.get(family);
    return core === undefined ? [] : core.closest(core.status(monotonicMs()).id, count);
  }

  /** The port that datagrams leave from; undefined without a socket of this family. */
  port(family: 4 | 6): number | undefined {
    return this.#sockets.get(family)?.address.port;
  }

  /** Keeps the table and says no more; the sockets are their owner's. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#options.udp.onDictionary = undefined;
    this.#save(true);
  }

  #nodeCount(nowMs: number): number {
    let count = 0;
    for (const core of this.#cores.values()) {
      const { good, questionable } = core.status(nowMs).table;
      count += good + questionable;
    }
    return count;
  }

  /** Few answer: well-known hosts are asked; nobody at all: what the user named, too, since its names may not have been known before. */
  #resolveNames(nowMs: number, count: number): void {
    this.#resolveMs = nowMs + this.#resolveWaitMs;
    const isWell = count >= FEW;
    this.#resolveWaitMs = isWell
      ? RESOLVE_AGAIN_MS
      : Math.min(this.#resolveWaitMs * 2, ANNOUNCE_MS);
    if (isWell) return;
    const { bootstrap, policy } = this.#options;
    const own = count === 0 ? bootstrap : [];
    const wellKnown = policy.isOffline ? [] : WELL_KNOWN;
    void this.bootstrap([...own, ...wellKnown]);
  }

  #announce(nowMs: number, tracked: Tracked): void {
    tracked.nextMs = nowMs + ANNOUNCE_MS;
    tracked.hasPeers = false;
    tracked.perhapsOwn.clear();
    this.#act((core, atMs) => {
      const lookup = core.getPeers(atMs, tracked.infoHash, tracked.port);
      if (lookup === 0) return;
      tracked.lookups.set(core, lookup);
      this.#listen(core, lookup, (event) => this.#onTracked(core, tracked, event));
    });
  }

  #onTracked(core: Dht, tracked: Tracked, event: DhtEvent): void {
    if (event.type === 'peers') {
      for (const { host, port } of event.peers) {
        const own = tracked.perhapsOwn.get(core.family) ?? host;
        if (port !== tracked.port || host !== own) tracked.hasPeers = true;
        else tracked.perhapsOwn.set(core.family, own);
      }
      tracked.onPeers(event.peers);
    } else if (event.type === 'done') {
      tracked.lookups.delete(core);
      if (tracked.lookups.size > 0) return;
      if (tracked.hasPeers) tracked.waitMs = RETRY_MS;
      else {
        tracked.nextMs = monotonicMs() + tracked.waitMs;
        tracked.waitMs = Math.min(tracked.waitMs * 2, ANNOUNCE_MS);
      }
    }
  }

  /** Runs a lookup in every family. */
  async #ask(
    start: (core: Dht, nowMs: number) => number,
    onPeers?: (peers: readonly Endpoint[]) => void,
  ): Promise<DhtAnswer> {
    const peers = new Map<string, Endpoint>();
    const refusals = new Map<number, number>();
    const stats: LookupStats[] = [];
    let item: DhtItem | undefined;
    let stored = 0;
    const hear = (event: DhtEvent): void => {
      if (event.type === 'peers') {
        for (const peer of event.peers) peers.set(`${peer.host} ${peer.port}`, peer);
        onPeers?.(event.peers);
      } else if (event.type === 'item') item = newer(item, event.item);
      else if (event.type === 'done') {
        stored += event.stored;
        stats.push(event.stats);
        for (const [code, count] of event.refusals) {
          refusals.set(code, (refusals.get(code) ?? 0) + count);
        }
      }
    };
    const ends: Promise<void>[] = [];
    this.#act((core, nowMs) => {
      const lookup = start(core, nowMs);
      if (lookup === 0) return;
      ends.push(
        new Promise((resolve) =>
          this.#listen(core, lookup, (event) => {
            hear(event);
            if (event.type === 'done') resolve();
          }),
        ),
      );
    });
    await Promise.all(ends);
    return { peers: [...peers.values()], item, stored, refusals, stats };
  }

  #listen(core: Dht, lookup: number, listener: Listener): void {
    this.#listeners.set(`${core.family} ${lookup}`, listener);
  }

  #addNodes(nodes: readonly Endpoint[]): void {
    const { policy } = this.#options;
    const allowed = nodes.filter(({ host }) => policy.allowsAddress(host));
    this.#act((core, nowMs) => core.addNodes(nowMs, allowed));
  }

  #receive(family: 4 | 6, bytes: Uint8Array, from: { address: string; port: number }): void {
    const core = this.#cores.get(family);
    if (core === undefined || this.#isClosed) return;
    core.handlePacket(monotonicMs(), { host: from.address, port: from.port }, bytes);
    this.#drain();
    // The first node may be there: who waits for it is not left to the next second.
    if (this.#isWaiting) this.pulse(monotonicMs());
  }

  #act(command: (core: Dht, nowMs: number) => void): void {
    for (const core of this.#cores.values()) command(core, monotonicMs());
    this.#drain();
  }

  /** Does what the cores ask for, and arms the timer. */
  #drain(): void {
    if (this.#isClosed) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [family, core] of this.#cores) {
      for (let output = core.poll(); output !== undefined; output = core.poll()) {
        this.#perform(family, output);
      }
      nextMs = Math.min(nextMs, core.nextTimeoutMs);
    }
    clearTimeout(this.#timer);
    if (nextMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.max(1, nextMs - monotonicMs());
    this.#timer = setTimeout(() => this.#act((core, nowMs) => core.handleTimeout(nowMs)), waitMs);
    this.#timer.unref();
  }

  #perform(family: 4 | 6, output: DhtOutput): void {
    if (output.type === 'transmit') {
      const { host, port } = output.to;
      // Others name addresses, too: nobody is contacted that the policy forbids.
      if (this.#options.policy.allowsAddress(host)) {
        this.#sockets.get(family)?.send(output.bytes, host, port);
      }
      return;
    }
    const { event } = output;
    if (event.type === 'foreign-nodes')
      this.#cores.get(family === 4 ? 6 : 4)?.introduce(monotonicMs(), event.nodes);
    if (!('lookup' in event)) return;
    const key = `${family} ${event.lookup}`;
    this.#listeners.get(key)?.(event);
    if (event.type === 'done') this.#listeners.delete(key);
  }

  /** @param isLast ids are given back. */
  #save(isLast: boolean): void {
    const { home, isReadOnly = false } = this.#options;
    const records = loadDht(home);
    for (const [family, core] of this.#cores) {
      const before = records.get(family);
      const found = core.savedNodes();
      const nodes = found.length > 0 ? found : (before?.nodes ?? []);
      // The id of one that only asks is nobody's to know again.
      const id = isReadOnly ? before?.id : isLast ? core.id : undefined;
      if (nodes.length > 0) records.set(family, id === undefined ? { nodes } : { id, nodes });
    }
    if (records.size === 0) return;
    try {
      saveDht(home, records);
    } catch {
      // A help, not data of the user: tried again with the next save.
    }
  }
}

function newer(before: DhtItem | undefined, item: DhtItem): DhtItem {
  if (before === undefined || !isMutable(before) || !isMutable(item)) return item;
  return item.seq > before.seq ? item : before;
}
