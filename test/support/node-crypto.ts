/**
 * The Crypto port over node:crypto, for tests of sans-IO code.
 * @module
 */
import { hash } from 'node:crypto';
import type { Crypto } from '../../src/lib/ports.ts';

/** SHA-1 and SHA-256 as cores expect them. */
export const nodeCrypto: Crypto = {
  sha1: (bytes) => new Uint8Array(hash('sha1', bytes, 'buffer')),
  sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
};
