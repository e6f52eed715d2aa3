/**
 * Numbers of relays.
 * @module
 */

// Specification constants

/** What a connection that is to be passed on begins with; the token follows. */
export const RELAY_PREFACE = 'STARLING-RELAY/1\n';
export const TOKEN_BYTES = 32;
/** What the relay sends to both ends when both are there. */
export const RELAY_READY = 1;
/** What a relay is asked on a control connection, and under what name it sends word. */
export const RELAY_SERVICE = 'relay';
export const RELAYED_SERVICE = 'relayed';

// Implementation limits

/** Peers that can be reached through one relay. */
export const MAX_RESERVATIONS = 512;
/** A reservation lasts so long; it is renewed at half of that. */
export const RESERVATION_MS = 3_600_000;
/** A reservation is asked for again no sooner than this, however short a relay says that it holds. */
export const MIN_RENEWAL_MS = 10_000;
/** Connections that wait for their second end, of a relay. */
export const MAX_PENDING_PIPES = 128;
/** How long one waits. */
export const PENDING_MS = 15_000;
/** Connections passed on at a time: of a relay, and of one identity at either end. */
export const MAX_PIPES = 256;
export const MAX_PIPES_PER_PEER = 8;
/** Longest time that one connection is passed on. */
export const MAX_PIPE_MS = 86_400_000;
/** Bytes passed on for one identity within a day, both directions; the default of `starling relay`. */
export const BYTES_PER_PEER_PER_DAY: number = 20 * 1024 ** 3;
/** Identities whose bytes are counted; of those without a connection and a reservation, the one that was met first is forgotten for a new one. */
export const MAX_COUNTED_PEERS = 10_000;
/** Requests for connections of one identity in a minute. */
export const MAX_CONNECTS_PER_MIN = 30;
