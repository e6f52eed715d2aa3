/**
 * Numbers of web seeds as a client.
 * @module
 */

// Implementation limits

/** Bytes of one range: long enough that requests cost nothing, short enough that a new choice of pieces is heard soon. */
export const MAX_RANGE_BYTES: number = 16 * 1024 * 1024;
/** Bytes before the wanted ones that are read and thrown away when a server ignores ranges. */
export const MAX_SKIP_BYTES: number = 1024 * 1024;
/** Blocks that a web seed is asked for at a time, all ranges together; 16 MiB. */
export const MAX_OWED_BLOCKS = 1_024;
/** First wait after a failure; it doubles with each one in a row … */
export const FIRST_WAIT_MS = 1_000;
/** … to this. */
export const MAX_WAIT_MS = 600_000;
/** After "busy" (429, 503) without Retry-After; doubles too. */
export const BUSY_WAIT_MS = 10_000;
/** Longest Retry-After that is kept to. */
export const MAX_BUSY_WAIT_MS = 3_600_000;
/** After an answer that will hardly change: no such file, another length, no ranges. */
export const LASTING_WAIT_MS = 1_800_000;
