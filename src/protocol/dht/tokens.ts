/**
 * Tokens: whoever stores something here has to have asked first, from the same address.
 * Spec: BEP 5: "The BitTorrent implementation uses the SHA1 hash of the IP address concatenated onto a secret that changes every five minutes".
 * Bounds: two secrets; nothing is kept of who got a token.
 * @module
 */
import { concatBytes, equalBytes } from '../../lib/bytes.ts';
import { parseIp } from '../../lib/ip-address.ts';
import type { Crypto } from '../../lib/ports.ts';
import { TOKEN_SECRET_MS } from './constants.ts';
import type { SecretBytes } from './secret-bytes.ts';

// Implementation limits
const TOKEN_BYTES = 8;
const SECRET_BYTES = 16;

/** Makes tokens and knows them again for five to ten minutes. */
export class Tokens {
  readonly #crypto: Crypto;
  readonly #source: SecretBytes;
  #current: Uint8Array;
  #previous: Uint8Array;
  #changedMs: number;

  constructor(nowMs: number, crypto: Crypto, source: SecretBytes) {
    this.#crypto = crypto;
    this.#source = source;
    this.#current = source.bytes(SECRET_BYTES);
    this.#previous = source.bytes(SECRET_BYTES);
    this.#changedMs = nowMs;
  }

  /** The token for an IP literal, 8 bytes. */
  make(nowMs: number, host: string): Uint8Array {
    this.#rotate(nowMs);
    return this.#token(this.#current, host);
  }

  isRight(nowMs: number, host: string, token: Uint8Array): boolean {
    this.#rotate(nowMs);
    return [this.#current, this.#previous].some((secret) =>
      equalBytes(this.#token(secret, host), token),
    );
  }

  #token(secret: Uint8Array, host: string): Uint8Array {
    const address = parseIp(host) ?? new Uint8Array(0);
    return this.#crypto.sha1(concatBytes(address, secret)).subarray(0, TOKEN_BYTES);
  }

  #rotate(nowMs: number): void {
    const age = nowMs - this.#changedMs;
    if (age < TOKEN_SECRET_MS) return;
    this.#previous = age < 2 * TOKEN_SECRET_MS ? this.#current : this.#source.bytes(SECRET_BYTES);
    this.#current = this.#source.bytes(SECRET_BYTES);
    this.#changedMs = nowMs;
  }
}
