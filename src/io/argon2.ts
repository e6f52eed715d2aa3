/**
 * The Argon2id port on Node's own implementation, in libuv's pool, so that the event loop goes on.
 * Not here: what is hashed, and how slowly.
 * @module
 */
import { argon2 } from 'node:crypto';
import type { Argon2id } from '../lib/ports.ts';

/** Argon2id by OpenSSL. Rejects when the memory is not there. */
export const nodeArgon2id: Argon2id = ({ password, salt, memoryKib, passes, lanes, bytes }) =>
  new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      {
        message: password,
        nonce: salt,
        memory: memoryKib,
        passes,
        parallelism: lanes,
        tagLength: bytes,
      },
      (error, key) => (error === null ? resolve(new Uint8Array(key)) : reject(error)),
    );
  });
