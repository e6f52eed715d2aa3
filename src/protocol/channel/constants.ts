/**
 * Numbers of channels.
 * @module
 */

// Specification constants

/** Version of the frames below. */
export const CHANNEL_VERSION = 1;
/** ALPN tokens: clear text on the wire, so they say nothing but the kind of connection. */
export const CONTROL_PROTOCOL = 'starling/control/1';
export const BULK_PROTOCOL = 'starling/bulk/1';
export const WIRE_PROTOCOL = 'starling/bittorrent/1';
/** Bytes of a control frame behind its length; larger things go as bulk, so that nothing large blocks what is small. */
export const MAX_FRAME_BYTES = 65_536;
/** Bytes of the number of a run of the program. */
export const INSTANCE_BYTES = 8;
/** Bytes of a community's name in an envelope. */
export const COMMUNITY_BYTES = 32;
/** Characters of a service's name. */
export const MAX_SERVICE_CHARACTERS = 32;
/** Bytes of the header of a bulk connection. */
export const MAX_BULK_HEADER_BYTES = 4_096;

// Implementation limits

/** Addresses in a greeting that are read. */
export const MAX_HELLO_ADDRESSES = 16;
/** How long a connection may take to send its greeting. */
export const HELLO_TIMEOUT_MS = 10_000;
/** A connection on which nothing came for this long is asked for a sign of life. */
export const KEEP_ALIVE_MS = 25_000;
/** One on which nothing came for this long is closed. */
export const SILENCE_MS = 60_000;
/** Requests of ours that wait for an answer, of one connection. */
export const MAX_PENDING_REQUESTS = 256;
/** Requests of the other end that wait for ours; more are refused. */
export const MAX_PENDING_ANSWERS = 64;
/** Bytes that wait to be sent on one connection, by priority. */
export const MAX_QUEUED_BYTES: number = 1024 * 1024;
/** Answers and signs of life may wait besides. */
export const MAX_URGENT_BYTES: number = 512 * 1024;
/** Longest time that a request may be given. */
export const MAX_REQUEST_MS = 300_000;
/** Default time for the answer to a request. */
export const REQUEST_TIMEOUT_MS = 15_000;
/** Pings answered in a second; more are a fault. */
export const MAX_PINGS_PER_SEC = 10;
/** Two connections of one pair that were made within this time come of simultaneous dials. */
export const SIMULTANEOUS_MS = 10_000;
