/**
 * The identity of this installation on disk: one Ed25519 key, made at first use.
 *
 * File: `identity.json` in the node's home, readable by its owner alone, written atomically. The public key stands in the clear, so that a peer id can be shown
 * without a passphrase; the seed does too, or sealed under a passphrase: argon2id (RFC 9106, first recommended option but for less memory) makes a key for
 * ChaCha20-Poly1305 (RFC 8439), whose additional data is the public key. The numbers of argon2id stand in the file, within bounds.
 * Not here: which command, where the passphrase comes from.
 * @module
 */
import { argon2Sync, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { nodeArgon2id } from '../io/argon2.ts';
import { readFileIfThere, writeFileAtomic } from '../io/atomic-file.ts';
import { nodeEd25519 } from '../io/crypto.ts';
import { equalBytes, fromHex, toHex } from '../lib/bytes.ts';
import { formatPeerId, KEY_BYTES, peerIdOf } from '../protocol/identity/index.ts';
import { nodeError } from './errors.ts';

// Specification constants
const CIPHER = 'chacha20-poly1305';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

// Implementation limits
const VERSION = 1;
const FILE_MODE = 0o600;
const SALT_BYTES = 16;
/** Of argon2id: 256 MiB and three passes took 0.6 s where this was written, and take as long for each guess. */
const KDF = { memoryKib: 262_144, passes: 3, lanes: 1 } as const;
/** What a file may ask for: more would be a way to fill memory. */
const KDF_MOST = { memoryKib: 1_048_576, passes: 10, lanes: 4 } as const;
/** Longest file that is read as an identity. */
const MAX_FILE_BYTES = 4_096;

/** An identity that is open: it can sign. */
export interface OpenIdentity {
  /** 32 bytes; what everything is made from. */
  readonly seed: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** "12D3KooW…" */
  readonly peerId: string;
}

/** What is known of an identity without its passphrase. */
export interface ShownIdentity {
  readonly peerId: string;
  readonly isSealed: boolean;
}

/** Cost of argon2id. */
export interface Kdf {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** What the file of a sealed identity says, in JSON. Bytes are in hexadecimal digits. */
export interface SealedIdentityFile extends ShownForm {
  readonly sealed: {
    readonly kdf: Kdf & { readonly name: 'argon2id' };
    readonly salt: string;
    readonly cipher: string;
    readonly nonce: string;
    /** The seed, then the tag. */
    readonly bytes: string;
  };
}

interface ShownForm {
  readonly version: number;
  readonly peerId: string;
  readonly publicKey: string;
}

/** A file as it was read. */
interface Stored {
  readonly publicKey: Uint8Array;
  /** In the clear. */
  readonly seed?: Uint8Array;
  readonly sealed?: {
    readonly kdf: Kdf;
    readonly salt: Uint8Array;
    readonly nonce: Uint8Array;
    readonly bytes: Uint8Array;
  };
}

/** Where a home keeps its identity. */
export function identityFile(home: string): string {
  return path.join(home, 'identity.json');
}

/** Shows the identity of a file, making it when there is none. @param passphrase to seal a new one with; empty: none. @throws {AppError} ERR_CONFIG. */
export function showIdentity(file: string, passphrase = ''): ShownIdentity {
  const stored = readIdentity(file);
  if (stored !== undefined) {
    return { peerId: idOf(stored.publicKey), isSealed: stored.sealed !== undefined };
  }
  const { peerId } = createIdentity(file, passphrase);
  return { peerId, isSealed: passphrase !== '' };
}

/** Opens the identity of a file. @throws {AppError} ERR_CONFIG: no identity, or another passphrase. */
export function openIdentity(file: string, passphrase = ''): OpenIdentity {
  const stored = readIdentity(file);
  if (stored === undefined) throw wrong(file, 'an identity', 'no such file');
  const seed = stored.seed ?? unseal(file, stored, passphrase);
  if (!equalBytes(nodeEd25519.publicKey(seed), stored.publicKey)) {
    throw wrong(file, 'a key that fits its public key', 'another one: the file is damaged');
  }
  return { seed, publicKey: stored.publicKey, peerId: idOf(stored.publicKey) };
}

/** @throws {AppError} ERR_CONFIG when something stands there. */
export function expectNoIdentity(file: string): void {
  if (!fs.existsSync(file)) return;
  throw wrong(file, 'no file there, since an identity that is replaced is lost', 'one');
}

/** Writes an identity; nothing that stands there is replaced. @param kdf what a guess at the passphrase costs. @throws {AppError} ERR_CONFIG. */
export function saveIdentity(
  file: string,
  seed: Uint8Array,
  passphrase = '',
  kdf: Kdf = KDF,
): OpenIdentity {
  expectNoIdentity(file);
  const publicKey = nodeEd25519.publicKey(seed);
  const shown = shownForm(publicKey);
  const salt = randomBytes(SALT_BYTES);
  const stored =
    passphrase === ''
      ? { ...shown, seed: toHex(seed) }
      : { ...shown, sealed: seal(seed, publicKey, keyOf(passphrase, salt, kdf), salt, kdf) };
  writeFileAtomic(file, Buffer.from(`${JSON.stringify(stored)}\n`), FILE_MODE);
  return { seed, publicKey, peerId: shown.peerId };
}

/** What the file of a sealed identity holds; made beside the event loop, since argon2id takes a second. @param passphrase not empty. */
export async function sealIdentity(
  seed: Uint8Array,
  passphrase: string,
  kdf: Kdf = KDF,
): Promise<SealedIdentityFile> {
  const publicKey = nodeEd25519.publicKey(seed);
  const salt = randomBytes(SALT_BYTES);
  const password = passwordOf(passphrase);
  const key = await nodeArgon2id({ password, salt, ...kdf, bytes: KEY_BYTES });
  return { ...shownForm(publicKey), sealed: seal(seed, publicKey, key, salt, kdf) };
}

function createIdentity(file: string, passphrase: string): OpenIdentity {
  return saveIdentity(file, new Uint8Array(randomBytes(KEY_BYTES)), passphrase);
}

function idOf(publicKey: Uint8Array): string {
  return formatPeerId(peerIdOf(publicKey));
}

function wrong(file: string, expected: string, got: string, cause?: unknown): Error {
  return nodeError('ERR_CONFIG', { what: file, expected, got }, cause);
}

function shownForm(publicKey: Uint8Array): ShownForm {
  return { version: VERSION, peerId: idOf(publicKey), publicKey: toHex(publicKey) };
}

function seal(
  seed: Uint8Array,
  publicKey: Uint8Array,
  key: Uint8Array,
  salt: Uint8Array,
  kdf: Kdf,
): SealedIdentityFile['sealed'] {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(publicKey, { plaintextLength: seed.length });
  const bytes = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()]);
  return {
    kdf: { name: 'argon2id', ...kdf },
    salt: toHex(salt),
    cipher: CIPHER,
    nonce: toHex(nonce),
    bytes: toHex(bytes),
  };
}

function unseal(file: string, { publicKey, sealed }: Stored, passphrase: string): Uint8Array {
  if (passphrase === '') throw wrong(file, 'a passphrase in STARLING_PASSPHRASE', 'none');
  const { kdf, salt, nonce, bytes } = sealed!;
  const decipher = createDecipheriv(CIPHER, keyOf(passphrase, salt, kdf), nonce, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(publicKey, { plaintextLength: KEY_BYTES });
  decipher.setAuthTag(bytes.subarray(KEY_BYTES));
  try {
    const seed = Buffer.concat([decipher.update(bytes.subarray(0, KEY_BYTES)), decipher.final()]);
    return new Uint8Array(seed);
  } catch (error) {
    const [expected, got] = ['the passphrase that it was sealed with', 'another one, or damage'];
    throw wrong(file, expected, got, error);
  }
}

function passwordOf(passphrase: string): Buffer {
  return Buffer.from(passphrase.normalize('NFKC'));
}

function keyOf(passphrase: string, salt: Uint8Array, { memoryKib, passes, lanes }: Kdf): Buffer {
  return argon2Sync('argon2id', {
    message: passwordOf(passphrase),
    nonce: salt,
    parallelism: lanes,
    tagLength: KEY_BYTES,
    memory: memoryKib,
    passes,
  });
}

/** @returns undefined when there is no file. @throws {AppError} ERR_CONFIG for one that is none of ours. */
function readIdentity(file: string): Stored | undefined {
  const bytes = readFileIfThere(file);
  if (bytes === undefined) return undefined;
  const stored = bytes.length > MAX_FILE_BYTES ? undefined : parse(Buffer.from(bytes).toString());
  if (stored === undefined) {
    throw wrong(
      file,
      'an identity as "starling id" writes it',
      'something else: put a copy of it back, or move it away for a new one',
    );
  }
  return stored;
}

function parse(text: string): Stored | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) ?? {};
  } catch {
    return undefined;
  }
  const publicKey = bytesIn(value['publicKey'], KEY_BYTES);
  if (value['version'] !== VERSION || publicKey === undefined) return undefined;
  const seed = bytesIn(value['seed'], KEY_BYTES);
  if (seed !== undefined) return { publicKey, seed };
  const box = (value['sealed'] ?? {}) as Record<string, unknown>;
  const kdf = kdfIn(box['kdf']);
  const salt = bytesIn(box['salt'], SALT_BYTES);
  const nonce = bytesIn(box['nonce'], NONCE_BYTES);
  const bytes = bytesIn(box['bytes'], KEY_BYTES + TAG_BYTES);
  if (!kdf || !salt || !nonce || !bytes || box['cipher'] !== CIPHER) return undefined;
  return { publicKey, sealed: { kdf, salt, nonce, bytes } };
}

function bytesIn(value: unknown, length: number): Uint8Array | undefined {
  const bytes = typeof value === 'string' ? fromHex(value) : undefined;
  return bytes?.length === length ? bytes : undefined;
}

function kdfIn(value: unknown): Kdf | undefined {
  const kdf = (value ?? {}) as Record<string, unknown>;
  const isWithin = (['memoryKib', 'passes', 'lanes'] as const).every((key) => {
    const number = kdf[key];
    return (
      Number.isInteger(number) && (number as number) >= 1 && (number as number) <= KDF_MOST[key]
    );
  });
  const isOurs = kdf['name'] === 'argon2id' && isWithin;
  return isOurs && (kdf['memoryKib'] as number) >= 8 * (kdf['lanes'] as number)
    ? (value as Kdf)
    : undefined;
}
