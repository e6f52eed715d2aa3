/**
 * Hashes of a peer id: the 20 bytes under which a peer is looked for in the local network, and the fingerprint that two people compare aloud.
 *
 * Both are SHA-256 over a text of their own, a zero byte and the 38 bytes of the id. A fingerprint has FINGERPRINT_GROUPS groups of five digits, each from
 * five bytes of the hash, modulo 100,000: 99 bits, so that nobody finds another key with the same one.
 * Spec of the announces: BEP 14, whose info-hashes have 20 bytes.
 * @module
 */
import { concatBytes } from '../../lib/bytes.ts';
import type { Crypto } from '../../lib/ports.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';

// Specification constants
const LAN_DOMAIN = 'starling-lan-peer';
const FINGERPRINT_DOMAIN = 'starling-fingerprint';
const LAN_HASH_BYTES = 20;
/** Groups of digits in a fingerprint. */
const FINGERPRINT_GROUPS = 6;
const BYTES_PER_GROUP = 5;
const DIGITS_PER_GROUP = 5;

/** What a peer announces in the local network, as if it was the info-hash of a torrent: 20 bytes, from which nobody who does not know the id can make it. */
export function lanHashOf(crypto: Crypto, peerId: Uint8Array): Uint8Array {
  return hashOf(crypto, LAN_DOMAIN, peerId).slice(0, LAN_HASH_BYTES);
}

/** "01234 56789 …": six groups of five digits. */
export function fingerprintOf(crypto: Crypto, peerId: Uint8Array): string {
  const hash = hashOf(crypto, FINGERPRINT_DOMAIN, peerId);
  const groups = Array.from({ length: FINGERPRINT_GROUPS }, (_, index) => {
    const from = index * BYTES_PER_GROUP;
    const bytes = hash.subarray(from, from + BYTES_PER_GROUP);
    // Below 2^40: exact in a number.
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    return `${value % 10 ** DIGITS_PER_GROUP}`.padStart(DIGITS_PER_GROUP, '0');
  });
  return groups.join(' ');
}

function hashOf(crypto: Crypto, domain: string, peerId: Uint8Array): Uint8Array {
  return crypto.sha256(concatBytes(encodeUtf8(`${domain}\0`), peerId));
}
