/**
 * The passphrase of the identity: from the environment, never from the command line, where everybody on the machine could read it.
 * @module
 */

/** The variable. */
export const PASSPHRASE_VARIABLE = 'STARLING_PASSPHRASE';

/** Empty: none. */
export function passphraseInEnv(): string {
  return process.env[PASSPHRASE_VARIABLE] ?? '';
}
