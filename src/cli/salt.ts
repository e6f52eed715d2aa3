/**
 * The option `--salt` of commands that sign items of the DHT.
 * @module
 */
import { MAX_SALT_BYTES } from '../node/api/dht.ts';
import { type OptionValues, textOption } from './command.ts';
import { usageError } from './exit.ts';

/** Its bytes, empty without it. @throws CommandEnd when they are too many. */
export function saltOption(options: OptionValues): Buffer {
  const salt = Buffer.from(textOption(options, 'salt') ?? '');
  if (salt.length <= MAX_SALT_BYTES) return salt;
  throw usageError(`--salt: expected at most ${MAX_SALT_BYTES} bytes, got ${salt.length}.`);
}
