/**
 * How the program ends: exit codes, and one sentence for what went wrong.
 * @module
 */

/** Exit codes of every command. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  incomplete: 3,
  interrupted: 130,
} as const;

/** Ends a command with a code; its message is what the person reads. */
export class CommandEnd extends Error {
  readonly exitCode: number;
  constructor(message: string, options: { exitCode: number; cause?: unknown }) {
    super(message, options);
    this.exitCode = options.exitCode;
  }
}

/** A wrong call. */
export function usageError(message: string): CommandEnd {
  return new CommandEnd(message, { exitCode: EXIT.usage });
}
