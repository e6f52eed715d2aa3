/**
 * Everything a DHT core of one address family knows.
 * @module
 */
import { toHex } from '../../lib/bytes.ts';
import type { Encodable } from '../bencode/index.ts';
import { ADDRESS_VOTES, ID_BYTES } from './constants.ts';
import { ItemStore } from './item-store.ts';
import type { Endpoint, NodeInfo, Signature } from './krpc.ts';
import { ALL_DEFENCES, type Defences } from './lookup.ts';
import { isAllowedId, makeNodeId } from './node-id.ts';
import { PeerStore } from './peer-store.ts';
import { QueryGate } from './query-gate.ts';
import { RoutingTable } from './routing-table.ts';
import type { RunningLookup } from './running-lookup.ts';
import { SecretBytes } from './secret-bytes.ts';
import { isLocal } from './subnet.ts';
import { Tokens } from './tokens.ts';
import { Transactions } from './transactions.ts';
import type { DhtEvent, DhtOptions, DhtOutput, DhtTotals, LookupPlan } from './types.ts';

// Implementation limits
/** Hosts whose word about our address is kept. */
const MAX_VOTES = 64;
/** Lookups, each of another target, whose middle one tells the size of the network: whoever crowds one target changes nothing. */
const SIZE_SAMPLES = 15;
const DEFAULT_VERSION = Uint8Array.of(0x53, 0x47, 0, 0);

/** The state. */
export class DhtState {
  readonly options: DhtOptions;
  readonly defences: Defences;
  readonly isExempt: (host: string) => boolean;
  table: RoutingTable;
  /** Where everything comes from that others must not guess. */
  readonly secret: SecretBytes;
  readonly transactions: Transactions;
  readonly tokens: Tokens;
  readonly peers: PeerStore;
  readonly items: ItemStore;
  readonly gate: QueryGate = new QueryGate();
  readonly lookups: Map<number, RunningLookup> = new Map<number, RunningLookup>();
  readonly waiting: { readonly id: number; readonly plan: LookupPlan }[] = [];
  nextLookup = 1;
  isReadOnly: boolean;
  externalHost: string | undefined;
  /** Our address as the last node named it that answered; nobody else's word stands behind it. */
  told: Endpoint | undefined;
  /** Nodes to begin with, not asked yet or again when the table is empty. */
  readonly bootstrap: Map<string, Endpoint> = new Map<string, Endpoint>();
  nextBootstrapMs = 0;
  nextRefreshMs: number = Number.POSITIVE_INFINITY;
  /** Sizes of the network as lookups saw them, by target. */
  readonly #sizes = new Map<string, number>();
  /** The address that the votes and our id agree on. */
  #settledHost: string | undefined;
  readonly #votes = new Map<string, string>();
  /** Nodes that asked us and are asked back before they enter the table, by host. */
  readonly courted: Set<string> = new Set<string>();
  readonly totals: DhtTotals = {
    queriesSent: 0,
    answersReceived: 0,
    timeouts: 0,
    queriesReceived: 0,
    refused: 0,
  };
  /** The core of the other family on this node. */
  sibling: DhtState | undefined;
  outputs: DhtOutput[] = [];

  constructor(nowMs: number, options: DhtOptions) {
    const { rng, crypto, ed25519, externalHost, id } = options;
    this.options = options;
    this.defences = { ...ALL_DEFENCES, ...options.defences };
    const isExempt = options.isExempt ?? isLocal;
    this.isExempt = this.defences.limitsSubnets ? isExempt : () => true;
    this.externalHost = externalHost;
    this.isReadOnly = options.isReadOnly ?? false;
    const isUsable =
      id?.length === ID_BYTES &&
      (options.isIdFixed === true || externalHost === undefined || isAllowedId(id, externalHost));
    this.secret = new SecretBytes(crypto, options.secret ?? rng.bytes(ID_BYTES));
    this.table = new RoutingTable(
      isUsable ? id : makeNodeId(externalHost, this.secret),
      this.isExempt,
    );
    this.transactions = new Transactions(this.secret);
    this.tokens = new Tokens(nowMs, crypto, this.secret);
    this.peers = new PeerStore(rng.fork());
    this.items = new ItemStore(crypto, ed25519);
  }

  get id(): Uint8Array {
    return this.table.id;
  }

  get signature(): Signature {
    return { version: this.options.version ?? DEFAULT_VERSION, isReadOnly: this.isReadOnly };
  }

  /** Nodes of the network; 0: unknown. */
  get networkSize(): number {
    const sizes = [...this.#sizes.values()].sort((a, b) => a - b);
    return Math.round(sizes[sizes.length >> 1] ?? 0);
  }

  /** A lookup of a target saw a network of about this size. */
  learnSize(target: Uint8Array, size: number): void {
    const key = toHex(target);
    this.#sizes.delete(key);
    this.#sizes.set(key, size);
    if (this.#sizes.size > SIZE_SAMPLES) this.#sizes.delete(this.#sizes.keys().next().value!);
  }

  emit(event: DhtEvent): void {
    this.outputs.push({ type: 'event', event });
  }

  send(to: Endpoint, bytes: Uint8Array): void {
    this.outputs.push({ type: 'transmit', to, bytes });
  }

  /** What every query carries. */
  args(more: ReadonlyMap<string, Encodable> = new Map()): Map<string, Encodable> {
    return new Map<string, Encodable>([['id', this.id], ...more]);
  }

  /** A host says what our address is. @returns the address that enough of them agree on and our id does not fit. */
  vote(host: string, own: string): string | undefined {
    this.#votes.delete(host);
    // One text for all who say the same.
    this.#votes.set(host, own === this.externalHost ? this.externalHost : own);
    if (this.#votes.size > MAX_VOTES) this.#votes.delete(this.#votes.keys().next().value!);
    // What is known already: counting the votes again for each answer was 4 % of a simulated network's time.
    if (own === this.externalHost && own === this.#settledHost) return undefined;
    let count = 0;
    for (const named of this.#votes.values()) if (named === own) count += 1;
    if (count < ADDRESS_VOTES || 2 * count <= this.#votes.size) return undefined;
    this.externalHost = own;
    const isRight = this.options.isIdFixed === true || isAllowedId(this.id, own);
    if (isRight) this.#settledHost = own;
    return isRight ? undefined : own;
  }

  /** Takes another id; the nodes stay known. */
  changeId(nowMs: number, id: Uint8Array): void {
    const nodes: NodeInfo[] = [...this.table];
    this.#settledHost = undefined;
    this.table = new RoutingTable(id, this.isExempt);
    for (const node of nodes) this.table.seen(nowMs, node);
  }
}
