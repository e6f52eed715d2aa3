/**
 * The Retry-After header: how long a server wants to be left alone.
 * Spec: RFC 9110 section 10.2.3. Bound: a day; more is taken as that.
 * @module
 */

// Implementation limits
/** Longest wait that a server can ask for. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/** Milliseconds to wait, 0 or more; undefined when there is no such header or it makes no sense. @param wallMs the time of day, for dates. */
export function retryAfterMs(header: string | undefined, wallMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  const seconds = /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
  // Date.parse takes much that is no HTTP date, plain numbers among it: a weekday must begin it.
  const dateMs = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  const waitMs = seconds === undefined ? dateMs - wallMs : seconds * 1000;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), MAX_RETRY_AFTER_MS);
}
