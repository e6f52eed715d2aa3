/**
 * The composition root: one listener, one data plane, any number of torrents.
 *
 * Memory of the data plane: SLAB_COUNT slabs for arriving blocks and SEND_SPANS for leaving ones, 1 MiB each, touched only when needed.
 * @module
 */
import os from 'node:os';
import { monotonicMs } from '../io/clock.ts';
import { randomSeed } from '../io/crypto.ts';
import { ReachPolicy } from '../io/reach-policy.ts';
import {
  type ByteConnection,
  type Endpoint,
  listenTcp,
  type TcpConnection,
  type TcpListener,
} from '../io/tcp.ts';
import { toHex } from '../lib/bytes.ts';
import { parseIp } from '../lib/ip-address.ts';
import { Rng } from '../lib/rng.ts';
import { DiskPool } from '../plane/disk-pool.ts';
import { SendCache } from '../plane/send-cache.ts';
import { SlabPool } from '../plane/slab-pool.ts';
import { makePeerId } from '../protocol/peer-wire/index.ts';
import { familiesOf, formatEndpoint, parseEndpoint, reachableEndpoints } from './address.ts';
import { ownEndpoints } from './address-publisher.ts';
import { ChannelService, type ChannelServiceOptions } from './channel/channel-service.ts';
import { Doorman } from './channel/doorman.ts';
import { RelayClient } from './channel/relay-client.ts';
import { RelayServer, type RelayServerOptions } from './channel/relay-server.ts';
import { CLIENT_NAME, DEFAULT_PORT, defaultHome, isOffline, VERSION } from './config.ts';
import { DhtService } from './dht-service.ts';
import { DialGate } from './dial-gate.ts';
import { nodeError } from './errors.ts';
import { ExternalAddress } from './external-address.ts';
import { swarmHashes } from './hex-hashes.ts';
import { LsdService } from './lsd-service.ts';
import { PeerLink } from './peer-link.ts';
import { PeerMemory } from './peer-memory.ts';
import { PortMapper } from './port-mapping.ts';
import { type PrivacySettings, readPrivacy } from './privacy-settings.ts';
import type { QueueLimits } from './queue-plan.ts';
import { RateGate } from './rate-gate.ts';
import { Reputation } from './reputation.ts';
import { Torrent } from './torrent.ts';
import type { RateLimits } from './torrent-gates.ts';
import { type QueueMove, TorrentQueue } from './torrent-queue.ts';
import type { AddOptions } from './torrent-types.ts';
import {
  IncomingTransfer,
  OutgoingTransfer,
  type ReceiveOptions,
  type SendOptions,
  type TransferHost,
} from './transfer.ts';
import { UdpDoor } from './udp-door.ts';
import { WebSeedServer } from './web-seed-server.ts';
import { WebSeedGate } from './web-seeds.ts';

// Implementation limits
/** MiB for blocks on their way to disk. */
const SLAB_COUNT = 64;
/** MiB for blocks on their way to peers. */
const SEND_SPANS = 32;
/** How often torrents are asked whether something is due: one timer for all of them. */
const PULSE_MS = 1_000;
/** What is learnt of others is written this often. */
const MEMORIES_INTERVAL_MS = 600_000;
/** For the first time so soon: whoever is killed early begins with peers, too. */
const FIRST_MEMORIES_MS = 5_000;
/** Disk and hash workers at most: checks use all cores; a transfer on two cores takes as long with two workers as with one. */
const MAX_DISK_WORKERS = 4;

/** Options of `PeerNode.open`. */
export interface NodeOptions {
  /** "HOST:PORT"; port 0 is any free one. Default: port 6881, or a free one when taken, on all addresses (offline: on loopback). */
  readonly listen?: string;
  /** Folder for state; default STARLING_HOME or the platform's data folder. */
  readonly home?: string;
  /** Default: STARLING_OFFLINE. */
  readonly isOffline?: boolean;
  /** Addresses whose subnets the user named, for the offline rule; --listen and the peers of torrents are added. */
  readonly given?: readonly string[];
  /** Bytes a second for all torrents together, default 0: unlimited. */
  readonly downloadLimitBytesPerSec?: number;
  readonly uploadLimitBytesPerSec?: number;
  /** Most torrents that download, and that seed, at a time; the others wait as `queued`. Default: no limit, as a one-shot command needs it. */
  readonly maxActiveDownloads?: number;
  readonly maxActiveSeeds?: number;
  /** What it may reveal. Default: the home's settings (`starling privacy`), which are on. Asked at the start; for the record of addresses at any time. */
  readonly privacy?: () => PrivacySettings;
  /** False: no DHT. Default, as for the other ways: what `privacy` says. */
  readonly usesDht?: boolean;
  /** DHT nodes to begin with, "HOST:PORT". */
  readonly bootstrap?: readonly string[];
  /** Limits hold for messages and an estimate of TCP's and IP's headers too. Default true; false: for block data alone. */
  readonly countsOverhead?: boolean;
  /** Finds peers in the local network by multicast (BEP 14); offline on loopback and the interface of `listen` alone. */
  readonly usesLocalDiscovery?: boolean;
  /** Asks the router to let this node's ports through (PCP, NAT-PMP, UPnP); offline only with a `gateway` in a subnet that was given. */
  readonly usesPortMapping?: boolean;
  /** The router to ask, an IPv4 address. Default: the one of the default route. */
  readonly gateway?: string;
  /** Hears what its user may want to know, a sentence each; the same not more than once a minute. */
  readonly onNotice?: (notice: string) => void;
}

/** The queue as users of a node see it: the order of the moment, and what may be changed. */
export interface NodeQueue {
  readonly order: readonly Torrent[];
  readonly limits: QueueLimits;
  /** @returns false when the torrent is not of this node. */
  move(torrent: Torrent, to: QueueMove): boolean;
  /** Puts it right before another one, or last. */
  place(torrent: Torrent, next: Torrent | undefined): void;
  /** Infinity lifts a limit, undefined leaves it. */
  setLimits(limits: Partial<QueueLimits>): void;
}

/** A node. Dispose it to stop everything it does. */
export class PeerNode implements AsyncDisposable {
  readonly home: string;
  readonly policy: ReachPolicy;
  /** What this node reveals, of its options and the settings of its home. */
  readonly switches: PrivacySettings;
  /** What it may reveal now. */
  readonly privacy: () => PrivacySettings;
  /** What this node knows of others from former dealings. */
  readonly reputation: Reputation;
  readonly #onNotice: NodeOptions['onNotice'];
  readonly #listener: TcpListener;
  readonly #localHost: string | undefined;
  readonly #pool = new SlabPool(SLAB_COUNT);
  readonly #disk: DiskPool;
  readonly #sendCache = new SendCache(SEND_SPANS);
  readonly #uploadGate: RateGate;
  readonly #downloadGate: RateGate;
  readonly #countsOverhead: boolean;
  readonly #udp: UdpDoor;
  readonly #peerMemory: PeerMemory;
  #dht: DhtService | undefined;
  #portMapper: PortMapper | undefined;
  readonly #lsd: LsdService | undefined;
  readonly #dialGate = new DialGate();
  readonly #webSeedGate = new WebSeedGate();
  readonly #peerId: Uint8Array = makePeerId(new Rng(randomSeed()), VERSION);
  readonly #torrents = new Map<string, Torrent>();
  readonly #queue: TorrentQueue<Torrent>;
  readonly #external = new ExternalAddress();
  readonly #pulse: NodeJS.Timeout;
  #memoriesDueMs: number = monotonicMs() + FIRST_MEMORIES_MS;
  readonly #webServers: WebSeedServer[] = [];
  #channels: ChannelService | undefined;
  #relayClient: RelayClient | undefined;
  #relay: RelayServer | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    options: NodeOptions,
    policy: ReachPolicy,
    listen: ListenPlan,
    switches: PrivacySettings,
  ) {
    this.home = options.home ?? defaultHome();
    this.policy = policy;
    this.reputation = new Reputation(this.home);
    this.#peerMemory = new PeerMemory(this.home);
    this.#onNotice = options.onNotice;
    this.#listener = listen.listener;
    this.#localHost = listen.localHost;
    const cores = os.availableParallelism();
    this.#disk = new DiskPool(this.#pool.shared, Math.min(cores, MAX_DISK_WORKERS));
    this.#uploadGate = new RateGate(options.uploadLimitBytesPerSec ?? 0);
    this.#downloadGate = new RateGate(options.downloadLimitBytesPerSec ?? 0);
    this.#countsOverhead = options.countsOverhead ?? true;
    this.#udp = new UdpDoor(listen.localHost ?? '0.0.0.0', this.endpoint.port);
    this.#queue = new TorrentQueue<Torrent>(options);
    this.switches = switches;
    this.privacy = privacyOf(options);
    this.#lsd = switches.lan ? this.#openLsd() : undefined;
    const doorman = new Doorman({
      isExempt: (host) => policy.isNear(host),
      onWire: (connection, settle) => this.#takeWire(connection, settle),
      onTls: () => this.#channels && ((...came) => this.#channels!.accept(...came)),
      onRelayed: () => this.#relay && ((...came) => this.#relay!.accept(...came)),
      onRefused: (count) => this.#tellCrowd(count),
    });
    listen.handler.current = (connection) => {
      if (this.#closing === undefined) doorman.admit(connection);
      else connection.destroy();
    };
    this.#pulse = setInterval(() => this.#onPulse(), PULSE_MS).unref();
  }

  /** Opens a node and its listener. @throws {AppError} ERR_LISTEN, ERR_CONFIG. */
  static async open(options: NodeOptions = {}): Promise<PeerNode> {
    const offline = options.isOffline ?? isOffline();
    const policy = new ReachPolicy({ offline, givenSubnets: options.given ?? [] });
    if (options.listen !== undefined) policy.giveSubnet(options.listen);
    expectGateway(options.gateway);
    for (const node of options.bootstrap ?? []) {
      parseEndpoint(node, '--bootstrap');
      policy.giveSubnet(node);
    }
    const switches = switchesOf(options);
    const listen = await openListener(options.listen, offline);
    const node = new PeerNode(options, policy, listen, switches);
    if (switches.dht) await node.#startDht(options.bootstrap ?? []);
    if (switches['port-mapping']) node.#startPortMapping(options.gateway);
    return node;
  }

  async #startDht(bootstrap: readonly string[]): Promise<void> {
    const families = familiesOf(this.endpoint.host);
    const { home, policy } = this;
    this.#dht = new DhtService({ udp: this.#udp, policy, families, home, bootstrap });
    await this.#dht.start();
  }

  /** This node in the local network; undefined without. */
  get lsd(): LsdService | undefined {
    return this.#lsd;
  }

  #startPortMapping(gateway: string | undefined): void {
    const { policy, endpoint: listen } = this;
    const udpPort = (): number | undefined => this.#dht?.port(4);
    this.#portMapper = new PortMapper({ policy, listen, udpPort, gateway });
    this.#portMapper.start();
  }

  /** This node's ports in the router; undefined when they are not to be mapped. */
  get portMapper(): PortMapper | undefined {
    return this.#portMapper;
  }

  /** This node in the DHT; undefined without. */
  get dht(): DhtService | undefined {
    return this.#dht;
  }

  /**
   * Lets this node deal with others under an identity; once.
   * @param options the identity's seed, who is known, and where to look for peers.
   */
  openChannels(
    options: Pick<ChannelServiceOptions, 'seed' | 'isKnown' | 'finders'>,
  ): ChannelService {
    if (this.#channels !== undefined) throw new Error('channels are open already');
    this.#channels = new ChannelService({
      ...options,
      localHost: this.#localHost,
      mayDial: (host) => this.policy.allowsAddress(host),
      addresses: () => this.dialableEndpoints,
      onWire: ({ connection }) =>
        new Promise((resolve) => this.#takeWire(connection, () => resolve())),
    });
    this.#relayClient = new RelayClient({
      channels: this.#channels,
      localHost: this.#localHost,
      mayDial: (host) => this.policy.allowsAddress(host),
    });
    return this.#channels;
  }

  /** What this node does with relays; undefined before `openChannels`. */
  get relays(): RelayClient | undefined {
    return this.#relayClient;
  }

  /** Makes this node a relay; after `openChannels`, once. */
  serveAsRelay(options: Omit<RelayServerOptions, 'channels'>): RelayServer {
    if (this.#channels === undefined || this.#relay !== undefined) {
      throw new Error('a relay needs channels, and is one once');
    }
    this.#relay = new RelayServer({ ...options, channels: this.#channels });
    return this.#relay;
  }

  /** The address and port that this node listens on. */
  get endpoint(): Endpoint {
    return this.#listener.endpoint;
  }

  /** Addresses others may reach this node at: the one given, or those of the machine's interfaces. */
  get reachableEndpoints(): Endpoint[] {
    return reachableEndpoints(this.endpoint);
  }

  /** As `reachableEndpoints`, and before them the one that a router maps to this node. */
  get dialableEndpoints(): readonly Endpoint[] {
    const mapped = this.#portMapper?.status;
    return mapped === undefined
      ? this.reachableEndpoints
      : ownEndpoints(mapped, this.reachableEndpoints);
  }

  /** The address that trackers see this node at, as most of them say (BEP 24); undefined when none did. */
  get externalAddress(): string | undefined {
    return this.#external.address;
  }

  get torrents(): readonly Torrent[] {
    return [...new Set(this.#torrents.values())];
  }

  /** The order in which torrents may run, and the limits of how many. */
  get queue(): NodeQueue {
    const queue = this.#queue;
    return {
      order: queue.order,
      limits: queue.limits,
      move: (torrent, to) => queue.move(monotonicMs(), torrent, to),
      place: (torrent, next) => queue.place(monotonicMs(), torrent, next),
      setLimits: (limits) => queue.setLimits(monotonicMs(), limits),
    };
  }

  /**
   * Adds a torrent and starts it. With a torrent file, resolves when what is on disk was checked.
   * @throws {AppError} ERR_DUPLICATE, ERR_FILES_MISSING, ERR_FILES_DAMAGED, ERR_NO_MATCH, ERR_FILE, ERR_OFFLINE.
   */
  async add(options: AddOptions): Promise<Torrent> {
    const torrent = this.prepare(options);
    try {
      await torrent.start();
    } catch (error) {
      await torrent.stop();
      throw error;
    }
    return torrent;
  }

  /** Adds a torrent that its caller starts, after listening to its events. @throws {AppError} ERR_DUPLICATE. */
  prepare(options: AddOptions): Torrent {
    for (const peer of options.peers ?? []) this.policy.giveSubnet(peer);
    for (const url of [...(options.trackers ?? []), ...(options.webSeeds ?? [])]) {
      this.policy.give(url);
    }
    if (options.source.kind === 'magnet') {
      for (const peer of options.source.magnet.peers) this.policy.give(formatEndpoint(peer));
      const { trackers, webSeeds } = options.source.magnet;
      for (const url of [...trackers, ...webSeeds]) this.policy.give(url);
    }
    const torrent = new Torrent(
      {
        plane: {
          pool: this.#pool,
          disk: this.#disk,
          sendCache: this.#sendCache,
          uploadGate: this.#uploadGate,
          downloadGate: this.#downloadGate,
          countsOverhead: this.#countsOverhead,
          dialGate: this.#dialGate,
          mayDial: (host) => this.policy.allowsAddress(host),
          isExempt: (host) => this.policy.isNear(host),
          standingOf: (host) => this.reputation.standing(host),
        },
        policy: this.policy,
        udp: this.#udp,
        home: this.home,
        peerId: this.#peerId,
        clientName: CLIENT_NAME,
        listenPort: this.endpoint.port,
        localHost: this.#localHost,
        families: familiesOf(this.endpoint.host),
        onExternalAddress: (url, address) => this.#external.vote(url, address),
        queue: this.#queue,
        lsd: this.#lsd,
        reputation: this.reputation,
        peerMemory: this.#peerMemory,
        webSeedGate: this.#webSeedGate,
        dht: this.#dht,
        openWire: async (peerId, signal) => {
          if (this.#channels === undefined) {
            throw nodeError('ERR_PEER_UNREACHABLE', {
              peer: peerId,
              tried: 'no channels are open',
            });
          }
          return (await this.#channels.openWire(peerId, signal)).connection;
        },
        onStopped: (stopped) => this.#forget(stopped),
      },
      { usesPeerExchange: this.switches.pex, ...options },
    );
    const keys = keysOf(torrent);
    const taken = keys.find((key) => this.#torrents.has(key));
    if (taken !== undefined) throw nodeError('ERR_DUPLICATE', { infoHash: taken });
    for (const key of keys) this.#torrents.set(key, torrent);
    if (options.usesQueue !== false) this.#queue.add(torrent);
    // A hybrid's magnet may know one hash only: peers of the other swarm find it once the metadata is there.
    torrent.on('metadata', () => {
      for (const key of keysOf(torrent)) {
        if (!this.#torrents.has(key)) this.#torrents.set(key, torrent);
      }
    });
    return torrent;
  }

  /** Offers files to another person's node. @throws {AppError} ERR_DUPLICATE. */
  sendTransfer(options: SendOptions): Promise<OutgoingTransfer> {
    return OutgoingTransfer.begin(this.#transferHost(), options);
  }

  /** Fetches what another person's node offers. @throws {AppError} ERR_MANIFEST, ERR_NO_SPACE, ERR_FILE, ERR_DUPLICATE. */
  receiveTransfer(options: ReceiveOptions): Promise<IncomingTransfer> {
    return IncomingTransfer.begin(this.#transferHost(), options);
  }

  #transferHost(): TransferHost {
    return { home: this.home, disk: this.#disk, prepare: (options) => this.prepare(options) };
  }

  /** Listens as a web seed; which torrents it serves is told to it. @param listen "HOST:PORT". @throws {AppError} ERR_LISTEN, ERR_CONFIG. */
  async serveWeb(listen: string): Promise<WebSeedServer> {
    const server = await WebSeedServer.open({
      ...parseEndpoint(listen, '--web'),
      isExempt: (host) => this.policy.isNear(host),
    });
    this.#webServers.push(server);
    return server;
  }

  /** Limits of all torrents together; 0 lifts one, undefined leaves it. */
  setLimits(limits: RateLimits): void {
    if (limits.downloadBytesPerSec !== undefined) {
      this.#downloadGate.setRate(limits.downloadBytesPerSec);
    }
    if (limits.uploadBytesPerSec !== undefined) this.#uploadGate.setRate(limits.uploadBytesPerSec);
  }

  /** Stops every torrent, then the listener and the workers. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#pulse);
    const unmapped = this.#portMapper?.close();
    await Promise.all(this.#webServers.map((server) => server.close()));
    await Promise.all(this.torrents.map((torrent) => torrent.stop()));
    this.#saveMemories();
    this.#relayClient?.close();
    this.#relay?.close();
    this.#channels?.close();
    await unmapped;
    await this.#listener.close();
    this.#uploadGate.close();
    this.#downloadGate.close();
    this.#dht?.close();
    await this.#udp.close();
    await this.#lsd?.close();
    await this.#disk.close();
  }

  #openLsd(): LsdService {
    const { host } = this.endpoint;
    return new LsdService({ policy: this.policy, listenHost: host, families: familiesOf(host) });
  }

  /** They are a help, not data of the user: where it cannot be written, nothing else suffers. */
  #saveMemories(): void {
    for (const memory of [this.reputation, this.#peerMemory]) {
      try {
        memory.save();
      } catch {
        // Tried again with the next save.
      }
    }
  }

  #onPulse(): void {
    const now = monotonicMs();
    if (now >= this.#memoriesDueMs) {
      this.#memoriesDueMs = now + MEMORIES_INTERVAL_MS;
      for (const torrent of this.torrents) torrent.notePeers();
      this.#saveMemories();
    }
    for (const torrent of new Set(this.#torrents.values())) torrent.pulse(now);
    this.#dht?.pulse(now);
    if (!this.#queue.isLimited) return;
    // One a pulse: a thousand waiting seeds must not ask a tracker all at once.
    const curious = this.#queue.order.find((torrent) => torrent.wantsCounts(now));
    // What a tracker did not say now, it may say in half an hour.
    curious?.scrape().catch(() => {});
    this.#queue.pulse(now);
  }

  #tellCrowd(count: number): void {
    this.#onNotice?.(
      `${count} incoming connection(s) were refused: too many came that did not show who they are.`,
    );
  }

  #takeWire(connection: ByteConnection, settle: () => void): void {
    new PeerLink({
      connection,
      isIncoming: true,
      onHandshake: (link, handshake) => {
        settle();
        const torrent = this.#torrents.get(toHex(handshake.infoHash));
        return torrent?.service.accept(link, handshake);
      },
      onAbandoned: settle,
    });
  }

  #forget(torrent: Torrent): void {
    if (this.#closing === undefined) this.#queue.remove(monotonicMs(), torrent);
    for (const [key, other] of this.#torrents) if (other === torrent) this.#torrents.delete(key);
  }
}

function keysOf(torrent: Torrent): string[] {
  return swarmHashes(torrent.infoHashes).map(toHex);
}

interface ListenPlan {
  readonly listener: TcpListener;
  /** Connections go to `current` once the node exists. */
  readonly handler: { current: (connection: TcpConnection) => void };
  /** The address to dial from, when one was given. */
  readonly localHost: string | undefined;
}

async function openListener(listen: string | undefined, offline: boolean): Promise<ListenPlan> {
  const handler = { current: (connection: TcpConnection): void => connection.destroy() };
  const onConnection = (connection: TcpConnection): void => handler.current(connection);
  if (listen !== undefined) {
    const { host, port } = parseEndpoint(listen, '--listen', DEFAULT_PORT);
    const isWildcard = host === '0.0.0.0' || host === '::';
    const listener = await tryListen(host, port, onConnection);
    return { listener, handler, localHost: isWildcard ? undefined : host };
  }
  const host = offline ? '127.0.0.1' : '0.0.0.0';
  try {
    const listener = await listenTcp({ host, port: DEFAULT_PORT, onConnection });
    return { listener, handler, localHost: undefined };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return { listener: await tryListen(host, 0, onConnection), handler, localHost: undefined };
  }
}

function privacyOf({ privacy, home = defaultHome() }: NodeOptions): () => PrivacySettings {
  return privacy ?? (() => readPrivacy(home));
}

/** What the options leave open the settings of the home decide. @throws {AppError} ERR_CONFIG, ERR_FILE. */
function switchesOf(options: NodeOptions): PrivacySettings {
  const kept = privacyOf(options)();
  return {
    ...kept,
    dht: options.usesDht ?? kept.dht,
    lan: options.usesLocalDiscovery ?? kept.lan,
    'port-mapping': options.usesPortMapping ?? kept['port-mapping'],
  };
}

/** @throws {AppError} ERR_CONFIG for what is no address of IPv4. */
function expectGateway(gateway: string | undefined): void {
  if (gateway === undefined || parseIp(gateway)?.length === 4) return;
  const got = JSON.stringify(gateway);
  const expected = 'the IPv4 address of a router, as in 192.168.1.1';
  throw nodeError('ERR_CONFIG', { what: '--gateway', expected, got });
}

async function tryListen(
  host: string,
  port: number,
  onConnection: (connection: TcpConnection) => void,
): Promise<TcpListener> {
  try {
    return await listenTcp({ host, port, onConnection });
  } catch (error) {
    const { code = 'EINVAL' } = error as NodeJS.ErrnoException;
    throw nodeError('ERR_LISTEN', { endpoint: formatEndpoint({ host, port }), code }, error);
  }
}
