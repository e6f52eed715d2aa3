/**
 * Numbers of the DHT.
 * @module
 */

// Specification constants

/** BEP 5: nodes in a bucket, and nodes that hold a value. */
export const K = 8;
/** BEP 5: bytes of a node id and of an info-hash. */
export const ID_BYTES = 20;
/** BEP 5: a node that said nothing for so long is questionable; a bucket in which nothing changed for so long is refreshed. */
export const QUESTIONABLE_MS = 900_000;
/** BEP 5: the secret of tokens changes after this, and tokens of the last but one are not taken. */
export const TOKEN_SECRET_MS = 300_000;
/** BEP 44: most bytes of a bencoded value, and of a salt. */
export const MAX_VALUE_BYTES = 1_000;
export const MAX_SALT_BYTES = 64;
/** BEP 44: an item expires after this unless it is put again … */
export const ITEM_MS = 7_200_000;
/** … which whoever wants to keep it does this often. */
export const REPUBLISH_MS = 3_600_000;
/** BEP 5: error codes; BEP 44: those from 205 on. */
export const DHT_ERROR = {
  generic: 201,
  server: 202,
  protocol: 203,
  unknownMethod: 204,
  valueTooBig: 205,
  badSignature: 206,
  saltTooBig: 207,
  casMismatch: 301,
  seqTooLow: 302,
} as const;

// Implementation limits

/** Longest datagram that is read: answers to us stay below the least MTU of IPv6. */
export const MAX_PACKET_BYTES = 1_400;
/** Peers in one answer: 100 of IPv4 are 800 bytes. */
export const MAX_VALUES = 50;
/** Queries to one node or in all that wait for an answer. */
export const MAX_TRANSACTIONS = 512;
/** A query without an answer is given up after this; the path is tried elsewhere before (`SLOW_MS`). */
export const QUERY_TIMEOUT_MS = 5_000;
/** A query that is not answered in this time makes room for another one of its lookup; a late answer still counts. */
export const SLOW_MS = 1_000;
/** Queries of a lookup under way for each of its paths. */
export const ALPHA = 2;
/** Disjoint paths of a lookup. */
export const PATHS = 2;
/** Nodes that a lookup remembers. */
export const MAX_CANDIDATES = 256;
/** Longest that a lookup may take. */
export const LOOKUP_LIMIT_MS = 60_000;
/** Lookups at a time; further ones wait. */
export const MAX_LOOKUPS = 32;
/** Info-hashes of others that peers are kept for, and peers of each. */
export const MAX_INFO_HASHES = 4_000;
export const MAX_PEERS_PER_HASH = 500;
/** A peer that did not announce itself again is forgotten after this. */
export const PEER_MS = 1_800_000;
/** Peers of one host for one info-hash. */
export const MAX_PEERS_PER_HOST = 4;
/** Peers of one host for all info-hashes together; hosts of local networks have no such bound. */
export const MAX_STORED_PEERS_PER_HOST = 200;
/** Items of others that are kept, and of one host. */
export const MAX_ITEMS = 4_000;
export const MAX_ITEMS_PER_HOST = 100;
/** Answers to one host in a second, and in all. */
export const HOST_QUERIES_PER_SEC = 20;
export const ALL_QUERIES_PER_SEC = 500;
/** Hosts whose queries are counted at a time. */
export const MAX_COUNTED_HOSTS = 4_096;
/** Nodes of one /24 (IPv6: /48) in the table, and among those that a value is stored at. */
export const MAX_NODES_PER_SUBNET = 4;
export const MAX_STORES_PER_SUBNET = 2;
/** Nodes that a value is stored at when the ones nearest to it look planted. */
export const WIDE_STORES = 24;
/** Failed queries after which a node is bad. */
export const MAX_FAILURES = 2;
/** Hosts that must name the same address before it is believed to be ours. */
export const ADDRESS_VOTES = 4;
