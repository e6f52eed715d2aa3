/**
 * What can go wrong with a tracker: codes of remote faults (values) and of misuse (thrown).
 * @module
 */
import { defineErrors } from '../../lib/errors.ts';

/** Codes of failed Results and of `failure` outputs of this room. */
export type TrackerFaultCode =
  /** Not a usable http, https or udp URL. */
  | 'ERR_TRACKER_URL'
  /** The reply is not what the protocol says. */
  | 'ERR_TRACKER_REPLY_MALFORMED'
  /** The reply is longer than REPLY_LENGTH_MAX. */
  | 'ERR_TRACKER_REPLY_TOO_LARGE'
  /** An HTTP status other than 2xx without a failure reason. */
  | 'ERR_TRACKER_HTTP_STATUS'
  /** The tracker answered with a failure reason or a UDP error. */
  | 'ERR_TRACKER_REFUSED'
  /** No answer in time. */
  | 'ERR_TRACKER_TIMEOUT'
  /** The shell could not reach it (DNS, connection, policy). */
  | 'ERR_TRACKER_UNREACHABLE';

interface BadOption {
  readonly option: string;
  readonly expected: string;
  readonly got: unknown;
}

const make = defineErrors({
  ERR_TRACKER_BAD_OPTION: ({ option, expected, got }: BadOption) =>
    `tracker option ${option}: expected ${expected}, got ${String(got)}`,
});

/** Misuse by the caller of this room. @throws AppError ERR_TRACKER_BAD_OPTION unless `condition` holds. */
export function checkOption(
  condition: boolean,
  option: string,
  expected: string,
  got: unknown,
): void {
  if (!condition) throw make('ERR_TRACKER_BAD_OPTION', { option, expected, got });
}
