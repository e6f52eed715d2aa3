/**
 * The Crypto port on Node's own implementation, and seeds from the system's random source.
 * @module
 */
import { hash, randomBytes } from 'node:crypto';
import type { Crypto } from '../lib/ports.ts';

/** Digests by OpenSSL. One-shot `hash` costs a third less than `createHash` on short inputs. */
export const nodeCrypto: Crypto = {
  sha1: (bytes) => hash('sha1', bytes, 'buffer'),
  sha256: (bytes) => hash('sha256', bytes, 'buffer'),
};

/** An unpredictable 32-bit seed. */
export function randomSeed(): number {
  return randomBytes(4).readUInt32BE();
}
