/**
 * DHT nodes in virtual time: production cores on simulated hosts with public addresses.
 *
 * Paths are drawn anew for each datagram, since a table of all pairs of ten thousand hosts would be larger than the nodes.
 * @module
 */
import { nodeCrypto, nodeEd25519 } from '../../src/io/crypto.ts';
import { formatIp } from '../../src/lib/ip-address.ts';
import { Rng } from '../../src/lib/rng.ts';
import {
  Dht,
  type DhtEvent,
  type DhtOptions,
  type Endpoint,
} from '../../src/protocol/dht/index.ts';
import { type Timer, VirtualClock } from './clock.ts';

/** Port of every node. */
export const DHT_PORT = 6_881;

/** What the network is like. */
export interface DhtNetwork {
  /** One way; default 5 … 75 ms, so that a round trip takes 10 to 150. */
  readonly latencyMs?: readonly [number, number];
  /** Share of datagrams that are lost; default 0.02. */
  readonly lossShare?: number;
}

/** How a node is. */
export interface SimNodeOptions extends Partial<DhtOptions> {
  /** Default: a random public address. */
  readonly host?: string;
  /** Answers only those that it sent something to before. */
  readonly isNatted?: boolean;
}

/** A lookup that ended. */
export type Done = Extract<DhtEvent, { type: 'done' }>;

/** One node. */
export class SimDhtNode {
  readonly world: DhtWorld;
  readonly host: string;
  readonly dht: Dht;
  readonly events: DhtEvent[] = [];
  readonly #isNatted: boolean;
  readonly #pinholes = new Set<string>();
  /** Changes what it sends; undefined swallows it. */
  bend: ((to: Endpoint, bytes: Uint8Array) => Uint8Array | undefined) | undefined;
  isUp = true;
  sent = 0;
  side = 0;
  #timer: Timer | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(world: DhtWorld, options: SimNodeOptions = {}) {
    this.world = world;
    const { rng, clock } = world;
    const { host = world.drawHost(), isNatted = false, ...rest } = options;
    this.host = host;
    this.#isNatted = isNatted;
    this.dht = new Dht(clock.nowMs, {
      family: host.includes(':') ? 6 : 4,
      crypto: nodeCrypto,
      ed25519: nodeEd25519,
      rng: rng.fork(),
      externalHost: host,
      ...rest,
    });
  }

  get endpoint(): Endpoint {
    return { host: this.host, port: DHT_PORT };
  }

  /** Runs a command and sends what comes of it. */
  act<T>(command: (dht: Dht, nowMs: number) => T): T {
    const result = command(this.dht, this.world.clock.nowMs);
    this.drain();
    return result;
  }

  receive(from: Endpoint, bytes: Uint8Array): void {
    if (!this.isUp) return;
    if (this.#isNatted && !this.#pinholes.has(from.host)) return;
    this.dht.handlePacket(this.world.clock.nowMs, from, bytes);
    this.drain();
  }

  drain(): void {
    for (let output = this.dht.poll(); output !== undefined; output = this.dht.poll()) {
      if (output.type === 'event') this.events.push(output.event);
      else this.#send(output.to, output.bytes);
    }
    this.#arm();
  }

  /** Vanishes. */
  crash(): void {
    this.isUp = false;
    this.#timer?.cancel();
    this.world.nodes.delete(this.host);
  }

  /** The peers that a lookup found so far, as "host port". */
  peersOf(lookup: number): Set<string> {
    const peers = new Set<string>();
    for (const event of this.events) {
      if (event.type !== 'peers' || event.lookup !== lookup) continue;
      for (const { host, port } of event.peers) peers.add(`${host} ${port}`);
    }
    return peers;
  }

  doneOf(lookup: number): Done | undefined {
    return this.events.find(
      (event): event is Done => event.type === 'done' && event.lookup === lookup,
    );
  }

  #send(to: Endpoint, bytes: Uint8Array): void {
    this.#pinholes.add(to.host);
    this.sent += 1;
    const bent = this.bend === undefined ? bytes : this.bend(to, bytes);
    if (bent !== undefined) this.world.carry(this, to, bent);
  }

  #arm(): void {
    const atMs = this.dht.nextTimeoutMs;
    if (atMs === this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY || !this.isUp) return;
    const { clock } = this.world;
    this.#timer = clock.at(Math.max(atMs, clock.nowMs + 1), () => {
      this.#timerMs = Number.POSITIVE_INFINITY;
      this.dht.handleTimeout(clock.nowMs);
      this.drain();
    });
  }
}

/** Nodes and what is between them. */
export class DhtWorld {
  readonly clock = new VirtualClock();
  readonly rng: Rng;
  readonly nodes = new Map<string, SimDhtNode>();
  readonly #network: Required<DhtNetwork>;
  datagrams = 0;

  constructor(seed: number, network: DhtNetwork = {}) {
    this.rng = new Rng(seed);
    this.#network = { latencyMs: [5, 75], lossShare: 0.02, ...network };
  }

  /** A public IPv4 address that nobody has. */
  drawHost(): string {
    for (;;) {
      const host = formatIp(
        Uint8Array.of(
          20 + this.rng.below(70),
          ...[256, 256, 254].map((n) => 1 + this.rng.below(n - 1)),
        ),
      );
      if (!this.nodes.has(host)) return host;
    }
  }

  add(options: SimNodeOptions = {}): SimDhtNode {
    const node = new SimDhtNode(this, options);
    this.nodes.set(node.host, node);
    return node;
  }

  /** Adds nodes that come one after another over a time, and begin with a few that are there. */
  join(count: number, overMs: number): SimDhtNode[] {
    const joined = Array.from({ length: count }, () => this.add());
    for (const [i, node] of joined.entries()) {
      this.clock.after(1 + (overMs * i) / count, () => this.introduce(node, joined.slice(0, i)));
    }
    this.clock.run(this.clock.nowMs + overMs + 60_000);
    return joined;
  }

  /** Tells a node of three others. */
  introduce(node: SimDhtNode, others: readonly SimDhtNode[]): void {
    if (others.length === 0) return;
    const known = Array.from({ length: 3 }, () => others[this.rng.below(others.length)]!.endpoint);
    node.act((dht, nowMs) => dht.addNodes(nowMs, known));
  }

  carry(from: SimDhtNode, to: Endpoint, bytes: Uint8Array): void {
    this.datagrams += 1;
    if (this.rng.float() < this.#network.lossShare) return;
    const [least, most] = this.#network.latencyMs;
    this.clock.after(least + this.rng.float() * (most - least), () => {
      const target = this.nodes.get(to.host);
      if (target === undefined || target.side !== from.side) return;
      target.receive(from.endpoint, bytes);
    });
  }

  /** Starts a lookup and runs until it ended. */
  finish(node: SimDhtNode, start: (dht: Dht, nowMs: number) => number): Done {
    const lookup = node.act(start);
    this.clock.run(this.clock.nowMs + 120_000, () => node.doneOf(lookup) !== undefined);
    const done = node.doneOf(lookup);
    if (done === undefined) throw new Error(`lookup ${lookup} of ${node.host} did not end`);
    return done;
  }
}
