/**
 * Which signatures of identities count: one rule for everybody, so that no two peers disagree about one.
 *
 * Spec: RFC 8032 section 5.1.7, read strictly; "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko), section 3, tells why readings differ. Before the
 * signature is verified: the key has 32 bytes and the signature 64; S is less than the group's order L; key and R are the shortest encodings of
 * their points (y below the field's prime p, no sign where x is 0), and neither is a point of small order. Then the equation without the cofactor.
 * What is signed begins with a domain tag, so that a signature for one purpose is none for another.
 * Not for items of the DHT, whose form BEP 44 fixes.
 * @module
 */
import { concatBytes, equalBytes, fromHex } from '../../lib/bytes.ts';
import type { Ed25519 } from '../../lib/ports.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import { KEY_BYTES, MAX_DOMAIN_CHARACTERS, SIGNATURE_BYTES } from './constants.ts';

// Specification constants
/** RFC 8032: the order of the group, and the field's prime 2^255-19; little-endian. */
const ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')!;
const PRIME = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')!;
/** The y of the eight points whose order divides 8; each but 1 and p-1 stands for two points. */
const SMALL_ORDER_Y: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => fromHex(hex)!);
const PREFIX = 'starling-signed-message';

/** True for the shortest encoding of a y below p, of no small order. Whether it is on the curve, the verification tells. */
export function isStrictPoint(bytes: Uint8Array): boolean {
  if (bytes.length !== KEY_BYTES) return false;
  const y = bytes.slice();
  y[KEY_BYTES - 1]! &= 0x7f;
  return isLess(y, PRIME) && !SMALL_ORDER_Y.some((small) => equalBytes(small, y));
}

/** True when the owner of a key signed this payload for this purpose. @param domain see `signedMessage`. */
export function verifySigned(
  ed25519: Ed25519,
  publicKey: Uint8Array,
  domain: string,
  payload: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyStrict(ed25519, publicKey, signedMessage(domain, payload), signature);
}

/** The rule above, on bytes as they are. */
export function verifyStrict(
  ed25519: Ed25519,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== SIGNATURE_BYTES || !isStrictPoint(publicKey)) return false;
  const [r, s] = [signature.subarray(0, KEY_BYTES), signature.subarray(KEY_BYTES)];
  if (!isStrictPoint(r) || !isLess(s, ORDER)) return false;
  return ed25519.verify(publicKey, message, signature);
}

/** Signs a payload for one purpose. @param seed 32 bytes. @returns 64 bytes. */
export function signFor(
  ed25519: Ed25519,
  seed: Uint8Array,
  domain: string,
  payload: Uint8Array,
): Uint8Array {
  return ed25519.sign(seed, signedMessage(domain, payload));
}

/**
 * What is signed: a constant, the domain and a zero byte, then the payload.
 * @param domain 1 … 64 of a-z, 0-9, "-", "/" and ".": no two of them and a payload make the same bytes. @throws RangeError for another one.
 */
export function signedMessage(domain: string, payload: Uint8Array): Uint8Array {
  if (!/^[a-z0-9\-/.]+$/.test(domain) || domain.length > MAX_DOMAIN_CHARACTERS) {
    throw new RangeError(
      `domain: expected 1 to ${MAX_DOMAIN_CHARACTERS} of a-z, 0-9, "-", "/" and ".", got ${JSON.stringify(domain)}`,
    );
  }
  return concatBytes(encodeUtf8(`${PREFIX} ${domain}\0`), payload);
}

/** Little-endian numbers of 32 bytes. */
function isLess(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = KEY_BYTES - 1; at >= 0; at -= 1) {
    if (a[at] !== b[at]) return a[at]! < b[at]!;
  }
  return false;
}
