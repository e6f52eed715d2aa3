/**
 * Checks of our own invariants: a failure is a bug in this program, never a remote's fault.
 * On in production too; remote faults are values and caller's misuse throws an AppError instead.
 * @module
 */

/** A broken invariant of this program. */
export class InvariantError extends Error {
  override readonly name: string = 'InvariantError';
}

/**
 * Throws an InvariantError. For paths that run per block: `if (!condition) broken(…)` makes the message only when it is needed,
 * where an argument of `assert` is built at every call.
 */
export function broken(message: string): never {
  throw new InvariantError(message);
}

/** Throws an InvariantError with `message` unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
