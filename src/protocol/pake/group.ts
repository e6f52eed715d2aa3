/**
 * The group of the key exchange: generator, scalars, multiplication, and the hashes over a run.
 *
 * Spec: draft-irtf-cfrg-cpace-21, sections "Common function for computing generators", "CPace group objects G_Ristretto255 and G_Decaf448", "CPace protocol
 * instructions" and "Key confirmation"; RFC 9496. Curve arithmetic is that of `@noble/curves`. Not here: the order of messages.
 * @module
 */
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, fromLatin1 } from '../../lib/bytes.ts';
import { GROUP_NAME, HASH_BLOCK_BYTES, SCALAR_BITS, SHARE_BYTES } from './constants.ts';
import { lengthValues, type ShareMessage } from './message.ts';

type Element = InstanceType<typeof ristretto255.Point>;

/** calculate_generator: an element that depends on password, channel and session. */
export function generatorOf(
  password: Uint8Array,
  channel: Uint8Array,
  session: Uint8Array,
): Element {
  return ristretto255_hasher.deriveToCurve!(sha512(generatorString(password, channel, session)));
}

/** generator_string. Zeros fill the first block, so that its hash depends on the password alone and takes as long for each. */
export function generatorString(
  password: Uint8Array,
  channel: Uint8Array,
  session: Uint8Array,
): Uint8Array {
  const name = fromLatin1(GROUP_NAME);
  const taken = lengthValues(name, password).length + 1;
  const zeros = new Uint8Array(Math.max(0, HASH_BLOCK_BYTES - taken));
  return lengthValues(name, password, zeros, channel, session);
}

/** sample_scalar, given its random bytes: bits above 252 are cleared. @throws RangeError unless 32 bytes that are not all zero remain. */
export function scalarOf(random: Uint8Array): bigint {
  if (random.length !== SHARE_BYTES) {
    throw new RangeError(`scalar: expected ${SHARE_BYTES} random bytes, got ${random.length}`);
  }
  let scalar = 0n;
  for (let at = SHARE_BYTES - 1; at >= 0; at -= 1) scalar = (scalar << 8n) | BigInt(random[at]!);
  scalar &= (1n << BigInt(SCALAR_BITS)) - 1n;
  if (scalar === 0n) throw new RangeError('scalar: expected random bytes, got zeros');
  return scalar;
}

/** scalar_mult: the encoding of a multiple. */
export function multiply(scalar: bigint, element: Element): Uint8Array {
  return element.multiply(scalar).toBytes();
}

/** scalar_mult_vfy: undefined where it gives G.I, as of bytes that encode no element, or the neutral one. */
export function multiplyVerified(scalar: bigint, share: Uint8Array): Uint8Array | undefined {
  const element = elementIn(share);
  return element === undefined || element.is0() ? undefined : multiply(scalar, element);
}

function elementIn(bytes: Uint8Array): Element | undefined {
  try {
    return ristretto255.Point.fromBytes(bytes);
  } catch {
    return undefined;
  }
}

/** The intermediate session key, 64 bytes, of a run with roles (transcript_ir). */
export function sessionKey(
  session: Uint8Array,
  secret: Uint8Array,
  initiator: ShareMessage,
  responder: ShareMessage,
): Uint8Array {
  return sha512(
    concatBytes(
      lengthValues(fromLatin1(`${GROUP_NAME}_ISK`), session, secret),
      lengthValues(initiator.share, initiator.associated),
      lengthValues(responder.share, responder.associated),
    ),
  );
}

/** The tag of a party over what it sent: HMAC-SHA-512. */
export function confirmationTag(
  session: Uint8Array,
  key: Uint8Array,
  sent: ShareMessage,
): Uint8Array {
  const macKey = sha512(concatBytes(fromLatin1('CPaceMac'), session, key));
  return hmac(sha512, macKey, lengthValues(sent.share, sent.associated));
}

/** Equality of two byte strings of one length, in a time that does not tell where they differ. */
export function equalTags(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < b.length; at += 1) difference |= a[at]! ^ b[at]!;
  return difference === 0;
}
