/**
 * The numbers of the tracker protocols and our own bounds on them.
 * Spec: BEP 3 (trackers), BEP 12, BEP 15 (time outs), BEP 41 (options).
 * @module
 */

// Specification constants

/** BEP 15: the two halves of the 64-bit magic number 0x41727101980 of a connect request. */
export const UDP_PROTOCOL_ID: readonly [number, number] = [0x417, 0x27101980];
export const UDP_ACTION_CONNECT = 0;
export const UDP_ACTION_ANNOUNCE = 1;
export const UDP_ACTION_SCRAPE = 2;
export const UDP_ACTION_ERROR = 3;
/** BEP 15: "A client can use a connection ID until one minute after it has received it." */
export const UDP_CONNECTION_ID_LIFETIME_MS = 60_000;
/** BEP 15: a request is repeated after 15 · 2^n seconds … */
export const RETRY_BASE_MS = 15_000;
/** … with n from 0 to 8 (3,840 s). The same series paces our retries over HTTP. */
export const RETRY_EXPONENT_MAX = 8;
/** BEP 41: option types behind byte 98 of a UDP announce. */
export const UDP_OPTION_URL_DATA = 2;
export const UDP_OPTION_DATA_LENGTH_MAX = 255;

// Implementation limits

/** Peers kept of one reply; the rest is dropped. */
export const PEERS_PER_REPLY_MAX = 2_000;
/** A tracker's reply after decompression: 2,000 peers in dictionary form fit several times. */
export const REPLY_LENGTH_MAX = 1_048_576;
/** Nesting of a reply; peers in dictionary form need three levels, the rest is room for extensions. */
export const REPLY_DEPTH_MAX = 16;
/** Texts of a tracker that we keep: failure reasons and warnings. */
export const TRACKER_TEXT_LENGTH_MAX = 512;
/** `tracker id` is sent back in every announce, so its length is bounded. */
export const TRACKER_ID_LENGTH_MAX = 256;
/** A DNS name has at most 255 bytes (RFC 1034), also in the dictionary form of a peer. */
export const HOST_LENGTH_MAX = 255;
export const TRACKER_URL_LENGTH_MAX = 2_048;
/** Trackers of one torrent, all tiers together; the rest is ignored. */
export const TRACKERS_MAX = 100;
/** Info-hashes of one torrent: v1 and truncated v2. */
export const HASHES_MAX = 2;
/** What BEP 3 requires may be missing: then we come back after this time, as most clients do. */
export const INTERVAL_DEFAULT_MS = 1_800_000;
export const INTERVAL_MIN_MS = 60_000;
export const INTERVAL_MAX_MS = 86_400_000;
/** Failed rounds wait up to this share longer. */
export const RETRY_JITTER = 0.1;
/** Peers asked for in an announce. */
export const NUM_WANT_DEFAULT = 200;
/** `left` when the size is unknown (magnet): one block, as a 0 would claim that we seed. */
export const LEFT_UNKNOWN_BYTES = 16_384;
/** While another tracker is left to try, one that says nothing is given up after this time. */
export const FAIL_OVER_TIMEOUT_MS = 15_000;
/** When no other tracker is left, an HTTP tracker may take this long (overloaded ones do). */
export const HTTP_TIMEOUT_MS = 60_000;
/** BEP 15: "Up to about 74 torrents can be scraped at once"; as many by HTTP make a URL of 5 KiB. */
export const SCRAPE_HASHES_MAX = 74;
/** Info-hashes of one scrape, all requests together. */
export const SCRAPE_TOTAL_MAX = 1_000;
/** How long the GET of a scrape may take. */
export const SCRAPE_TIMEOUT_MS = 15_000;
/** A datagram of a scrape is sent again so often: people wait for the answer, and can ask again. */
export const SCRAPE_RETRIES = 1;
/** Nobody waits long for a goodbye: `stopped` announces are sent once and given up after this time. */
export const STOP_TIMEOUT_MS = 5_000;
