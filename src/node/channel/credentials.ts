/**
 * What this installation shows in TLS handshakes: a certificate that its identity signed, with a key that lives as long as the process.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { nodeEd25519 } from '../../io/crypto.ts';
import { isSelfSigned, newCertificateKey, type TlsCredentials } from '../../io/tls.ts';
import type { Result } from '../../lib/errors.ts';
import {
  type IdentityErrorCode,
  makeCertificate,
  readCertificate,
} from '../../protocol/identity/index.ts';

// Implementation limits
const DAY_MS = 86_400_000;
/** Clocks of others may be wrong by so much. */
const BEFORE_MS = 30 * DAY_MS;
const AFTER_MS = 120 * DAY_MS;
/** A new certificate is made when the last one is so old. */
const RENEW_MS = 30 * DAY_MS;

/** Certificates of one identity. */
export class ChannelCredentials {
  readonly #seed: Uint8Array;
  #made: { readonly atMs: number; readonly credentials: TlsCredentials } | undefined;

  /** @param seed of the identity, 32 bytes. */
  constructor(seed: Uint8Array) {
    this.#seed = seed;
  }

  /** For a handshake now. */
  get current(): TlsCredentials {
    const nowMs = Date.now();
    if (this.#made === undefined || Math.abs(nowMs - this.#made.atMs) > RENEW_MS) {
      this.#made = { atMs: nowMs, credentials: this.#make(nowMs) };
    }
    return this.#made.credentials;
  }

  #make(nowMs: number): TlsCredentials {
    const key = newCertificateKey();
    const serial = new Uint8Array(randomBytes(8));
    serial[0] = (serial[0]! & 0x7f) | 0x40;
    const certificate = makeCertificate(nodeEd25519, {
      seed: this.#seed,
      keyInfo: key.keyInfo,
      sign: (bytes) => key.sign(bytes),
      notBeforeMs: nowMs - BEFORE_MS,
      notAfterMs: nowMs + AFTER_MS,
      serial,
    });
    return key.credentials(certificate);
  }
}

/** The peer id, 38 bytes, that the other end's certificate proves. */
export function provenPeer(certificate: Uint8Array): Result<Uint8Array, IdentityErrorCode> {
  return readCertificate({ ed25519: nodeEd25519, isSelfSigned }, Date.now(), certificate);
}
