/**
 * The numbers of local service discovery and our own bounds on it.
 * Spec: BEP 14.
 * @module
 */

// Specification constants

/** BEP 14: the multicast groups, org-local in IPv4 and site-local in IPv6. */
export const LSD_GROUPS: { readonly 4: string; readonly 6: string } = {
  4: '239.192.152.143',
  6: 'ff15::efc0:988f',
};
export const LSD_PORT = 6_771;
/** BEP 14: "it should send a LSD announce every 5 minutes". */
export const ANNOUNCE_INTERVAL_MS = 300_000;
/** BEP 14: "a client should send no more than 1 announce per minute". */
export const ANNOUNCE_GAP_MS = 60_000;
/** BEP 14: "the packet length should not exceed 1400 bytes". */
export const ANNOUNCE_BYTES_MAX = 1_400;

// Implementation limits

/** Info-hashes of one of our announces: with the longest head and cookie they fill 1,397 of 1,400 bytes. */
export const HASHES_PER_ANNOUNCE_MAX = 25;
/** Torrents that come to a node together are announced together: the first announce waits so long. */
export const ANNOUNCE_DELAY_MS = 250;
/** Info-hashes that are announced (a hybrid has two); beyond 125 the interval grows, beyond this they are left out. */
export const LSD_HASHES_MAX = 2_000;
/** A datagram that is longer is not read: no Ethernet frame holds more. */
export const DATAGRAM_BYTES_MAX = 1_500;
/** Info-hashes read of one announce; 1,500 bytes hold 27. */
export const HASHES_READ_MAX = 32;
/** A longer cookie is cut: ours are shorter, so it is somebody else's all the same. */
export const COOKIE_LENGTH_MAX = 64;
/** Announces of one sender at once: some clients send a datagram for each torrent … */
export const SENDER_BURST = 100;
/** … and per second after that. */
export const SENDER_ANNOUNCES_PER_SEC = 2;
/** Announces of all senders at once … */
export const TOTAL_BURST = 1_000;
/** … and per second after that. */
export const TOTAL_ANNOUNCES_PER_SEC = 20;
/** Senders whose rate is remembered; the one silent for longest is forgotten first. */
export const SENDERS_MAX = 256;
/** Peers of one info-hash that are passed on, until they are silent for PEER_LIFETIME_MS. */
export const LSD_PEERS_PER_HASH_MAX = 200;
/** Of these from one host: several clients of one machine share its address. */
export const LSD_PORTS_PER_HOST_MAX = 16;
/** Peers of all info-hashes together. */
export const LSD_PEERS_MAX = 5_000;
/** A peer that was not heard for three intervals makes room. */
export const PEER_LIFETIME_MS = 900_000;
/** Announces out of turn, for somebody who waits: so many at once, and one more for each ANNOUNCE_GAP_MS. */
export const URGENT_BURST = 3;
/** Announces out of turn for torrents that just came to a node, by the same measure: without them the first one after a start waits for a minute. */
export const NEWCOMER_BURST = 2;
