/**
 * A DHT under attack, in virtual time: honest production cores, and an attacker with few hosts and as many nodes as he likes.
 *
 * The attacker: 64 hosts in 16 subnets (/24), any number of ports on each, all of one mind. His nodes answer every question at once and look like nodes: they name those of
 * theirs that are nearest to the target, take whatever is stored and forget it, and tell of no peer and no item.
 * The honest: cores whose tables are filled by introductions without delay or loss, from all nodes alike, a dozen a bucket in random order, so that places go to
 * whoever comes first and may have them; they answer, and time does not pass for them. Those who look for something have joined by themselves.
 * @module
 */
import { nodeCrypto, nodeEd25519 } from '../../src/io/crypto.ts';
import { compareBytes } from '../../src/lib/bytes.ts';
import type { Rng } from '../../src/lib/rng.ts';
import {
  type Defences,
  Dht,
  decodeKrpc,
  type Endpoint,
  makeNodeId,
  type NodeInfo,
} from '../../src/protocol/dht/index.ts';
import { compactNodes, encodeResponse } from '../../src/protocol/dht/krpc.ts';
import { DHT_PORT, placeOf, type Receiver } from '../../test/simulation/dht-world.ts';
import { DhtNetwork } from './dht-network.ts';

const HOSTS = 64;
const SUBNETS = 16;
const FIRST_PORT = 10_000;
/** From this port on a node is whoever it is asked to be: its id follows from the target. */
const MASK_PORT = 40_000;
const NEAREST = 8;
const INTRODUCTIONS = 12;
const VERSION = Uint8Array.of(0x53, 0x59, 0, 0);

/** What the attacker does. */
export interface Attack {
  readonly name: string;
  /** Of all nodes, his. */
  readonly share: number;
  /** His nodes have ids that BEP 42 allows at their addresses. */
  readonly hasRightIds?: boolean;
  /** Nodes that he has beside each key that is looked for. */
  readonly aroundKeys?: number;
  /** His answers name nodes right beside the target, whatever it is, that play along. */
  readonly isMasked?: boolean;
}

/** A network and its attacker. */
export interface Population {
  readonly network: DhtNetwork;
  /** Nodes that are looked up from. */
  actors(defences: Partial<Defences>, count: number): ReturnType<DhtNetwork['join']>[];
}

/** Makes a network of `count` nodes, of which the attacker has a share. @param keys that he may have nodes around. */
export function besiege(
  seed: number,
  count: number,
  attack: Attack,
  tables: Partial<Defences>,
  keys: readonly Uint8Array[],
): Population {
  const network = new DhtNetwork(seed);
  const { rng } = network.world;
  const mob = new Mob(network, attack);
  const honest = Array.from(
    { length: Math.round(count * (1 - attack.share)) },
    () => new Resident(network, tables),
  );
  for (let i = honest.length; i < count; i += 1) mob.add();
  for (const key of keys) {
    for (let i = 0; i < (attack.aroundKeys ?? 0); i += 1) mob.add(beside(key, rng));
  }
  mob.sort();
  const all = [...honest, ...mob.nodes].sort((a, b) => compareBytes(a.id, b.id));
  const introductions = honest.flatMap((resident) =>
    acquaintances(resident.id, all, rng).map((node) => ({ resident, node })),
  );
  for (const { resident, node } of rng.shuffle(introductions)) resident.meet(node);
  return {
    network,
    actors: (defences, wanted) => {
      const actors = Array.from({ length: wanted }, () => network.add({ defences }));
      for (const actor of actors) {
        const known = Array.from({ length: 3 }, () => honest[rng.below(honest.length)]!.endpoint);
        actor.act((dht, nowMs) => dht.addNodes(nowMs, known));
      }
      network.run(60_000);
      return actors;
    },
  };
}

/** An id that shares its first 16 bytes with a key. */
function beside(key: Uint8Array, rng: Rng): Uint8Array {
  const id = key.slice();
  id.set(rng.bytes(4), 16);
  return id;
}

/** Of each bucket of an id some nodes, by lot. */
function acquaintances<T extends { readonly id: Uint8Array }>(
  id: Uint8Array,
  all: readonly T[],
  rng: Rng,
): T[] {
  const found: T[] = [];
  let low = 0;
  let high = all.length;
  for (let bit = 0; bit < 160 && high - low > 1; bit += 1) {
    const isOne = (each: Uint8Array): boolean => ((each[bit >> 3]! >> (7 - (bit & 7))) & 1) === 1;
    let middle = low;
    for (let end = high; middle < end; ) {
      const at = (middle + end) >> 1;
      if (isOne(all[at]!.id)) end = at;
      else middle = at + 1;
    }
    const [from, to] = isOne(id) ? [low, middle] : [middle, high];
    if (isOne(id)) low = middle;
    else high = middle;
    if (to - from <= INTRODUCTIONS) found.push(...all.slice(from, to));
    else {
      const drawn = new Set<number>();
      while (drawn.size < INTRODUCTIONS) drawn.add(from + rng.below(to - from));
      for (const at of drawn) found.push(all[at]!);
    }
  }
  return found;
}

/** An honest node that answers. */
class Resident implements Receiver, NodeInfo {
  readonly host: string;
  readonly port: number = DHT_PORT;
  readonly place: number;
  readonly side = 0;
  readonly endpoint: Endpoint;
  readonly dht: Dht;
  readonly #network: DhtNetwork;

  constructor(network: DhtNetwork, defences: Partial<Defences>) {
    const { world } = network;
    this.#network = network;
    this.host = world.drawHost();
    this.endpoint = { host: this.host, port: DHT_PORT };
    this.place = placeOf(this.host, DHT_PORT);
    this.dht = new Dht(0, {
      family: 4,
      crypto: nodeCrypto,
      ed25519: nodeEd25519,
      rng: world.rng.fork(),
      externalHost: this.host,
      defences,
    });
    world.strangers.set(`${this.host} ${DHT_PORT}`, this);
  }

  get id(): Uint8Array {
    return this.dht.id;
  }

  /** Asks a node whether it lives, at once. */
  meet(node: Endpoint): void {
    this.dht.addPeerNode(this.#network.nowMs, node);
    this.#drain((to, bytes) => deliver(this.#network, this.endpoint, to, bytes));
  }

  receive(from: Endpoint, bytes: Uint8Array): void {
    this.dht.handlePacket(this.#network.nowMs, from, bytes);
    this.#drain((to, out) => this.#network.world.carry(this, to, out));
  }

  /** As `receive`, and what it says arrives at once. */
  hear(from: Endpoint, bytes: Uint8Array): void {
    this.dht.handlePacket(this.#network.nowMs, from, bytes);
    this.#drain((to, out) => deliver(this.#network, this.endpoint, to, out));
  }

  #drain(send: (to: Endpoint, bytes: Uint8Array) => void): void {
    for (let output = this.dht.poll(); output !== undefined; output = this.dht.poll()) {
      if (output.type === 'transmit') send(output.to, output.bytes);
    }
  }
}

function deliver(network: DhtNetwork, from: Endpoint, to: Endpoint, bytes: Uint8Array): void {
  const target = network.world.strangers.get(`${to.host} ${to.port}`);
  if (target instanceof Resident) target.hear(from, bytes);
  else if (target instanceof Sybil) {
    const answer = target.answer(from, bytes);
    if (answer !== undefined) deliver(network, target.endpoint, from, answer);
  }
}

/** The attacker. */
class Mob {
  readonly nodes: Sybil[] = [];
  readonly isMasked: boolean;
  readonly network: DhtNetwork;
  readonly #hosts: string[] = [];
  readonly #hasRightIds: boolean;

  constructor(network: DhtNetwork, attack: Attack) {
    this.network = network;
    this.isMasked = attack.isMasked === true;
    this.#hasRightIds = attack.hasRightIds === true;
    for (let i = 0; i < HOSTS; i += 1) {
      const subnet = i % SUBNETS;
      this.#hosts.push(`${120 + subnet}.${7 * subnet}.9.${10 + Math.floor(i / SUBNETS)}`);
      if (!this.isMasked) continue;
      const host = this.#hosts[i]!;
      const port = MASK_PORT + i;
      network.world.strangers.set(`${host} ${port}`, new Sybil(this, host, port, undefined));
    }
  }

  add(id?: Uint8Array): void {
    const { rng, strangers } = this.network.world;
    const host = this.#hosts[this.nodes.length % HOSTS]!;
    const port = FIRST_PORT + this.nodes.length;
    const own = id ?? (this.#hasRightIds ? makeNodeId(host, rng) : rng.bytes(20));
    const node = new Sybil(this, host, port, own);
    this.nodes.push(node);
    strangers.set(`${host} ${port}`, node);
  }

  sort(): void {
    this.nodes.sort((a, b) => compareBytes(a.id, b.id));
  }

  /** The nodes that it names for a target: about the nearest, which in the order of ids are neighbours. */
  named(target: Uint8Array): NodeInfo[] {
    if (this.isMasked) {
      const from = this.network.world.rng.below(HOSTS);
      return Array.from({ length: NEAREST }, (_, i) => {
        const at = (from + i * 7) % HOSTS;
        const port = MASK_PORT + at;
        return { host: this.#hosts[at]!, port, id: maskOf(target, port) };
      });
    }
    let low = 0;
    let high = this.nodes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(this.nodes[middle]!.id, target) < 0) low = middle + 1;
      else high = middle;
    }
    const near = this.nodes.slice(Math.max(0, low - 2 * NEAREST), low + 2 * NEAREST);
    const distance = ({ id }: NodeInfo): Uint8Array => id.map((byte, i) => byte ^ target[i]!);
    return near
      .map((node) => ({ node, distance: distance(node) }))
      .sort((a, b) => compareBytes(a.distance, b.distance))
      .slice(0, NEAREST)
      .map(({ node }) => node);
  }
}

function maskOf(target: Uint8Array, port: number): Uint8Array {
  const id = target.slice();
  id[18] = port >> 8;
  id[19] = port;
  return id;
}

/** One of the attacker's nodes. */
class Sybil implements Receiver, NodeInfo {
  readonly host: string;
  readonly port: number;
  readonly place: number;
  readonly side = 0;
  readonly endpoint: Endpoint;
  readonly #id: Uint8Array | undefined;
  readonly #mob: Mob;

  constructor(mob: Mob, host: string, port: number, id: Uint8Array | undefined) {
    this.#mob = mob;
    this.#id = id;
    this.host = host;
    this.port = port;
    this.place = placeOf(host, port);
    this.endpoint = { host, port };
  }

  get id(): Uint8Array {
    return this.#id ?? new Uint8Array(20);
  }

  receive(from: Endpoint, bytes: Uint8Array): void {
    const answer = this.answer(from, bytes);
    if (answer !== undefined) this.#mob.network.world.carry(this, from, answer);
  }

  answer(from: Endpoint, bytes: Uint8Array): Uint8Array | undefined {
    const decoded = decodeKrpc(bytes);
    if (!decoded.ok || decoded.value.type !== 'query') return undefined;
    const { transaction, args } = decoded.value;
    const target = args.bytes('target') ?? args.bytes('info_hash');
    const id = this.#id ?? (target === undefined ? this.id : maskOf(target, this.port));
    const values = new Map([['id', id]]);
    if (target !== undefined && target.length === 20 && !args.has('token')) {
      values.set('nodes', compactNodes(this.#mob.named(target)));
      values.set('token', Uint8Array.of(1, 2, 3, 4));
    }
    return encodeResponse(transaction, values, from, { version: VERSION, isReadOnly: false });
  }
}
