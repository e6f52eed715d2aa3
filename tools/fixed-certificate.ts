/**
 * Certificates that are the same each time: a P-256 key that is known, and signatures whose nonce is made of what is signed (RFC 6979). For vectors and tests alone.
 * @module
 */
import { p256 } from '@noble/curves/nist.js';
import { nodeEd25519 } from '../src/io/crypto.ts';
import { concatBytes, fromHex } from '../src/lib/bytes.ts';
import { makeCertificate } from '../src/protocol/identity/certificate.ts';

/** RFC 5480: SubjectPublicKeyInfo of an uncompressed point on P-256, before its 65 bytes. */
const KEY_INFO_HEAD = fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200')!;

/** Of the certificate, not of an identity. */
export const CERTIFICATE_SECRET: Uint8Array = new Uint8Array(32).fill(0x11);
export const CERTIFICATE_SERIAL: Uint8Array = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** Of an identity, 32 bytes. */
export function publicKeyOfSeed(seed: Uint8Array): Uint8Array {
  return nodeEd25519.publicKey(seed);
}

/** SubjectPublicKeyInfo of the certificate's key, DER. */
export function fixedKeyInfo(): Uint8Array {
  return concatBytes(KEY_INFO_HEAD, p256.getPublicKey(CERTIFICATE_SECRET, false));
}

/** A certificate, DER. @param seed of the identity, 32 bytes. @param notBeforeMs @param notAfterMs since 1970. */
export function fixedCertificate(
  seed: Uint8Array,
  notBeforeMs: number,
  notAfterMs: number,
): Uint8Array {
  return makeCertificate(nodeEd25519, {
    seed,
    keyInfo: fixedKeyInfo(),
    sign: (bytes) => p256.sign(bytes, CERTIFICATE_SECRET, { format: 'der', lowS: false }),
    notBeforeMs,
    notAfterMs,
    serial: CERTIFICATE_SERIAL,
  });
}
