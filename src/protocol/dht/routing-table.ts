/**
 * The nodes that a node knows, in buckets by how many leading bits their ids share with its own.
 *
 * Spec: BEP 5, "Routing Table": eight good nodes a bucket; a node that failed is replaced by one that waits. A node enters only after it answered
 * a query of ours, so nobody is known by hearsay.
 * Bounds: 160 buckets of K nodes and K that wait; one node of a host and MAX_NODES_PER_SUBNET of a /24 (/48), where the host is not exempt.
 * Not here: asking anybody.
 * @module
 */
import { equalBytes, readU32 } from '../../lib/bytes.ts';
import { ID_BYTES, K, MAX_FAILURES, MAX_NODES_PER_SUBNET, QUESTIONABLE_MS } from './constants.ts';
import type { NodeInfo } from './krpc.ts';
import { commonBits, compareDistance } from './node-id.ts';
import { subnetOf } from './subnet.ts';

// Implementation limits
/** A node that was not heard of for so long is asked, before it becomes questionable: eight buckets of eight are one question in nine seconds. */
const REVISIT_MS = 600_000;
/** Up to this much earlier, by its id: nodes that came together are not all due together. */
const REVISIT_SPREAD_MS = 180_000;
/** A node that failed is asked again after this, and after twice as long each time it fails again. */
const RETRY_MS = 15_000;
/** Failures after which a node goes even when nobody waits for its place. */
const HOPELESS_FAILURES = 5;

/** A node of the table. */
export interface KnownNode extends NodeInfo {
  /** When it answered last. */
  lastSeenMs: number;
  /** Queries in a row that it did not answer. */
  failures: number;
  /** When its answer, or that it stays away, is to be learnt next. */
  dueMs: number;
  /** The first 32 bits of its id. */
  readonly head: number;
}

interface Bucket {
  nodes: KnownNode[];
  waiting: KnownNode[];
  changedMs: number;
}

/** How the nodes of a table are. */
export interface TableHealth {
  readonly good: number;
  readonly questionable: number;
  readonly waiting: number;
  readonly buckets: number;
}

/** One routing table. */
export class RoutingTable {
  readonly id: Uint8Array;
  readonly #isExempt: (host: string) => boolean;
  readonly #buckets = new Map<number, Bucket>();
  readonly #hosts = new Map<string, number>();
  readonly #subnets = new Map<string, number>();
  #size = 0;
  #nextDueMs = Number.POSITIVE_INFINITY;

  /** @param isExempt hosts that the limits do not count, as those of local networks. */
  constructor(id: Uint8Array, isExempt: (host: string) => boolean) {
    this.id = id;
    this.#isExempt = isExempt;
  }

  /** Nodes without those that wait. */
  get size(): number {
    return this.#size;
  }

  *[Symbol.iterator](): Generator<KnownNode> {
    for (const { nodes } of this.#buckets.values()) yield* nodes;
  }

  find(id: Uint8Array): KnownNode | undefined {
    const bucket = this.#buckets.get(commonBits(this.id, id));
    return bucket === undefined ? undefined : inBucket(bucket, id);
  }

  /** True when a node with this id would get a place, or at least may wait for one. */
  hasRoom(nowMs: number, id: Uint8Array): boolean {
    const bits = commonBits(this.id, id);
    if (bits === ID_BYTES * 8) return false;
    const bucket = this.#buckets.get(bits);
    if (bucket === undefined || bucket.nodes.length < K) return true;
    return bucket.waiting.length < K && bucket.nodes.some((node) => !isGood(nowMs, node));
  }

  /** A node answered. */
  seen(nowMs: number, node: NodeInfo): void {
    const bits = commonBits(this.id, node.id);
    if (bits === ID_BYTES * 8) return;
    const bucket = this.#bucket(bits, nowMs);
    const known = inBucket(bucket, node.id);
    if (known !== undefined) {
      // An id does not move to another address as long as its node answers.
      if (known.host !== node.host || known.port !== node.port) return;
      known.lastSeenMs = nowMs;
      known.failures = 0;
      known.dueMs = revisitMs(nowMs, known.head);
      // BEP 5: "When a node in a bucket is pinged and it responds … the bucket's last changed property should be updated".
      bucket.changedMs = nowMs;
      return;
    }
    const { id, host, port } = node;
    const head = headOf(id);
    const dueMs = revisitMs(nowMs, head);
    const fresh: KnownNode = {
      id,
      host,
      port,
      lastSeenMs: nowMs,
      failures: 0,
      dueMs,
      head: headOf(id),
    };
    if (!this.#isAllowed(fresh)) return;
    if (bucket.nodes.length < K) this.#enter(bucket, fresh, nowMs);
    else this.#wait(nowMs, bucket, fresh);
  }

  /** A node of the table asked us something: BEP 5 takes that for a sign of life of one that ever answered. */
  heard(nowMs: number, { id, host, port }: NodeInfo): void {
    const known = this.find(id);
    if (known?.host === host && known.port === port) known.lastSeenMs = nowMs;
  }

  /** A node did not answer. */
  failed(nowMs: number, id: Uint8Array): void {
    const bucket = this.#buckets.get(commonBits(this.id, id));
    const node = bucket === undefined ? undefined : inBucket(bucket, id);
    if (bucket === undefined || node === undefined) return;
    node.failures += 1;
    this.delay(node, nowMs + RETRY_MS * 2 ** (node.failures - 1));
    // Who waited too long may have gone, too: an hour after half of a network vanished one in twenty tables still named such a one.
    bucket.waiting = bucket.waiting.filter((other) => isGood(nowMs, other));
    const heir = bucket.waiting.at(-1);
    if (node.failures >= HOPELESS_FAILURES) this.#leave(bucket, node);
    else if (node.failures >= MAX_FAILURES && heir !== undefined) {
      bucket.waiting.pop();
      this.#leave(bucket, node);
      if (this.#isAllowed(heir)) this.#enter(bucket, heir, nowMs);
    }
  }

  /** The nodes nearest to `target`, nearest first; those that failed last come only when there are no others. */
  closest(target: Uint8Array, count: number = K): KnownNode[] {
    const found: KnownNode[] = [];
    const head = headOf(target);
    // By the first 32 bits, which nearly always tell: sorting was a tenth of a simulated network's time.
    const order = (a: KnownNode, b: KnownNode): number =>
      ((a.head ^ head) >>> 0) - ((b.head ^ head) >>> 0) || compareDistance(target, a.id, b.id);
    for (const group of this.#groups(commonBits(this.id, target))) {
      const usable = group.filter((node) => node.failures === 0);
      if (usable.length > 1) usable.sort(order);
      found.push(...usable);
      if (found.length >= count) break;
    }
    if (found.length < count) {
      const rest = [...this].filter((node) => node.failures > 0);
      found.push(...rest.sort(order));
    }
    return found.length > count ? found.slice(0, count) : found;
  }

  /** Groups of nodes, each nearer to a target that shares `bits` bits with our id than all that follow. */
  *#groups(bits: number): Generator<readonly KnownNode[]> {
    yield this.#buckets.get(bits)?.nodes ?? [];
    const deeper: KnownNode[] = [];
    for (const [at, { nodes }] of this.#buckets) if (at > bits) deeper.push(...nodes);
    yield deeper;
    for (let at = bits - 1; at >= 0; at -= 1) {
      const bucket = this.#buckets.get(at);
      if (bucket !== undefined) yield bucket.nodes;
    }
  }

  /** No node is due before this. Kept, as looking through all for it after each datagram would be most of the work of a node that rests. */
  get nextDueMs(): number {
    return this.#nextDueMs;
  }

  /** A node is due at another time than was thought. */
  delay(node: KnownNode, dueMs: number): void {
    node.dueMs = dueMs;
    this.#nextDueMs = Math.min(this.#nextDueMs, dueMs);
  }

  /** A node that is due; the one that is due first. Sets `nextDueMs` right. */
  takeDue(nowMs: number): KnownNode | undefined {
    let first: KnownNode | undefined;
    for (const { nodes } of this.#buckets.values()) {
      for (const node of nodes) if (first === undefined || node.dueMs < first.dueMs) first = node;
    }
    this.#nextDueMs = first?.dueMs ?? Number.POSITIVE_INFINITY;
    return this.#nextDueMs <= nowMs ? first : undefined;
  }

  /** True when a node with this id is not in the table and would find a free place. */
  hasFreePlace(id: Uint8Array): boolean {
    const bits = commonBits(this.id, id);
    if (bits === ID_BYTES * 8) return false;
    const bucket = this.#buckets.get(bits);
    return bucket === undefined || (bucket.nodes.length < K && this.find(id) === undefined);
  }

  /** Shared bits of the bucket that was left alone longest, and since when; undefined without buckets. */
  get stalest(): { readonly bits: number; readonly sinceMs: number } | undefined {
    let found: { bits: number; sinceMs: number } | undefined;
    for (const [bits, { changedMs, nodes }] of this.#buckets) {
      if (nodes.length === 0) continue;
      if (found === undefined || changedMs < found.sinceMs) found = { bits, sinceMs: changedMs };
    }
    return found;
  }

  /** A bucket is looked after now. */
  touch(nowMs: number, bits: number): void {
    const bucket = this.#buckets.get(bits);
    if (bucket !== undefined) bucket.changedMs = nowMs;
  }

  health(nowMs: number): TableHealth {
    let good = 0;
    let waiting = 0;
    for (const bucket of this.#buckets.values()) {
      good += bucket.nodes.filter((node) => isGood(nowMs, node)).length;
      waiting += bucket.waiting.length;
    }
    return { good, questionable: this.#size - good, waiting, buckets: this.#buckets.size };
  }

  #bucket(bits: number, nowMs: number): Bucket {
    let bucket = this.#buckets.get(bits);
    if (bucket === undefined) {
      bucket = { nodes: [], waiting: [], changedMs: nowMs };
      this.#buckets.set(bits, bucket);
    }
    return bucket;
  }

  /** A full bucket: a node that failed, or that was not heard of for long and failed to answer, gives way. */
  #wait(nowMs: number, bucket: Bucket, fresh: KnownNode): void {
    const bad = bucket.nodes.find((node) => node.failures >= MAX_FAILURES);
    if (bad !== undefined) {
      this.#leave(bucket, bad);
      this.#enter(bucket, fresh, nowMs);
      return;
    }
    bucket.waiting = bucket.waiting.filter((node) => node.host !== fresh.host);
    bucket.waiting.push(fresh);
    if (bucket.waiting.length > K) bucket.waiting.shift();
  }

  #isAllowed({ host }: NodeInfo): boolean {
    if (this.#isExempt(host)) return true;
    if (this.#hosts.has(host)) return false;
    return (this.#subnets.get(subnetOf(host)) ?? 0) < MAX_NODES_PER_SUBNET;
  }

  #enter(bucket: Bucket, node: KnownNode, nowMs: number): void {
    bucket.nodes.push(node);
    this.#nextDueMs = Math.min(this.#nextDueMs, node.dueMs);
    bucket.changedMs = nowMs;
    this.#size += 1;
    count(this.#hosts, node.host, 1);
    count(this.#subnets, subnetOf(node.host), 1);
  }

  #leave(bucket: Bucket, node: KnownNode): void {
    bucket.nodes.splice(bucket.nodes.indexOf(node), 1);
    this.#size -= 1;
    count(this.#hosts, node.host, -1);
    count(this.#subnets, subnetOf(node.host), -1);
  }
}

function inBucket({ nodes }: Bucket, id: Uint8Array): KnownNode | undefined {
  const head = headOf(id);
  for (const node of nodes) if (node.head === head && equalBytes(node.id, id)) return node;
  return undefined;
}

function revisitMs(nowMs: number, head: number): number {
  return nowMs + REVISIT_MS - (head % REVISIT_SPREAD_MS);
}

function headOf(id: Uint8Array): number {
  return readU32(id, 0);
}

function isGood(nowMs: number, node: KnownNode): boolean {
  return node.failures === 0 && nowMs - node.lastSeenMs < QUESTIONABLE_MS;
}

function count(map: Map<string, number>, key: string, change: number): void {
  const value = (map.get(key) ?? 0) + change;
  if (value > 0) map.set(key, value);
  else map.delete(key);
}
