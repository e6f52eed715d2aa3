/**
 * Items of the DHT: what they are stored under, what is signed, whether it is right.
 *
 * Spec: BEP 44. A value is any bencoded one of up to 1,000 bytes, kept and compared in the form in which it came.
 * Not here: where items are stored, the keys' owner.
 * @module
 */
import { concatBytes, equalBytes } from '../../lib/bytes.ts';
import type { Crypto, Ed25519 } from '../../lib/ports.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import { encode } from '../bencode/index.ts';
import { MAX_SALT_BYTES, MAX_VALUE_BYTES } from './constants.ts';

/** Most of a sequence number that is exact in a number: BEP 44 lets it grow to 2^63-1. */
export const MAX_SEQ: number = Number.MAX_SAFE_INTEGER;

/** Stored under the hash of its value. */
export interface ImmutableItem {
  /** Bencoded, 1 … 1,000 bytes. */
  readonly value: Uint8Array;
}

/** Stored under the hash of a key and a salt; the owner of the key can replace it by one with a higher number. */
export interface MutableItem extends ImmutableItem {
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 0 … 64 bytes; empty is as none. */
  readonly salt: Uint8Array;
  /** 0 … 2^53-1. */
  readonly seq: number;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Any item. */
export type DhtItem = ImmutableItem | MutableItem;

/** True for an item with a key. */
export function isMutable(item: DhtItem): item is MutableItem {
  return 'publicKey' in item;
}

/** Where a mutable item is found: SHA-1 of key and salt. */
export function mutableTarget(crypto: Crypto, publicKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return crypto.sha1(concatBytes(publicKey, salt));
}

/** Where an item is found. */
export function targetOf(crypto: Crypto, item: DhtItem): Uint8Array {
  return isMutable(item)
    ? mutableTarget(crypto, item.publicKey, item.salt)
    : crypto.sha1(item.value);
}

/** The bytes that are signed: salt (when there is one), number and value, as they stand in a bencoded dictionary. */
export function signedBytes(seq: number, value: Uint8Array, salt: Uint8Array): Uint8Array {
  const head =
    salt.length === 0 ? new Uint8Array(0) : concatBytes(encodeUtf8('4:salt'), encode(salt));
  return concatBytes(head, encodeUtf8(`3:seqi${seq}e1:v`), value);
}

/** Makes a mutable item. @param seed the 32 bytes that the key pair is made from. @throws RangeError beyond the bounds of BEP 44. */
export function signItem(
  ed25519: Ed25519,
  seed: Uint8Array,
  seq: number,
  value: Uint8Array,
  salt: Uint8Array = new Uint8Array(0),
): MutableItem {
  if (value.length > MAX_VALUE_BYTES) {
    throw new RangeError(
      `value: expected at most ${MAX_VALUE_BYTES} bencoded bytes, got ${value.length}`,
    );
  }
  if (salt.length > MAX_SALT_BYTES) {
    throw new RangeError(`salt: expected at most ${MAX_SALT_BYTES} bytes, got ${salt.length}`);
  }
  if (!Number.isSafeInteger(seq) || seq < 0) {
    throw new RangeError(`seq: expected 0 to ${MAX_SEQ}, got ${seq}`);
  }
  const signature = ed25519.sign(seed, signedBytes(seq, value, salt));
  return { value, publicKey: ed25519.publicKey(seed), salt, seq, signature };
}

/** True when an item belongs under `target` and its signature, if it has one, is right. */
export function isRightItem(
  crypto: Crypto,
  ed25519: Ed25519,
  target: Uint8Array,
  item: DhtItem,
): boolean {
  if (item.value.length === 0 || item.value.length > MAX_VALUE_BYTES) return false;
  if (!equalBytes(targetOf(crypto, item), target)) return false;
  return !isMutable(item) || isRightSignature(ed25519, item);
}

/** True when the key's owner signed this. */
export function isRightSignature(ed25519: Ed25519, item: MutableItem): boolean {
  return ed25519.verify(
    item.publicKey,
    signedBytes(item.seq, item.value, item.salt),
    item.signature,
  );
}
