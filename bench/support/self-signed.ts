/**
 * A self-signed P-256 certificate for a bare `node:tls` socket, made by the built package's own encoder: no program of the machine is needed.
 * @module
 */
import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Crypto from '../../src/io/crypto.ts';
import type * as Certificates from '../../src/protocol/identity/certificate.ts';
import { ROOT } from './hash-rivals.ts';

/** Key and certificate in PEM, as `node:tls` takes them. */
export async function selfSigned(): Promise<{ key: string; cert: string }> {
  const built = pathToFileURL(path.join(ROOT, 'dist/')).href;
  const { nodeEd25519 } = (await import(`${built}io/crypto.js`)) as typeof Crypto;
  const { makeCertificate } = (await import(
    `${built}protocol/identity/certificate.js`
  )) as typeof Certificates;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = makeCertificate(nodeEd25519, {
    seed: randomBytes(32),
    keyInfo: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    sign: (bytes) => new Uint8Array(createSign('sha256').update(bytes).sign(privateKey)),
    notBeforeMs: Date.now() - 86_400_000,
    notAfterMs: Date.now() + 86_400_000,
    serial: Uint8Array.of(1),
  });
  const base64 = Buffer.from(certificate).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  };
}
