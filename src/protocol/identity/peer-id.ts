/**
 * Peer ids: the public key of an identity in the form of libp2p, so that every libp2p tool reads them.
 *
 * Spec: libp2p peer-ids. The key's protobuf has 36 bytes, so an id holds the key itself, and whoever has the id can check its owner's signatures.
 * Text: base58btc ("12D3KooW…"), which is what is written; a CIDv1 in base32 ("bafz…") is read, too.
 * Only Ed25519 keys: ids of other kinds are refused by name.
 * @module
 */
import { concatBytes, equalBytes, fromBase32 } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { fromBase58, toBase58 } from './base58.ts';
import {
  CID_HEAD,
  IDENTITY_HEAD,
  KEY_BYTES,
  MAX_PEER_ID_CHARACTERS,
  PEER_ID_BYTES,
  PUBLIC_KEY_HEAD,
} from './constants.ts';
import type { IdentityErrorCode } from './errors.ts';
import { isStrictPoint } from './signature-rule.ts';

const HEAD: Uint8Array = concatBytes(IDENTITY_HEAD, PUBLIC_KEY_HEAD);

/** The id of a public key, 38 bytes. @throws RangeError when the key has not 32 bytes. */
export function peerIdOf(publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== KEY_BYTES) {
    throw new RangeError(`public key: expected ${KEY_BYTES} bytes, got ${publicKey.length}`);
  }
  return concatBytes(HEAD, publicKey);
}

/** The public key in an id. */
export function publicKeyIn(peerId: Uint8Array): Result<Uint8Array, IdentityErrorCode> {
  const isEd25519 =
    peerId.length === PEER_ID_BYTES && equalBytes(peerId.subarray(0, HEAD.length), HEAD);
  if (!isEd25519) {
    return fail(
      'ERR_PEER_ID_KIND',
      `expected a peer id with an Ed25519 key (${PEER_ID_BYTES} bytes, "12D3KooW…"), got ${peerId.length} bytes of another kind`,
    );
  }
  const key = peerId.slice(HEAD.length);
  if (isStrictPoint(key)) return ok(key);
  return fail(
    'ERR_PEER_ID_KEY',
    'expected the key of an identity, got one that anybody could sign for',
  );
}

/** "12D3KooW…" */
export function formatPeerId(peerId: Uint8Array): string {
  return toBase58(peerId);
}

/** Reads an id in either text form. @returns its 38 bytes. */
export function parsePeerId(text: string): Result<Uint8Array, IdentityErrorCode> {
  const bytes = text.length > MAX_PEER_ID_CHARACTERS ? undefined : bytesOf(text.trim());
  if (bytes === undefined) {
    const got = JSON.stringify(text.slice(0, 80));
    return fail('ERR_PEER_ID_TEXT', `expected a peer id like "12D3KooW…", got ${got}`);
  }
  const key = publicKeyIn(bytes);
  return key.ok ? ok(bytes) : key;
}

function bytesOf(text: string): Uint8Array | undefined {
  if (!/^b[a-z2-7]+$/.test(text)) return fromBase58(text);
  const cid = fromBase32(text.slice(1));
  if (cid === undefined || !equalBytes(cid.subarray(0, CID_HEAD.length), CID_HEAD))
    return undefined;
  return cid.slice(CID_HEAD.length);
}
