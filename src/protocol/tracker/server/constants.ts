/**
 * The numbers of the tracker's own side.
 * Spec: BEP 3, 15, 41. The bounds are ours.
 * @module
 */

// Specification constants

/** BEP 15: an announce request without options. */
export const UDP_ANNOUNCE_LENGTH = 98;
/** BEP 15: connection id, action, transaction id. */
export const UDP_HEADER_LENGTH = 16;
/** BEP 41: ends the options. */
export const UDP_OPTION_END = 0;
/** BEP 41: one byte of padding. */
export const UDP_OPTION_NOP = 1;
/** BEP 15: "Trackers should accept the connection ID until two minutes after it has been send." */
export const CONNECTION_ID_ACCEPTED_MS = 120_000;

// Implementation limits

/** Seconds between announces that clients are asked for; `--interval` changes it. */
export const ANNOUNCE_INTERVAL_SEC = 1_800;
/** Least and most that may be set: clients take less for an attack on the tracker, and more for a mistake. */
export const ANNOUNCE_INTERVAL_MIN_SEC = 30;
export const ANNOUNCE_INTERVAL_MAX_SEC = 86_400;
/** `min interval` of HTTP replies: sooner nobody shall come back, not even for more peers. */
export const MIN_INTERVAL_SEC = 300;
/** A peer that was silent for so many intervals is gone. */
export const PEER_TIMEOUT_INTERVALS = 2;
/** And this much more, for retries of UDP and slow clocks. */
export const PEER_GRACE_SEC = 120;
/** How long a swarm without peers keeps its count of downloads. */
export const EMPTY_SWARM_SEC = 86_400;
/** Peers in all; at the bound the one that was silent longest gives way. About 85 bytes each in IPv4, 100 in IPv6. */
export const PEERS_MAX = 4_000_000;
/** Torrents in all; at the bound the one without an announce for longest gives way, with its peers. */
export const TORRENTS_MAX = 500_000;
/** Ports of one IPv4 address, or IPv6 /64, in one swarm: people behind one router. At the bound its oldest gives way. */
export const PEERS_PER_ADDRESS_MAX = 16;
/** Announces and scrapes of one address at once: a client that starts with a thousand torrents. */
export const REQUESTS_PER_ADDRESS_BURST = 2_000;
/** … and a second, for long. */
export const REQUESTS_PER_ADDRESS_PER_SEC = 20;
/** Addresses whose requests are counted; of more, those that asked longest ago are forgotten. */
export const COUNTED_ADDRESSES_MAX = 65_536;
/** Peers in a reply when the client says nothing. */
export const PEERS_WANTED_DEFAULT = 50;
/** Peers in a reply at most. */
export const PEERS_WANTED_MAX = 200;
/** Bytes of a datagram that we send: what IPv6 carries everywhere (1,280) less the headers of IPv6 and UDP. */
export const UDP_REPLY_LENGTH_MAX = 1_232;
/** Path and query of a request, in HTTP and in the options of UDP. A scrape of 74 torrents needs 5,300. */
export const REQUEST_TARGET_LENGTH_MAX = 8_192;
/** Parameters of a query. */
export const QUERY_PARAMETERS_MAX = 128;
/** Keys that `--key` may name. */
export const KEYS_MAX = 10_000;
/** Letters of a key. */
export const KEY_LENGTH_MAX = 64;
/** Info-hashes of an allow list. */
export const ALLOWED_MAX = 1_000_000;
/** BEP 31: minutes that somebody who asks too often shall wait. */
export const RETRY_IN_MINUTES = 5;
