/**
 * The Mainline DHT as a sans-IO core (BEP 5, 32, 42, 43, 44, 46).
 * @module
 */
export { DHT_ERROR, K, MAX_SALT_BYTES, MAX_VALUE_BYTES, REPUBLISH_MS } from './constants.ts';
export { Dht } from './dht.ts';
export {
  type DhtItem,
  type ImmutableItem,
  isMutable,
  isRightItem,
  type MutableItem,
  mutableTarget,
  signItem,
  targetOf,
} from './item.ts';
export { decodeKrpc, type Endpoint, type NodeInfo } from './krpc.ts';
export type { Defences, LookupStats } from './lookup.ts';
export { isAllowedId, makeNodeId } from './node-id.ts';
export { publicationValue, publishedInfoHash } from './publication.ts';
export type { TableHealth } from './routing-table.ts';
export type {
  DhtEvent,
  DhtOptions,
  DhtOutput,
  DhtStatus,
  DhtTotals,
  SavedNode,
} from './types.ts';
