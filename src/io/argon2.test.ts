import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { argon2id } from '@noble/hashes/argon2.js';
import { toHex } from '../lib/bytes.ts';
import { nodeArgon2id } from './argon2.ts';

describe('nodeArgon2id', () => {
  it('gives what another implementation gives', async () => {
    const [password, salt] = [new Uint8Array(20).fill(1), new Uint8Array(16).fill(2)];
    const key = await nodeArgon2id({
      password,
      salt,
      memoryKib: 64,
      passes: 3,
      lanes: 2,
      bytes: 32,
    });
    assert.equal(toHex(key), toHex(argon2id(password, salt, { t: 3, m: 64, p: 2, dkLen: 32 })));
  });

  it('rejects what it cannot do', async () => {
    const bytes = new Uint8Array(16);
    await assert.rejects(
      nodeArgon2id({ password: bytes, salt: bytes, memoryKib: 64, passes: 0, lanes: 1, bytes: 32 }),
    );
  });
});
