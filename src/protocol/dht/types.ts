/**
 * What goes into a DHT core and what comes out.
 * @module
 */
import type { Crypto, Ed25519 } from '../../lib/ports.ts';
import type { Rng } from '../../lib/rng.ts';
import type { DhtItem, MutableItem } from './item.ts';
import type { Endpoint, NodeInfo } from './krpc.ts';
import type { Defences, LookupStats } from './lookup.ts';
import type { TableHealth } from './routing-table.ts';

/** What a core is made from. */
export interface DhtOptions {
  /** The address family that it speaks; a node has a core for each. */
  readonly family: 4 | 6;
  readonly crypto: Crypto;
  readonly ed25519: Ed25519;
  readonly rng: Rng;
  /**
   * 16 bytes or more that nobody can guess: tokens, transactions and our id are made of it. Default: drawn from `rng`, whose seed has 32 bits, which is
   * enough for simulations alone.
   */
  readonly secret?: Uint8Array;
  /** The id of the last run, 20 bytes; default: one for `externalHost`. */
  readonly id?: Uint8Array;
  /** Our address as far as it is known; else others tell it (BEP 42). */
  readonly externalHost?: string;
  /** True: `id` is kept wherever we are, as planted nodes do; for measurements. Default false. */
  readonly isIdFixed?: boolean;
  /** BEP 43: answers nobody and is in nobody's table; default false. */
  readonly isReadOnly?: boolean;
  /** BEP 5's `v`, 4 bytes; default "SG" and two zeros. */
  readonly version?: Uint8Array;
  /** Hosts that limits do not count; default: those of local networks. */
  readonly isExempt?: (host: string) => boolean;
  /** Default: all. */
  readonly defences?: Partial<Defences>;
}

/** A node that could be asked at the next start. */
export type SavedNode = NodeInfo;

/** Things worth telling. */
export type DhtEvent =
  /** Peers of an info-hash came in; the same ones may come again. */
  | { readonly type: 'peers'; readonly lookup: number; readonly peers: readonly Endpoint[] }
  /** An item came in that is right; of mutable ones each is newer than the one before. */
  | { readonly type: 'item'; readonly lookup: number; readonly item: DhtItem }
  /** A lookup ended. */
  | {
      readonly type: 'done';
      readonly lookup: number;
      readonly stats: LookupStats;
      /** Nodes that took what was to be stored. */
      readonly stored: number;
      /** Why nodes refused it: code and how often. */
      readonly refusals: ReadonlyMap<number, number>;
      readonly closest: readonly NodeInfo[];
    }
  /** Enough hosts named another address: the id was changed for it. */
  | { readonly type: 'address'; readonly host: string; readonly id: Uint8Array }
  /** Nodes of the other family, for the core of that family. */
  | { readonly type: 'foreign-nodes'; readonly nodes: readonly NodeInfo[] };

/** What the shell has to do, drained by `poll` until undefined. */
export type DhtOutput =
  | { readonly type: 'transmit'; readonly to: Endpoint; readonly bytes: Uint8Array }
  | { readonly type: 'event'; readonly event: DhtEvent };

/** What is done with the nearest nodes that a lookup finds. */
export type StorePlan =
  /** @param port 0: the port that the datagrams come from (BEP 5, `implied_port`). */
  | { readonly type: 'announce'; readonly port: number }
  | { readonly type: 'put'; readonly item: DhtItem; readonly cas?: number };

/** What a lookup is for. */
export interface LookupPlan {
  readonly query: 'find_node' | 'get_peers' | 'get';
  readonly target: Uint8Array;
  /** `get` of a mutable item: its key, and salt. */
  readonly mutable?: Pick<MutableItem, 'publicKey' | 'salt'>;
  readonly store?: StorePlan;
}

/** A picture of a core. */
export interface DhtStatus {
  readonly family: 4 | 6;
  readonly id: Uint8Array;
  readonly externalHost: string | undefined;
  readonly isReadOnly: boolean;
  readonly table: TableHealth;
  /** Nodes of the network as far as lookups tell; 0: unknown. */
  readonly networkSize: number;
  readonly lookups: number;
  readonly pendingQueries: number;
  readonly storedInfoHashes: number;
  readonly storedItems: number;
  readonly totals: Readonly<DhtTotals>;
}

/** Counters since the start. */
export interface DhtTotals {
  queriesSent: number;
  answersReceived: number;
  timeouts: number;
  queriesReceived: number;
  /** Queries not answered: too many, or unreadable. */
  refused: number;
}
