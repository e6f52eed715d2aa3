/**
 * What can go wrong with local service discovery: codes of remote faults (values) and of misuse (thrown).
 * @module
 */
import { defineErrors } from '../../lib/errors.ts';

/** Codes of failed Results of this room. */
export type LsdFaultCode =
  /** Not an announce as BEP 14 has it. */
  'ERR_LSD_MALFORMED';

interface BadOption {
  readonly option: string;
  readonly expected: string;
  readonly got: unknown;
}

const make = defineErrors({
  ERR_LSD_BAD_OPTION: ({ option, expected, got }: BadOption) =>
    `local discovery option ${option}: expected ${expected}, got ${String(got)}`,
});

/** Misuse by the caller of this room. @throws AppError ERR_LSD_BAD_OPTION unless `condition` holds. */
export function checkOption(
  condition: boolean,
  option: string,
  expected: string,
  got: unknown,
): void {
  if (!condition) throw make('ERR_LSD_BAD_OPTION', { option, expected, got });
}
