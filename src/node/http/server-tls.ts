/**
 * What lets the HTTP server be asked from other machines: a certificate and a password.
 *
 * A certificate that nobody gave is made once, for this machine's names, and kept in the home. Passwords are kept as digests of argon2id.
 * @module
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { nodeArgon2id } from '../../io/argon2.ts';
import { readFileIfThere, writeFileAtomic } from '../../io/atomic-file.ts';
import { certificatePem, newStoredKey } from '../../io/tls.ts';
import { nodeError } from '../errors.ts';

// Implementation limits
/** How long a certificate that is made here holds. */
const VALID_MS: number = 800 * 86_400_000;
/** Work of one password: about 100 ms, so that guesses are dear. */
const MEMORY_KIB: number = 64 * 1024;
const PASSES = 3;
const DIGEST_BYTES = 32;

/** Name of the certificate that is made here, in the home. */
export const CERT_FILE = 'api-cert.pem';

const PREFIX = '$argon2id$';

/** Key and certificate, PEM. */
export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
}

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** The files that settings name, or those of the home, which are made. @throws {AppError} ERR_CONFIG, ERR_FILE. */
export async function tlsFilesOf(
  home: string,
  given: { readonly cert: string; readonly key: string },
  hosts: readonly string[],
): Promise<TlsFiles> {
  if ((given.cert === '') !== (given.key === '')) {
    throw nodeError('ERR_CONFIG', {
      what: 'api.tls-cert and api.tls-key',
      expected: 'both or neither',
      got: 'one of them',
    });
  }
  if (given.cert !== '') return { cert: textOf(given.cert), key: textOf(given.key) };
  const [cert, key] = [path.join(home, CERT_FILE), path.join(home, 'api-key.pem')];
  if (readFileIfThere(cert) === undefined || readFileIfThere(key) === undefined) {
    const made = await makeFiles(hosts);
    writeFileAtomic(key, Buffer.from(made.key), 0o600);
    writeFileAtomic(cert, Buffer.from(made.cert));
  }
  return { cert: textOf(cert), key: textOf(key) };
}

async function makeFiles(hosts: readonly string[]): Promise<TlsFiles> {
  const { makeHostCertificate } = await import('../../protocol/identity/certificate.ts');
  const { pem, keyInfo, sign } = newStoredKey();
  const addresses = Object.values(os.networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => address.split('%')[0]!),
  );
  const names = new Set(['localhost', os.hostname().toLowerCase(), ...addresses, ...hosts]);
  const serial = new Uint8Array(randomBytes(8));
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const certificate = makeHostCertificate([...names], {
    keyInfo,
    sign,
    notBeforeMs: Date.now() - 86_400_000,
    notAfterMs: Date.now() + VALID_MS,
    serial,
  });
  return { key: pem, cert: certificatePem(certificate) };
}

function textOf(file: string): string {
  try {
    const bytes = readFileIfThere(file);
    if (bytes !== undefined) return Buffer.from(bytes).toString('utf8');
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    throw nodeError('ERR_FILE', { path: file, code, operation: 'read' }, error);
  }
  throw nodeError('ERR_FILE', { path: file, code: 'ENOENT', operation: 'read' });
}

/** What is kept of a password. */
export async function passwordDigest(password: string): Promise<string> {
  const salt = randomBytes(16);
  const digest = await stretch(password, salt);
  return `${PREFIX}${salt.toString('base64url')}$${Buffer.from(digest).toString('base64url')}`;
}

/** True for the password that is kept; a text that is no digest is one that the file or the environment has. */
export async function isPassword(kept: string, password: string): Promise<boolean> {
  if (kept === '') return false;
  const [salt, digest] = kept.startsWith(PREFIX)
    ? kept.slice(PREFIX.length).split('$')
    : await freshly(kept);
  const found = await stretch(password, Buffer.from(salt ?? '', 'base64url'));
  const expected = Buffer.from(digest ?? '', 'base64url');
  return expected.length === found.length && timingSafeEqual(found, expected);
}

async function freshly(plain: string): Promise<string[]> {
  return (await passwordDigest(plain)).slice(PREFIX.length).split('$');
}

function stretch(password: string, salt: Uint8Array): Promise<Uint8Array> {
  return nodeArgon2id({
    password: Buffer.from(password, 'utf8'),
    salt,
    memoryKib: MEMORY_KIB,
    passes: PASSES,
    lanes: 1,
    bytes: DIGEST_BYTES,
  });
}
