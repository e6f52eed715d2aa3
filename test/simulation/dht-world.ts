/**
 * DHT nodes in virtual time: production cores on simulated hosts with public addresses.
 *
 * How long a path takes is drawn anew for each datagram, or computed from both ends: a table of all pairs of ten thousand hosts would be larger than the nodes.
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
  /** Share of the span of latencies that is drawn for each datagram; the rest belongs to the pair of hosts. Default 1. */
  readonly jitterShare?: number;
  /** Events after which the run is taken for one without an end; default that of the clock. */
  readonly maxSteps?: number;
}

/** How a node is. */
export interface SimNodeOptions extends Partial<DhtOptions> {
  /** Default: a random public address. */
  readonly host?: string;
  /** Answers only those that it sent something to before. */
  readonly isNatted?: boolean;
}

/** Whoever takes datagrams. */
export interface Receiver {
  readonly host: string;
  /** Where it is, for paths: any 32 bits. */
  readonly place: number;
  readonly side: number;
  receive(from: Endpoint, bytes: Uint8Array): void;
}

/** A lookup that ended. */
export type Done = Extract<DhtEvent, { type: 'done' }>;

/** One node. */
export class SimDhtNode implements Receiver {
  readonly world: DhtWorld;
  readonly host: string;
  readonly place: number;
  readonly endpoint: Endpoint;
  readonly dht: Dht;
  readonly events: DhtEvent[] = [];
  /** Takes the events, which are not kept then. */
  onEvent: ((event: DhtEvent) => void) | undefined;
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
    this.endpoint = { host, port: DHT_PORT };
    this.place = placeOf(host, DHT_PORT);
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
      if (output.type === 'event') {
        if (this.onEvent === undefined) this.events.push(output.event);
        else this.onEvent(output.event);
      } else this.#send(output.to, output.bytes);
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
    if (this.#isNatted) this.#pinholes.add(to.host);
    this.sent += 1;
    const bent = this.bend === undefined ? bytes : this.bend(to, bytes);
    if (bent !== undefined) this.world.carry(this, to, bent);
  }

  /** The timer is not moved when something later becomes due: it rings, looks, and is set again. */
  #arm(): void {
    const atMs = this.dht.nextTimeoutMs;
    if (atMs >= this.#timerMs || !this.isUp) return;
    this.#timer?.cancel();
    this.#timerMs = atMs;
    const { clock } = this.world;
    this.#timer = clock.at(Math.max(atMs, clock.nowMs + 1), () => {
      this.#timerMs = Number.POSITIVE_INFINITY;
      if (clock.nowMs >= this.dht.nextTimeoutMs) this.dht.handleTimeout(clock.nowMs);
      this.drain();
    });
  }
}

/** Nodes and what is between them. */
export class DhtWorld {
  readonly clock: VirtualClock;
  readonly rng: Rng;
  readonly nodes = new Map<string, SimDhtNode>();
  /** Others, by "host port": several may have one host. */
  readonly strangers = new Map<string, Receiver>();
  readonly #network: Required<Omit<DhtNetwork, 'maxSteps'>>;
  datagrams = 0;

  constructor(seed: number, network: DhtNetwork = {}) {
    this.rng = new Rng(seed);
    this.clock = new VirtualClock(network.maxSteps);
    this.#network = { latencyMs: [5, 75], lossShare: 0.02, jitterShare: 1, ...network };
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

  carry(from: Receiver & { readonly endpoint: Endpoint }, to: Endpoint, bytes: Uint8Array): void {
    this.datagrams += 1;
    const { lossShare, latencyMs, jitterShare } = this.#network;
    if (this.rng.float() < lossShare) return;
    const [least, most] = latencyMs;
    const drawn = this.rng.float();
    const share =
      jitterShare === 1
        ? drawn
        : jitterShare * drawn +
          (1 - jitterShare) * pathShare(from.place, placeOf(to.host, to.port));
    this.clock.after(least + share * (most - least), () => {
      const target =
        this.nodes.get(to.host) ??
        (this.strangers.size === 0 ? undefined : this.strangers.get(`${to.host} ${to.port}`));
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

/** 32 bits of an endpoint. */
export function placeOf(host: string, port: number): number {
  let place = port;
  for (let i = 0; i < host.length; i += 1) {
    place = Math.imul(place ^ host.charCodeAt(i), 0x0100_0193);
  }
  return place >>> 0;
}

/** 0 … 1, the same both ways. */
function pathShare(a: number, b: number): number {
  let mixed = Math.imul(a ^ b, 0x21f0_aaad) + Math.imul(a, b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
}
