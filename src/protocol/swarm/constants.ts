/**
 * Numbers of the swarm core.
 * @module
 */

// Specification constants

/** BEP 3: keep-alives are "generally sent once every two minutes". */
export const KEEP_ALIVE_MS = 110_000;

// Implementation limits

/** Connections of a torrent. */
export const DEFAULT_MAX_PEERS = 250;
/** Dials of a torrent under way. */
export const MAX_HALF_OPEN = 20;
/** Known addresses of a torrent that are not connected. */
export const MAX_CANDIDATES = 2_000;
/** Failures of an address that are counted; more make no difference. */
export const MAX_FAILURES = 20;
/** Addresses remembered that turned out to be our own. */
export const MAX_OWN_ADDRESSES = 16;
/** Share of the connections of a torrent that incoming ones may fill: the others are for peers that we choose. */
export const INCOMING_SHARE = 0.8;
/** Our own address may change so often as far as the order of dials is concerned: whoever lies about it costs no more. */
export const RANK_INTERVAL_MS = 60_000;
/** An address whose network has connections enough is looked at again after this. */
export const CROWDED_WAIT_MS = 60_000;
/** Addresses of a peer, besides the one it is connected at, that are not dialled while it is. */
export const MAX_DOORS = 8;
/** Requests a peer may have waiting here; told as `reqq`. */
export const MAX_QUEUED_UPLOADS = 2_048;
/** A connection that said nothing for so long is closed. */
export const PEER_TIMEOUT_MS = 150_000;
/** A peer that owes blocks and sent none for so long is snubbed (the least: see `snubTimeoutMs`). */
export const SNUB_TIMEOUT_MS = 20_000;
/** A request to a snubbed peer is given to others after this. */
export const REQUEST_TIMEOUT_MS = 60_000;
/** Requests that are sent together once the pipeline is deep; below it a quarter of the pipeline. */
export const REQUEST_BATCH = 256;
/** Blocks asked of all peers together: what comes in so many seconds at the rate of the torrent … */
export const REQUEST_TIME_SEC = 6;
/** … and at least these many in all, … */
export const LEAST_TOTAL_REQUESTS = 64;
/** … and of each peer. */
export const LEAST_REQUESTS = 2;
/** Endgame: an idle peer is asked for a block that another one owes for this many times as long as the idle one would need … */
export const ENDGAME_LEAD = 4;
/** … and this besides: less is noise. */
export const ENDGAME_MIN_MS = 10;
/** Endgame: blocks of late owners that an idle peer is asked for at a time. */
export const ENDGAME_BLOCKS = 16;
/** What a peer that gave nothing yet may need for a block. */
export const UNKNOWN_RESPONSE_MS = 1_000;
/** A HAVE waits so long for others, or for anything else that is sent to the peer. */
export const HAVE_WAIT_MS = 50;
/** Housekeeping: timeouts, rates, dials. */
export const TICK_MS = 500;
/** First wait before an address is dialled again; doubles with each failure. */
export const REDIAL_MS = 5_000;
/** The same for an address that a person gave: its program may be starting at this moment. */
export const GIVEN_REDIAL_MS = 100;
/** Longest wait before an address is dialled again. */
export const MAX_REDIAL_MS = 600_000;
/** Blocks nobody asked for that a connection may send before it is closed: cancels cross with data. */
export const MAX_UNREQUESTED_BLOCKS = 4_096;
/** A metadata piece is asked again of another peer after this. */
export const METADATA_TIMEOUT_MS = 10_000;
/** A peer that rejected metadata is asked again after this (BEP 9 leaves it open; pitfall of flooding). */
export const METADATA_REJECT_WAIT_MS = 60_000;
/** Metadata pieces asked of one peer at a time. */
export const METADATA_REQUESTS_PER_PEER = 4;
/** Rejects while unchoked after which a connection is closed. */
export const MAX_REFUSALS = 1_024;
/** Rejects while unchoked that count as one broken promise. */
export const REFUSALS_PER_PROMISE = 16;
/** HAVE messages kept before the metadata is known, per peer. */
export const MAX_EARLY_HAVES = 4_096;
/** Hash requests to one peer at a time. */
export const HASH_REQUESTS_PER_PEER = 4;
/** An unanswered hash request is void after this. */
export const HASH_TIMEOUT_MS = 20_000;
/** A peer is fast, and gets whole pieces, when it would fill one in less than this. */
export const WHOLE_PIECE_MS = 20_000;
