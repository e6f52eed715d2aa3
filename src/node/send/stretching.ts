/**
 * The keys of codes, made by few at a time: each takes 256 MiB for a second, and a node may have dozens of codes when the hour turns.
 * @module
 */
import { nodeArgon2id } from '../../io/argon2.ts';
import type { Argon2id } from '../../lib/ports.ts';
import { deriveKeys, type SendKeys } from '../../protocol/send/index.ts';

// Implementation limits
/** Codes that are stretched at a time in this process. */
export const MAX_STRETCHING = 2;

let running = 0;
const waiting: (() => void)[] = [];

/** The keys of a code in an hour, in its turn. @throws {Error} when the memory is not there. */
export async function keysInTurn(
  code: string,
  hour: number,
  argon2id: Argon2id = nodeArgon2id,
): Promise<SendKeys> {
  if (running >= MAX_STRETCHING) {
    // Whoever is done hands its place on.
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running += 1;
  try {
    return await deriveKeys(argon2id, code, hour);
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}
