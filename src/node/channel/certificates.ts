/**
 * Certificates of identities, made and judged with Node's cryptography.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { nodeEd25519 } from '../../io/crypto.ts';
import { isSelfSigned, newCertificateKey, type TlsCredentials } from '../../io/tls.ts';
import type { Result } from '../../lib/errors.ts';
import { makeCertificate, readCertificate } from '../../protocol/identity/certificate.ts';
import type { IdentityErrorCode } from '../../protocol/identity/index.ts';

// Implementation limits
const DAY_MS = 86_400_000;
/** Clocks of others may be wrong by so much. */
const BEFORE_MS: number = 30 * DAY_MS;
const AFTER_MS: number = 120 * DAY_MS;

/** What an identity shows in handshakes from now on. @param seed 32 bytes. @param nowMs since 1970. */
export function makeCredentials(seed: Uint8Array, nowMs: number): TlsCredentials {
  const key = newCertificateKey();
  const serial = new Uint8Array(randomBytes(8));
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const certificate = makeCertificate(nodeEd25519, {
    seed,
    keyInfo: key.keyInfo,
    sign: (bytes) => key.sign(bytes),
    notBeforeMs: nowMs - BEFORE_MS,
    notAfterMs: nowMs + AFTER_MS,
    serial,
  });
  return key.credentials(certificate);
}

/** The peer id, 38 bytes, that a certificate proves now. */
export function judgeCertificate(
  certificate: Uint8Array,
  nowMs: number,
): Result<Uint8Array, IdentityErrorCode> {
  return readCertificate({ ed25519: nodeEd25519, isSelfSigned }, nowMs, certificate);
}
