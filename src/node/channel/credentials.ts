/**
 * What this installation shows in TLS handshakes: a certificate that its identity signed, with a key that lives as long as the process.
 *
 * Making and reading certificates is loaded with the first handshake: a command that deals with nobody starts 15 ms sooner.
 * @module
 */
import type { TlsCredentials } from '../../io/tls.ts';
import type { Result } from '../../lib/errors.ts';
import type { IdentityErrorCode } from '../../protocol/identity/index.ts';

// Implementation limits
/** A new certificate is made when the last one is so old. */
const RENEW_MS: number = 30 * 86_400_000;

/** Certificates of one identity. */
export class ChannelCredentials {
  readonly #seed: Uint8Array;
  #made: { readonly atMs: number; readonly credentials: Promise<TlsCredentials> } | undefined;

  /** @param seed of the identity, 32 bytes. */
  constructor(seed: Uint8Array) {
    this.#seed = seed;
  }

  /** For a handshake now. */
  current(): Promise<TlsCredentials> {
    const nowMs = Date.now();
    if (this.#made === undefined || Math.abs(nowMs - this.#made.atMs) > RENEW_MS) {
      this.#made = { atMs: nowMs, credentials: this.#make(nowMs) };
    }
    return this.#made.credentials;
  }

  async #make(nowMs: number): Promise<TlsCredentials> {
    const { makeCredentials } = await import('./certificates.ts');
    return makeCredentials(this.#seed, nowMs);
  }
}

/** The peer id, 38 bytes, that the other end's certificate proves. */
export async function provenPeer(
  certificate: Uint8Array,
): Promise<Result<Uint8Array, IdentityErrorCode>> {
  const { judgeCertificate } = await import('./certificates.ts');
  return judgeCertificate(certificate, Date.now());
}
