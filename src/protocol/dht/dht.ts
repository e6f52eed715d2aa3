/**
 * The face of the DHT core: Mainline's Kademlia for one address family. A node with IPv4 and IPv6 has two, which know each other (`join`).
 *
 * Specs: BEP 5, 32, 42, 43, 44. Lookups and what holds planted nodes off: `lookup.ts`; the table: `routing-table.ts`.
 * Grammar: inputs `handleX(nowMs, …)`, commands, outputs by `poll()`; `nextTimeoutMs` says when `handleTimeout` wants to be called.
 * Not here: sockets, names, files, when to announce again.
 * @module
 */
import { K, QUESTIONABLE_MS, REPUBLISH_MS } from './constants.ts';
import { handleQuery } from './handle/query.ts';
import type { DhtItem } from './item.ts';
import { isMutable, mutableTarget, targetOf } from './item.ts';
import { decodeKrpc, type Endpoint, type NodeInfo } from './krpc.ts';
import { commonBits, idInBucket } from './node-id.ts';
import { ping, query } from './querying.ts';
import { cancelLookup, startLookup, step } from './running-lookup.ts';
import { DhtState } from './state.ts';
import type { DhtOptions, DhtOutput, DhtStatus, LookupPlan, SavedNode } from './types.ts';

// Implementation limits
/** Nodes to begin with that are remembered. */
const MAX_BOOTSTRAP = 256;
/** Of those, asked at a time. */
const BOOTSTRAP_BATCH = 8;
/** Time between tries to begin while nobody is known; doubles up to MAX_BOOTSTRAP_WAIT_MS. */
const BOOTSTRAP_WAIT_MS = 5_000;
const MAX_BOOTSTRAP_WAIT_MS = 300_000;
/** With fewer nodes the core still begins. */
const FEW_NODES = K;
/** Lookups that fill the buckets of a young node, after the one for its own id. */
const FIRST_REFRESHES = 6;
/** Least time between two questions of the table. */
const MIN_VISIT_MS = 1_000;
/** A node that is asked by the table is not due again before this. */
const VISIT_MS = 15_000;
/** Nodes told by one whom the table asks, or by one of the other family, and asked whether they live, where there is room. */
const MAX_INTRODUCED = 2;

/** One DHT node of one address family. */
export class Dht {
  readonly #state: DhtState;
  #bootstrapWaitMs = BOOTSTRAP_WAIT_MS;
  #hasSearchedSelf = false;
  #refreshes = 0;
  #leastVisitMs = 0;
  #outputsHead = 0;

  constructor(nowMs: number, options: DhtOptions) {
    this.#state = new DhtState(nowMs, options);
  }

  /** The cores of both families of one node: each tells of the other's nodes, too (BEP 32). */
  join(other: Dht): void {
    this.#state.sibling = other.#state;
    other.#state.sibling = this.#state;
  }

  // Commands

  /** Adds nodes to begin with: saved ones, well-known ones, a torrent's `nodes`, what peers told by PORT. Asked when few others are known. */
  addNodes(nowMs: number, nodes: Iterable<Endpoint>): void {
    const state = this.#state;
    const isSix = state.options.family === 6;
    for (const { host, port } of nodes) {
      if (host.includes(':') !== isSix || port < 1 || port > 65_535) continue;
      if (state.bootstrap.size >= MAX_BOOTSTRAP) break;
      state.bootstrap.set(`${host} ${port}`, { host, port });
    }
    this.#bootstrapWaitMs = BOOTSTRAP_WAIT_MS;
    state.nextBootstrapMs = Math.min(state.nextBootstrapMs, nowMs);
    this.#bootstrap(nowMs);
  }

  /** Nodes that one of the other family named: some are asked while few are known here; none is remembered, since anybody can name anything. */
  introduce(nowMs: number, nodes: readonly Endpoint[]): void {
    if (this.#state.table.size >= FEW_NODES) return;
    for (const node of nodes.slice(0, MAX_INTRODUCED)) this.addPeerNode(nowMs, node);
  }

  /** A peer told its DHT port (BEP 5, PORT): it is asked whether it lives. */
  addPeerNode(nowMs: number, node: Endpoint): void {
    if (node.host.includes(':') === (this.#state.options.family === 6))
      ping(this.#state, nowMs, node);
  }

  /**
   * Looks for peers; they come as `peers` events.
   * @param infoHash 20 bytes (of v2 the first 20). @param announcePort undefined: do not announce; 0: the datagrams' port.
   * @returns the number of the lookup; 0 when too many wait.
   */
  getPeers(nowMs: number, infoHash: Uint8Array, announcePort?: number): number {
    const plan: LookupPlan = { query: 'get_peers', target: infoHash };
    if (announcePort === undefined) return startLookup(this.#state, nowMs, plan);
    const store = { type: 'announce', port: announcePort } as const;
    return startLookup(this.#state, nowMs, { ...plan, store });
  }

  /** Looks for an immutable item. */
  get(nowMs: number, target: Uint8Array): number {
    return startLookup(this.#state, nowMs, { query: 'get', target });
  }

  /** Looks for the newest item of a key; each newer one comes as an event. */
  getMutable(nowMs: number, publicKey: Uint8Array, salt: Uint8Array = new Uint8Array(0)): number {
    const target = mutableTarget(this.#state.options.crypto, publicKey, salt);
    return startLookup(this.#state, nowMs, { query: 'get', target, mutable: { publicKey, salt } });
  }

  /** Stores an item at the nodes nearest to its target. @param cas the number that is to be replaced (BEP 44). */
  put(nowMs: number, item: DhtItem, cas?: number): number {
    const target = targetOf(this.#state.options.crypto, item);
    const store = { type: 'put', item, ...(cas === undefined ? {} : { cas }) } as const;
    const mutable = isMutable(item)
      ? { mutable: { publicKey: item.publicKey, salt: item.salt } }
      : {};
    return startLookup(this.#state, nowMs, { query: 'get', target, store, ...mutable });
  }

  /** Looks for the nodes nearest to a target. */
  findNodes(nowMs: number, target: Uint8Array): number {
    return startLookup(this.#state, nowMs, { query: 'find_node', target });
  }

  /** Ends a lookup; no event of it follows. */
  cancel(nowMs: number, lookup: number): void {
    cancelLookup(this.#state, nowMs, lookup);
  }

  setReadOnly(isReadOnly: boolean): void {
    this.#state.isReadOnly = isReadOnly;
  }

  /** Nodes to save, those seen last first. */
  savedNodes(): SavedNode[] {
    const nodes = [...this.#state.table].filter(({ failures }) => failures === 0);
    nodes.sort((a, b) => b.lastSeenMs - a.lastSeenMs);
    return nodes.map(({ id, host, port }) => ({ id, host, port }));
  }

  // Inputs

  /** A datagram came. */
  handlePacket(nowMs: number, from: Endpoint, bytes: Uint8Array): void {
    const state = this.#state;
    const decoded = decodeKrpc(bytes);
    // Nobody can be answered at port 0, which anybody can write into a datagram.
    if (!decoded.ok || from.port === 0) {
      state.totals.refused += 1;
      return;
    }
    const message = decoded.value;
    if (message.type === 'query') {
      state.totals.queriesReceived += 1;
      if (state.isReadOnly) return;
      const isExempt = state.isExempt(from.host);
      if (state.gate.admit(nowMs, from.host, isExempt)) handleQuery(state, nowMs, from, message);
      else state.totals.refused += 1;
      return;
    }
    const pending = state.transactions.take(nowMs, from, message.transaction);
    if (pending === undefined) state.totals.refused += 1;
    else pending.onAnswer(nowMs, message);
  }

  handleTimeout(nowMs: number): void {
    const state = this.#state;
    state.transactions.expire(nowMs);
    for (const running of [...state.lookups.values()]) step(state, nowMs, running);
    this.#bootstrap(nowMs);
    if (nowMs >= state.nextRefreshMs) this.#refresh(nowMs);
    if (nowMs >= this.#nextVisitMs) this.#visitDue(nowMs);
  }

  /** When `handleTimeout` wants to be called; Infinity while nothing can become due by itself. */
  get nextTimeoutMs(): number {
    const { transactions, nextRefreshMs, bootstrap, nextBootstrapMs, table } = this.#state;
    const needsBegin = bootstrap.size > 0 && table.size < FEW_NODES;
    return Math.min(
      transactions.nextTimeoutMs,
      nextRefreshMs,
      this.#nextVisitMs,
      needsBegin ? nextBootstrapMs : Number.POSITIVE_INFINITY,
    );
  }

  /** The next thing to do, or undefined when there is none. */
  poll(): DhtOutput | undefined {
    const { outputs } = this.#state;
    const output = outputs[this.#outputsHead];
    if (output !== undefined) {
      this.#outputsHead += 1;
      return output;
    }
    this.#outputsHead = 0;
    outputs.length = 0;
    return undefined;
  }

  /** Few are known: some of those to begin with are asked for the nodes around us. */
  #bootstrap(nowMs: number): void {
    const state = this.#state;
    this.#settle(nowMs);
    if (nowMs < state.nextBootstrapMs || state.bootstrap.size === 0) return;
    if (state.table.size >= FEW_NODES) return;
    state.nextBootstrapMs = nowMs + this.#bootstrapWaitMs;
    this.#bootstrapWaitMs = Math.min(this.#bootstrapWaitMs * 2, MAX_BOOTSTRAP_WAIT_MS);
    const args = new Map([['target', state.id]]);
    const batch = state.options.rng
      .shuffle([...state.bootstrap.values()])
      .slice(0, BOOTSTRAP_BATCH);
    for (const node of batch) {
      if (state.transactions.isFull) return;
      query(state, nowMs, node, 'find_node', args, {
        onAnswer: (atMs, answer) => {
          if (answer.type === 'error') return;
          const isSix = state.options.family === 6;
          for (const each of (isSix ? answer.nodes6 : answer.nodes).slice(0, K)) {
            if (state.table.size < FEW_NODES) ping(state, atMs, each);
          }
          this.#settle(atMs);
        },
        onTimeout: () => {},
      });
    }
  }

  /** The first node is there: those around us are looked for, then far buckets are filled. */
  #settle(nowMs: number): void {
    const state = this.#state;
    if (this.#hasSearchedSelf || state.table.size === 0) return;
    this.#hasSearchedSelf = true;
    this.findNodes(nowMs, state.id);
    state.nextRefreshMs = nowMs + BOOTSTRAP_WAIT_MS;
  }

  /** The bucket that was left alone longest is looked after; soon the next one when it is old, too (BEP 5). */
  #refresh(nowMs: number): void {
    const state = this.#state;
    const { stalest } = state.table;
    if (stalest === undefined) {
      this.#hasSearchedSelf = false;
      this.#refreshes = 0;
      state.nextRefreshMs = Number.POSITIVE_INFINITY;
      return;
    }
    const dueMs = stalest.sinceMs + QUESTIONABLE_MS;
    if (nowMs >= dueMs || this.#refreshes < FIRST_REFRESHES) {
      this.#refreshes += 1;
      state.table.touch(nowMs, stalest.bits);
      this.findNodes(nowMs, idInBucket(state.id, stalest.bits, state.options.rng));
      state.nextRefreshMs = nowMs + BOOTSTRAP_WAIT_MS;
    } else state.nextRefreshMs = Math.min(dueMs, nowMs + REPUBLISH_MS);
  }

  /**
   * The node of the table that was not heard of for longest is asked for others of its bucket: so it is known whether it lives, and places of the dead are
   * filled. Before, entries that failed once were neither asked nor replaced, and tables decayed while nodes came and went.
   */
  #visitDue(nowMs: number): void {
    const { table, transactions } = this.#state;
    this.#leastVisitMs = nowMs + MIN_VISIT_MS;
    const node = transactions.isFull ? undefined : table.takeDue(nowMs);
    if (node === undefined) return;
    table.delay(node, nowMs + VISIT_MS);
    this.#visit(nowMs, node);
  }

  get #nextVisitMs(): number {
    return Math.max(this.#leastVisitMs, this.#state.table.nextDueMs);
  }

  #visit(nowMs: number, node: NodeInfo): void {
    const state = this.#state;
    const bits = commonBits(state.id, node.id);
    const target = idInBucket(state.id, bits, state.options.rng);
    query(state, nowMs, node, 'find_node', new Map([['target', target]]), {
      onAnswer: (atMs, answer) => {
        if (answer.type === 'error') return;
        const told = state.options.family === 6 ? answer.nodes6 : answer.nodes;
        const wanted = told.slice(0, K).filter(({ id }) => state.table.hasFreePlace(id));
        for (const each of wanted.slice(0, MAX_INTRODUCED)) ping(state, atMs, each);
      },
      onTimeout: () => {},
    });
  }

  // Getters

  get id(): Uint8Array {
    return this.#state.id;
  }

  get family(): 4 | 6 {
    return this.#state.options.family;
  }

  /** The nodes of the table nearest to a target. */
  closest(target: Uint8Array, count: number = K): NodeInfo[] {
    return this.#state.table.closest(target, count);
  }

  status(nowMs: number): DhtStatus {
    const state = this.#state;
    return {
      family: state.options.family,
      id: state.id,
      externalHost: state.externalHost,
      isReadOnly: state.isReadOnly,
      table: state.table.health(nowMs),
      networkSize: state.networkSize,
      lookups: state.lookups.size + state.waiting.length,
      pendingQueries: state.transactions.size,
      storedInfoHashes: state.peers.size,
      storedItems: state.items.size,
      totals: state.totals,
    };
  }
}
